"""Loops in Rust end: at a deadline, in every shape and on every way into Rust."""

from __future__ import annotations

import re

import pytest

from tests.browser.builds import caught

GLUE = "/fixtures/loops/pkg/abort/loops.js"
BUILDS = ["abort", "unwind"]
LIMIT = 0.05

# Calls that do not end by themselves within the life of a page.
SHAPES = (
    "loop", "far bound", "iterator", "recursion", "backtracking", "two functions", "a table", "nested",
    "callback in a loop", "loop in a callback", "constructor", "getter", "destructor",
)  # fmt: skip


def enter(loops, shape):
    ways = {
        "loop": loops.spin,
        "far bound": lambda: loops.count_to(2**60),
        "iterator": loops.iterate,
        "recursion": lambda: loops.fibonacci(80),
        "backtracking": lambda: loops.backtrack(60),
        "two functions": lambda: loops.ping_pong(60),
        "a table": lambda: loops.through_table(60),
        "nested": loops.nested,
        "callback in a loop": lambda: loops.call_for_ever(lambda: None),
        "loop in a callback": lambda: loops.call(lambda: loops.spin(), 1),
        "constructor": lambda: loops.Wheel(True, False),
        "getter": lambda: loops.Wheel(False, False).speed,
        "destructor": lambda: loops.Wheel(False, True).free(),
    }
    ways[shape]()


async def stop(glue, shape, limit):
    import unpanic

    loops = await unpanic.load(glue, timeout=limit)
    try:
        enter(loops, shape)
    except unpanic.CallTimeout as error:
        timeout = error
    except unpanic.CallInterrupted as interrupted:  # a call in a callback timed out
        timeout = interrupted.crash
    return {
        "good": loops.add(2, 3),
        "interruptible": unpanic.status(loops).interruptible,
        "kind": timeout.kind,
        "is a TimeoutError": isinstance(timeout, TimeoutError),
        "message": str(timeout),
        "call": timeout.call,
        "generation": unpanic.status(loops).generation,
        "crashes": dict(unpanic.status(loops).crashes),
        "frames": [frame.function for frame in timeout.frames],
    }


# The call that is stopped, and the innermost Rust function that the message names.
CALLED = {
    "loop": ("spin", "spin"),
    "far bound": ("count_to", "count_to"),
    "iterator": ("iterate", "iterate"),
    "recursion": ("fibonacci", "loops::shapes::fibonacci"),
    "backtracking": ("backtrack", "loops::shapes::matches"),
    "two functions": ("ping_pong", "loops::shapes::p[io]ng"),
    "a table": ("through_table", "<loops::shapes::through_table::(?:Plus|Times) as .*>::go"),
    "nested": ("nested", "nested|loops::shapes::mix"),
    # The time may be up while an object is handed to the callback.
    "callback in a loop": ("call_for_ever", ".+"),
    "loop in a callback": ("spin", "spin"),
    "constructor": ("Wheel", "wheel_new"),
    "getter": ("Wheel.speed", "wheel_speed"),
    "destructor": ("Wheel.free", "<alloc::rc::Rc<.*Wheel.*::drop_slow"),
}


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_loop_ends(py, shape, build):
    """An endless loop costs its caller one CallTimeout, and the next call works."""
    answer = py.run(stop, glue=f"/fixtures/loops/pkg/{build}/loops.js", shape=shape, limit=LIMIT)
    assert (answer["good"], answer["interruptible"]) == (5, True)
    assert (answer["kind"], answer["is a TimeoutError"]) == ("timeout", True)
    assert answer["generation"] == 1
    assert answer["crashes"] == {"timeout": 1}
    assert seconds_of(answer["message"]) >= LIMIT
    call, function = CALLED[shape]
    assert answer["call"] == call
    assert re.match(rf"stopped after [\d.]+ s, in the Rust function (?:{function}) \(", answer["message"])
    assert answer["frames"]


def seconds_of(message):
    """Returns for how long a call computed, as the message of its CallTimeout says."""
    return float(re.match(r"stopped after ([\d.]+) s", message)[1])


