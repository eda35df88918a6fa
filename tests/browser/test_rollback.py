"""A crash costs the failed call, and nothing else: the module goes on from the state before that call."""

from __future__ import annotations

import pytest

from tests.browser.rollbacks import UNDOING, tally, undoing

pytestmark = pytest.mark.each_build

BANK = "/fixtures/bank/pkg/{}/bank.js"
FAULTS = "/fixtures/faults/pkg/{}/faults.js"
BUILDS = ["abort", "reset", "unwind"]


async def keep_state(glue):
    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    account = bank.Account("ada", 100)
    bank.open("bob", 50)
    answers = []
    for _ in range(3):
        try:
            bank.transfer("bob", "nobody", 1_000)
        except unpanic.Crash as crash:
            answers.append([type(crash).__name__, crash.recovery, crash.state_kept, crash.generation])
        account.deposit(1)
        try:
            account.withdraw(10_000)
        except unpanic.Crash as crash:
            answers.append([type(crash).__name__, crash.recovery, crash.state_kept, crash.generation])
        answers.append([account.balance, bank.balance_of("bob")])
    status = unpanic.status(bank)
    return answers, [status.generation, status.rollbacks, status.resets, status.recovery, dict(status.crashes)]


@pytest.mark.parametrize("build", BUILDS)
def test_a_panic_keeps_state_and_objects(py, build):
    answers, status = py.run(keep_state, glue=BANK.format(build))
    panic = ["RustPanic", "rollback", True, 0]
    assert answers == [row for round_ in (1, 2, 3) for row in (panic, panic, [100 + round_, 50])]
    assert status == [0, 6, 0, "rollback", {"panic": 6}]


# Each death of the recovery core's list: how it is called, and the class of the exception.
DEATHS = {
    "panic_message": "RustPanic",
    "panic_formatted": "RustPanic",
    "panic_with_guard": "RustPanic",
    "panic_deep": "RustPanic",
    "panic_any_i32": "RustPanic",
    "panic_any_struct": "RustPanic",
    "unwrap_none": "RustPanic",
    "overflow_add": "RustPanic",
    "divide": "RustPanic",
    "abort": "Trap",
    "trap_unreachable": "Trap",
    "wild_read": "Trap",
    "wild_write": "Trap",
    "indirect_call": "Trap",
    "double_borrow": "RustPanic",
    "index_out_of_bounds": "RustPanic",
    "trap_divide_by_zero": "Trap",
    "indirect_call_mismatch": "Trap",
    "engine_stack_overflow": "StackOverflow",
    "shadow_stack_overflow": "StackOverflow",
    "out_of_memory": "OutOfMemory",
    "lazy_poison": "RustPanic",
    "expect_err": "RustPanic",
}
# Their arguments, where they are not 1000.
ARGUMENTS = {
    "trap_divide_by_zero": [0],
    "overflow_add": [2147483647],
    "divide": [1, 0],
    "wild_read": [4294967200],
    "wild_write": [4294967200, 1],
}


async def die(glue, death, arguments):
    import inspect

    import unpanic

    import js

    faults = await unpanic.load(glue, recovery="rollback")
    thing = faults.Thing(7)
    before = [faults.bump() for _ in range(3)]
    adder = faults.make_adder(5)
    rows = []
    for _ in range(3):
        function = getattr(faults, death)
        try:
            function(*arguments or [1000] * len(inspect.signature(function).parameters))
            rows.append("returned")
        except unpanic.Crash as crash:
            rows.append([type(crash).__name__, crash.recovery, crash.state_kept, str(crash)[:60]])
        rows.append(
            [
                faults.bump(),
                adder(1),
                faults.sum(thing, faults.Thing(1)),
                faults.echo_js_value(js.Object.new()) is not None,
            ]
        )
    status = unpanic.status(faults)
    return before, rows, [status.generation, status.rollbacks, status.resets]


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("build", BUILDS)
def test_every_death_keeps_everything(py, build, death):
    before, rows, status = py.run(die, glue=FAULTS.format(build), death=death, arguments=ARGUMENTS.get(death, []))
    assert before == [1, 2, 3]
    assert [row[:3] for row in rows[::2]] == [[DEATHS[death], "rollback", True]] * 3, rows
    assert rows[1::2] == [[4 + at, 6, 8, True] for at in range(3)]
    assert status == [0, 3, 0]


# The same by the numbers in rust/fixtures/juggle/src/ends.rs, of which the older vintage of glue has a build too.
ENDS = {
    **{end: ["RustPanic"] for end in (2, 3, 4, 5, 17, 18)},
    **{end: ["Trap"] for end in (6, 7, 8, 9)},
    10: ["StackOverflow", "Trap"],
    11: ["StackOverflow"],
    12: ["OutOfMemory"],
    **{end: ["RustError"] for end in (13, 14, 15)},
    16: ["CallTimeout"],
    "a JavaScript exception": ["ForeignException"],
}


async def die_among_others(build, ends, rounds):
    """Each death changes all that Rust has first. Returns what was raised, and what was there afterwards."""
    import asyncio

    import unpanic
    from pyodide.code import run_js

    juggle = await undoing(build, "juggle", timeout=60)
    item, adder, own = juggle.Item("item"), juggle.adder(10), juggle.own_adder(20)
    promise, settle = run_js("() => { let go; return [new Promise(resolve => { go = resolve; }), go]; }")()
    calls = [asyncio.ensure_future(juggle.wait(promise, number, 0)) for number in range(3)]
    value = run_js("({name: 'kept'})")
    juggle.play([6, 0, 0, 0], [value], lambda _: None, 0)
    await asyncio.sleep(0)
    throw = run_js("() => { throw new Error('mine'); }")
    changes = [0, 5, 0, 0, 1, 0, 2000, 0, 3, 1, 500, 0, 9, 0, 9000, 7]
    before, rows, differences = juggle.state(), {}, []
    for end in ends:
        for number in range(rounds):
            steps, last, callback = [*changes, 8, 0, 0, 0], end, lambda _: None
            if isinstance(end, str):
                steps, last, callback = [*steps, 15, 0, 0, 0], 0, throw
            try:
                with unpanic.deadline(0.05 if end == 16 else 30):
                    if number == 0 or isinstance(end, str):
                        juggle.play(steps, [], callback, last)
                    elif number == 1:
                        item.consume(last)
                    else:
                        juggle.drop_adder(last)
                rows.setdefault(str(end), []).append("no error")
            except Exception as error:
                kept = getattr(error, "state_kept", True)
                rows.setdefault(str(end), []).append(type(error).__name__ if kept else str(error))
            values = [each["name"] for each in juggle.values()]
            now = [juggle.state() == before, item.name, adder(0), own(0), values, [call.done() for call in calls]]
            if now != [True, "item", 10, 20, ["kept"], [False] * 3]:
                differences.append([end, number, now])
    settle()
    return rows, differences, await asyncio.gather(*calls), tally(juggle)[::2]


@pytest.mark.parametrize("build", UNDOING)
def test_every_death_leaves_values_closures_and_futures(py, build):
    """State, an object, closures of both kinds, a JavaScript value and calls in flight are what they were."""
    rows, differences, results, counts = py.run(die_among_others, build=build, ends=list(ENDS), rounds=3)
    assert differences == []
    assert {end for end, names in ENDS.items() if not set(rows[str(end)]) <= set(names)} == set(), rows
    assert [len(names) for names in rows.values()] == [3] * len(ENDS)
    assert (results, counts) == ([0, 1, 2], [0, 0])
