"""The call that gets a crash under the event loop, and the function that its traceback shows, in every build."""

import re

import pytest

from tests.browser.builds import RESETTING, load


async def calls_in_flight(build, in_flight, trigger=""):
    """Returns how each call ends: what it raised, which call that names, and its text."""
    import asyncio

    import unpanic

    blame = await load(build, "blame", panic_hook=lambda _: None)
    tally = blame.Tally(1)

    def begin(what, ms):
        owner, _, name = what.rpartition(".")
        return getattr(tally if owner else blame, name)(ms)

    calls = [begin(*call) for call in in_flight]
    if trigger:
        getattr(blame, trigger)(20)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    crash = unpanic.status(blame).last_crash
    found = [[type(error).__name__, getattr(error, "call", None), str(error)] for error in outcomes]
    after = await blame.slow(1)
    unpanic.unload(blame)
    return {"found": found, "last": crash.call, "after": after}


SCENES = [
    # calls in flight, what else runs, and for each call: the call that its crash names, or None if it is interrupted
    ([("slow", 300), ("slow_panic", 20)], "", [None, "slow_panic"]),
    ([("slow", 300), ("slow_trap", 20)], "", [None, "slow_trap"]),
    ([("slow_panic", 300), ("outer", 20)], "", [None, "outer"]),
    ([("run", 300), ("Tally.run", 20)], "", [None, "Tally.run"]),
    ([("run", 300), ("slow_panic", 20)], "", [None, "slow_panic"]),
    ([("slow", 300), ("transfer_later", 20)], "", [None, "transfer_later"]),
    ([("slow", 300), ("promised", 20)], "", [None, "promised"]),
    ([("slow_panic", 300), ("slow", 300), ("slow_panic", 20)], "", ["", None, ""]),
    ([("slow", 300), ("slow_panic", 300)], "tick_later", [None, None]),
    ([("slow", 300), ("slow_panic", 300)], "trap_later", [None, None]),
    ([("slow", 300), ("run", 300)], "spawn_panic", [None, None]),
    ([("slow_panic", 300)], "spawn_slow_panic", [None]),
]


@pytest.mark.parametrize("build", RESETTING)
def test_only_the_call_to_blame_gets_the_crash(py, build):
    """If several calls may be to blame, each gets a crash that names none. No call is to blame for a timer."""
    for in_flight, trigger, expected in SCENES:
        found = py.run(calls_in_flight, build=build, in_flight=in_flight, trigger=trigger)
        scene = (in_flight, trigger, found)
        assert [call for _, call, _ in found["found"]] == expected, scene
        for kind, call, text in found["found"]:
            assert (kind == "CallInterrupted") == (call is None), scene
            if call == "":
                assert "(in one of 2 calls of blame.slow_panic, src/tasks.rs:" in text, scene
            if call is None and trigger:
                assert "was interrupted: a timer or a task crashed: " in text, scene
        assert found["last"] == next(filter(None, expected), ""), scene
        assert found["after"] == 1


async def without_names(names, trigger):
    import asyncio

    import unpanic

    blame = await load("nameless", "blame", panic_hook=lambda _: None)
    calls = [getattr(blame, name)(20) for name in names]
    if trigger:
        getattr(blame, trigger)(10)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    crash = unpanic.status(blame).last_crash
    found = [[outcome is crash, outcome.call, str(outcome), len(outcome.frames)] for outcome in outcomes]
    unpanic.unload(blame)
    return found


@pytest.mark.parametrize(
    ("names", "trigger", "place"),
    [
        (["slow_panic"], "", "(perhaps in blame.slow_panic, "),
        (["slow_panic", "slow_panic"], "", "(perhaps in one of 2 calls of blame.slow_panic, "),
        (["slow_panic", "slow"], "", "(perhaps in one of 2 calls: blame.slow_panic, blame.slow, "),
        (["slow", "run"], "tick_later", "(perhaps in one of 2 calls: blame.slow, blame.run, "),
    ],
)
def test_without_names_each_call_may_be_to_blame(py, names, trigger, place):
    """In a build whose functions have no names, each call gets the crash itself."""
    found = py.run(without_names, names=names, trigger=trigger)
    assert [row[:2] for row in found] == [[True, ""]] * len(names)
    for _, _, text, frames in found:
        assert place in text
        assert frames == 0


