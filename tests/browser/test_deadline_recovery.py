"""After a call was stopped everything goes on, on every way into Rust, and whatever else comes together."""

from __future__ import annotations

import pytest

from tests.browser.builds import caught
from tests.browser.test_deadlines import BUILDS, GLUE, seconds_of


async def start_spinning(glue, limit, deadline):
    import contextlib

    import unpanic

    import js

    js.globalThis.unpanicSpinAtStart = True
    try:
        with unpanic.deadline(deadline) if deadline else contextlib.nullcontext():
            await unpanic.load(glue, timeout=limit)
    except unpanic.StartError as error:
        result = [type(error.__cause__ or error.crash).__name__, str(error.crash)]
    js.globalThis.unpanicSpinAtStart = False
    loops = await unpanic.load(glue, timeout=limit)
    return [*result, loops.add(2, 3)]


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize(("limit", "deadline"), [(0.05, None), (1e9, 0.05)])
def test_a_start_function_that_does_not_end_is_a_start_error(py, build, limit, deadline):
    """Nothing is loaded, and the page lives; a deadline around the load holds for it too."""
    glue = f"/fixtures/loops/pkg/{build}/loops.js"
    cause, text, good = py.run(start_spinning, glue=glue, limit=limit, deadline=deadline)
    assert (cause, good) == ("CallTimeout", 5)
    assert seconds_of(text) >= 0.05


async def spin_at_the_next_start(glue):
    import unpanic

    import js

    loops = await unpanic.load(glue, timeout=0.05)
    js.globalThis.unpanicSpinAtStart = True
    first = caught(loops.spin)
    later = caught(loops.add, 2, 3)
    js.globalThis.unpanicSpinAtStart = False
    return [type(error).__name__ for error in (first, later)], unpanic.status(loops).phase


def test_a_start_function_that_does_not_end_after_a_reset_ends_the_module(py):
    """As any crash of the start function does."""
    [first, later], phase = py.run(spin_at_the_next_start, glue=GLUE)
    assert (first, later, phase) == ("CallTimeout", "ModuleTerminated", "terminated")


async def collect_spinning(glue):
    import asyncio
    import gc
    import sys

    import unpanic

    raised = []
    sys.unraisablehook, hook = lambda unraisable: raised.append(type(unraisable.exc_value).__name__), sys.unraisablehook
    loops = await unpanic.load(glue, timeout=0.05)
    wheel = loops.Wheel(False, True)
    turns = wheel.turn()
    del wheel
    gc.collect()
    for _ in range(200):
        if unpanic.status(loops).crashes:
            break
        await asyncio.sleep(0.01)
    sys.unraisablehook = hook
    return turns, dict(unpanic.status(loops).crashes), raised, loops.add(2, 3)


@pytest.mark.parametrize("build", BUILDS)
def test_a_destructor_that_the_collector_runs_is_stopped(py, build):
    """Python reports it as it does for its own finalizers; the module goes on."""
    result = py.run(collect_spinning, glue=f"/fixtures/loops/pkg/{build}/loops.js")
    assert result == [1, {"timeout": 1}, ["CallTimeout"], 5]


async def look_at_it(glue, limit):
    import unpanic

    loops = await unpanic.load(glue, timeout=limit)
    wheel = loops.Wheel(False, False)
    wheel.turn()
    texts = [repr(wheel), repr(wheel), repr(loops.Wheel(False, False))]
    return texts, dict(unpanic.status(loops).crashes), wheel.turn()


@pytest.mark.parametrize("build", BUILDS)
def test_the_text_of_an_object_whose_getter_spins_comes_soon(py, build):
    """That getter is unread, the others are there; the object itself is as it was, and no crash is counted."""
    glue = f"/fixtures/loops/pkg/{build}/loops.js"
    texts, crashes, turns = py.run(look_at_it, glue=glue, limit=1e9)
    assert texts == ["<loops.Wheel turns=1 …>", "<loops.Wheel turns=1 …>", "<loops.Wheel turns=0 …>"]
    assert (crashes, turns) == ({}, 2)


