"""The functions of the package, with a fake browser."""

from __future__ import annotations

import array
import asyncio
import gc
import sys
import types
import weakref
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic._exports import registry

from tests.unit.fakes import FakeBrowser, FakeDriver, Foreign, crash, function, struct

URL = "http://host/bank.js"
# What the runtime gets so that it rolls calls back where it can.
WISHES = {"rewriter": "the rewriter", "rewrites": 0, "wishes": 2, "rollsBack": True}
WASM = (b"\0asm", bytearray(b"\0asm"), memoryview(b"\0asm"))


@pytest.fixture
def driver() -> FakeDriver:
    described = {
        "functions": [function("add", "i32", "i32", result="i32", numeric=True)],
        "classes": [struct("Account")],
    }
    return FakeDriver(described, {"add": lambda a, b: a + b})


@pytest.fixture
def browser(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> FakeBrowser:
    browser = FakeBrowser(driver)
    monkeypatch.setattr("unpanic._load.load.current_browser", lambda: browser)
    return browser


def load(**options: Any) -> types.ModuleType:
    return asyncio.run(unpanic.load(options.pop("glue", URL), **options))


POSITIVE = "it must be a positive number of seconds; math.inf sets no limit."
OPTIONS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"recovery": "undo"}, ValueError, "recovery='undo': it must be 'auto', 'reset', 'rollback' or 'none'."),
    ({"recovery": None}, ValueError, "recovery=None: it must be 'auto', 'reset', 'rollback' or 'none'."),
    ({"objects": "keep"}, ValueError, "objects='keep': it must be 'recreate' or 'stale'."),
    ({"restart_budget": 0}, ValueError, "restart_budget=0: it must be a positive integer."),
    ({"restart_budget": 1.5}, ValueError, "restart_budget=1.5: it must be a positive integer."),
    ({"timeout": 0}, ValueError, f"timeout=0: {POSITIVE}"),
    ({"timeout": -2.5}, ValueError, f"timeout=-2.5: {POSITIVE}"),
    ({"timeout": float("nan")}, ValueError, f"timeout=nan: {POSITIVE}"),
    ({"timeout": True}, TypeError, "timeout must be a number of seconds, not bool"),
    ({"timeout": "2"}, TypeError, "timeout must be a number of seconds, not str"),
    ({"types": 3}, TypeError, "types must be a URL or a path, not int"),
    ({"name": 3}, TypeError, "name must be str, not int"),
    ({"integrity": 3}, TypeError, "integrity must be a str such as 'sha384-…', not int"),
    ({"integrity": " "}, ValueError, "integrity is empty: pass hashes such as 'sha384-…', or None to check nothing."),
    ({"progress": 3}, TypeError, "progress must be callable, False or None, not int"),
    ({"spare": 1}, TypeError, "spare must be True, False or None, not int"),
    ({"wasm": 3}, TypeError, "wasm must be a URL, a path, bytes-like, a Response or a WebAssembly.Module, not int"),
    ({"glue": 3}, TypeError, "glue must be a URL, a path, an imported namespace or the bytes of a Wasm file, not int"),
    ({"imports": 3}, TypeError, "imports must be a dict such as {'env': {'log': print}}, not int"),
]


@pytest.mark.parametrize(("options", "error", "text"), OPTIONS, ids=lambda value: str(value)[:32])
def test_an_option_that_does_not_exist_is_refused(
    browser: FakeBrowser, options: dict[str, Any], error: type[Exception], text: str
):
    """The message names the existing options, and nothing is loaded."""
    with pytest.raises(error) as caught:
        load(**options)
    assert str(caught.value) == text
    assert browser.options == {}


@pytest.mark.parametrize(("timeout", "told"), [(3, {"startMs": 3000}), (float("inf"), {})])
def test_with_a_timeout_the_runtime_gets_the_rewriter(browser: FakeBrowser, timeout: float, told: dict[str, float]):
    """It also learns how long the start function may compute: it cannot ask before there is a module."""
    load(timeout=timeout, recovery="reset")
    assert browser.options == {"glue": URL, **WISHES, "rewrites": 1, "wishes": 0, "rollsBack": False, **told}
    load(timeout=timeout)
    assert browser.options == {"glue": URL, **WISHES, "rewrites": 1, **told}


def test_without_the_cache_a_rewritten_file_is_not_kept(browser: FakeBrowser):
    load(cache=False)
    assert browser.options == {"glue": URL, **WISHES, "keeps": False}
    with pytest.raises(TypeError, match="cache must be True or False, not str"):
        load(cache="no")


