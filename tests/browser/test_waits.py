"""Synchronous calls that come before the next instance is there wait for it, where Python can be suspended.

The module has more than 8 MB: on Chromium's main thread its instances are made while the event loop turns. Everywhere
else the same calls never have to wait.
"""

from __future__ import annotations

import pytest

from tests.browser.builds import caught, load, load_large, slowed, without_switching
from tests.browser.rollbacks import UNDONE, fate

pytestmark = pytest.mark.usefixtures("large")


def ways_in(faults, thing):
    """The ways into Rust, by their names. One that is called twice in the same generation may not give the same."""
    return {
        "numbers": lambda: faults.add(2, 3),
        "keywords": lambda: faults.add(b=3, a=2),
        "nothing": lambda: faults.bump() > 0,
        "text": lambda: faults.echo_string("é"),
        "absent": lambda: faults.echo_option_string(None),
        "large number": lambda: faults.echo_u64(2**63),
        "data": lambda: faults.echo_js_value({"a": [1, 2.5]}),
        "buffer": lambda: filled(faults),
        "callback": lambda: faults.call_with(lambda n: n + 1, 1),
        "constructor": lambda: faults.Thing(7).value,
        "static": lambda: faults.Thing.make(3).value,
        "getter": lambda: thing.value,
        "setter": lambda: setattr(thing, "value", 9),
        "method": lambda: thing.with_callback(lambda *_: 4),
        "argument": lambda: faults.consume_thing(thing),
        "method that consumes": lambda: thing.consume(),
    }


def filled(faults):
    buffer = bytearray(4)
    faults.fill(buffer)
    return list(buffer)


async def enter(build):
    import unpanic

    faults = await load_large(build, spare=False)
    rows = {}
    for way in ways_in(None, None):
        expected = ways_in(faults, faults.Thing(7))[way]()
        call = ways_in(faults, faults.Thing(7))[way]
        unpanic.reset(faults)
        phase = unpanic.status(faults).phase
        rows[way] = [phase, call() == expected, unpanic.status(faults).phase]
    return rows


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("build", ["abort", "native"])
def test_every_way_into_rust_waits(py, build, refuses):
    """The call returns its result, as it does where nothing has to wait."""
    rows = py.run(enter, build=build)
    phase = "recovering" if refuses else "ready"
    assert rows == {way: [phase, True, "ready"] for way in ways_in(None, None)}


async def crash_ten_times(build, spare):
    import unpanic

    faults = await load_large(build, spare=spare)
    crashes = [type(caught(faults.trap_unreachable)).__name__ for _ in range(10)]
    return crashes, faults.add(2, 3), unpanic.status(faults).resets


@pytest.mark.parametrize("build", ["abort", "reset", "native", "unwind"])
@pytest.mark.parametrize("spare", [True, False])
def test_ten_crashes_in_a_row_cost_ten_exceptions(py, build, spare):
    """The code never awaits. Each call finds an instance, or waits until it is there."""
    assert py.run(crash_ten_times, build=build, spare=spare) == [["Trap"] * 10, 5, 10]


async def crash_at_the_top_level():
    import pyodide_js

    code = """
    import unpanic

    faults = await unpanic.load("/large/abort/faults.js", recovery="reset", spare=False)
    crashes = 0
    for _ in range(10):
        try:
            faults.trap_unreachable()
        except unpanic.Trap:
            crashes += 1
    sum = faults.add(2, 3)
    unpanic.unload(faults)
    [crashes, sum]
    """
    return list(await pyodide_js.runPythonAsync(code))


def test_code_of_run_python_async_waits(py):
    """So does a cell of a notebook."""
    assert py.run(crash_at_the_top_level) == [10, 5]


async def crash_elsewhere():
    import unpanic

    faults = await load_large("abort", spare=False)
    thing = faults.Thing(7)
    crash = caught(faults.trap_unreachable)
    errors = {way: caught(without_switching, call) for way, call in ways_in(faults, thing).items()}
    kinds = sorted({type(error).__name__ for error in errors.values()})
    same = all(getattr(error, "crash", None) is crash for error in errors.values())
    texts = [str(errors[way]) for way in ("numbers", "text")]
    return kinds, *texts, same, faults.add(2, 3), unpanic.status(faults).resets


def test_elsewhere_the_error_stays(py, refuses):
    """Below JavaScript no Python can be suspended. The error says where a call waits; the next one there does."""
    kinds, numbers, text, same, five, resets = py.run(crash_elsewhere)
    assert (five, resets) == (5, 1)
    if refuses:
        assert (kinds, same) == (["CallInterrupted"], True)
        for name, message in (("add", numbers), ("echo_string", text)):
            assert message.startswith(f"faults.{name} cannot run yet: the next instance will be there in about ")
            assert "runPythonAsync" in message
    else:
        assert "CallInterrupted" not in kinds


