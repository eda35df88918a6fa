"""Async exports under asyncio in the browser, and `run_sync` in engines that can switch stacks."""

from __future__ import annotations

import pytest

from tests.browser.builds import BUILDS, load


async def gather_many(count):
    import asyncio

    faults = await load("abort")
    calls = [faults.wait(number % 7) for number in range(count)]
    calls[count // 2].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    expected = [number % 7 for number in range(count)]
    wrong = [number for number in range(count) if results[number] != expected[number]]
    return wrong, type(results[count // 2]).__name__


def test_a_thousand_calls_gathered_and_one_of_them_cancelled(py):
    """Each call has its own result, and the cancellation does not affect the others."""
    assert py.run(gather_many, count=1000) == [[500], "CancelledError"]


async def time_out(build):
    import asyncio

    import unpanic

    faults = await load(build)
    try:
        async with asyncio.timeout(0.01):
            await faults.never()
    except TimeoutError:
        during = unpanic.status(faults).in_flight
    after = await asyncio.wait_for(faults.wait(1), 10)
    generation = unpanic.status(faults).generation
    unpanic.reset(faults)
    given_up = faults.wait(1)
    given_up.cancel()
    goes_on = unpanic.status(faults).in_flight
    while unpanic.status(faults).in_flight:
        await asyncio.sleep(0.01)
    return during, after, generation, goes_on


@pytest.mark.parametrize("build", BUILDS)
def test_after_a_timeout_the_next_call_works(py, build):
    """The Rust future goes on and counts as in flight until it ends, and nothing is reset."""
    assert py.run(time_out, build=build) == [1, 1, 0, 1]


async def cancel_then_crash(build):
    import asyncio
    import gc

    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    reports = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reports.append(context["message"]))
    panicking, erring, waiting = faults.fail_later(1), faults.err_later(1), faults.never()
    for call in (panicking, erring):
        call.cancel()
    await asyncio.sleep(0.1)
    interrupted = waiting.done()
    waiting.cancel()
    states = [call.cancelled() for call in (panicking, erring)]
    del panicking, erring, waiting
    gc.collect()
    await asyncio.sleep(0)
    one = await faults.wait(1)
    unpanic.reset(faults)
    return states, interrupted, reports, one


@pytest.mark.parametrize("build", BUILDS)
def test_a_cancelled_call_that_crashes_is_seen_all_the_same(py, build):
    """The crash interrupts other calls, and asyncio reports no exception as never retrieved."""
    states, interrupted, reports, one = py.run(cancel_then_crash, build=build)
    assert (states, interrupted, reports, one) == ([True, True], build != "unwind", [], 1)


async def crash_in_group(build):
    import asyncio

    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    errors = []
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(faults.wait(1000))
            group.create_task(faults.fail_later(5))
    except* unpanic.RustPanic as group_error:
        errors += [type(error).__name__ for error in group_error.exceptions]
    except* unpanic.CallInterrupted as group_error:
        errors += [type(error).__name__ for error in group_error.exceptions]
    return sorted(errors), await asyncio.create_task(faults.wait(1))


@pytest.mark.parametrize("build", ["abort", "native"])
def test_a_group_gets_every_error(py, build):
    """The task that crashed gets the crash, the others get an interruption, and the next task runs."""
    assert py.run(crash_in_group, build=build) == [["CallInterrupted", "CallInterrupted", "RustPanic"], 1]


async def forms(build):
    import asyncio
    import inspect

    faults = await load(build)
    call = faults.wait(1)
    texts = [repr(call)]
    done, _ = await asyncio.wait([asyncio.create_task(call), asyncio.create_task(call)])
    texts.append(repr(call))
    results = sorted({each.result() for each in done})
    results += [await asyncio.shield(faults.wait(2)), await asyncio.ensure_future(faults.wait(3))]
    results += [await each for each in asyncio.as_completed([faults.wait(4)])]
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    try:
        results += [await asyncio.create_task(faults.wait(5)), await faults.wait(6)]
    finally:
        loop.set_debug(False)
    return texts, results, inspect.iscoroutinefunction(faults.wait)


def test_asyncio_takes_calls_in_every_form(py):
    """Calls work in tasks, in shields, in completions and in the loop's debug mode."""
    texts = ["<Call faults.wait: pending>", "<Call faults.wait: returned 1>"]
    assert py.run(forms, build="abort") == [texts, [1, 2, 3, 4, 5, 6], True]


async def switch_stacks(build):
    import unpanic
    from pyodide.ffi import can_run_sync, run_sync

    if not can_run_sync():
        return None
    faults = await load(build, panic_hook=lambda _: None)
    meanwhile = []
    other = faults.wait(1)
    other.add_done_callback(lambda call: meanwhile.append(call.result()))
    results = [run_sync(faults.wait(20)), run_sync(faults.wait_text(1, "é")), meanwhile]
    errors = []
    for call in (faults.fail_later(1), faults.err_later(1)):
        try:
            run_sync(call)
        except unpanic.UnpanicError as error:
            errors.append(type(error).__name__)
    return results, errors, run_sync(faults.wait(1)), faults.add(2, 3)


@pytest.mark.parametrize("build", BUILDS)
def test_run_sync_waits_for_a_call(py, build, engine):
    """Other calls go on meanwhile. A crash is raised in the code that waits, and the next call works."""
    found = py.run(switch_stacks, build=build)
    if engine == "chromium":
        errors = ["RustPanic", "RustError" if build == "unwind" else "CallInterrupted"]
        assert found == [[20, "é", [1]], errors, 1, 5]
    else:
        assert found is None or found[3] == 5


async def switch_in_callback(build):
    import unpanic
    from pyodide.ffi import can_run_sync, run_sync

    faults = await load(build, panic_hook=lambda _: None)
    asked = []

    def callback():
        asked.append(can_run_sync())
        call = faults.wait(1)
        try:
            return run_sync(call)
        finally:
            asked.append(call.done())
            call.cancel()

    found = []
    for function in (faults.call_catch, faults.call, faults.call_through):
        try:
            found.append(function(callback))
        except Exception as error:
            found.append([type(error).__name__, str(error), type(error.__cause__).__name__])
    status = unpanic.status(faults)
    return asked, found, faults.add(2, 3), await faults.wait(1), status.phase


@pytest.mark.parametrize("build", BUILDS)
def test_run_sync_is_refused_while_rust_is_on_the_stack(py, build):
    """A callback cannot wait, because Rust below it cannot be suspended. The error says so, and all goes on."""
    asked, found, five, one, phase = py.run(switch_in_callback, build=build)
    assert (asked, five, one, phase) == ([False, False] * 3, 5, 1, "ready")
    assert [(kind, cause) for kind, _, cause in found] == [
        ("RuntimeError", "NoneType"),
        ("RustPanic", "RuntimeError"),
        ("ForeignException", "RuntimeError"),
    ]
    assert all("annot stack switch" in text for _, text, _ in found)


async def who_waits():
    import asyncio
    import sys

    from unpanic._bridge.asyncio_private import VERSIONS, callbacks_of, error_of

    faults = await load("abort")
    call = faults.wait(5)
    task = asyncio.create_task(asyncio.wait_for(call, 10))
    await asyncio.sleep(0)
    waiting = len(callbacks_of(call))
    await asyncio.gather(task, return_exceptions=True)
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(ValueError("mine"))
    error = error_of(failed)
    return list(sys.version_info[:2]), [list(version) for version in VERSIONS], waiting, error is failed.exception()


def test_this_python_has_what_is_read_of_futures(py):
    """Futures of asyncio have the two undocumented attributes that unpanic reads, in the versions that it names."""
    version, versions, waiting, is_error = py.run(who_waits)
    assert version in versions
    assert (waiting, is_error) == (1, True)