async def end_without_recovery(glue):
    import unpanic

    loops = await unpanic.load(glue, timeout=0.05, recovery="none")
    errors = [caught(loops.spin), caught(loops.add, 2, 3)]
    return [type(error).__name__ for error in errors], errors[0].recovery, unpanic.status(loops).phase


def test_without_recovery_a_timeout_ends_the_module(py):
    """As every crash does."""
    result = py.run(end_without_recovery, glue=GLUE)
    assert result == [["CallTimeout", "ModuleTerminated"], "none", "terminated"]


async def refill(glue, spins):
    import unpanic

    loops = await unpanic.load(glue, timeout=0.02, restart_budget=5)
    ran = []

    def fill(module, crash):
        ran.append(type(crash).__name__)
        if len(ran) <= spins:
            module.spin()

    unpanic.on_reset(loops, fill)
    first = caught(loops.spin)
    later = caught(loops.add, 2, 3)
    return [
        len(ran),
        sorted(set(ran)),
        type(first).__name__,
        type(later).__name__,
        unpanic.status(loops).phase,
    ]


@pytest.mark.parametrize("spins", [1, 10**9])
def test_a_callback_of_on_reset_that_spins_counts_against_the_restart_budget(py, spins):
    """Once does no harm; always ends the module, and not the page."""
    ran, kinds, first, later, phase = py.run(refill, glue=GLUE, spins=spins)
    assert (kinds, first) == (["CallTimeout"], "CallTimeout")
    if spins == 1:
        assert (ran, later, phase) == (2, "NoneType", "ready")
    else:
        assert (ran <= 6, later, phase) == (True, "ModuleTerminated", "terminated")


async def interrupt_in_a_callback(glue):
    import unpanic

    loops = await unpanic.load(glue, timeout=5)
    calls = []

    def callback():
        calls.append(1)
        if len(calls) == 100:
            raise KeyboardInterrupt("stop")

    error = caught(loops.call_for_ever, callback)
    return type(error).__name__, str(error), len(calls), loops.count(), unpanic.status(loops).generation


@pytest.mark.parametrize("build", BUILDS)
def test_a_keyboard_interrupt_in_a_callback_comes_back_as_itself(py, build):
    """Rust gets it as an error and passes it on: nothing has crashed."""
    result = py.run(interrupt_in_a_callback, glue=f"/fixtures/loops/pkg/{build}/loops.js")
    assert result == ["KeyboardInterrupt", "stop", 100, 1, 0]


async def two_at_once(glue):
    import unpanic

    outer = await unpanic.load(glue, timeout=1, name="outer")
    inner = await unpanic.load(glue, timeout=0.25, name="inner")
    outer.count()
    seen = []

    def callback():
        error = caught(inner.spin)
        seen.append([type(error).__name__, error.module])

    outer.call(callback, 5)  # longer than its own limit, but that is the other one's time
    after = [outer.count(), inner.add(2, 3), unpanic.status(inner).generation]
    with unpanic.deadline(0.05):
        errors = [caught(module.spin) for module in (outer, inner)]
    return seen, after, [[type(error).__name__, error.module] for error in errors]


def test_two_modules_have_a_limit_each(py):
    """One that is called in a callback of the other ends alone; a deadline holds for both."""
    seen, after, errors = py.run(two_at_once, glue=GLUE)
    assert seen == [["CallTimeout", "inner"]] * 5
    assert after == [2, 5, 5]
    assert errors == [["CallTimeout", "outer"], ["CallTimeout", "inner"]]


async def await_with_deadline(glue):
    import asyncio
    import math

    import unpanic

    loops = await unpanic.load(glue, timeout=math.inf)
    with unpanic.deadline(0.5):
        waited = await loops.wait(1_000)  # waiting is not computing
        first = asyncio.ensure_future(loops.spin_async(1))
        [error] = await asyncio.gather(first, return_exceptions=True)
    return waited, type(error).__name__, error.call, loops.add(2, 3)


@pytest.mark.parametrize("build", BUILDS)
def test_a_deadline_holds_for_the_polls_of_an_async_call(py, build):
    """Also where the module has no limit of its own, and the event loop polls."""
    result = py.run(await_with_deadline, glue=f"/fixtures/loops/pkg/{build}/loops.js")
    assert result == [7, "CallTimeout", "spin_async", 5]
