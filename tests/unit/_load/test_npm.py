"""Packages are loaded by their names, and the log says which version it was."""

from __future__ import annotations

import asyncio
import logging
import types
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic._bridge.wire import PackageAnswer

from tests.unit.fakes import FakeBrowser, FakeDriver, function

CDN = "https://cdn/bank@1.2.0/"
FILES = PackageAnswer(f"{CDN}web/bank.js", "", f"{CDN}web/bank.d.ts", "bank", "1.2.0", "")
DECLARATIONS = "/** Adds. */\nexport function add(first: number, second: number): number;\n"


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> FakeBrowser:
    described = {"functions": [function("add", "i32", "i32", result="i32")]}
    browser = FakeBrowser(FakeDriver(described, {"add": lambda a, b: a + b}))
    monkeypatch.setattr("unpanic._load.load.current_browser", lambda: browser)
    monkeypatch.setattr("unpanic._load.npm.current_browser", lambda: browser)
    browser.packages["npm:bank@1.2.0"] = FILES
    return browser


def load(**options: Any) -> types.ModuleType:
    return asyncio.run(unpanic.load(options.pop("glue", "npm:bank@1.2.0"), **options))


def sources(browser: FakeBrowser) -> dict[str, Any]:
    return {name: value for name, value in browser.options.items() if name in ("glue", "wasm", "name")}


def test_the_runtime_gets_the_files_of_a_package(browser: FakeBrowser, caplog: pytest.LogCaptureFixture):
    """Glue and types are those of the package, and the module has its name. A pinned version is not logged."""
    caplog.set_level(logging.INFO, "unpanic")
    browser.files[FILES.types] = DECLARATIONS
    module = load()
    assert sources(browser) == {"glue": FILES.glue, "name": "bank"}
    assert browser.fetched == [FILES.types]
    assert (module.add.__doc__, module.__spec__.origin) == ("Adds.", FILES.glue)
    assert caplog.messages == []


def test_a_name_is_looked_for_in_no_file_system(browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch):
    """A name is no path: JupyterLite's file system would ask its server for a folder `npm:`."""
    asked: list[str] = []
    monkeypatch.setattr("pathlib.Path.is_file", lambda path: bool(asked.append(str(path))))
    load()
    assert [path for path in asked if "npm:" in path] == []
    assert sources(browser)["glue"] == FILES.glue


def test_the_wasm_file_may_have_a_place_of_its_own(browser: FakeBrowser):
    """The runtime gets the Wasm file of the package if that is not where the glue looks for it."""
    browser.packages["npm:bank@1.2.0"] = FILES._replace(wasm=f"{CDN}bank.wasm")
    load()
    assert sources(browser)["wasm"] == f"{CDN}bank.wasm"


def test_the_user_knows_better(browser: FakeBrowser):
    """A Wasm file, types and a name that the user passes replace those of the package."""
    browser.packages["npm:bank@1.2.0"] = FILES._replace(wasm=f"{CDN}bank.wasm")
    browser.files["/mine.d.ts"] = DECLARATIONS
    load(wasm="/mine.wasm", types="/mine.d.ts", name="mine")
    assert sources(browser) == {"glue": FILES.glue, "wasm": "/mine.wasm", "name": "mine"}
    assert browser.fetched == ["/mine.d.ts"]


@pytest.mark.parametrize("types", [FILES.types, ""])
def test_types_may_be_missing(browser: FakeBrowser, types: str):
    """A package without types loads with what its glue tells."""
    browser.packages["npm:bank@1.2.0"] = FILES._replace(types=types)
    assert load().add(2, 3) == 5


def test_an_open_version_is_logged(browser: FakeBrowser, caplog: pytest.LogCaptureFixture):
    """The log says which version was loaded, and how to keep it."""
    caplog.set_level(logging.INFO, "unpanic")
    browser.packages[" npm:bank"] = FILES._replace(pinned="npm:bank@1.2.0")
    load(glue=" npm:bank")
    assert caplog.messages == ["npm:bank is version 1.2.0. To keep it, write npm:bank@1.2.0."]
    assert caplog.records[0].levelname == "INFO"
    assert caplog.records[0].unpanic == {  # type: ignore[attr-defined]
        "event": "version",
        "module": "bank",
        "generation": 0,
        "package": "npm:bank",
        "version": "1.2.0",
        "pinned": "npm:bank@1.2.0",
    }


def test_a_load_ends_if_there_is_no_such_package(browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch):
    """The error of the search is that of the load, and nothing is loaded."""

    async def fail(spec: str) -> PackageAnswer:
        raise unpanic.FetchError(f"There is no package {spec}.", url=spec, status=404)

    monkeypatch.setattr(browser, "find_package", fail)
    with pytest.raises(unpanic.FetchError, match=r"^There is no package npm:banq\.$"):
        load(glue="npm:banq")
    assert browser.options == {}


def test_a_file_of_that_name_is_a_path(browser: FakeBrowser, tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    """A file in Pyodide's file system is loaded as a path, even if its name begins like that of a package."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "npm:bank@1.2.0").write_text("glue")
    monkeypatch.setattr(browser, "glue_file", lambda path: ("file", path.name), raising=False)
    load(glue=Path("npm:bank@1.2.0"))
    assert browser.options["glue"] == ("file", "npm:bank@1.2.0")


@pytest.mark.usefixtures("browser")
def test_load_sync_has_no_network():
    """`load_sync` says which function loads packages by their names."""
    with pytest.raises(ValueError, match=r"load_sync takes a path .*, not 'npm:bank': use `await load"):
        unpanic.load_sync("npm:bank")


def test_packages_come_from_elsewhere(browser: FakeBrowser):
    """`npm` hands its template to the runtime, which checks it, and takes nothing but texts."""
    unpanic.npm(base="/node_modules/{name}/{path}")
    assert browser.package_base == "/node_modules/{name}/{path}"
    unpanic.npm()
    assert browser.package_base is None
    with pytest.raises(TypeError, match=r"base must be a URL such as '/node_modules/\{name\}/\{path\}', not int"):
        unpanic.npm(base=3)  # type: ignore[arg-type]