LATER = ("timer", "task", "async call")


async def stop_later(glue, way):
    import asyncio
    import logging

    import unpanic

    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("unpanic").addHandler(handler)
    loops = await unpanic.load(glue, timeout=0.2)
    other = loops.wait(600_000)
    error = None
    try:
        if way == "async call":
            await loops.spin_async(1)
        else:
            loops.spin_later(1) if way == "timer" else loops.spin_in_task()
            while not unpanic.status(loops).crashes:
                await asyncio.sleep(0.01)
    except unpanic.CallTimeout as timeout:
        error = [timeout.call, str(timeout)]
    try:
        await other
    except unpanic.CallInterrupted:
        interrupted = True
    logging.getLogger("unpanic").removeHandler(handler)
    return {
        "error": error,
        "interrupted": interrupted,
        "crashes": dict(unpanic.status(loops).crashes),
        "logged": [record.levelname for record in records if record.unpanic["event"] == "crash"],
        "next": loops.add(2, 3),
    }


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("way", LATER)
def test_a_poll_that_does_not_return_ends(py, way, build):
    """A timer, a task and an async call are stopped too; a call in flight is interrupted, and nothing stays pending."""
    answer = py.run(stop_later, glue=f"/fixtures/loops/pkg/{build}/loops.js", way=way)
    assert (answer["crashes"], answer["interrupted"], answer["next"]) == ({"timeout": 1}, True, 5)
    if way == "async call":
        assert answer["error"][0] == "spin_async"
    else:
        assert answer["error"] is None
        assert answer["logged"] == ["ERROR"]


FAR = 1e6


async def nest(glue, limits, own):
    """Spins under nested deadlines. If another one than the tightest won, that would take days."""
    import contextlib

    import unpanic

    loops = await unpanic.load(glue, timeout=own)
    with contextlib.ExitStack() as stack:
        for seconds in limits:
            stack.enter_context(unpanic.deadline(seconds))
        try:
            loops.spin()
        except unpanic.CallTimeout as error:
            return str(error)


@pytest.mark.parametrize(
    ("limits", "own"),
    [
        ([FAR, LIMIT], 2 * FAR),
        ([LIMIT, FAR], 2 * FAR),
        ([2 * FAR, LIMIT, FAR], 1e300),
        ([LIMIT], FAR),
        ([FAR], LIMIT),
    ],
)
def test_the_tightest_limit_wins(py, limits, own):
    """It may be the inner or the outer deadline, or that of the module."""
    assert seconds_of(py.run(nest, glue=GLUE, limits=limits, own=own)) >= LIMIT


async def compute_in_parts(glue, limit):
    """Works for longer than the limit, in calls each of which is well below it."""
    import math
    import time

    import unpanic

    loops = await unpanic.load(glue, timeout=math.inf)
    turns, seconds = 1_000_000, 0
    while seconds < limit / 20:
        turns *= 2
        began = time.perf_counter()
        loops.count_to(turns)
        seconds = time.perf_counter() - began
    until = time.perf_counter() + 1.5 * limit
    with unpanic.deadline(limit):
        while time.perf_counter() < until:
            loops.count_to(turns)
        loops.call(lambda: time.sleep(limit / 2), 3)
    return dict(unpanic.status(loops).crashes)


def test_neither_several_calls_nor_callbacks_count_together(py):
    """Each call has the whole time for itself, and the time of Python is not Rust's."""
    assert py.run(compute_in_parts, glue=GLUE, limit=1) == {}


async def compute_in_two_tasks(glue, limit):
    """One task has a deadline; while it is open, the other one computes for longer."""
    import asyncio
    import math
    import time

    import unpanic

    loops = await unpanic.load(glue, timeout=math.inf)
    is_open, is_done = asyncio.Event(), asyncio.Event()

    async def inside():
        with unpanic.deadline(limit):
            is_open.set()
            await is_done.wait()
            try:
                loops.spin()
            except unpanic.CallTimeout as error:
                return str(error)

    async def outside():
        await is_open.wait()
        turns, seconds = 1_000_000, 0
        while seconds < 3 * limit:
            turns *= 2
            began = time.perf_counter()
            loops.count_to(turns)
            seconds = time.perf_counter() - began
        is_done.set()

    message, _ = await asyncio.gather(inside(), outside())
    return message


