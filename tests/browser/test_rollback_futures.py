"""Futures that crash while they are polled: the failed one is undone alone, and the others go on."""

import pytest

from tests.browser.rollbacks import fate, tally, undoing

EACH_BUILD = pytest.mark.parametrize("build", ["abort", "reset", "mvp"])
# How a future fails, and what its caller gets.
DEATHS = {
    "panic": ["RustPanic", "rollback", True],
    "trap": ["RustTrap", "rollback", True],
    "stack": ["StackOverflow", "rollback", True],
    "memory": ["OutOfMemory", "rollback", True],
    "javascript": ["RustPanic", "rollback", True],
    "throw": ["RustError", "", None],
}


async def fail_among(build, how, polls, rounds, options):
    """Five futures are in flight, and polled in the same turns; the one in each place fails in turn."""
    import asyncio

    tasks = await undoing(build, "tasks", **options)
    rows, states = [], []
    for _ in range(rounds):
        for place in range(3):
            calls = [asyncio.ensure_future(tasks.work("ok", 3, 10)) for _ in range(2)]
            calls.insert(place, asyncio.ensure_future(tasks.work(how, polls, 7)))
            results = await asyncio.gather(*calls, return_exceptions=True)
            failure = results.pop(place)
            rows.append([type(failure).__name__, getattr(failure, "recovery", ""), getattr(failure, "state_kept", None)])
            states.append([results, list(tasks.state()), tasks.allocate(20)])
    return rows, states, tally(tasks)


@pytest.mark.parametrize("polls", [0, 1, 3])
@pytest.mark.parametrize("how", DEATHS)
@EACH_BUILD
def test_the_others_go_on(py, build, how, polls):
    rows, states, counts = py.run(fail_among, build=build, how=how, polls=polls, rounds=3, options={})
    assert rows == [DEATHS[how]] * 9
    # What the failed future added before the poll that was undone stays.
    total = 26 + max(polls - 1, 0)
    assert states == [[[10, 10], [total * n, 0, 0], 200_000] for n in range(1, 10)]
    assert counts == [0, 9, 0]
