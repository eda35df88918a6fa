"""The stop button on a page: it ends a loop in Rust, and the next call gives its result."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.serve import ROOT, Server
from tests.examples.conftest import STARTS

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

NAME = "stop-button"


@pytest.fixture
def address(build: Callable[[str], Path]) -> Iterator[str]:
    """The example as its README serves it."""
    command = [sys.executable, build(NAME) / "serve.py", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def test_stop(address: str, context: BrowserContext):
    """An endless loop ends at a click, again and again, and each next call works."""
    from playwright.sync_api import expect

    page = context.new_page()
    page.goto(address)
    loop, stop, add = (page.get_by_role("button", name=name) for name in ("Endless loop", "Stop", "Add 2 and 3"))
    log = page.get_by_role("log", name="What happened")
    expect(loop).to_be_enabled(timeout=STARTS)
    lines = ["ready"]
    for _ in range(3):
        loop.click()
        page.wait_for_timeout(200)
        expect(log).to_have_text("\n".join(lines))  # it runs
        stop.click()
        lines.append("loops.spin(): stopped")
        expect(log).to_have_text("\n".join(lines))
        add.click()
        lines.append("loops.add(2, 3): 5")
        expect(log).to_have_text("\n".join(lines))
    page.set_viewport_size({"width": 375, "height": 667})
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.close()


def test_a_server_without_the_headers(build: Callable[[str], Path], context: BrowserContext):
    """The page says why its buttons stay disabled."""
    from playwright.sync_api import expect

    with Server(folders={"/": build(NAME).relative_to(ROOT).as_posix()}) as server:
        page = context.new_page()
        page.goto(f"{server.url}/index.html")
        expect(page.get_by_role("log", name="What happened")).to_contain_text("start serve.py")
        expect(page.get_by_role("button", name="Endless loop")).to_be_disabled()
        page.close()


SITES = ROOT / ".cache" / "examples"
HOSTS = {
    "JupyterLite": [SITES / "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static"],
    "PyScript": [ROOT / "examples/node_modules/@pyscript/core/dist", ROOT / "examples/node_modules/polyscript/esm"],
    "marimo": list(SITES.glob("lib/python*/site-packages/marimo/_static/assets")),
}


@pytest.mark.parametrize(("host", "sets"), [("JupyterLite", False), ("PyScript", False), ("marimo", True)])
def test_which_hosts_set_the_interrupt_buffer(host: str, sets: bool):
    """The table of docs/deadlines.md is true of the pinned versions."""
    files = [file for folder in HOSTS[host] for file in folder.rglob("*.js")]
    assert files
    assert any("setInterruptBuffer" in file.read_text("utf-8") for file in files) == sets
