"""Futures that crash while they are polled: the failed one is undone alone, and the others go on."""

import pytest

from tests.browser.builds import load
from tests.browser.rollbacks import tally, undoing
from tests.places import builds

pytestmark = pytest.mark.each_build

EACH_BUILD = pytest.mark.parametrize("build", ["abort", "reset", "mvp", "unwind"])
# How a future fails, and what its caller gets.
UNDONE = {
    "panic": ["RustPanic", "rollback", True],
    "trap": ["Trap", "rollback", True],
    "stack": ["StackOverflow", "rollback", True],
    "memory": ["OutOfMemory", "rollback", True],
    "javascript": ["ForeignException", "rollback", True],
    "loop": ["CallTimeout", "rollback", True],
    "grow": ["RustPanic", "rollback", True],
    "values": ["RustPanic", "rollback", True],
    "throw": ["RustError", "", None],
}


def outcome(result):
    """Returns what a call raised, and what became of the module's state; a result as it is."""
    if not isinstance(result, BaseException):
        return result
    return [type(result).__name__, getattr(result, "recovery", ""), getattr(result, "state_kept", None)]


async def fail_among(build, how, rounds):
    """Three futures are polled in the same turns, of which one fails: each in turn, at its first, second, last poll."""
    import asyncio

    tasks = await undoing(build, "tasks", timeout=0.1 if how == "loop" else None)
    rows, rest, expected = [], [], 0
    for _ in range(rounds):
        for place in range(3):
            for polls in (0, 1, 3):
                calls = [asyncio.ensure_future(tasks.work("ok", 3, 10)) for _ in range(2)]
                calls.insert(place, asyncio.ensure_future(tasks.work(how, polls, 7)))
                results = [outcome(result) for result in await asyncio.gather(*calls, return_exceptions=True)]
                rows.append(results.pop(place))
                # Of the poll that failed nothing is left; of the ones before, what they added.
                expected += 26 + max(polls - 1, 0)
                rest.append([results, list(tasks.state()) == [expected, 0, 0], tasks.allocate(20)])
    return rows, rest, tally(tasks)


@pytest.mark.parametrize("how", UNDONE)
@builds("abort", long=["mvp", "reset", "unwind"])
def test_the_others_go_on(py, build, how):
    rows, rest, counts = py.run(fail_among, build=build, how=how, rounds=3)
    assert rows == [UNDONE[how]] * 27
    assert rest == [[[10, 10], True, 200_000]] * 27
    assert counts[::2] == [0, 0]


async def fail_in_other_ways(build):
    """The future is one of several in one; or its promise is awaited by another future, or by JavaScript."""
    import asyncio

    tasks = await undoing(build, "tasks")
    rows = []
    for call in (tasks.work_together, tasks.work_inside, tasks.work_derived):
        for _ in range(3):
            others = [asyncio.ensure_future(tasks.work("ok", 2, 1)) for _ in range(2)]
            results = await asyncio.gather(call("panic", 1, 1), *others, return_exceptions=True)
            rows.append([outcome(result) for result in results])
    return rows, list(tasks.state())[1:], tally(tasks)


@EACH_BUILD
def test_whoever_waits_for_the_future_hears_of_it(py, build):
    rows, state, counts = py.run(fail_in_other_ways, build=build)
    undone = ["RustPanic", "rollback", True]
    assert rows[:3] == [[undone, 1, 1]] * 3
    # To Rust and to JavaScript it is a rejected promise.
    assert [row[1:] for row in rows[3:]] == [[1, 1]] * 6
    assert all(isinstance(row[0], list) for row in rows[3:]), rows
    assert state == [0, 0]
    assert counts[::2] == [0, 0]