def test_a_deadline_belongs_to_its_context(py):
    """It ends no call of another task, however long that computes."""
    assert seconds_of(py.run(compute_in_two_tasks, glue=GLUE, limit=LIMIT)) >= LIMIT


async def await_under_a_deadline(glue):
    import math

    import unpanic

    loops = await unpanic.load(glue, timeout=math.inf)
    with unpanic.deadline(0.05):
        call = loops.spin_async(1)
    try:
        await call
    except unpanic.CallTimeout as timeout:
        return [timeout.call, loops.add(2, 3)]


def test_an_async_call_keeps_the_deadline_under_which_it_began(py):
    """The event loop runs its code, where no deadline is open any more."""
    assert py.run(await_under_a_deadline, glue=GLUE) == ["spin_async", 5]


async def set_inside(glue):
    import unpanic

    loops = await unpanic.load(glue, timeout=5)
    errors, turns = [], []

    def limited():
        with unpanic.deadline(0.05):
            errors.append(caught(loops.spin))

    def first_compute():
        turns.append(len(turns))
        loops.count_to(3_000_000) if len(turns) == 1 else limited()

    caught(loops.call, limited, 1)
    caught(loops.call, first_compute, 2)

    def first_limited():
        turns.append(len(turns))
        if len(turns) % 2:
            with unpanic.deadline(1e-3):
                loops.add(2, 3)
                loops.count_to(1000)
        else:
            loops.fibonacci(27)

    turns.clear()
    after = caught(loops.call, first_limited, 2)
    return [str(error) for error in errors], type(after).__name__, len(turns)


@pytest.mark.parametrize("build", BUILDS)
def test_a_deadline_in_a_callback_is_for_the_calls_in_it(py, build):
    """Also if the call around it has been computing, and what comes after it has the limit that it had."""
    errors, after, turns = py.run(set_inside, glue=f"/fixtures/loops/pkg/{build}/loops.js")
    assert len(errors) == 2
    assert all(error.startswith("stopped after 0.") for error in errors)
    assert (after, turns) == ("NoneType", 2)


async def await_beside_another(glue):
    import asyncio

    import unpanic

    loops = await unpanic.load(glue, timeout=0.4)
    with unpanic.deadline(0.01):
        waiting = loops.wait(5_000)
    ends = await asyncio.gather(loops.spin_async(1), waiting, return_exceptions=True)
    return [str(end) for end in ends]


@pytest.mark.parametrize("build", BUILDS)
def test_the_deadline_of_one_call_is_not_that_of_another_in_flight(py, build):
    """Which one is polled tells the stack."""
    spun, waited = py.run(await_beside_another, glue=f"/fixtures/loops/pkg/{build}/loops.js")
    assert float(spun.split()[2]) >= 0.4
    assert "loops.wait was interrupted" in waited


async def call_by_javascript(glue):
    import math

    import unpanic

    import js

    loops = await unpanic.load(glue, timeout=math.inf)
    keep = js.Function.new(
        "timers",
        "const { setTimeout } = globalThis;"
        "globalThis.setTimeout = (run, ms, ...rest) =>"
        " (ms === 12345 ? timers.push(run) : setTimeout(run, ms, ...rest));"
        "return () => { globalThis.setTimeout = setTimeout; };",
    )
    timers = js.Array.new()
    restore = keep(timers)
    loops.spin_later(12345)
    restore()
    run = js.Function.new("run", "try { run(); } catch (error) { return String(error); }")
    with unpanic.deadline(0.05):
        return run(timers[0]), loops.add(2, 3)


def test_a_closure_that_javascript_calls_has_the_deadline_of_the_python_that_called_javascript(py):
    """Nobody would end it otherwise; JavaScript gets an error that it can catch."""
    text, good = py.run(call_by_javascript, glue=GLUE)
    assert text.startswith("Crash: stopped after 0.")
    assert good == 5