async def without_names_undone():
    import asyncio

    import unpanic

    blame = await unpanic.load("/fixtures/blame/pkg/nameless/blame.js", panic_hook=lambda _: None)
    outcomes = await asyncio.gather(blame.slow(20), blame.slow_panic(20), blame.run(20), return_exceptions=True)
    unpanic.unload(blame)
    return [[getattr(error, "call", None), getattr(error, "recovery", None), str(error)] for error in outcomes]


def test_without_names_the_poll_that_is_undone_tells_its_call(py):
    """Where each future's poll is a transaction, the promise that it owed shows whose it was."""
    slow, slow_panic, run = py.run(without_names_undone)
    assert slow_panic[:2] == ["slow_panic", "rollback"]
    assert "perhaps" not in slow_panic[2]
    # The others have their results.
    assert [slow[2], run[2]] == ["20", "20"]


async def names_in_messages(build):
    import asyncio

    blame = await load(build, "blame", panic_hook=lambda _: None)
    found = []

    async def outcome(awaitable):
        [error] = await asyncio.gather(awaitable, return_exceptions=True)
        found.append([error.call if hasattr(error, "call") else "", str(error)])

    tally = blame.Tally(1)
    try:
        tally.count_twice()
    except Exception as error:
        found.append([error.call, str(error)])
    in_flight = asyncio.ensure_future(outcome(blame.transfer_later(300)))
    await asyncio.sleep(0)
    await outcome(blame.transfer_later(10))
    await in_flight
    return found


@pytest.mark.parametrize("build", ["abort", "native", "unwind"])
def test_messages_have_pythons_names(py, build):
    """Messages say `transfer_later` for the export `transferLater`, and so does the attribute `call`."""
    method, *_ = found = py.run(names_in_messages, build=build)
    assert method[0] == "Tally.count_twice"
    assert "(in blame.Tally.count_twice, src/tally.rs:" in method[1]
    for call, text in found[1:]:
        assert call in ("", "transfer_later")
        assert "blame.transfer_later" in text
        assert "transferLater" not in text


async def tracebacks(build):
    import traceback

    blame = await load(build, "blame", panic_hook=lambda _: None)
    found = {}

    def users(call, *args):
        try:
            call(*args)
        except Exception as error:
            text = "".join(traceback.format_exception(error))
            frames = [frame.function for frame in error.frames]
            found[call.__name__ + str(len(found))] = [text, frames, type(error).__name__]
        return found

    # Each crash makes a new instance, which has the hook of the crate again.
    for hook in ("wrap_hook", "set_own_hook", "set_function_hook", "set_console_hook", "silence"):
        getattr(blame, hook)()
        users(blame.deep, 2)
        if build == "unwind":
            import unpanic

            unpanic.reset(blame)
    tally = blame.Tally(1)
    for call in (tally.count, tally.inlined, tally.count_twice, lambda: tally.total, lambda: blame.Tally(13)):
        users(call)
    users(blame.deep, 300)
    return found


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_the_traceback_begins_at_the_function_that_panicked(py, build, engine):
    """With any hook, no frame of the hook, of the panic machinery or of generated code is shown."""
    found = list(py.run(tracebacks, build=build).values())
    deep = ["blame::places::at_the_bottom", *["blame::places::descend"] * 3, "blame::places::deep"]
    silent = found[4]
    # If the last hook reports nothing and the panic unwinds, the stack is that of the catch.
    assert [frames for _, frames, _ in found[: 5 if build == "abort" else 4]] == [deep] * (5 if build == "abort" else 4)
    assert silent[2] == "RustPanic"
    methods = [frames for _, frames, _ in found[5:10]]
    assert methods == [
        ["blame::tally::Tally::count"],
        ["blame.Tally.inlined"],
        ["blame::tally::Tally::count_twice"],
        ["blame.Tally.total"],
        ["blame.Tally"],
    ]
    for text, _, _ in found:
        frames = text.rpartition("unpanic.errors.")[0]
        assert not re.search(r"hook|panicking|__rust|wasm_bindgen|tally_|<unpanic|pyodide/unpanic", frames), text
    very_deep = found[10][1]
    assert len(very_deep) >= 100 or engine == "firefox"
    assert very_deep[:2] == deep[:2]


