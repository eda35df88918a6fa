"""`unpanic dev`, `build` and `dist` with a browser: the module of the project was built before, without Rust here."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tools.conftest import PROJECT, PYODIDE, Command, put_module
from tests.unit.tools.processes import connected, request, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

TEMPLATE = Path(__file__).parents[2] / "py/unpanic_tools/template"
MAIN = """\
import unpanic
import bank
from bank import add

filled = []
unpanic.on_reset(bank, lambda module, crash: filled.append(dir(module)))
bank.open("ada", 100)
kept = [bank.add]
"""
TAKE_FAILURES = """() => {
    globalThis.failures = [];
    addEventListener("unpanic-renewed", () => (globalThis.renewed = true));
    addEventListener("unpanic-change", (event) => {
        if (event.detail.kind === "failed") failures.push(event.detail.problem);
        if (event.detail.kind === "reload") globalThis.reloads = true;
        if (event.detail.kind !== "module") event.preventDefault();
    });
}"""
READY = "globalThis.ready?.then(() => true)"


def make_page(folder: Path) -> None:
    """The page of a new project, with another program."""
    folder.mkdir()
    shutil.copy(TEMPLATE / "page/index.html.template", folder / "index.html")
    text = (TEMPLATE / "page/main.js.template").read_text().replace("$name", "bank")
    start, _, _ = text.partition("const main =")
    (folder / "main.js").write_text(f'{start}globalThis.ready = fetch("main.py").then((main) => main.text())'
                                    ".then((text) => pyodide.runPythonAsync(text));\n")  # fmt: skip
    (folder / "main.py").write_text(MAIN)


@pytest.mark.parametrize("engine", ["chromium", pytest.param("firefox", marks=pytest.mark.long)])
def test_an_open_page_takes_a_new_module(project: Path, installed: Path, page: Page):
    """Names of Python stay and mean the new module, which begins anew; a change of the page loads it again."""
    make_page(project / "page")
    with running("dev", project, "--port", "0", "--pyodide", PYODIDE, path=str(installed)) as server:
        page.goto(f"{server.url}/")
        page.wait_for_function(READY)
        assert page.evaluate("pyodide.runPython('bank.total()')") == 100
        page.evaluate("globalThis.mark = 1; addEventListener('unpanic-renewed', () => (globalThis.renewed = true))")

        # The same exports, with state of their own.
        module = (project / "bank" / "bank.js").read_text()
        (project / "bank" / "bank.js").write_text(module + "\n// new\n")
        assert server.wait_for(re.compile(r"for \d open pages")) == "for 1 open pages"
        page.wait_for_function("globalThis.renewed")
        assert page.evaluate("globalThis.mark") == 1
        assert page.evaluate("pyodide.runPython('bank.total(), add(2, 3), len(filled)').toJs()") == [0, 5, 1]
        caught = "try:\n    kept[0](1, 2)\nexcept unpanic.ModuleTerminated as error:\n    caught = str(error)\ncaught"
        assert "has ended" in page.evaluate(f"pyodide.runPython({caught!r})")

        (project / "page" / "main.py").write_text(MAIN.replace("100", "7"))
        page.wait_for_function("globalThis.mark === undefined")
        page.wait_for_function(READY)
        assert page.evaluate("pyodide.runPython('bank.total()')") == 7
        assert server.interrupt() == 0


def test_a_new_module_may_export_something_else(project: Path, installed: Path, page: Page):
    """New names are there, and old ones say so."""
    make_page(project / "page")
    with running("dev", project, "--port", "0", "--pyodide", PYODIDE, path=str(installed)) as server:
        page.goto(f"{server.url}/")
        page.wait_for_function(READY)
        page.evaluate("addEventListener('unpanic-renewed', () => (globalThis.renewed = true))")
        put_module(project / "bank", "silent")
        page.wait_for_function("globalThis.renewed")
        names = page.evaluate("pyodide.runPython('dir(bank)').toJs()")
        assert "open" not in names
        assert page.evaluate("pyodide.runPython('filled[-1] == dir(bank)')")


def test_a_page_while_builds_fail(project: Path, installed: Path, page: Page):
    """The command begins with a build that fails, and a page keeps the module that it has until a build works."""
    make_page(project / "page")
    settings = project / "pyproject.toml"
    settings.write_text("[project]\nname = 'bank'\n")
    with running("dev", project, "--port", "0", "--pyodide", PYODIDE, path=str(installed)) as server:
        assert request(server, "/pyodide/pyodide.mjs")[0].status == 200
        settings.write_text(PROJECT)
        server.wait_for(re.compile(r"for 0 open pages"))
        page.goto(f"{server.url}/")
        page.wait_for_function(READY)
        # What fails is an error in the console, which the fixture would not allow.
        page.evaluate(TAKE_FAILURES)

        settings.write_text("[project]\nname = 'bank'\n")
        (project / "page" / "style.css").write_text("p {}")
        page.wait_for_function("globalThis.failures?.length")
        assert page.evaluate("failures[0].startsWith('project was not built: ')")
        page.wait_for_function("globalThis.reloads")  # the page's own file came with the build that failed
        assert page.evaluate("pyodide.runPython('bank.total(), add(2, 3), len(filled)').toJs()") == [100, 5, 0]

        settings.write_text(PROJECT)
        page.wait_for_function("globalThis.renewed")
        assert page.evaluate("pyodide.runPython('bank.total(), add(2, 3), len(filled)').toJs()") == [0, 5, 1]
        assert server.interrupt() == 0


def test_a_build_that_fails(project: Path, installed: Path):
    """Open pages hear why, the old wheel stays, and the next build that works is taken."""
    make_page(project / "page")
    settings = project / "pyproject.toml"
    with running("dev", project, "--port", "0", "--pyodide", PYODIDE, path=str(installed)) as server:
        with connected(server, "/__unpanic__/changes") as stream:
            assert stream.readline() == b": open\n"
            settings.write_text("[project]\nname = 'bank'\n")
            stream.readline()
            failed = json.loads(stream.readline().removeprefix(b"data: "))
            assert failed["kind"] == "failed"
            assert failed["problem"].startswith("project was not built: ")
            assert request(server, "/pyodide/bank-0.1.0-py3-none-any.whl")[0].status == 200
            settings.write_text(PROJECT)
            stream.readline()
            renewed = json.loads(stream.readline().removeprefix(b"data: "))
            assert renewed == {"kind": "module", "wheel": "/pyodide/bank-0.1.0-py3-none-any.whl"}
        assert server.interrupt() == 0


def test_a_project_without_a_page(project: Path, unpanic: Command):
    """One line says what to name."""
    done = unpanic("dev", project)
    assert done.returncode == 1
    assert done.stderr == (
        f"unpanic: {project}/page is not a folder: --page names that of the page, and `unpanic new` makes one.\n"
    )


def test_a_distribution_of_a_project(project: Path, unpanic: Command, installed: Path, page: Page):
    """Without wheels, `dist` builds the project and takes its page; any server serves the result."""
    make_page(project / "page")
    done = unpanic("dist", "site", "--pyodide", PYODIDE, cwd=project)
    assert done.returncode == 0, done.stderr
    assert "with bank 0.1.0, unpanic 0.1.0" in done.stdout
    with running("serve", project / "site", "--port", "0", "--no-reload", path=str(installed)) as server:
        page.goto(f"{server.url}/")
        page.wait_for_function(READY)
        assert page.evaluate("pyodide.runPython('bank.add(2, 3)')") == 5
        assert page.evaluate("crossOriginIsolated")


def test_a_project_that_cannot_be_built(project: Path, unpanic: Command):
    """The command says why, and shows no traceback."""
    (project / "pyproject.toml").write_text("[project]\nname = 'bank'\n")
    done = unpanic("build", cwd=project)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("unpanic: project was not built: ")
    done = unpanic("build")
    assert done.returncode == 1
    assert "has no pyproject.toml: run this in a project" in done.stderr
