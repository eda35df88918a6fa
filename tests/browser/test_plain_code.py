"""Long calls run code that does not mark what it writes. What a crash costs is the same."""

from __future__ import annotations

import pytest

from tests.browser.test_rollback import ARGUMENTS, DEATHS, FAULTS

pytestmark = pytest.mark.each_build

# In builds that unwind, instances share no exception tag, so there is no plain code for them.
BUILDS = ["abort", "reset"]


async def die(glue, death, arguments, every):
    import asyncio
    import inspect

    import unpanic
    from pyodide.code import run_js

    import js

    checks = js.unpanicPlain = run_js(f"({{every: {every}, calls: 0}})")
    faults = await unpanic.load(glue, recovery="rollback")
    thing = faults.Thing(7)
    adder = faults.make_adder(5)
    count = 0
    sums = []

    async def run_plain():
        nonlocal count
        before = checks.calls
        while checks.calls == before:
            await asyncio.sleep(0.01)
            count += 1
            sums.append(faults.bump() == count)

    rows = []
    for _ in range(3):
        await run_plain()
        function = getattr(faults, death)
        try:
            function(*(arguments or [1000] * len(inspect.signature(function).parameters)))
            rows.append("returned")
        except unpanic.Crash as crash:
            rows.append([type(crash).__name__, crash.recovery, crash.state_kept])
        count += 1
        rows.append(
            [
                faults.bump() == count and all(sums),
                adder(1),
                faults.sum(thing, faults.Thing(1)),
                faults.echo_js_value(js.Object.new()) is not None,
            ]
        )
    status = unpanic.status(faults)
    js.unpanicPlain = None
    return rows, [status.generation, status.rollbacks, status.resets]


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("build", BUILDS)
def test_every_death_keeps_everything(py, build, death):
    rows, status = py.run(die, glue=FAULTS.format(build), death=death, arguments=ARGUMENTS.get(death, []), every=1)
    assert rows == [[DEATHS[death], "rollback", True], [True, 6, 8, True]] * 3
    assert status == [0, 3, 0]


@pytest.mark.parametrize("build", BUILDS)
def test_plain_and_marking_calls_take_turns(py, build):
    for every in (2, 3):
        rows, status = py.run(die, glue=FAULTS.format(build), death="panic_with_guard", arguments=[], every=every)
        assert rows == [["RustPanic", "rollback", True], [True, 6, 8, True]] * 3
        assert status == [0, 3, 0]
