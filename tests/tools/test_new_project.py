"""A new project, from nothing to a page that takes a changed line of Rust. `make crate` runs this: it takes minutes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tools.conftest import PYODIDE, Command
from tests.unit.tools.processes import running

if TYPE_CHECKING:
    from playwright.sync_api import Page

MINUTES_TO_BUILD = 10 * 60_000

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("new") / "bank"


def test_new_and_build(bank: Path, unpanic: Command):
    """The project builds as it is, into a wheel with exact types."""
    done = unpanic("new", bank)
    assert done.returncode == 0, done.stderr
    done = unpanic("build", cwd=bank)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "dist/bank-0.1.0-py3-none-any.whl\n"
    facts = json.loads(unpanic("inspect", "dist/bank-0.1.0-py3-none-any.whl", "--json", cwd=bank).stdout)
    assert (facts["hook"], facts["recovery"]) == ("setPanicHook", "rollback")
    assert "Account.withdraw(amount: u32) -> None" in facts["exports"]


def test_its_own_tests_pass(bank: Path, installed: Path):
    """In a browser, and the notebook is one of them."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", f"--pyodide={PYODIDE}"],
        cwd=bank, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert "test_the_notebook" in done.stdout


def test_cargo_test_passes(bank: Path):
    """On the machine itself, as an editor runs it."""
    done = subprocess.run(
        ["cargo", "test", "--offline", "--target-dir", bank / "target/native"],
        cwd=bank, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_dev(bank: Path, installed: Path, page: Page):
    """The page counts money in Rust, survives a panic, and takes a changed line without a reload."""
    with running("dev", bank, "--port", "0", "--pyodide", PYODIDE, path=str(installed)) as server:
        page.goto(f"{server.url}/")
        balance, message = page.locator("#balance"), page.locator("#message")
        page.get_by_role("button", name="Deposit").click(timeout=60_000)
        assert balance.inner_text() == "150"
        for _ in range(2):
            page.get_by_role("button", name="Withdraw").click()
        assert message.inner_text() == "Rust panicked: only 70 are left. The account is as it was."
        assert balance.inner_text() == "70"
        page.evaluate("globalThis.mark = 1")
        source = bank / "src/lib.rs"
        source.write_text(source.read_text().replace("self.balance += amount", "self.balance += 2 * amount"))
        assert server.wait_for(re.compile(r"for \d open page.*")) == "for 1 open page"
        page.wait_for_function("document.querySelector('#balance').textContent === '100'", timeout=MINUTES_TO_BUILD)
        page.get_by_role("button", name="Deposit").click()
        assert balance.inner_text() == "200"
        assert page.evaluate("globalThis.mark") == 1


def test_a_mistake_in_rust(bank: Path, unpanic: Command):
    """The compiler's own words are shown, and one line says that the build ended."""
    source = bank / "src/lib.rs"
    text = source.read_text()
    source.write_text(text.replace("a + b", "a + nonsense"))
    done = unpanic("build", cwd=bank)
    source.write_text(text)
    assert done.returncode == 1
    assert "nonsense" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("unpanic: ")
    assert "Traceback" not in done.stderr


def test_dist(bank: Path, unpanic: Command, installed: Path, page: Page):
    """The site needs nothing but a static host."""
    done = unpanic("dist", "site", "--pyodide", PYODIDE, cwd=bank)
    assert done.returncode == 0, done.stderr
    with running("serve", bank / "site", "--port", "0", path=str(installed)) as server:
        page.goto(f"{server.url}/")
        page.get_by_role("button", name="Deposit").click(timeout=60_000)
        assert page.locator("#balance").inner_text() in ("150", "200")
