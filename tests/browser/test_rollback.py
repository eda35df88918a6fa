"""A crash costs the failed call, and nothing else: the module goes on from the state before that call."""

from __future__ import annotations

import pytest

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
    "panic_any_struct": "RustPanic",
    "abort": "Trap",
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


async def die(glue, death):
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
        arguments = [1000] * len(inspect.signature(function).parameters)
        if death == "trap_divide_by_zero":
            arguments = [0]
        try:
            function(*arguments)
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
    before, rows, status = py.run(die, glue=FAULTS.format(build), death=death)
    assert before == [1, 2, 3]
    assert [row[:3] for row in rows[::2]] == [[DEATHS[death], "rollback", True]] * 3, rows
    assert rows[1::2] == [[4 + at, 6, 8, True] for at in range(3)]
    assert status == [0, 3, 0]
