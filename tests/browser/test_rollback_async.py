"""Async calls and rollback: calls in flight outlive a failed call, and what crashes by itself."""

import pytest

from tests.browser.rollbacks import UNDONE, fate, tally, undoing

pytestmark = pytest.mark.each_build

EACH_BUILD = pytest.mark.parametrize("build", ["abort", "reset"])


async def fly_on(build):
    import asyncio

    faults = await undoing(build, "faults")
    calls = [asyncio.ensure_future(faults.wait(ms)) for ms in (5, 20, 40)]
    texts = [asyncio.ensure_future(faults.wait_text(20, f"text {number}")) for number in range(3)]
    failing = asyncio.ensure_future(faults.err_later(10))
    faults.spawn_ok(10)
    faults.timer(10, False)
    rows = []
    for _ in range(5):
        rows.append(fate(faults.panic_message))
        await asyncio.sleep(0.003)
        rows.append(fate(faults.trap_unreachable)[1:])
    results = await asyncio.gather(*calls, *texts, failing, return_exceptions=True)
    await asyncio.sleep(0.02)
    return rows, [str(result) for result in results], faults.timer_count(), tally(faults)


@pytest.mark.parametrize("build", ["abort", "reset", "unwind"])
def test_calls_in_flight_and_tasks_go_on(py, build):
    rows, results, ticks, counts = py.run(fly_on, build=build)
    assert rows == [UNDONE, UNDONE[1:]] * 5
    assert results == ["5", "20", "40", "text 0", "text 1", "text 2", "an ordinary error, later"]
    assert ticks == 2
    assert counts == [0, 10, 0]


async def crash_by_itself(build, how):
    import asyncio

    import unpanic

    faults = await undoing(build, "faults")
    before = [faults.bump(), fate(faults.panic_message)]
    call = asyncio.ensure_future(faults.wait(60))
    if how == "future":
        failing = asyncio.ensure_future(faults.fail_later(1))
    elif how == "first poll":
        failing = asyncio.ensure_future(faults.fail_now())
    else:
        failing = None
        faults.timer(1, True) if how == "timer" else faults.spawn_panics(1)
    results = await asyncio.gather(call, *([failing] if failing else []), return_exceptions=True)
    rows = [r if isinstance(r, int) else [type(r).__name__, r.recovery, r.state_kept] for r in results]
    crash = unpanic.status(faults).last_crash
    return before, [crash.recovery, crash.state_kept], rows, faults.bump(), tally(faults)


@pytest.mark.parametrize("how", ["timer", "task", "future", "first poll"])
@EACH_BUILD
def test_a_crash_that_nobody_called_for_is_undone(py, build, how):
    """The state stays, and so do calls in flight."""
    before, crash, rows, bump, counts = py.run(crash_by_itself, build=build, how=how)
    assert before == [1, UNDONE]
    assert crash == ["rollback", True]
    failing = [UNDONE] if how in ("future", "first poll") else []
    assert rows == [60, *failing]
    assert (bump, counts) == (2, [0, 2, 0])


async def call_from_the_event_loop(build):
    """A timer of JavaScript's calls Python, which calls Rust."""
    import asyncio

    from pyodide.code import run_js
    from pyodide.ffi import create_once_callable

    faults = await undoing(build, "faults")
    rows, done = [], asyncio.get_running_loop().create_future()

    def crash():
        rows.append(fate(faults.panic_message))
        done.set_result(None)

    closure = faults.make_adder(1)
    faults.bump()
    run_js("f => setTimeout(f, 1)")(create_once_callable(crash))
    await done
    return rows, faults.bump(), closure(1), tally(faults)


@EACH_BUILD
def test_a_call_from_the_event_loop_is_a_transaction(py, build):
    rows, bump, added, counts = py.run(call_from_the_event_loop, build=build)
    assert rows == [UNDONE]
    assert (bump, added, counts) == (2, 2, [0, 1, 0])
