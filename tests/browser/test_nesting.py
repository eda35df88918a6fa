"""Crashes and resets while Rust of the same module is on the stack (rule 4)."""

import pytest

from tests.browser.builds import BUILDS, RESETTING, caught, load


def name_of(error):
    return type(error).__name__ if error else None


async def crash_inside_callback(build, outer):
    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    found = {"went on": False}

    def callback(*_):
        found["inner"] = caught(faults.panic_message)
        found["meanwhile"] = caught(faults.bump)
        found["phase"] = unpanic.status(faults).phase
        return 1

    try:
        getattr(faults, outer)(callback, *([2] if outer == "call_with" else []))
        found["went on"] = True
    except unpanic.UnpanicError as error:
        found["outer"] = error
    same_crash = getattr(found.get("outer"), "crash", None) is found["inner"]
    result = {
        "outer": name_of(found.get("outer")),
        "inner": name_of(found["inner"]),
        "meanwhile": name_of(found["meanwhile"]),
        "phase": found["phase"],
        "went on": found["went on"],
        "same crash": same_crash,
        "generation": unpanic.status(faults).generation,
        "after": [faults.add(1, 2), faults.bump()],
    }
    unpanic.unload(faults)
    return result


@pytest.mark.parametrize("build", RESETTING)
@pytest.mark.parametrize("outer", ["call", "call_catch", "call_through", "call_with"])
def test_a_crash_inside_a_callback(py, build, outer):
    """The inner call gets its crash, the outer one ends in CallInterrupted, and no other code runs in between."""
    assert py.run(crash_inside_callback, build=build, outer=outer) == {
        "outer": "CallInterrupted",
        "inner": "RustPanic",
        "meanwhile": "CallInterrupted",
        "phase": "recovering",
        "went on": False,
        "same crash": True,
        "generation": 1,
        "after": [3, 1],
    }


async def unwind_inside_callback():
    import unpanic

    faults = await load("unwind", panic_hook=lambda _: None)
    inner = []
    value = faults.call(lambda: inner.append(caught(faults.panic_message)) or 5)
    result = [name_of(inner[0]), value, unpanic.status(faults).generation, faults.add(1, 2)]
    unpanic.unload(faults)
    return result


def test_an_unwound_panic_inside_a_callback(py):
    """Where panics unwind, the outer call goes on."""
    assert py.run(unwind_inside_callback) == ["RustPanic", 5, 0, 3]


async def reset_inside_callback(build, outer):
    import unpanic

    faults = await load(build)
    faults.bump()
    seen = []
    unpanic.on_reset(faults, lambda _module, crash: seen.append(crash is None))
    thing = faults.Thing(3)
    calls = {
        "call": lambda: faults.call(lambda: unpanic.reset(faults)),
        "call_catch": lambda: faults.call_catch(lambda: unpanic.reset(faults)),
        "method": lambda: thing.with_callback(lambda _: unpanic.reset(faults)),
    }
    error = caught(calls[outer])
    result = [name_of(error), error.crash, seen, unpanic.status(faults).generation, faults.bump()]
    unpanic.unload(faults)
    return result


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("outer", ["call", "call_catch", "method"])
def test_a_reset_inside_a_callback(py, build, outer):
    """A reset in a callback ends the running call, and the next generation follows after it."""
    assert py.run(reset_inside_callback, build=build, outer=outer) == ["CallInterrupted", None, [True], 1, 1]


async def exceptions_from_callbacks(build):
    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    original = KeyError("mine")

    def fail():
        raise original

    found = {}
    returned = caught(faults.call_catch, fail)
    found["as Err"] = [returned is original, unpanic.status(faults).generation]
    through = caught(faults.call_through, fail)
    found["through"] = [name_of(through), through.__cause__ is original, through.recovery, through.state_kept]
    unwrapped = caught(faults.call, fail)
    found["unwrapped"] = name_of(unwrapped)
    panicked = caught(faults.call_then_panic, lambda: 1)
    found["then panic"] = name_of(panicked)
    found["after"] = faults.add(1, 2)
    unpanic.unload(faults)
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_exceptions_of_a_callback(py, build):
    """Rust returns a Python exception unchanged. An exception that flies through Rust is the cause of the crash."""
    unwinds = build == "unwind"
    assert py.run(exceptions_from_callbacks, build=build) == {
        "as Err": [True, 0],
        "through": ["ForeignException", True, "unwind" if unwinds else "reset", unwinds],
        "unwrapped": "RustPanic",
        "then panic": "RustPanic",
        "after": 3,
    }


async def two_modules(build):
    import unpanic

    one = await load(build, panic_hook=lambda _: None)
    other = await load("abort", "bank")
    other.open("ada", 5)
    error = caught(one.call_with, lambda _: other.balance_of("ada") and one.panic_message(), 1)
    generations = [unpanic.status(module).generation for module in (one, other)]
    result = [name_of(error), generations, other.balance_of("ada")]
    unpanic.unload(one)
    unpanic.unload(other)
    return result


@pytest.mark.parametrize("build", RESETTING)
def test_another_module_never_notices(py, build):
    """If a module is called in between, it keeps its generation and its state (rule 8)."""
    assert py.run(two_modules, build=build) == ["CallInterrupted", [1, 0], 5]
