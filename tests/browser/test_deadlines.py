"""Loops in Rust end: at a deadline, in every shape and on every way into Rust."""

from __future__ import annotations

import re

import pytest

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


# The function that a message names, and where the timeout was; a table's targets are named after the trait.
SPINNING = {
    "far bound": "loops::shapes::count_to",
    "iterator": "loops::shapes::iterate",
    "recursion": "loops::shapes::fibonacci",
    "backtracking": "loops::shapes::matches",
    "two functions": "loops::shapes::p[io]ng",
}
CALLS = {
    "far bound": "count_to",
    "iterator": "iterate",
    "recursion": "fibonacci",
    "backtracking": "backtrack",
    "two functions": "ping_pong",
    "constructor": "Wheel",
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
    print(shape, answer["message"], answer["call"], answer["frames"][:3])


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
