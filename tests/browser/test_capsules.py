"""A crash is kept with the state before its call, and made again elsewhere."""

from __future__ import annotations

import pytest

BANK = "/fixtures/bank/pkg/{}/bank.js"
FAULTS = "/fixtures/faults/pkg/{}/faults.js"
BUILDS = ["abort", "reset", "unwind"]


async def keep(glue):
    import base64

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    bank.open("ada", 7)
    capsules = []
    for call in (lambda: bank.withdraw("ada", 100), lambda: bank.transfer("ada", to="bob", amount=100)):
        try:
            call()
        except unpanic.RustPanic as panic:
            capsules.append(base64.b64encode(panic.capsule()).decode())
    return capsules


async def replay(glue, capsules):
    import base64

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    account = bank.Account("mine", 3)
    answers = []
    for capsule in capsules:
        try:
            unpanic.replay(bank, base64.b64decode(capsule))
        except unpanic.RustPanic as panic:
            answers.append([panic.message, panic.call, str(panic.location)[:10], panic.frames[0].function])
    status = unpanic.status(bank)
    answers.append([bank.total(), account.balance, status.rollbacks, sum(status.crashes.values())])
    for wrong in (b"rubbish", bytes(unpanic.checkpoint(bank)), "capsule"):
        try:
            unpanic.replay(bank, wrong)
        except (ValueError, TypeError) as error:
            answers.append(f"{type(error).__name__}: {error}")
    return answers


@pytest.mark.parametrize("build", BUILDS)
def test_a_crash_is_made_again_in_another_page_load(py, build):
    capsules = py.run(keep, glue=BANK.format(build))
    assert len(capsules) == 2
    first, second, state, rubbish, other, text = py.run(replay, glue=BANK.format(build), capsules=capsules)
    assert first == ["insufficient funds: ada has 7, not 100", "withdraw", "src/lib.rs", "bank::withdraw"]
    assert second == ["insufficient funds", "transfer", "src/lib.rs", "bank::transfer"]
    assert state == [0, 3, 0, 0]
    assert rubbish.startswith("ValueError: These 7 bytes are not a capsule of unpanic")
    assert other == "ValueError: These bytes are a checkpoint, not a capsule."
    assert text == "TypeError: replay takes what crash.capsule() returned, not str"


async def numbers(glue, kept):
    import unpanic

    faults = await unpanic.load(glue, recovery="rollback", capsules=kept)
    faults.bump()
    answers = []
    for call in (lambda: faults.trap_divide_by_zero(0), faults.panic_message, lambda: faults.Thing(1).free()):
        try:
            call()
        except unpanic.Crash as crash:
            if kept:
                faults.bump()
            try:
                unpanic.replay(faults, crash.capsule())
            except unpanic.Crash as again:
                answers.append([type(again) is type(crash), again.call == crash.call, again.message == crash.message])
    return answers


@pytest.mark.parametrize("kept", [False, True])
def test_calls_of_plain_numbers_are_kept(py, kept):
    assert py.run(numbers, glue=FAULTS.format("abort"), kept=kept) == [[True, True, True]] * 2


async def refuse(glue):
    import unpanic

    answers = []

    def attempt(crash):
        try:
            crash.capsule()
        except Exception as error:
            answers.append(f"{type(error).__name__}: {error}")

    bank = await unpanic.load(glue, recovery="rollback")
    account = bank.Account("ada", 1)
    try:
        account.withdraw(2)
    except unpanic.RustPanic as panic:
        attempt(panic)
    bank.open("ada", 1)
    try:
        bank.withdraw("ada", 2)
    except unpanic.RustPanic as panic:
        bank.add(1, 2)
        attempt(panic)
    later = bank.slow(5)
    try:
        bank.withdraw("ada", 2)
    except unpanic.RustPanic as panic:
        attempt(panic)
    await later
    plain = await unpanic.load(glue, recovery="reset", name="plain")
    try:
        plain.withdraw("ada", 2)
    except unpanic.RustPanic as panic:
        attempt(panic)
    return answers


def test_what_cannot_be_kept_says_so(py):
    method, late, flying, reset = py.run(refuse, glue=BANK.format("abort"))
    assert method.startswith("TypeError: bank.Account.withdraw: argument 1 is of type Account")
    assert late.startswith("LookupError: The state before bank.withdraw is gone, because bank went on.")
    assert "capsules=True" in late
    assert flying.startswith("RuntimeError: bank cannot be kept while slow is in flight")
    assert reset == "LookupError: There is no capsule of this crash, because the call was not rolled back (reset)."