async def crash_in_callback():
    import unpanic

    faults = await load_large("abort", spare=False)
    inner = []

    def callback():
        inner.extend([type(caught(faults.trap_unreachable)).__name__, type(caught(faults.add, 2, 3)).__name__])
        inner.append(type(caught(faults.echo_string, "é")).__name__)

    outer = type(caught(faults.call, callback)).__name__
    return inner, outer, faults.add(2, 3), unpanic.status(faults).resets


def test_a_callback_below_rust_does_not_wait(py):
    """Rust cannot be suspended. The call from the callback ends in the error, and the next one from outside waits."""
    assert py.run(crash_in_callback) == [["Trap", "CallInterrupted", "CallInterrupted"], "CallInterrupted", 5, 1]


async def crash_in_on_reset():
    import unpanic

    faults = await load_large("abort", spare=False)
    seen = []

    def fill(_module, _crash):
        if len(seen) < 2:
            seen.append(type(caught(faults.trap_unreachable)).__name__)
            seen.append(type(caught(faults.add, 2, 3)).__name__)

    unpanic.on_reset(faults, fill)
    caught(faults.trap_unreachable)
    five = faults.add(2, 3)
    return seen, five, unpanic.status(faults).phase


def test_a_callback_of_on_reset_does_not_wait(py, refuses):
    """No other task sees a module that is filled in part. The call that waits gets one that is filled."""
    seen, five, phase = py.run(crash_in_on_reset)
    assert (seen, five, phase) == (["Trap", "CallInterrupted" if refuses else "NoneType"], 5, "ready")


async def wait_side_by_side(tasks):
    import asyncio

    import unpanic

    faults = await load_large("abort", spare=False)
    order = []

    async def work(number):
        for _ in range(3):
            caught(faults.trap_unreachable)
            order.append([number, faults.add(number, 1)])
            await asyncio.sleep(0)

    async def watch():
        turns = 0
        while len(order) < 3 * tasks:
            turns += 1
            await asyncio.sleep(0)
        return turns

    turns, *_ = await asyncio.gather(watch(), *map(work, range(tasks)))
    status = unpanic.status(faults)
    return order, turns > 0, status.phase, status.in_flight


def test_tasks_wait_side_by_side(py):
    """Each gets its result, although the others crash the same module meanwhile, and the event loop turns."""
    order, turned, phase, in_flight = py.run(wait_side_by_side, tasks=4)
    assert sorted(order) == [[number, number + 1] for number in range(4) for _ in range(3)]
    assert (turned, phase, in_flight) == (True, "ready", 0)


async def wait_while(others):
    import asyncio

    import unpanic

    faults = await load_large("abort", spare=False)
    thing = faults.Thing(7)
    caught(faults.trap_unreachable)
    tasks, soon = [], asyncio.get_running_loop().call_soon
    if others == "take it":
        tasks = [faults.wait(1), faults.wait(2)]
    elif others == "crash it":
        tasks = [faults.fail_now() for _ in range(3)]
    elif others == "unload it":
        soon(unpanic.unload, faults)
    elif others == "free the object":
        soon(thing.free)
    error = caught(lambda: thing.value) if others == "free the object" else caught(faults.add, 2, 3)
    phase = unpanic.status(faults).phase
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    return type(error).__name__, sorted({type(outcome).__name__ for outcome in outcomes}), phase


OTHERS = {
    "take it": ("NoneType", ["int"], "ready"),
    "crash it": ("NoneType", ["RustPanic"], "ready"),
    "unload it": ("ModuleTerminated", [], "unloaded"),
    "free the object": ("StaleObjectError", [], "ready"),
}


@pytest.mark.parametrize("others", OTHERS)
def test_what_others_do_meanwhile(py, others, refuses):
    """A call that has waited looks again: the instance may have crashed, the module may have ended."""
    if refuses:
        assert tuple(py.run(wait_while, others=others)) == OTHERS[others]


async def wait_for_what_crashes(times):
    import unpanic
    from pyodide.ffi import create_proxy

    import js

    faults = await load_large("abort", spare=False)
    # Each instance takes a turn of the event loop, and crashes before the next turn.
    restore, turns = slowed(1), iter(range(times))
    crash = create_proxy(lambda: caught(faults.trap_unreachable) and None)
    unpanic.on_reset(faults, lambda *_: next(turns, None) is None or js.queueMicrotask(crash))
    caught(faults.trap_unreachable)
    error = caught(faults.add, 2, 3)
    resets = unpanic.status(faults).resets
    zero = await faults.wait(0)
    restore()
    return type(error).__name__, resets >= 10, zero


def test_a_call_does_not_wait_for_ever(py, refuses):
    """If others crash each new instance before it can run, it waits for ten instances."""
    if refuses:
        assert py.run(wait_for_what_crashes, times=40) == ["CallInterrupted", True, 0]


