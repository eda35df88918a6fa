"""Loops in Rust end: at a deadline, in every shape and on every way into Rust."""

from __future__ import annotations

import pytest

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