async def traceback_without_names():
    import traceback

    blame = await load("nameless", "blame", panic_hook=lambda _: None)
    texts = []
    for silent in (False, True):
        if silent:
            blame.silence()
        try:
            blame.deep(5)
        except Exception as error:
            texts.append(traceback.format_exception(error))
    return texts


def test_a_build_without_names_says_so_in_one_line(py):
    """The line has the place of the panic if a hook has reported it."""
    told, untold = py.run(traceback_without_names)
    assert told[-2].startswith('  File "src/places.rs", line ')
    assert untold[-2].startswith('  File "<Rust module blame>", line 0, ')
    for lines in (told, untold):
        text = "".join(lines)
        assert text.count("this build has no names of functions") == 1
        assert "wasm-function" not in text


async def uncaught(code):
    import pyodide_js
    from pyodide.code import run_js

    show = run_js("(pyodide, code) => pyodide.runPythonAsync(code).catch((error) => [error.message, error.stack])")
    return list(await show(pyodide_js, code))


UNCAUGHT = """
import unpanic
blame = await unpanic.load("/fixtures/blame/pkg/abort/blame.js", panic_hook=lambda _: None)
def users_function():
    {call}
try:
    {run}
finally:
    unpanic.unload(blame)
"""


@pytest.mark.parametrize(
    ("call", "run", "innermost"),
    [
        ("blame.deep(2)", "users_function()", "blame::places::at_the_bottom"),
        ("blame.Tally(1).count()", "users_function()", "blame::tally::Tally::count"),
        ("return blame.slow_panic(5)", "await users_function()", "blame.slow_panic"),
    ],
)
def test_what_nobody_catches_reads_as_well(py, call, run, innermost):
    """The rejection of `runPythonAsync` has the frames of the user and of Rust, and no others."""
    message, stack = py.run(uncaught, code=UNCAUGHT.format(call=call, run=run))
    lines = message.rstrip().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert re.fullmatch(r'  File "<exec>", line \d+, in <module>', lines[1])
    assert lines[-2].startswith('  File "src/')
    assert lines[-2].endswith(f", in {innermost}")
    assert lines[-1].startswith("unpanic.errors.RustPanic: ")
    assert not re.search(r"<unpanic |_pyodide|pyodide/unpanic|\.js\b", message)
    below = stack.split(lines[-1], 1)[-1]
    assert not re.search(r"pyodide\.asm|wasm-function", below), stack


async def panic_uncaught(code):
    import asyncio

    import pyodide_js
    from pyodide.code import run_js

    run_js("(pyodide, code) => { pyodide.runPythonAsync(code); }")(pyodide_js, code)
    await asyncio.sleep(0.5)


@pytest.mark.parametrize("realm", ["page"])
def test_what_a_page_reports_reads_as_well(py, engine):
    """Playwright and the console show an uncaught crash without a frame of Pyodide's interpreter."""
    code = UNCAUGHT.format(call="blame.deep(2)", run="users_function()")
    begin = r"^(PythonError: )?Traceback \(most recent call last\):\n  File \"<exec>\", line \d+, in <module>\n"
    users = r"(  File .*\n(    .*\n)?)+"
    rust = r"  File \"src/places.rs\", line \d+, in blame::places::at_the_bottom\nunpanic.errors.RustPanic: .*"
    # WebDriver BiDi reports the frames that the engine recorded, whatever the stack of the error says.
    below = r"(\n|    at (?!.*(pyodide\.asm|wasm-function)).*)*$" if engine == "chromium" else ""
    py.expect_errors(begin + users + rust + below)
    py.run(panic_uncaught, code=code)