async def wait_in_vain(failure):
    faults = await load_large("abort", spare=False)
    restore = slowed(5, failure)
    try:
        crash = caught(faults.trap_unreachable)
        errors = [caught(faults.add, 2, 3), caught(faults.echo_string, "é"), caught(faults.add, 2, 3)]
    finally:
        restore()
    texts = [f"{type(error).__name__}: {error}" for error in errors]
    return texts, [error.__cause__ is crash for error in errors], caught(faults.add, 2, 3) is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_instance_that_cannot_be_made_is_not_waited_for(py, refuses):
    """The call raises what is the matter. Where memory was missing, the next one tries again."""
    if not refuses:
        return
    text = "WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance"
    texts, _, works = py.run(wait_in_vain, failure=text)
    assert all(text.startswith("OutOfMemory: the browser has no memory for the next instance") for text in texts)
    assert works
    texts, causes, works = py.run(wait_in_vain, failure="boom")
    assert all(text.startswith("ModuleTerminated: ") and "boom" in text for text in texts)
    assert (causes, works) == ([True] * 3, False)


async def wait_with_limits():
    import unpanic

    faults = await load_large("abort", spare=False, timeout=0.05)
    restore = slowed(200)
    try:
        caught(faults.trap_unreachable)
        with unpanic.deadline(0.01):
            five = faults.add(2, 3)
        caught(faults.trap_unreachable)
        return five, faults.add(3, 4)
    finally:
        restore()


def test_waiting_is_not_computing(py):
    """Neither `timeout=` nor `deadline` counts the time in which a call waits for its instance."""
    assert py.run(wait_with_limits) == [5, 7]


async def begin_a_transaction():
    import asyncio

    import unpanic

    faults = await load_large("abort", spare=False, recovery="rollback")
    faults.bump()
    results = []
    unpanic.reset(faults)
    phase = unpanic.status(faults).phase
    with unpanic.transaction(faults):
        results.append(faults.bump())
    unpanic.reset(faults)
    checkpoint = unpanic.checkpoint(faults)
    results += [faults.bump(), faults.bump()]
    unpanic.restore(faults, checkpoint)
    results.append(faults.bump())
    stored = bytes(checkpoint)
    unpanic.reset(faults)
    unpanic.restore(faults, stored)
    results.append(faults.bump())

    # Another task is in a transaction once the instance is there: this one cannot begin.
    unpanic.reset(faults)
    asyncio.get_running_loop().call_soon(lambda: tasks.append(asyncio.ensure_future(other())))
    tasks, inside = [], asyncio.Event()

    async def other():
        with unpanic.transaction(faults):
            await inside.wait()

    error = caught(unpanic.transaction(faults).__enter__)
    inside.set()
    await asyncio.gather(*tasks)
    return phase, results, type(error).__name__, len(tasks)


def test_transactions_and_checkpoints_begin_in_the_next_instance(py, refuses):
    """They wait like a call, and look afterwards what other tasks do."""
    phase, results, error, others = py.run(begin_a_transaction)
    assert results == [1, 1, 2, 1, 1]
    if refuses:
        assert (phase, error, others) == ("recovering", "RuntimeError", 1)


async def grow_a_table(build):
    import unpanic

    import js

    undo = await load_large(build, "undo", spare=False, recovery="rollback")
    first = js.Object.new()
    rows = []
    for _ in range(3):
        undo.keep(first)
        rolled_back = fate(undo.replace_and_fail, first, 1)
        grown = fate(undo.replace_and_fail, first, 20_000)
        rows.append([rolled_back, grown, unpanic.status(undo).phase, undo.count()])
    return rows, unpanic.status(undo).resets


@pytest.mark.parametrize("build", ["reset", "unwind"])
def test_a_rollback_that_needs_an_instance(py, build, refuses):
    """Where a table has grown, the module resets, because the browser makes no other instance at once."""
    rows, resets = py.run(grow_a_table, build=build)
    if refuses:
        assert (rows, resets) == ([[UNDONE, ["RustPanic", "reset", False], "recovering", 1]] * 3, 3)
    else:
        assert ([row[:3] for row in rows], resets) == ([[UNDONE, UNDONE, "ready"]] * 3, 0)


async def keep_a_spare():
    import asyncio

    import unpanic
    from pyodide.ffi import can_run_sync

    faults = await load("abort", spare=True)
    while unpanic.status(faults).spare != "ready":
        await asyncio.sleep(0.001)
    restore = slowed(500)
    caught(faults.trap_unreachable)
    await asyncio.sleep(0.02)  # the next spare is being made
    caught(faults.trap_unreachable)
    phase = unpanic.status(faults).phase
    results = [caught(faults.add, 2, 3), caught(faults.echo_string, "x")]
    restore()
    await faults.wait(0)
    return phase, [type(error).__name__ for error in results], can_run_sync()


def test_a_small_module_waits_for_its_spare(py):
    """A spare that is being made when it is needed is used as soon as it is there, in every realm."""
    phase, results, can_wait = py.run(keep_a_spare)
    assert (phase, results) == ("recovering", ["NoneType" if can_wait else "CallInterrupted"] * 2)
