"""Python callables that Rust calls, Rust closures that Python calls, and exceptions that fly through both."""

import pytest

from tests.browser.builds import caught, load
from tests.places import builds

# Values are converted in the same way, however a build panics.
EACH_BUILD = builds("abort", long=["unwind"])


class Odd(Exception):
    """A class of the user's own."""


async def call_python(build):
    faults = await load(build)
    heard = []

    class Doubler:
        def __call__(self, number):
            heard.append(number)
            return number * 2

    def double(number):
        heard.append(number)
        return number * 2

    values = [None, True, 3, 0.5, "é", b"\x01", [1, [2]], {"a": 1}]
    found = [faults.call_with(function, 21) for function in (double, Doubler(), Doubler().__call__, lambda n: -n)]
    found.append([list(heard), [type(number).__name__ for number in heard]])
    found.append([repr(faults.call(lambda value=value: value)) == repr(value) for value in values])
    found.append([faults.call_kept(lambda: "kept"), faults.call_it_later()])
    thing = faults.Thing(5)
    found.append([thing.with_callback(lambda value: value + 1), thing.value])
    found.append(faults.call(lambda: faults.add(1, faults.call_with(double, 1))))
    thing.free()
    return found


@EACH_BUILD
def test_python_callables(py, build):
    """Rust calls any Python callable with Python values and gets its result, also nested and later."""
    expected = [42, 42, 42, -21, [[21, 21, 21], ["int"] * 3], [True] * 8, ["kept", "kept"], [6, 5], 3]
    assert py.run(call_python, build=build) == expected


async def call_javascript(build):
    from pyodide.code import run_js

    faults = await load(build)
    found = [faults.call(run_js("() => [1, 'é']")), faults.call_with(run_js("number => number * 2"), 4)]
    for thrown in ("new TypeError('wrong')", "'text'", "7", "null"):
        error = caught(faults.call_catch, run_js(f"() => {{ throw {thrown} }}"))
        found.append([type(error).__name__, str(error), error.value])
    return found


@EACH_BUILD
def test_javascript_functions(py, build):
    """Rust takes a JavaScript function too. The value that it throws becomes the value of a RustError."""
    thrown = [("wrong", "wrong"), ("text", "text"), ("7", 7), ("None", None)]
    expected = [[1, "é"], 8, *[["RustError", text, value] for text, value in thrown]]
    assert py.run(call_javascript, build=build) == expected


async def call_rust(build):
    import gc

    faults = await load(build)
    add = faults.make_adder(10)
    found = [callable(add), add(5), [faults.make_adder(n)(1) for n in range(3)], faults.call_with(add, 7)]
    del add
    gc.collect()
    return [*found, faults.add(1, 2)]


@EACH_BUILD
def test_rust_closures(py, build):
    """Python can call a closure that Rust returned, and can pass it back to Rust."""
    assert py.run(call_rust, build=build) == [True, 15, [1, 2, 3], 17, 3]


def raisers():
    """Returns functions that raise exceptions with a cause, with arguments, and others that are no Exception."""

    def chained():
        try:
            return 1 / 0
        except ZeroDivisionError as error:
            raise Odd("odd", 7) from error

    def simple():
        raise ValueError("simple é")

    def exiting():
        raise SystemExit(3)

    def interrupted():
        raise KeyboardInterrupt

    return [chained, simple, exiting, interrupted]


def keeping(function, kept):
    """Returns the same function, but keeps the exception that it raises."""

    def call(*args):
        try:
            return function(*args)
        except BaseException as error:
            kept.append(error)
            raise

    return call


async def raise_and_catch(build):
    import unpanic

    faults = await load(build)
    found = []
    for raiser in raisers():
        kept = []
        error = caught(faults.call_catch, keeping(raiser, kept))
        found.append([error is kept[0], len(kept), type(error.__cause__).__name__, faults.add(1, 2)])
    thing, kept = faults.Thing(1), []
    error = caught(thing.with_callback, keeping(raisers()[1], kept))
    found.append([error is kept[0], thing.value])
    thing.free()
    return [*found, faults.call_catch(lambda: "fine"), unpanic.status(faults).generation]


@EACH_BUILD
def test_exception_that_rust_hands_back(py, build):
    """If Rust returns the exception of a callback as `Err`, Python gets that same exception, and nothing crashes."""
    chained, *others = [[True, 1, "ZeroDivisionError", 3], *[[True, 1, "NoneType", 3]] * 3]
    assert py.run(raise_and_catch, build=build) == [chained, *others, [True, 1], "fine", 0]


class Wordless(Exception):
    """Asking for its text raises an exception."""

    def __str__(self):
        raise RuntimeError("no text")


async def raise_what_is_hard_to_carry(build):
    from pyodide.code import run_js

    faults = await load(build)
    kept = []

    def wordless():
        raise Wordless

    def from_javascript():
        run_js("throw new TypeError('from JavaScript')")

    error = caught(faults.call_catch, keeping(wordless, kept))
    found = [type(error).__name__, error is kept[0]]
    error = caught(faults.call_catch, from_javascript)
    return [*found, type(error).__name__, str(error), faults.add(1, 2)]


@EACH_BUILD
def test_exceptions_that_are_hard_to_carry(py, build):
    """An exception without a text comes back, and so does a JavaScript error that Python did not catch."""
    expected = ["Wordless", True, "JsException", "TypeError: from JavaScript", 3]
    assert py.run(raise_what_is_hard_to_carry, build=build) == expected


ENDS = [("abort", "reset", False, 1), ("unwind", "unwind", True, 2)]


async def raise_through(build):
    import unpanic

    faults = await load(build)
    faults.bump()
    found = []
    for raiser in raisers()[:2]:
        kept = []
        error = caught(faults.call_through, keeping(raiser, kept))
        found.append([type(error).__name__, error.__cause__ is kept[0], error.kind, error.recovery, error.state_kept])
        found.append([error.call, type(kept[0]).__name__ in error.message, faults.add(1, 2)])
    state = unpanic.status(faults)
    return [*found, faults.bump(), state.generation, dict(state.crashes), faults.call_through(lambda: "fine")]


@pytest.mark.parametrize(("build", "recovery", "kept", "bumps"), ENDS)
def test_exception_that_flies_through_rust(py, build, recovery, kept, bumps):
    """It causes a ForeignException. An abort build is reset, and an unwind build keeps its state."""
    found = py.run(raise_through, build=build)
    row = [["ForeignException", True, "foreign", recovery, kept], ["call_through", True, 3]]
    assert found == [*row, *row, bumps, 0 if kept else 2, {"foreign": 2}, "fine"]


# WebKit makes such errors: that of a failed `fetch` has no stack. Pyodide does not take them for errors.
WITHOUT_STACK = """() => {
    const error = new TypeError("Load failed");
    delete error.stack;
    throw error;
}"""


async def throw_without_stack():
    from pyodide.code import run_js

    faults = await load("abort", panic_hook=lambda _: None)
    function = run_js(WITHOUT_STACK)
    calls = (faults.call_catch, faults.call, faults.call_through)
    crashes = [caught(lambda call=call: call(function)) for call in calls]
    return [[type(crash).__name__, "Load failed" in str(crash)] for crash in crashes], faults.add(2, 3)


def test_an_error_without_a_stack(py):
    """It flies through Rust like any other."""
    thrown = [["RustError", True], ["RustPanic", True], ["ForeignException", True]]
    assert py.run(throw_without_stack) == [thrown, 5]
