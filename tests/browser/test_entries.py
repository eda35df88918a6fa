"""A death is noticed whichever way Rust was entered (rule 1), and leaves no uncaught error behind (rule 3)."""

import pytest

from tests.browser.builds import BUILDS, RESETTING, caught, load
from tests.places import EVERYWHERE

MEMBERS = [
    ("constructor", "Thing"),
    ("static method", "Thing.boom"),
    ("method", "Thing.explode"),
    ("getter", "Thing.bad"),
    ("setter", "Thing.value"),
]


async def die_in_members(build):
    import unpanic

    faults = await load(build)

    def set_value(thing):
        thing.value = -1

    ways = {
        "constructor": lambda: faults.Thing(-1),
        "static method": lambda: faults.Thing.boom(),
        "method": lambda: faults.Thing(1).explode(),
        "getter": lambda: faults.Thing(1).bad,
        "setter": lambda: set_value(faults.Thing(1)),
    }
    outcomes = {}
    for way, enter in ways.items():
        error = caught(enter)
        outcomes[way] = [type(error).__name__, error.call, error.recovery, faults.Thing(7).value]
    unpanic.unload(faults)
    return outcomes


@pytest.mark.parametrize("build", BUILDS)
def test_members(py, build):
    """Constructors, static methods, methods, getters and setters die like functions, each under its own name."""
    outcomes = py.run(die_in_members, build=build)
    for way, call in MEMBERS:
        assert outcomes[way] == ["RustPanic", call, "unwind" if build == "unwind" else "reset", 7], way


async def die_in_free(build):
    import gc
    import sys

    import unpanic

    faults = await load(build)
    unraisable = []
    previous, sys.unraisablehook = sys.unraisablehook, lambda event: unraisable.append(type(event.exc_value).__name__)
    try:
        explicit = caught(faults.FragileDrop().free)
        fragile = faults.FragileDrop()
        del fragile
        gc.collect()
    finally:
        sys.unraisablehook = previous
    result = [type(explicit).__name__, explicit.call, unraisable, faults.add(1, 2)]
    unpanic.unload(faults)
    return result


@pytest.mark.parametrize("build", RESETTING)
def test_free(py, build):
    """A destructor that panics raises in free(). In the collector, Python reports the panic as it does its own."""
    assert py.run(die_in_free, build=build) == ["RustPanic", "FragileDrop.free", ["RustPanic"], 3]


async def die_unattended(build, way, wait_ms):
    import asyncio

    import unpanic

    panics = []
    faults = await load(build, panic_hook=lambda panic: panics.append(panic.message))
    faults.bump()
    starts = {
        "timer": lambda: faults.timer(1, True),
        "microtask": lambda: faults.microtask_panics(),
        "spawn_local": lambda: faults.spawn_panics(1),
    }
    starts[way]()
    for _ in range(100):
        await asyncio.sleep(wait_ms / 1000)
        if panics:
            break
    status = unpanic.status(faults)
    result = [len(panics), status.crashes, status.phase, status.generation, faults.bump()]
    unpanic.unload(faults)
    return result


@EVERYWHERE
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("way", ["timer", "microtask", "spawn_local"])
def test_nobody_but_the_event_loop_above(py, build, way):
    """If a timer, a microtask or a task dies, the hook is called, the module recovers, and no error is uncaught."""
    unwinds = build == "unwind"
    outcome = py.run(die_unattended, build=build, way=way, wait_ms=10)
    assert outcome == [1, {"panic": 1}, "ready", 0 if unwinds else 1, 2 if unwinds else 1]


async def closures(build):
    import unpanic

    faults = await load(build)
    add = faults.make_adder(10)
    panicking = faults.make_panicking_closure()
    found = {"works": add(5)}
    found["dies"] = type(caught(panicking)).__name__
    found["after"] = faults.add(1, 2)
    if build != "unwind":
        stale = caught(add, 5)
        found["stale"] = [type(stale).__name__, str(stale)]
    unpanic.unload(faults)
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_closures(py, build):
    """A closure from Rust works, raises an exception if it dies, and is stale after a reset."""
    found = py.run(closures, build=build)
    assert [found["works"], found["dies"], found["after"]] == [15, "RustPanic", 3]
    if build != "unwind":
        assert found["stale"][0] == "StaleObjectError"
        assert "generation 0" in found["stale"][1]


CALL_LATER = """(driver) => {
    const { exports } = driver.module.generation;
    const panicking = exports.make_panicking_closure();
    const adder = exports.make_adder(1);
    const attempt = (f) => { try { return f(2); } catch (error) { return error.name; } };
    return () => [attempt(adder), attempt(panicking), attempt(adder), attempt(panicking)];
}"""


async def closures_in_javascript(build):
    import unpanic
    from pyodide.code import run_js
    from unpanic._exports import registry

    faults = await load(build, panic_hook=lambda _: None)
    call_later = run_js(CALL_LATER)(registry.of(faults).context.driver)
    outcomes = call_later().to_py()
    result = [outcomes, faults.add(1, 2), unpanic.status(faults).crashes["panic"]]
    unpanic.unload(faults)
    return result


@pytest.mark.parametrize("build", RESETTING)
def test_closures_that_javascript_calls(py, build):
    """A JavaScript caller of a closure can catch the error, and closures of the dead generation do nothing."""
    assert py.run(closures_in_javascript, build=build) == [[3, "Crash", None, None], 3, 1]


def test_closures_that_javascript_calls_where_panics_unwind(py):
    """The caller gets the PanicError, and the other closures go on."""
    outcomes, after, panics = py.run(closures_in_javascript, build="unwind")
    assert [outcomes, after, panics] == [[3, "PanicError", 3, "PanicError"], 3, 2]


async def old_timers(build):
    import asyncio

    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    faults.timer(30, False)
    faults.timer(30, True)
    faults.interval(10)
    faults.spawn_ok(30)
    caught(faults.panic_message)
    await asyncio.sleep(0.1)
    result = [faults.timer_count(), unpanic.status(faults).crashes, unpanic.status(faults).generation]
    unpanic.unload(faults)
    return result


@EVERYWHERE
@pytest.mark.parametrize("build", RESETTING)
def test_timers_of_a_dead_generation_do_nothing(py, build):
    """Timers, intervals and tasks that outlive their generation do not count, crash or raise."""
    assert py.run(old_timers, build=build) == [0, {"panic": 1}, 1]


async def async_failures(build):
    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    outcomes = {}
    for name, arguments in (("fail_later", [5]), ("fail_now", []), ("trap_later", [5]), ("err_later", [5])):
        try:
            outcomes[name] = ["returned", await getattr(faults, name)(*arguments)]
        except Exception as error:
            outcomes[name] = [type(error).__name__, getattr(error, "call", None), getattr(error, "recovery", None)]
        outcomes[name].append(await faults.wait_text(1, "fine"))
    unpanic.unload(faults)
    return outcomes


@EVERYWHERE
@pytest.mark.parametrize("build", BUILDS)
def test_async_functions(py, build):
    """An async call that panics or traps, at once or later, ends with its crash. An Err is no crash."""
    recovery = "unwind" if build == "unwind" else "reset"
    assert py.run(async_failures, build=build) == {
        "fail_later": ["RustPanic", "fail_later", recovery, "fine"],
        "fail_now": ["RustPanic", "fail_now", recovery, "fine"],
        "trap_later": ["Trap", "trap_later", "reset", "fine"],
        "err_later": ["RustError", None, None, "fine"],
    }
