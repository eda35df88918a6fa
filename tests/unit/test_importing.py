"""A Rust module in Python's import system: its spec, its place in `sys.modules`, and `importlib.reload`."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.resources
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic import CompileError, ModuleTerminated, _importing
from unpanic._exports import registry

from tests.unit.fakes import FakeBrowser, FakeDriver, Foreign, crash, function

TWO_LINES = 'import unpanic\nunpanic.load_sync("bank.js", name=__name__)\n'


@pytest.fixture(autouse=True)
def own_modules() -> Iterator[None]:
    """Removes the modules that a test imports."""
    before = dict(sys.modules)
    yield
    for name in sys.modules.keys() - before.keys():
        del sys.modules[name]
    _importing._ahead.clear()


@pytest.fixture
def browsers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeBrowser]:
    """Makes the next load return a module of that name with a function `add`."""

    def make(name: str) -> FakeBrowser:
        described = {"name": name, "functions": [function("add", "i32", "i32", result="i32", numeric=True)]}
        browser = FakeBrowser(FakeDriver(described, {"add": lambda a, b: a + b}))
        monkeypatch.setattr("unpanic._load.load.current_browser", lambda: browser)
        return browser

    return make


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages: `banking` is a package with glue, and `shop.bank` another one."""
    for folder in ("banking", "shop/bank"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text(TWO_LINES)
        (tmp_path / folder / "bank.js").write_text("// glue")
    (tmp_path / "shop/__init__.py").write_text("from . import bank\nfrom .bank import add\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def load(glue: Any = "http://host/bank.js", **options: Any) -> Any:
    return asyncio.run(unpanic.load(glue, **options))


def terminate(module: Any) -> None:
    """Crashes a module that was loaded without recovery."""
    crash(registry.of(module).supervisor)
    assert unpanic.status(module).phase == "terminated"


def test_a_package_of_two_lines_is_the_rust_module(browsers: Callable[..., FakeBrowser], site: Path):
    """`import` returns the Rust module itself, whose spec says that it came from the glue."""
    browser = browsers("banking")
    banking: Any = importlib.import_module("banking")
    glue = site / "banking" / "bank.js"
    assert (browser.options["glue"], browser.options["name"]) == (("glue file", glue), "banking")
    assert (banking.add(2, 3), type(banking).__name__) == (5, "RustModule")
    assert sys.modules["banking"] is banking
    spec = banking.__spec__
    assert (spec.name, spec.origin, spec.parent, spec.has_location) == ("banking", str(glue), "banking", True)
    assert (banking.__file__, banking.__loader__, banking.__package__) == (str(glue), spec.loader, "banking")
    assert importlib.resources.files("banking").joinpath("bank.js").read_text() == "// glue"


def test_a_package_may_hold_it(browsers: Callable[..., FakeBrowser], site: Path):
    """Every form of import finds the module inside of a package too."""
    browsers("shop.bank")
    names: dict[str, Any] = {}
    exec("import shop.bank, shop\nfrom shop.bank import add\nfrom shop import bank", names)
    assert names["shop"].bank is names["bank"] is sys.modules["shop.bank"]
    assert (names["add"](2, 3), names["shop"].add(1, 1), names["bank"].__package__) == (5, 2, "shop.bank")
    assert (site / "shop").is_dir()


def test_a_plain_file_may_be_it(browsers: Callable[..., FakeBrowser], site: Path):
    """A plain file becomes the Rust module too, and neither of them is a package."""
    (site / "teller.py").write_text(TWO_LINES.replace("bank.js", "banking/bank.js"))
    browsers("teller")
    teller: Any = importlib.import_module("teller")
    assert (teller.add(2, 3), teller.__package__, hasattr(teller, "__path__")) == (5, "", False)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Cannot compile it. Use the asynchronous `load`, or a worker.", True),
        ("Cannot compile it: bad magic.", False),
    ],
)
def test_an_import_that_fails_is_an_import_error(
    browsers: Callable[..., FakeBrowser], site: Path, monkeypatch: pytest.MonkeyPatch, text: str, hint: bool
):
    """It has the load's own error as its cause, and the remedy. Nothing half imported stays."""
    browser = browsers("banking")

    def fail(*_: Any) -> Any:
        raise CompileError(text)

    monkeypatch.setattr(browser, "load_sync", fail)
    with pytest.raises(ImportError) as caught:
        importlib.import_module("banking")
    error = caught.value
    glue = str(site / "banking" / "bank.js")
    assert (error.name, error.path, type(error.__cause__)) == ("banking", glue, CompileError)
    ahead = f"First `await unpanic.load({glue!r}, name='banking')`."
    assert str(error) == f"cannot import 'banking': {text.partition('Use the')[0] + ahead if hint else text}"
    assert "banking" not in sys.modules
    with pytest.raises(CompileError):
        unpanic.load_sync(glue, name="banking")


