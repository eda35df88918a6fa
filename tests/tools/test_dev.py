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
    from collections.abc import Callable
    from http.client import HTTPResponse

    from playwright.sync_api import Page

TEMPLATE = Path(__file__).parents[2] / "py/unpanic_tools/template"
MAIN = """\
import unpanic
import bank
from bank import add
from bank.beside import twice

filled = []
unpanic.on_reset(bank, lambda module, crash: filled.append(dir(module)))
bank.open("ada", 100)
kept = [bank.add]
account = bank.Account("ada", 100)
"""
# What keeps an object of the old module, or a function that the new one has no more.
HELD = """\
caught = []
for call in (lambda: kept[0](1, 2), lambda: account.balance, lambda: account.deposit(1), lambda: bank.total()):
    try:
        call()
    except unpanic.UnpanicError as error:
        caught.append(f"{type(error).__name__}: {error}")
    else:
        caught.append("")
caught
"""
READY = "globalThis.ready?.then(() => true)"


def make_page(folder: Path) -> None:
    """The page of a new project, with another program, and Python beside the Rust module."""
    folder.mkdir()
    (folder.parent / "bank" / "beside.py").write_text("def twice(x):\n    return 2 * x\n")
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

        # The same exports, with state of their own, and another file of Python in the same package.
        module = (project / "bank" / "bank.js").read_text()
        (project / "bank" / "bank.js").write_text(module + "\n// new\n")
        (project / "bank" / "beside.py").write_text("def twice(x):\n    return f'twice {x}'\n")
        assert server.wait_for(re.compile(r"for \d open page.*")) == "for 1 open page"
        page.wait_for_function("globalThis.renewed")
        assert page.evaluate("globalThis.mark") == 1
        assert page.evaluate("pyodide.runPython('bank.total(), add(2, 3), len(filled)').toJs()") == [0, 5, 1]
        assert page.evaluate("pyodide.runPython('twice(1)')") == "twice 1"
        *of_old, of_new = page.evaluate(f"pyodide.runPython({HELD!r}).toJs()")
        names = ("add", "Account.balance", "Account.deposit")
        begins = [f"ModuleTerminated: bank.{name} cannot run: the module has ended" for name in names]
        assert [said.startswith(begin) for said, begin in zip(of_old, begins, strict=True)] == [True] * 3, of_old
        assert of_new == ""

        (project / "page" / "main.py").write_text(MAIN.replace("100", "7"))
        page.wait_for_function("globalThis.mark === undefined")
        page.wait_for_function(READY)
        assert page.evaluate("pyodide.runPython('bank.total()')") == 7
        assert server.interrupt() == 0


def test_a_new_module_may_export_something_else(project: Path, installed: Path, page: Page):
    """New names are there, and what is gone says so."""
    make_page(project / "page")
    with running("dev", project, "--port", "0", "--pyodide", PYODIDE, path=str(installed)) as server:
        page.goto(f"{server.url}/")
        page.wait_for_function(READY)
        page.evaluate("addEventListener('unpanic-renewed', () => (globalThis.renewed = true))")
        (project / "bank" / "beside.py").unlink()
        put_module(project / "bank", "silent")
        page.wait_for_function("globalThis.renewed")
        names = page.evaluate("pyodide.runPython('dir(bank)').toJs()")
        assert "open" not in names
        assert page.evaluate("pyodide.runPython('filled[-1] == dir(bank)')")
        gone = "import importlib.util as util\nutil.find_spec('bank.beside') is None"
        assert page.evaluate(f"pyodide.runPython({gone!r})")


def test_a_page_while_builds_fail(project: Path, installed: Path, page: Page):
    """The first build may fail; a page shows why a later one failed, and keeps its module until one works."""
    make_page(project / "page")
    settings, module = project / "pyproject.toml", project / "bank" / "bank.js"
    settings.write_text("[project]\nname = 'bank'\n")
    with running("dev", project, "--port", "0", "--pyodide", PYODIDE, path=str(installed)) as server:
        assert request(server, "/pyodide/pyodide.mjs")[0].status == 200
        settings.write_text(PROJECT)
        assert server.wait_for(re.compile(r"for \d open page.*")) == "for 0 open pages"
        page.goto(f"{server.url}/")
        page.wait_for_function(READY)

        settings.write_text("[project]\nname = 'bank'\n")
        page.wait_for_selector("unpanic-notice", state="attached")
        assert "unpanic: project was not built: " in page.locator("unpanic-notice pre").inner_text()
        assert page.evaluate("pyodide.runPython('bank.total(), add(2, 3), len(filled)').toJs()") == [100, 5, 0]

        settings.write_text(PROJECT)
        module.write_text(module.read_text() + "\n// new\n")
        page.wait_for_function("pyodide.runPython('bank.total(), add(2, 3), len(filled)').toJs().join() === '0,5,1'")
        assert page.locator("unpanic-notice").count() == 0
        assert server.interrupt() == 0


