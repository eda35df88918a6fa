"""One traceback leads from the user's Python code into Rust, without JavaScript and unpanic's own frames."""

import re

import pytest

from tests.browser.builds import load

BUILDS = ["abort", "unwind"]


def shown(error):
    """Returns what Python prints of an error."""
    import traceback

    return "".join(traceback.format_exception(error))


def outcome(function, *args):
    """Returns what Python prints if a call fails."""
    try:
        function(*args)
    except Exception as error:
        return shown(error)
    return "nothing was raised"


async def fail_everywhere(build):
    from pyodide.code import run_js

    faults = await load(build, panic_hook=lambda _: None)
    found = {}

    def users_call():
        faults.panic_deep(3)

    found["function"] = outcome(users_call)
    found["constructor"] = outcome(lambda: faults.Thing(-1))
    found["method"] = outcome(lambda: faults.Thing(1).explode())
    found["static"] = outcome(lambda: faults.Thing.boom())
    found["getter"] = outcome(lambda: faults.Thing(1).bad)
    found["after a callback"] = outcome(lambda: faults.call_then_panic(lambda: None))
    found["trap"] = outcome(lambda: faults.trap_unreachable())
    found["overflow"] = outcome(lambda: faults.shadow_stack_overflow())
    try:
        await faults.fail_later(1)
    except Exception as error:
        found["async"] = shown(error)
    # Pyodide's report of an uncaught exception, and the output of a logger.
    show = run_js("(run) => { try { run(); } catch (error) { return error.message; } }")
    found["uncaught"] = show(users_call)
    return found


WAYS = [
    # the way, the file of the last frame, the last line of the text
    ("function", "src/deaths.rs", "RustPanic: 3 functions down (in faults.panic_deep, "),
    ("constructor", "src/objects.rs", "RustPanic: negative value: -1 (in faults.Thing, "),
    ("method", "src/objects.rs", "RustPanic: in a method (in faults.Thing.explode, "),
    ("static", "src/objects.rs", "RustPanic: in a static method (in faults.Thing.boom, "),
    ("getter", "src/objects.rs", "RustPanic: in a getter (in faults.Thing.bad, "),
    ("after a callback", "src/callbacks.rs", "RustPanic: after the callback (in faults.call_then_panic, "),
    ("trap", "<Rust module faults>", "Trap: "),
    ("overflow", "<Rust module faults>", "StackOverflow: "),
    ("async", "src/tasks.rs", "RustPanic: "),
    ("uncaught", "src/deaths.rs", "RustPanic: 3 functions down (in faults.panic_deep, "),
]


@pytest.mark.parametrize("build", BUILDS)
def test_a_crash_shows_where_it_happened(py, build):
    """It shows the user's frames down to the call, Rust's with the place of the innermost, and the message."""
    found = py.run(fail_everywhere, build=build)
    for way, file, message in WAYS:
        text = found[way]
        lines = [line for line in text.splitlines() if line.strip("~^ ") and "[Previous" not in line]
        assert "test_tracebacks.py" in text, way
        place = re.fullmatch(r"  File (.*), line (\d+), in (.*)", lines[-2])
        assert place, text
        assert place[1] == f'"{file}"', text
        assert (place[2] == "0") == ("<Rust module" in file), text
        assert lines[-1].startswith(f"unpanic.errors.{message}"), text
        assert not re.search(r"\.js\b|wasm-function|pyodide/unpanic|JsException|line None", text), text
    order = re.findall(r", in (\S+)", found["function"])
    assert order[:2] == ["outcome", "users_call"]
    assert order[-1].startswith("faults::deaths::")


async def fail_with_causes():
    from pyodide.code import run_js

    faults = await load("abort", panic_hook=lambda _: None)
    found = []

    def users_callback():
        raise KeyError("mine")

    found.append(outcome(lambda: faults.call_through(users_callback)))
    found.append(outcome(lambda: faults.call_catch(users_callback)))
    found.append(outcome(lambda: faults.call_through(run_js("() => { throw new TypeError('theirs'); }"))))
    found.append(outcome(lambda: faults.call_catch(run_js("() => { throw new TypeError('theirs'); }"))))
    found.append(outcome(lambda: faults.err_js_error()))
    return found


def test_causes_show_what_they_are(py):
    """A Python exception shows the callback's frames, and a JavaScript error shows its text."""
    through, back, javascript, caught, error = py.run(fail_with_causes)
    for text in (through, back):
        assert "in users_callback\n    raise KeyError(" in text
        assert "KeyError: 'mine'" in text
    assert "\nunpanic.errors.ForeignException: " in through
    assert "TypeError: theirs" in javascript
    assert "unpanic.errors.RustError: theirs" in caught
    assert "unpanic.errors.RustError: " in error
    for text in (through, back, javascript, caught, error):
        assert "in invoke" not in text
        assert not re.search(r"\.js\b|wasm-function|\n\s+at ", text), text


async def interrupted():
    import asyncio

    faults = await load("abort", panic_hook=lambda _: None)
    call = asyncio.ensure_future(faults.wait(60_000))
    await asyncio.sleep(0)
    outcome(faults.trap_unreachable)
    try:
        await call
    except Exception as error:
        return shown(error)


def test_an_interrupted_call_shows_the_users_frames(py):
    """The message names the crash that took the generation down."""
    text = py.run(interrupted)
    assert "test_tracebacks.py" in text
    assert "CallInterrupted: faults.wait was interrupted: another call crashed: unreachable" in text
    assert not re.search(r"\.js\b|wasm-function|pyodide/unpanic", text), text
