"""Wasm files above 8 MB, which Chromium's main thread neither compiles nor instantiates synchronously.

Firefox and all workers do so. The same tests show that large files behave there like small ones.
"""

from __future__ import annotations

import pytest

from tests.browser.builds import BUILDS, caught, load_large, without_switching


async def until(condition):
    import asyncio

    while not condition():
        await asyncio.sleep(0.001)


async def crash_with_spare(build, rounds):
    import unpanic

    faults = await load_large(build, spare=True)
    seen = []
    for _ in range(rounds):
        await until(lambda: unpanic.status(faults).spare == "ready")
        before = unpanic.status(faults)
        crash = caught(faults.trap_unreachable)
        after = unpanic.status(faults)
        seen.append([type(crash).__name__, crash.outcome, faults.bump(), faults.echo_string("é"), after.phase])
        if not before.spare_bytes or after.spare != "preparing" or after.generation != before.generation + 1:
            seen.append([repr(before), repr(after)])
    return seen


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("build", BUILDS)
def test_a_spare_makes_a_reset_a_swap(py, build):
    """If the spare is ready, the next call at once finds the state of application start."""
    assert py.run(crash_with_spare, build=build, rounds=3) == [
        ["Trap", f"reset to generation {number}, state lost", 1, "é", "ready"] for number in (1, 2, 3)
    ]


async def default_spare(build):
    import unpanic

    faults = await load_large(build)
    state = unpanic.status(faults).spare
    if state != "off":
        await until(lambda: unpanic.status(faults).spare == "ready")
    caught(faults.trap_unreachable)
    return state, faults.add(2, 3)


@pytest.mark.usefixtures("large")
def test_a_spare_is_kept_by_itself_where_the_browser_makes_no_instance_at_once(py, refuses):
    """A worker needs no spare, and a page that opted out has none."""
    state, five = py.run(default_spare, build="abort")
    assert (state != "off", five) == (refuses, 5)


async def crash_without_spare(build):
    import asyncio

    import unpanic

    faults = await load_large(build, spare=False)
    resets = []
    unpanic.on_reset(faults, lambda _module, crash: resets.append(crash.kind))
    thing = faults.Thing(7)
    crash = caught(faults.panic_formatted, 3)
    status = unpanic.status(faults)
    refusal = caught(without_switching, faults.add, 2, 3)
    at_the_object = caught(without_switching, lambda: thing.value)
    text = [
        str(crash),
        str(refusal),
        type(at_the_object).__name__,
        getattr(refusal, "crash", None) is crash,
        status.phase,
        status.spare,
    ]
    waiting = [asyncio.ensure_future(faults.wait(1)), asyncio.ensure_future(faults.wait(2))]
    values = await asyncio.gather(*waiting)
    after = unpanic.status(faults)
    return text, values, faults.add(2, 3), thing.value, resets, [after.phase, after.generation, after.spare]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("build", ["abort", "reset"])
def test_without_a_spare_async_calls_wait_and_others_hear_when(py, build, refuses):
    """Nothing hangs. A call that cannot wait gets an error that says what happens and for how long."""
    text, values, five, seven, resets, after = py.run(crash_without_spare, build=build)
    assert (values, five, seven, resets, after) == ([1, 2], 5, 7, ["panic"], ["ready", 1, "off"])
    crash, refusal, at_the_object, same, phase, spare = text
    if refuses:
        assert "; resetting to generation 1, which will be there in about " in crash
        assert refusal.startswith("faults.add cannot run yet: the next instance will be there in about ")
        assert (at_the_object, same, phase, spare) == ("CallInterrupted", True, "recovering", "preparing")
    else:
        assert (phase, spare) == ("ready", "off")


async def unload_while_waiting():
    import asyncio

    import unpanic

    faults = await load_large("abort", spare=False)
    caught(faults.trap_unreachable)
    waiting = asyncio.ensure_future(faults.wait(1))
    unpanic.unload(faults)
    [outcome] = await asyncio.gather(waiting, return_exceptions=True)
    return type(outcome).__name__


@pytest.mark.usefixtures("large")
def test_a_module_that_ends_keeps_nobody_waiting(py, refuses):
    """The call that waited for an instance gets an error. In a worker the call runs and is interrupted."""
    assert py.run(unload_while_waiting) == ("ModuleTerminated" if refuses else "CallInterrupted")


async def crash_twice(count):
    import asyncio

    import unpanic

    faults = await load_large("abort")
    good = 0
    for _ in range(count):
        caught(faults.trap_unreachable)
        good += await faults.wait(0) == 0
        await asyncio.sleep(0)
    return good, unpanic.status(faults).generation


@pytest.mark.usefixtures("large")
def test_many_crashes_come_before_their_spares(py):
    """After each crash, the next call waits until its instance is ready."""
    assert py.run(crash_twice, count=50) == [50, 50]


async def load_at_once():
    import pathlib

    import unpanic
    from pyodide.http import pyfetch

    folder = pathlib.Path("/tmp/large")
    folder.mkdir(exist_ok=True)
    for name in ("faults.js", "faults_bg.wasm"):
        (folder / name).write_bytes(await (await pyfetch(f"/large/abort/{name}")).bytes())
    error = caught(unpanic.load_sync, folder / "faults.js")
    if error:
        return type(error).__name__, str(error)
    return "loaded", ""


@pytest.mark.usefixtures("large")
def test_load_sync_says_where_it_cannot_work(py, refuses):
    """The error names the way that works."""
    kind, text = py.run(load_at_once)
    if refuses:
        assert kind == "CompileError"
        assert "larger than 8 MB" in text
        assert text.endswith("Use the asynchronous `load`, or a worker.")
    else:
        assert kind == "loaded"
