"""The package shows its public names to users, and carries nothing that it should not."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import tomllib
import types
from pathlib import Path

import pytest
import unpanic

ROOT = Path(__file__).parents[2]
PKG = ROOT / "rust" / "fixtures"
COMMON = {"abort", "reset", "unwind"}
MACHINE_PATH = re.compile(
    rb"(?<![\w./-])/(?:root|home|Users|usr|work)/[\w.-]+|(?<![A-Za-z])[A-Za-z]:\\(?:Users|code|src|work)\\"
)


def test_all_is_what_the_package_exposes():
    """`__all__` is sorted and equals the public names that are no submodules."""
    exposed = [
        name
        for name, value in vars(unpanic).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    ]
    assert sorted(exposed) == sorted(unpanic.__all__)
    assert len(set(unpanic.__all__)) == len(unpanic.__all__)
    assert list(unpanic.__all__) == sorted(unpanic.__all__)


@pytest.mark.parametrize("name", unpanic.__all__)
def test_every_public_name_is_documented(name: str):
    """`help()` has a text for it and for each of its public methods and properties."""
    value = getattr(unpanic, name)
    assert value.__doc__, name
    for member, found in vars(value).items() if isinstance(value, type) else ():
        if not member.startswith("_") and (inspect.isfunction(found) or isinstance(found, property)):
            assert inspect.getdoc(found), f"{name}.{member}"


def test_every_module_names_what_it_offers():
    """Each module of the package has a docstring and an `__all__` of existing names."""
    names = [info.name for info in pkgutil.walk_packages(unpanic.__path__, "unpanic.")]
    assert len(names) > 50
    for name in names:
        if name == "unpanic.__main__":
            continue
        module = importlib.import_module(name)
        assert module.__doc__, name
        is_package = hasattr(module, "__path__") and name != "unpanic.service"
        assert all(hasattr(module, export) for export in ([] if is_package else module.__all__)), name


def test_one_version_for_everything():
    """The npm package, the Python package and both wheels have the same version."""
    package = json.loads((ROOT / "js" / "package.json").read_text())
    lock = json.loads((ROOT / "js" / "package-lock.json").read_text())
    assert {package["version"], lock["version"]} == {unpanic.__version__}
    for folder in (ROOT, ROOT / "py" / "unpanic_tools"):
        project = tomllib.loads((folder / "pyproject.toml").read_text())
        settings = project["tool"]["hatch"]["version"]
        built = re.search(settings["pattern"], (folder / settings["path"]).read_text())
        assert project["project"]["dynamic"] == ["version", "dependencies"]
        assert built is not None
        assert built["version"] == unpanic.__version__


def test_the_lock_file_names_no_registry():
    """Every npm package is pinned, and comes from the configured registry."""
    pinned = json.loads((ROOT / "js" / "package.json").read_text())["devDependencies"].values()
    for folder in ("js", "tests/compat"):
        assert '"resolved"' not in (ROOT / folder / "package-lock.json").read_text()
    assert all(re.fullmatch(r"(npm:pyodide@)?\d+\.\d+\.\d+", version) for version in pinned)


FIXTURES = sorted(path for path in PKG.glob("*/pkg/*/*") if path.suffix in {".wasm", ".js", ".ts"})


def test_there_are_fixtures():
    """The next test checks every kind of build."""
    special = {"handler", "unwind-reset", "mvp", "nameless"}
    assert {path.parent.name for path in FIXTURES} == {*COMMON, *special}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: str(path.relative_to(PKG)))
def test_no_fixture_tells_of_the_machine_that_built_it(path: Path):
    """No committed file has an absolute path of a build machine."""
    assert not MACHINE_PATH.findall(path.read_bytes())


@pytest.mark.parametrize(
    "text", [b"\0/root/.cargo/x", b"/home/ada/a.rs", b"(/usr/lib/rust", rb"C:\Users\ada", b"/work/a.rs"]
)
def test_the_check_for_machine_paths_finds_them(text: bytes):
    """The test above can fail."""
    assert MACHINE_PATH.search(text)


def test_the_architecture_names_every_package():
    """Each folder of sources has its row, so that a newcomer finds the place for a change."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    roots = [ROOT / "py" / "unpanic", ROOT / "py" / "unpanic_tools", ROOT / "js" / "src"]
    folders = {file.parent for root in roots for file in root.rglob("*.[pj][ys]")}
    assert len(folders) > 15
    rows = {str(folder.relative_to(ROOT)) for folder in folders}
    assert {row for row in rows if f"| `{row}/` |" not in text} == set()


def test_import_needs_no_browser():
    """Plain CPython can import the package; only a load needs a browser, and its error says so."""
    with pytest.raises(RuntimeError) as caught:
        unpanic.load_sync("/nowhere/bank.js")
    assert str(caught.value) == "unpanic loads modules in the browser: run it under Pyodide (this is plain CPython)."