async def crash_unattended(build, start, how):
    """A task, a timer or a closure crashes three times that nobody waits for, while a call is in flight."""
    import asyncio

    import unpanic

    tasks = await undoing(build, "tasks")
    call = asyncio.ensure_future(tasks.work_later(80, 10))
    crashes = []
    for _ in range(3):
        if start == "task":
            tasks.spawn(how, 1, 1)
        elif start == "once":
            tasks.once(how, 1)
        else:
            tasks.every(how, 1, 1)
        for _ in range(100):
            await asyncio.sleep(0.003)
            last = unpanic.status(tasks).last_crash
            if last not in crashes:
                break
        crashes.append(last)
    rows = [[type(crash).__name__, crash.recovery, crash.state_kept, crash.call] for crash in crashes]
    return rows, await call, list(tasks.state()), tally(tasks)


@pytest.mark.parametrize("start", ["task", "once", "every"])
@EACH_BUILD
def test_what_nobody_waits_for_is_undone(py, build, start):
    rows, result, state, counts = py.run(crash_unattended, build=build, start=start, how="trap")
    assert rows == [["Trap", "rollback", True, ""]] * 3
    assert result == 10
    assert state == [10, 0, 0]
    assert counts == [0, 3, 0]


async def crash_where_it_cannot(build, how):
    import asyncio

    import unpanic

    tasks = await undoing(build, "tasks")
    other = asyncio.ensure_future(tasks.work("ok", 1000, 1))
    failing = None
    if how == "drop":
        failing = asyncio.ensure_future(tasks.work("drop", 1, 1))
    elif how == "continuation":
        tasks.after_promise("trap")
    else:
        failing = asyncio.ensure_future(tasks.work_and_call("ok", lambda: tasks.fail_now("trap")))
    results = await asyncio.gather(other, *([failing] if failing else []), return_exceptions=True)
    await asyncio.sleep(0.02)
    crash = unpanic.status(tasks).last_crash
    again = await tasks.work("ok", 1, 5)
    return [outcome(getattr(r, "crash", r)) for r in results], [crash.recovery, crash.state_kept], again, tally(tasks)


@pytest.mark.parametrize("how", ["drop", "continuation", "nested"])
@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_what_cannot_be_undone_resets(py, build, how):
    """The destructor of a failed future crashes; a closure that a promise calls once; a call of a callback."""
    rows, crash, again, counts = py.run(crash_where_it_cannot, build=build, how=how)
    assert crash == ["reset", False]
    assert [row[1:] for row in rows] == [["reset", False]] * len(rows)
    assert again == 5
    assert counts[::2] == [1, 1]


async def fail_often(build, count):
    import asyncio

    import unpanic

    tasks = await undoing(build, "tasks")
    sizes = []
    for _ in range(4):
        for _ in range(count // 40):
            calls = [tasks.work("panic", number % 3, 1) for number in range(10)]
            await asyncio.gather(*calls, return_exceptions=True)
        sizes.append(unpanic.status(tasks).memory_bytes)
    return sizes, list(tasks.state())[1:], tally(tasks)


@builds("mvp", long=["abort"])
@pytest.mark.unchecked("a thousand looks at all of the memory take seconds")
def test_a_thousand_failures_take_no_memory(py, build):
    sizes, state, counts = py.run(fail_often, build=build, count=1000)
    assert sizes[0] == sizes[-1]
    assert state == [0, 0]
    assert counts == [0, 1000, 0]


async def time_polls(count):
    """How much longer polls take by being transactions; the ratio is printed, and held against a wide limit."""
    import time

    tasks = {how: await load("abort", "tasks", recovery=how) for how in ("reset", "rollback")}
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(5):
        for how, module in tasks.items():
            began = time.perf_counter()
            await module.work("ok", count, 1)
            best[how] = min(best[how], time.perf_counter() - began)
    return [best[how] / count * 1e6 for how in ("reset", "rollback")]


@pytest.mark.unchecked("it takes the time of polls")
def test_polls_are_not_much_slower(py):
    plain, undoable = py.run(time_polls, count=3_000)
    print(f"a poll takes {plain:.2f} us, and {undoable:.2f} us if it can be undone")
    assert undoable < 5 * plain + 20