@pytest.mark.usefixtures("site")
def test_an_import_waits_for_a_large_file(browsers: Callable[..., FakeBrowser], monkeypatch: pytest.MonkeyPatch):
    """Where code can wait, it is loaded as `load` does it, and the import has it in the end."""
    browser = browsers("banking")
    at_once = browser.load_sync
    turns: list[int] = []

    def fail(*_: Any) -> Any:
        raise CompileError("Cannot compile it. Use the asynchronous `load`, or a worker.")

    async def load(options: Any, integrity: Any, _progress: Any) -> Any:
        await asyncio.sleep(0)
        return at_once(options, integrity)

    loop = asyncio.new_event_loop()

    def meanwhile() -> None:
        turns.append(1)
        loop.call_soon(loop.stop)
        loop.run_forever()

    monkeypatch.setattr(browser, "load_sync", fail)
    monkeypatch.setattr(browser, "load", load)
    monkeypatch.setattr(browser, "meanwhile", meanwhile)
    monkeypatch.setattr(asyncio, "ensure_future", loop.create_task)
    assert importlib.import_module("banking").add(2, 3) == 5
    assert len(turns) > 1
    loop.close()


def test_what_was_loaded_ahead_is_what_an_import_finds(browsers: Callable[..., FakeBrowser], site: Path):
    """A file too large to load at once is loaded before, and the package of that name takes it over."""
    glue = site / "banking" / "bank.js"
    for name, file in (("other", glue), ("banking", site / "shop" / "bank" / "bank.js")):
        browsers(name)
        load(file, name=name)  # another name and another file do not match
    browser = browsers("banking")
    load(glue, name="banking").__doc__ = "loaded ahead"
    gc.collect()
    assert "banking" not in sys.modules  # the package keeps the name until it is imported
    browser.driver = None
    banking = importlib.import_module("banking")
    assert banking.__doc__ == "loaded ahead"
    assert list(banking.__path__) == [str(glue.parent)]
    unpanic.unload(banking)
    browsers("banking")
    again = importlib.import_module("banking")
    assert again.__doc__ != "loaded ahead"
    unpanic.unload(again)


@pytest.mark.parametrize("end", ["unload", "terminate"])
def test_what_was_loaded_ahead_and_has_ended_is_not_imported(
    browsers: Callable[..., FakeBrowser], site: Path, end: str
):
    """The import loads the file itself."""
    glue = site / "banking" / "bank.js"
    browsers("banking")
    ahead = load(glue, name="banking", recovery="none")
    if end == "unload":
        unpanic.unload(ahead)
        assert _importing._ahead == {}
    else:
        terminate(ahead)
    browsers("banking")
    assert importlib.import_module("banking").add(2, 3) == 5


def test_load_makes_a_module_importable(browsers: Callable[..., FakeBrowser]):
    """It can be imported by its name until it is unloaded."""
    browsers("a_bank")
    bank = load()
    assert importlib.import_module("a_bank") is bank
    assert (bank.__spec__.origin, bank.__spec__.has_location) == ("http://host/bank.js", False)
    assert (bank.__package__, bank.__loader__, hasattr(bank, "__file__")) == ("", bank.__spec__.loader, False)
    unpanic.unload(bank)
    unpanic.unload(bank)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("a_bank")


def test_an_imported_namespace_has_no_origin(browsers: Callable[..., FakeBrowser]):
    """Its address is unknown."""
    browsers("a_bank")
    bank = load(Foreign("Module"), wasm="http://host/bank.wasm")
    assert (bank.__spec__.origin, importlib.import_module("a_bank")) == (None, bank)