def test_a_deadline_holds_for_the_start_function(browser: FakeBrowser):
    """The file may have been rewritten ahead of time, so the deadline is told without a timeout too."""
    with unpanic.deadline(0.5):
        load(recovery="reset")
    assert browser.options == {"glue": URL, "startMs": 500}


@pytest.mark.parametrize(
    "options",
    [
        {"recovery": "reset"},
        {"recovery": "none"},
        {"objects": "stale", "recovery": "reset"},
        {"restart_budget": 1, "recovery": "reset"},
        {"types": "/there.d.ts", "recovery": "reset"},
    ],
)
def test_the_options_that_there_are_work(browser: FakeBrowser, options: dict[str, Any]):
    """The same call with an existing option loads the module."""
    browser.files["/there.d.ts"] = "export function add(a: number, b: number): number;"
    assert load(**options).add(2, 3) == 5
    assert set(browser.options) == {"glue"}
    assert browser.rewriters_read == 0, "only a timeout and rollback need the rewriter"


def test_rollback_is_a_wish_or_a_demand(browser: FakeBrowser):
    """Without an option a file that cannot be rewritten is taken as it is; with one it is refused."""
    load()
    assert browser.options == {"glue": URL, **WISHES}
    load(recovery="rollback")
    assert browser.options == {"glue": URL, **WISHES, "rewrites": 2, "wishes": 0}


