"""The pages of docs/getting-started work as written: files, commands, and the output that they show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from examples.marimo.build import own_pyodide
from scripts.serve import ROOT
from tests.examples.conftest import STARTS
from tests.examples.literal import PLACES, Reader

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from unpanic_tools.testing.host import Watch

type Follow = Callable[..., Reader]
type Serve = Callable[[Reader], str]


@pytest.fixture
def follow(tmp_path: Path) -> Follow:
    """Makes a reader of a page, and writes the page's files."""
    return lambda place, **options: Reader(tmp_path, place, **options).write_files()


def shows(page: Page, address: str, lines: list[str]) -> None:
    """Opens a page, and waits until its console has shown all lines."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    with page.expect_console_message(lambda message: message.text == lines[-1]):
        page.goto(address)
    assert [line for line in lines if line not in said] == []


def test_every_page_has_a_test():
    """Every page of the folder has a test."""
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    tested = set(re.findall(r'(?:follow|Reader)\((?:[\w. /"]+, )?"([\w-]+)"', tests))
    assert tested == {path.stem for path in PLACES.glob("*.md")}


def test_page(page: Page, follow: Follow, serve: Serve):
    """The console shows the lines of the page."""
    reader = follow("page")
    address = serve(reader)
    shows(page, address, reader.output)
    page.wait_for_function("globalThis.ready?.then(() => true)")


def test_worker(page: Page, follow: Follow, serve: Serve):
    """The console of a worker shows the lines of the page."""
    reader = follow("worker")
    address = serve(reader)
    shows(page, address, reader.output)


@pytest.mark.parametrize("attribute", ["", " worker"], ids=["main", "worker"])
def test_pyscript(attribute: str, page: Page, follow: Follow, serve: Serve):
    """PyScript shows the lines of the page, also with the attribute that moves the script to a worker."""
    reader = follow("pyscript", package=None)
    start = reader.folder / "index.html"
    start.write_text(start.read_text().replace('"pyscript.toml"', f'"pyscript.toml"{attribute}'))
    address = serve(reader)
    shows(page, address, reader.output)


def test_node(follow: Follow):
    """The script prints the lines of the page."""
    reader = follow("node")
    printed = "".join(map(reader.run, reader.commands())).splitlines()
    assert [line for line in reader.output if line not in printed] == []


def test_vite(page: Page, follow: Follow, serve: Serve):
    """Vite builds the page's bundle, and the module in it recovers."""
    reader = follow("vite", package=ROOT / "rust/fixtures/bank/pkg/reset")
    address = serve(reader)
    page.goto(address)
    page.wait_for_function("globalThis.pyodide?.globals.has('bank')")
    assert page.evaluate('pyodide.runPython("bank.add(2, 3)")') == 5
    survived = """
try:
    bank.transfer("ada", "bob", amount=1)
except unpanic.RustPanic as panic:
    outcome = f"{panic.message}, {bank.add(2, 3)}"
outcome"""
    assert page.evaluate("source => pyodide.runPython(source)", survived) == "insufficient funds, 5"


@pytest.mark.long  # test_marimo.py runs the same cells
def test_marimo(page: Page, follow: Follow, serve: Serve, uncaught: Watch):
    """The exported notebook shows the crash and the value. On a desktop the first cell says where Rust runs."""
    reader = follow("marimo", package=None)
    reader.run("marimo export html notebook.py --output desktop.html --no-sandbox || true")
    on_a_desktop = (reader.folder / "desktop.html").read_text()
    assert "Rust runs in the exported page." in on_a_desktop
    assert not re.search("NameError|ModuleNotFoundError|ImportError", on_a_desktop)
    address = serve(reader)
    own_pyodide(reader.folder / "site")
    page.goto(address)
    crash = page.locator(".marimo-cell", has=page.locator(".cm-editor", has_text="derive x"))
    value = page.locator(".marimo-cell", has=page.locator(".cm-editor", has_text="take 3"))
    expect(crash).to_contain_text("StackOverflow: stack overflow (in prql_js.compile; rolled back", timeout=STARTS)
    expect(value).to_contain_text("FROM")
    # marimo shows this message if its kernel needs more than 20 seconds to start, and goes on.
    uncaught.errors[:] = [error for error in uncaught.errors if "RPC request timed out" not in error]


# Names the browser to pytest-playwright as the page does, but with the path of this machine.
SYSTEM_BROWSER = re.compile(r'"executable_path": "[^"]*", "chromium_sandbox": \w+')


def test_browser_tests(follow: Follow, tmp_path: Path):
    """The test in the documentation passes against its HTML page, and fails if the page behaves differently."""
    browser = json.loads((ROOT / ".cache/browser.json").read_text())["chromium"]
    options = ", ".join(f"{json.dumps(name)}: {value!r}" for name, value in browser.items())
    reader, beside = follow("browser-tests"), Reader(tmp_path / "beside", "page")
    for name, text in beside.files().items():
        (reader.folder / name).write_text(text)
    conftest = reader.folder / "conftest.py"
    text, count = SYSTEM_BROWSER.subn(options, conftest.read_text())
    assert count == 1
    conftest.write_text(f"{text}\n{CDN_FOR_PYTEST.format(root=str(ROOT))}")
    with reader.served():
        (reader.folder / "main.py").write_text("import unpanic\n")
        with pytest.raises(AssertionError, match="NameError: name 'bank' is not defined"):
            reader.run(reader.commands()[-1])


# At home the CDN answers; here its stand-in has to be known to the pytest of the reader too.
CDN_FOR_PYTEST = """
import sys
sys.path.insert(0, {root!r})

@pytest.fixture(autouse=True)
def cdn(context):
    from tests.examples.conftest import answer_for_cdn
    answer_for_cdn(context)
"""
