"""Loops in Rust end: at a deadline, in every shape and on every way into Rust."""

from __future__ import annotations

import pytest

from tests.browser.builds import caught

GLUE = "/fixtures/loops/pkg/abort/loops.js"
BUILDS = ["abort", "unwind"]

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


async def stop(glue, shape, times=1):
    import time

    import unpanic

    loops = await unpanic.load(glue, timeout=0.05)
    seconds, good = [], 0
    for _ in range(times):
        began = time.perf_counter()
        try:
            enter(loops, shape)
        except unpanic.CallTimeout as timeout:
            seconds.append(time.perf_counter() - began)
            last = timeout
        except unpanic.CallInterrupted as interrupted:  # a call in a callback timed out
            seconds.append(time.perf_counter() - began)
            last = interrupted.crash
        good += loops.add(2, 3) == 5
    return {
        "ended": len(seconds),
        "good": good,
        "interruptible": unpanic.status(loops).interruptible,
        "kind": last.kind,
        "is a TimeoutError": isinstance(last, TimeoutError),
        "message": str(last),
        "generation": unpanic.status(loops).generation,
        "crashes": dict(unpanic.status(loops).crashes),
        "frames": [frame.function for frame in last.frames],
        "longest": max(seconds),
    }


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_loop_ends(py, shape, build):
    """An endless loop costs its caller one CallTimeout, and the next call works."""
    answer = py.run(stop, glue=f"/fixtures/loops/pkg/{build}/loops.js", shape=shape)
    assert (answer["ended"], answer["good"], answer["interruptible"]) == (1, 1, True)
    assert (answer["kind"], answer["is a TimeoutError"]) == ("timeout", True)
    assert answer["generation"] == 1
    assert answer["crashes"] == {"timeout": 1}
    assert answer["message"].startswith("stopped after 0.")
    assert answer["longest"] < 5


LATER = ("timer", "task", "async call")


async def stop_later(glue, way):
    import asyncio
    import logging

    import unpanic

    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("unpanic").addHandler(handler)
    loops = await unpanic.load(glue, timeout=0.05)
    other = loops.wait(300)
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


async def nest(glue):
    import asyncio
    import math
    import time

    import unpanic

    def seconds_of(run):
        began = time.perf_counter()
        try:
            run()
        except unpanic.CallTimeout:
            return round(time.perf_counter() - began, 2)
        return None

    loops = await unpanic.load(glue, timeout=math.inf)
    quick = []
    with unpanic.deadline(0.3), unpanic.deadline(0.05), unpanic.deadline(1):
        quick.append(seconds_of(loops.spin))

    def sleep():
        time.sleep(0.1)

    # Neither what Python does counts, nor that several calls together take longer.
    with unpanic.deadline(0.15):
        loops.call(sleep, 3)
        for _ in range(4):
            loops.fibonacci(24)

    async def inside():
        with unpanic.deadline(0.05):
            await asyncio.sleep(0)
            return seconds_of(loops.spin)

    async def outside():
        await asyncio.sleep(0)
        return await loops.wait(30)

    return [*quick, *await asyncio.gather(inside(), outside(), return_exceptions=True)]


def test_deadlines_nest_and_belong_to_their_context(py):
    """The tightest one wins; the time of Python and of waiting does not count."""
    first, inside, outside = py.run(nest, glue=GLUE)
    assert 0.04 < first < 0.29
    assert 0.04 < inside < 0.29
    assert outside in (7, None) or "CallInterrupted" in str(outside)


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