def test_a_rewriter_that_cannot_be_read_is_missed_where_it_is_needed(
    browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Without an option the module is reset, and its status and the log say why."""

    def rewriter() -> Any:
        raise unpanic.FetchError("it is gone", url="/rewriter.wasm")

    monkeypatch.setattr(browser, "rewriter", rewriter)
    bank = load()
    assert browser.options == {"glue": URL, "rollsBack": True}
    assert [unpanic.status(bank).recovery, unpanic.status(bank).why] == [
        "reset",
        "its calls cannot be rolled back: it is gone",
    ]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Calls of bank cannot be rolled back: it is gone.")
    ]
    for options, needed in [
        ({"recovery": "rollback"}, '`recovery="rollback"`'),
        ({"recovery": "rollback", "timeout": 5}, '`timeout` and `recovery="rollback"`'),
        ({"timeout": 5}, "`timeout`"),
    ]:
        with pytest.raises(unpanic.FetchError) as caught:
            load(**options)
        assert (str(caught.value), caught.value.url) == (
            f"The rewriter is needed for {needed}: it is gone.",
            "/rewriter.wasm",
        )


def test_sources_are_handed_on(browser: FakeBrowser, tmp_path: Path):
    """URLs and foreign objects pass as they are, files pass through the browser, and bytes become JavaScript's."""
    glue, wasm = tmp_path / "bank.js", tmp_path / "bank.wasm"
    glue.write_text("let wasm;")
    wasm.write_bytes(b"\0asm")
    foreign = {"glue": Foreign("Module"), "wasm": Foreign("Response"), "name": "other"}
    for given, handed in [
        ({"glue": glue, "wasm": wasm}, {"glue": ("glue file", glue), "wasm": ("wasm file", wasm)}),
        ({"glue": str(glue)}, {"glue": ("glue file", glue)}),
        ({"glue": "/pkg/bank.js", "wasm": "/pkg/b.wasm"}, {"glue": "/pkg/bank.js", "wasm": "/pkg/b.wasm"}),
        (foreign, foreign),
        *[({"wasm": data}, {"glue": URL, "wasm": ("js", array.array("B", b"\0asm"))}) for data in WASM],
    ]:
        load(**given)
        assert browser.options == handed | WISHES


def test_load_sync_takes_a_file(browser: FakeBrowser, tmp_path: Path):
    """A path loads at once, and a URL is refused."""
    glue = tmp_path / "bank.js"
    glue.write_text("let wasm;")
    assert unpanic.load_sync(glue).add(2, 3) == 5
    assert browser.options == {"glue": ("glue file", glue)} | WISHES
    with pytest.raises(ValueError, match="load_sync takes a path") as caught:
        unpanic.load_sync("http://host/bank.js")
    assert str(caught.value) == (
        "load_sync takes a path in Pyodide's file system, not 'http://host/bank.js': use `await load(...)` for a URL."
    )


def test_a_module_has_the_exports_and_nothing_else(browser: FakeBrowser):
    """It is an ordinary Python module, so no export can collide with a name of unpanic."""
    bank = load()
    assert isinstance(bank, types.ModuleType)
    assert {name for name in vars(bank) if not name.startswith("__")} == {"add", "Account"}
    assert bank.__name__ == "bank"
    assert set(browser.handlers) >= {"crashed", "settled", "decline"}


@pytest.mark.parametrize("call", [unpanic.reset, unpanic.unload, unpanic.status])
@pytest.mark.parametrize("value", [types.ModuleType("other"), 3, None, []])
def test_only_modules_of_unpanic_are_taken(call: Any, value: object):
    """Any other value raises a TypeError that shows it."""
    with pytest.raises(TypeError) as caught:
        call(value)
    assert str(caught.value) == f"{value!r} is not a module that unpanic.load returned"


@pytest.mark.usefixtures("browser")
def test_the_functions_reach_the_module(driver: FakeDriver):
    """Hooks and callbacks are set, reset and unload act, and None restores the default hook."""
    bank = load()
    supervisor = registry.of(bank).supervisor
    heard: list[Any] = []
    unpanic.set_panic_hook(bank, lambda panic: heard.append(panic.message))
    unpanic.on_reset(bank, lambda module, cause: heard.append((module is bank, cause and cause.kind)))
    crash(supervisor)
    unpanic.reset(bank)
    assert heard == ["insufficient funds", (True, "panic"), (True, None)]
    unpanic.set_panic_hook(bank, None)
    assert supervisor.panic_hook is None
    unpanic.unload(bank)
    assert (unpanic.status(bank).phase, driver.closed) == ("unloaded", 1)


def test_what_was_unloaded_is_collected(browser: FakeBrowser):
    """This holds even if callbacks name the module, it crashed, and one of them unloaded it."""

    def live() -> weakref.ref[Any]:
        bank = load()
        supervisor = registry.of(bank).supervisor
        unpanic.set_panic_hook(bank, lambda _panic: bank.__name__)
        unpanic.on_reset(bank, lambda _module, _crash: bank.__name__)
        crash(supervisor)
        unpanic.on_reset(bank, lambda _module, _crash: unpanic.unload(bank))
        with pytest.raises(unpanic.ModuleTerminated):
            unpanic.reset(bank)
        browser.waiting.clear()
        return weakref.ref(registry.of(bank))

    module = live()
    sys.last_exc = Exception()
    gc.collect()
    assert module() is None


@pytest.mark.usefixtures("browser")
def test_track_takes_objects_of_rust():
    """It returns the object itself."""
    account = load().Account()
    assert unpanic.track(account, lambda: account) is account
    with pytest.raises(TypeError, match=r"^track takes an object of an exported class, not int$"):
        unpanic.track(3)


@pytest.mark.usefixtures("browser")
def test_status_tells_what_happened(driver: FakeDriver):
    """It has counts, phase and timings before and after a crash, and does not change later."""
    bank = load()
    before = unpanic.status(bank)
    assert before == unpanic.Status(
        name="bank",
        generation=0,
        phase="ready",
        recovery="reset",
        adapter="factory",
        calls=0,
        crashes={},
        resets=0,
        rollbacks=0,
        in_flight=0,
        memory_bytes=1114112,
        spare="off",
        spare_bytes=0,
        last_crash=None,
        timings=before.timings,
        why="nothing else was asked for",
    )
    assert set(before.timings) == {"load"}
    bank.add(1, 2)
    driver.in_flight = [1, 2]
    panic = crash(registry.of(bank).supervisor)
    after = unpanic.status(bank)
    assert (after.generation, after.calls, after.crashes, after.resets) == (1, 1, {"panic": 1}, 1)
    assert (after.in_flight, after.last_crash) == (2, panic)
    assert set(after.timings) == {"load", "recovery"}
    assert before.generation == 0
    with pytest.raises(AttributeError):
        before.generation = 1  # type: ignore[misc]


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize(
    ("recovery", "unwinds", "shown"),
    [("auto", False, "reset"), ("auto", True, "unwind"), ("reset", True, "reset"), ("none", False, "none")],
)
def test_status_tells_what_a_panic_leads_to(driver: FakeDriver, recovery: str, unwinds: bool, shown: str):
    """`auto` becomes the strategy of this build."""
    driver.description["unwinds"] = unwinds
    assert unpanic.status(load(recovery=recovery)).recovery == shown
