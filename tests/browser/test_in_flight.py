"""Async calls in flight when their generation dies (rule 3)."""

import pytest

from tests.browser.builds import BUILDS, RESETTING, caught, load
from tests.places import EVERYWHERE

pytestmark = pytest.mark.each_build


async def twenty_in_flight(build, trigger):
    import asyncio

    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    names = ["wait", "wait_text", "never", "err_later"]
    arguments = {"wait": [5000], "wait_text": [5000, "x"], "never": [], "err_later": [5000]}
    calls = [asyncio.ensure_future(getattr(faults, name)(*arguments[name])) for name in names * 5]
    await asyncio.sleep(0.02)
    in_flight = unpanic.status(faults).in_flight

    failed = None
    if trigger == "call":
        failed = caught(faults.panic_message)
    elif trigger == "reset":
        unpanic.reset(faults)
    else:
        [failed] = await asyncio.gather(getattr(faults, trigger)(5), return_exceptions=True)
    # This needs no clock: the calls have settled when the crash arrives, before the event loop turns again.
    pending = [call for call in calls if not call.done()]
    outcomes = {type(call.exception()).__name__ for call in calls if call.done()}
    same_crash = all(call.exception().crash is failed for call in calls if call.done())
    result = {
        "in flight": in_flight,
        "failed": type(failed).__name__,
        "pending": len(pending),
        "outcomes": sorted(outcomes),
        "same crash": same_crash,
        "left": unpanic.status(faults).in_flight,
        "after": await faults.wait_text(1, "fine"),
    }
    unpanic.unload(faults)
    return result


@EVERYWHERE
@pytest.mark.parametrize("build", RESETTING)
@pytest.mark.parametrize(
    ("trigger", "failed"),
    [("call", "RustPanic"), ("fail_later", "RustPanic"), ("trap_later", "Trap"), ("reset", "NoneType")],
)
def test_twenty_calls_settle_when_another_crashes(py, build, trigger, failed):
    """All twenty end at once with a CallInterrupted that has that crash, and none stays pending."""
    assert py.run(twenty_in_flight, build=build, trigger=trigger) == {
        "in flight": 20,
        "failed": failed,
        "pending": 0,
        "outcomes": ["CallInterrupted"],
        "same crash": True,
        "left": 0,
        "after": "fine",
    }


async def one_fails_others_go_on():
    import asyncio

    import unpanic

    faults = await load("unwind", panic_hook=lambda _: None)
    calls = [faults.wait(60), faults.fail_now(), faults.wait_text(60, "b"), faults.fail_later(20), faults.wait(70)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    shown = [outcome if isinstance(outcome, int | str) else outcome.call for outcome in outcomes]
    result = [shown, unpanic.status(faults).generation, unpanic.status(faults).in_flight]
    unpanic.unload(faults)
    return result


@EVERYWHERE
def test_where_panics_unwind_only_the_failing_call_ends(py):
    """The panicking task is recognised, and the others go on in the same generation."""
    assert py.run(one_fails_others_go_on) == [[60, "fail_now", "b", "fail_later", 70], 0, 0]


async def same_name_many_times(build):
    import asyncio

    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    calls = [faults.fail_later(200), faults.fail_later(10), faults.fail_later(200)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    found = [[type(outcome).__name__, outcome.call, outcome is outcomes[0], str(outcome)] for outcome in outcomes]
    unpanic.unload(faults)
    return found


@pytest.mark.parametrize("build", RESETTING)
def test_calls_of_one_function(py, build):
    """Nothing tells which of several calls of the same function crashed, so each gets a crash that names none."""
    found = py.run(same_name_many_times, build=build)
    assert [row[:3] for row in found] == [["RustPanic", "", True]] * 3
    assert "(in one of 3 calls of faults.fail_later, src/tasks.rs:" in found[0][3]


async def cancel_and_forget(build):
    import asyncio
    import contextlib

    import unpanic

    faults = await load(build)
    for task in (asyncio.ensure_future(faults.wait(20)), asyncio.ensure_future(faults.never())):
        await asyncio.sleep(0)
        task.cancel()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(faults.never(), 0.01)
    faults.wait(10_000)
    unpanic.reset(faults)
    await asyncio.sleep(0.05)
    result = [unpanic.status(faults).in_flight, await faults.wait(1)]
    unpanic.unload(faults)
    return result


@pytest.mark.parametrize("build", BUILDS)
def test_cancelled_and_forgotten_calls(py, build):
    """Calls that nobody awaits any more settle without a report."""
    assert py.run(cancel_and_forget, build=build) == [0, 1]


async def unload_in_flight(build):
    import asyncio

    import unpanic

    faults = await load(build)
    call = asyncio.ensure_future(faults.never())
    await asyncio.sleep(0.01)
    unpanic.unload(faults)
    [outcome] = await asyncio.gather(call, return_exceptions=True)
    late = caught(faults.wait, 1)
    return [type(outcome).__name__, type(late).__name__, unpanic.status(faults).phase]


@EVERYWHERE
@pytest.mark.parametrize("build", BUILDS)
def test_unload_interrupts(py, build):
    """Unload ends calls in flight, and later calls say that the module has ended."""
    assert py.run(unload_in_flight, build=build) == ["CallInterrupted", "ModuleTerminated", "unloaded"]