def test_a_build_that_fails(project: Path, installed: Path):
    """Pages hear why, also one that is opened later; the old wheel stays, and a page's own file is not forgotten."""
    make_page(project / "page")
    settings, readme = project / "pyproject.toml", project / "README.md"
    wheel = {"kind": "module", "wheel": "/pyodide/bank-0.1.0-py3-none-any.whl"}
    with running("dev", project, "--port", "0", "--pyodide", PYODIDE, path=str(installed)) as server:
        with connected(server, "/__unpanic__/changes") as stream:
            hear = hearing(stream)
            settings.write_text("[project]\nname = 'bank'\n")
            (project / "page" / "style.css").write_text("p {}")
            failed = hear("failed")
            assert failed["problem"].startswith("project was not built: ")
            assert "version" in failed["output"]  # hatchling misses it
            assert hear("reload")
            with connected(server, "/__unpanic__/changes") as later:
                assert hearing(later)("failed") == failed
            assert request(server, wheel["wheel"])[0].status == 200
            settings.write_text(PROJECT)
            assert hear("unchanged")
            readme.write_text("Nothing of the wheel.")
            assert hear("unchanged")
            (project / "bank" / "data.txt").write_text("What Rust includes may be of any type.")
            assert hear("module") == wheel
        assert server.interrupt() == 0
        assert "unpanic: project was not built: " in server.process.stderr.read()


def hearing(stream: HTTPResponse) -> Callable[[str], dict]:
    """Returns a function that waits for the next change of a kind that a page hears of.

    Others are passed over: if the machine is busy, one written file may be two changes.
    """
    assert stream.readline() == b": open\n"

    def hear(kind: str) -> dict:
        while True:
            assert stream.readline() == b"\n"
            change = json.loads(stream.readline().removeprefix(b"data: "))
            if change["kind"] == kind:
                return change

    return hear


def test_a_project_without_a_page(project: Path, unpanic: Command):
    """One line says what to name."""
    done = unpanic("dev", project)
    assert done.returncode == 1
    assert done.stderr == (
        f"unpanic: {project}/page is not a folder: --page names that of the page, and `unpanic new` makes one.\n"
    )


def test_a_distribution_of_a_project(project: Path, unpanic: Command, installed: Path, page: Page):
    """Without wheels, `dist` builds the project and takes its page; the result asks no other host, and has bytecode."""
    make_page(project / "page")
    done = unpanic("dist", "site", "--pyodide", PYODIDE, "--compile", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "with bank 0.1.0, unpanic 0.1.0" in done.stdout
    assert not [*project.glob("site/pyodide/*-py3-none-any.whl")]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with running("serve", project / "site", "--port", "0", "--no-reload", path=str(installed)) as server:
        page.context.route(lambda url: not url.startswith((server.url, "data:")), lambda route: route.abort())
        page.goto(f"{server.url}/")
        page.wait_for_function(READY)
        assert page.evaluate("pyodide.runPython('bank.add(2, 3)')") == 5
        assert page.evaluate("pyodide.runPython('bank.beside.__spec__.origin')").endswith(".pyc")
        assert page.evaluate("crossOriginIsolated")
        assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
        assert any(url.endswith("pyodide.asm.wasm") for url in asked)


def test_a_project_that_cannot_be_built(project: Path, unpanic: Command):
    """The command says why, and shows no traceback."""
    (project / "pyproject.toml").write_text("[project]\nname = 'bank'\n")
    done = unpanic("build", cwd=project)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("unpanic: project was not built: ")
    done = unpanic("build")
    assert done.returncode == 1
    assert "has no pyproject.toml: run this in a project" in done.stderr