@pytest.mark.parametrize("name", ["random", "json", "sys", "zipapp", "a bank", "a.bank", "class", "banking", "1st"])
def test_a_name_that_is_taken_is_left_alone(browsers: Callable[..., FakeBrowser], site: Path, name: str):
    """Glue with the name of an importable module does not shadow it, and still loads."""
    before = sys.modules.get(name)
    browsers(name)
    bank = load(site / "shop" / "bank" / "bank.js")
    assert (bank.add(2, 3), sys.modules.get(name)) == (5, before)
    unpanic.unload(bank)
    assert sys.modules.get(name) is before


def test_the_second_of_a_name_leaves_the_first(browsers: Callable[..., FakeBrowser]):
    """The name stays with the first module until that has ended. Then the next load takes the name."""
    browsers("a_bank")
    first = load(recovery="none")
    browsers("a_bank")
    second = load()
    assert sys.modules["a_bank"] is first
    unpanic.unload(second)
    assert sys.modules["a_bank"] is first
    terminate(first)
    browsers("a_bank")
    assert sys.modules["a_bank"] is first
    third = load()
    assert sys.modules["a_bank"] is third
    unpanic.unload(first)
    assert sys.modules["a_bank"] is third


def test_the_folder_of_the_glue_does_not_take_its_name(
    browsers: Callable[..., FakeBrowser], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Any folder on the path can be imported, but only one with Python files is meant to be."""
    glue = tmp_path / "a_bank" / "a_bank.js"
    glue.parent.mkdir()
    glue.touch()
    monkeypatch.syspath_prepend(tmp_path)
    browsers("a_bank")
    bank = load(glue)
    assert sys.modules["a_bank"] is bank
    unpanic.unload(bank)
    (glue.parent / "helpers.py").touch()
    browsers("a_bank")
    load(glue)
    assert "a_bank" not in sys.modules


def test_a_finder_that_fails_keeps_its_name(browsers: Callable[..., FakeBrowser], monkeypatch: pytest.MonkeyPatch):
    """If a finder raises for the name, the load succeeds without taking the name."""

    class Finder:
        def find_spec(self, name: str, *_: Any) -> None:
            if name == "a_bank":
                raise ModuleNotFoundError("install it first")

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    browsers("a_bank")
    assert (load().add(2, 3), "a_bank" in sys.modules) == (5, False)


def test_reload_is_a_reset(browsers: Callable[..., FakeBrowser], site: Path):
    """A loaded or imported module stays the same object, with its next generation."""
    for name, get in (("a_bank", load), ("banking", lambda: importlib.import_module("banking"))):
        browser = browsers(name)
        bank = get()
        spec = bank.__spec__
        again = importlib.reload(bank)
        assert again is bank is sys.modules[name]
        assert (unpanic.status(bank).generation, browser.driver.renewals, bank.__spec__) == (1, 1, spec)
    assert site.is_dir()


def test_reload_of_what_has_ended_says_so(browsers: Callable[..., FakeBrowser]):
    """It was unloaded, or a crash terminated it."""
    browsers("a_bank")
    bank = load(recovery="none")
    terminate(bank)
    with pytest.raises(ModuleTerminated, match=r"a_bank\.reset cannot run: the module has ended \(recovery is off\)"):
        importlib.reload(bank)
    unpanic.unload(bank)
    with pytest.raises(ModuleTerminated, match=r"a_bank cannot be reloaded: the module has ended \(it was unloaded\)"):
        importlib.reload(bank)
    assert repr(bank.__spec__) == "EndedSpec(origin='http://host/bank.js')"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = bank.no_such_name


def test_reload_of_other_modules_is_theirs(browsers: Callable[..., FakeBrowser], site: Path):
    """The finder answers only for Rust modules."""
    browsers("a_bank")
    load()
    (site / "plain.py").write_text("number = 1\n")
    plain: Any = importlib.import_module("plain")
    plain.number, before = 2, plain.__spec__
    assert importlib.reload(plain).number == 1
    assert plain.__spec__ is not before


def test_without_a_browser_an_import_is_an_import_error(site: Path):
    """Code that can do without the package can catch it. The message says what is missing."""
    with pytest.raises(ImportError, match=r"^cannot import 'banking': .*run it under Pyodide") as caught:
        importlib.import_module("banking")
    assert (caught.value.name, caught.value.__suppress_context__) == ("banking", True)
    assert "banking" not in sys.modules
    with pytest.raises(RuntimeError, match="run it under Pyodide"):
        unpanic.load_sync(site / "banking/bank.js")
    with pytest.raises(RuntimeError, match="run it under Pyodide"):
        load()
