"""The files on the pages of docs/getting-started do what the pages say, in the places that they are for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.examples import add_common_files
from scripts.serve import ROOT
from scripts.wheel import built as built_wheel
from tests.examples.conftest import STARTS

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.serve import Server

PLACES = ROOT / "docs" / "getting-started"
BUILT = ROOT / "dist" / "examples"
FILE = re.compile(r'^```\w+ title="(?P<name>[^"]+)"\n(?P<text>.*?)^```', re.M | re.S)
OUTPUT = re.compile(r"^```text\n(.*?)^```", re.M | re.S)


def write(place: str) -> tuple[Path, list[str]]:
    """A folder with the files that a page shows, and the lines that it says will come."""
    folder = BUILT / f"getting-started-{place}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    add_common_files(folder)
    page = (PLACES / f"{place}.md").read_text("utf-8")
    for file in FILE.finditer(page):
        (folder / file["name"]).write_text(file["text"], "utf-8")
    return folder, "".join(OUTPUT.findall(page)).splitlines()


def expect_lines(page: Page, address: str, lines: list[str]) -> None:
    """Opens a page, and waits until its console has shown all lines."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    with page.expect_console_message(lambda message: message.text == lines[-1]):
        page.goto(address)
    assert [line for line in lines if line not in said] == []


def test_worker(page: Page, server: Server):
    """The console shows what the page shows."""
    folder, output = write("worker")
    expect_lines(page, f"{server.url}/examples/{folder.name}/index.html", output)


@pytest.mark.parametrize("attribute", ["", " worker"], ids=["main", "worker"])
def test_pyscript(attribute: str, page: Page, server: Server):
    """PyScript shows the same, also with the attribute that moves it to a worker."""
    folder, output = write("pyscript")
    for path in (folder / "bank").iterdir():
        server.route(f"/bank/{path.name}", path.read_bytes())
    start = folder / "index.html"
    start.write_text(start.read_text().replace('"pyscript.toml"', f'"pyscript.toml"{attribute}'))
    expect_lines(page, f"{server.url}/examples/{folder.name}/index.html", output)


def test_node():
    """The script prints what the page shows."""
    folder, output = write("node")
    (folder / "node_modules").symlink_to(ROOT / "js" / "node_modules")
    ran = subprocess.run(["node", "main.mjs"], cwd=folder, capture_output=True, text=True, timeout=STARTS / 1000)
    assert [line for line in output if line not in ran.stdout.splitlines()] == [], ran.stderr[-2000:]


def test_page_and_its_test(page: Page, server: Server):
    """The console shows what the page shows, and the test that another page has for it passes."""
    folder, output = write("page")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    ((name, source),) = FILE.findall((PLACES / "browser-tests.md").read_text("utf-8"))
    namespace: dict[str, Any] = {}
    source = source.replace("http://localhost:8000/", f"{server.url}/examples/{folder.name}/index.html")
    exec(compile(source, name, "exec"), namespace)
    namespace["test_an_overdraft_is_survived"](page)
    assert [line for line in output if line not in said] == []


def test_vite(page: Page, server: Server):
    """Vite builds the page's bundle, and the module in it recovers."""
    folder, _ = write("vite")
    shutil.copytree(ROOT / "rust/fixtures/bank/pkg/reset", folder / "pkg")
    (folder / "node_modules").symlink_to(ROOT / "examples/vite/node_modules")
    (folder / "public").mkdir()
    shutil.copy(built_wheel(), folder / "public")
    (folder / "index.html").write_text('<script type="module" src="./main.js"></script>')
    build = ["node_modules/.bin/vite", "build", "--base", "./", "--logLevel", "error"]
    subprocess.run(build, cwd=folder, check=True, timeout=STARTS / 1000)
    page.goto(f"{server.url}/examples/{folder.name}/dist/index.html")
    page.wait_for_function("globalThis.pyodide?.globals.has('bank')")
    survived = """
try:
    bank.transfer("ada", "bob", amount=1)
except unpanic.RustPanic as panic:
    outcome = f"{panic.message}, {bank.add(2, 3)}"
outcome"""
    assert page.evaluate("source => pyodide.runPython(source)", survived) == "insufficient funds, 5"


@pytest.mark.parametrize("place", ["jupyterlite", "marimo"])
def test_notebooks(place: str):
    """The page has lines of the example only, which a test of its own runs."""
    example = ROOT / "examples" / place
    notebooks = [json.loads(path.read_text("utf-8")) for path in example.glob("files/*.ipynb")]
    cells = ["".join(cell["source"]) for notebook in notebooks for cell in notebook["cells"]]
    texts = [path.read_text("utf-8") for path in (example / "README.md", example / "notebook.py") if path.exists()]
    known = "\n".join(cells + texts)
    blocks = re.findall(r"^```(?:python|sh)\n(.*?)^```", (PLACES / f"{place}.md").read_text("utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines() if line]
    assert len(lines) > 5
    # The example may take the amount from a widget.
    assert [line for line in lines if line.partition("5_000")[0] not in known] == []
