"""Calls in a transaction commit together, or none of them does."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.each_build

BANK = "/fixtures/bank/pkg/{}/bank.js"
BUILDS = ["abort", "reset", "unwind"]


async def roll_back(glue):
    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    account = bank.Account("ada", 100)
    freed = bank.Account("eve", 7)
    bank.open("bob", 50)
    answers = []
    for error in (ValueError, KeyboardInterrupt, unpanic.RustPanic):
        inside = None
        try:
            with unpanic.transaction(bank):
                account.deposit(11)
                bank.deposit("bob", 5)
                bank.open("carl", 1)
                bank.count()
                freed.free()
                inside = bank.Account("dan", 1)
                if error is unpanic.RustPanic:
                    account.withdraw(10_000)
                raise error("mine")
        except error as raised:
            answers.append(type(raised).__name__)
        answers.append([account.balance, bank.balance_of("bob"), bank.total(), freed.balance])
        try:
            answers.append(inside.balance)
        except unpanic.StaleObjectError as stale:
            answers.append(str(stale))
    with unpanic.transaction(bank):
        account.deposit(1)
        bank.deposit("bob", 1)
    answers.append([account.balance, bank.balance_of("bob"), bank.count(), bank.Account("new", 3).balance])
    status = unpanic.status(bank)
    return answers, [status.generation, status.resets]


@pytest.mark.parametrize("build", BUILDS)
def test_an_exception_undoes_all_calls_inside(py, build):
    answers, status = py.run(roll_back, glue=BANK.format(build))
    stale = (
        "This bank.Account was made or received after the state to which the module went back; "
        "it cannot be used in bank.Account.balance."
    )
    assert answers[:-1] == [
        row for name in ("ValueError", "KeyboardInterrupt", "RustPanic") for row in (name, [100, 50, 50, 7], stale)
    ]
    assert answers[-1] == [101, 51, 1, 3]
    assert status == [0, 0]


async def nest(glue):
    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    account = bank.Account("ada", 100)
    answers = []
    with unpanic.transaction(bank):
        account.deposit(1)
        try:
            with unpanic.transaction(bank):
                account.deposit(10)
                raise ValueError
        except ValueError:
            answers.append(account.balance)
        try:
            account.withdraw(10_000)
        except unpanic.RustPanic as panic:
            answers.append([panic.recovery, account.balance])
        with unpanic.transaction(bank):
            account.deposit(100)
        answers.append(account.balance)
    answers.append(account.balance)
    try:
        with unpanic.transaction(bank):
            with unpanic.transaction(bank):
                account.deposit(100)
            raise ValueError
    except ValueError:
        answers.append(account.balance)
    return answers


def test_transactions_nest_and_calls_fail_alone(py):
    assert py.run(nest, glue=BANK.format("abort")) == [101, ["rollback", 101], 201, 201, 201]


async def refuse(glue):
    import unpanic

    answers = []
    bank = await unpanic.load(glue, recovery="reset")
    try:
        with unpanic.transaction(bank):
            answers.append("entered")
    except TypeError as error:
        answers.append(str(error))
    bank = await unpanic.load(glue, recovery="rollback")
    bank.open("ada", 1)
    try:
        with unpanic.transaction(bank):
            bank.deposit("ada", 1)
            unpanic.reset(bank)
    except unpanic.CallInterrupted as error:
        answers.append(str(error))
    try:
        with unpanic.transaction(bank):
            bank.open("ada", 1)
            unpanic.reset(bank)
            raise ValueError
    except ValueError as error:
        answers.append(error.__notes__)
    answers.append([unpanic.status(bank).generation, bank.total()])
    try:
        with unpanic.transaction(bank):
            unpanic.unload(bank)
    except unpanic.UnpanicError as error:
        answers.append(str(error))
    return answers


def test_what_cannot_be_undone_says_so(py):
    refused, reset, notes, after, unloaded = py.run(refuse, glue=BANK.format("abort"))
    assert refused == (
        "bank takes no transaction, because nothing in it can be rolled back: it recovers by 'reset' "
        '(it was loaded with recovery="reset"). Load it with recovery="rollback".'
    )
    assert "was reset or unloaded in a transaction" in reset
    assert notes == [reset]
    assert after == [2, 0]
    assert "was reset or unloaded in a transaction" in unloaded


async def wait(glue):
    import asyncio

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    bank.open("ada", 1)
    answers = []

    # Nothing is in flight: waiting is allowed, and undone as well.
    try:
        with unpanic.transaction(bank):
            await bank.slow(1)
            bank.deposit("ada", 10)
            await asyncio.sleep(0)
            bank.deposit("ada", 10)
            raise ValueError
    except ValueError:
        answers.append(bank.balance_of("ada"))

    # Another task is kept out while this one waits.
    async def other():
        await asyncio.sleep(0)
        try:
            bank.deposit("ada", 1)
        except RuntimeError as error:
            return str(error)

    task = asyncio.create_task(other())
    with unpanic.transaction(bank):
        await asyncio.sleep(0.02)
        bank.deposit("ada", 2)
    answers.append(await task)
    answers.append(bank.deposit("ada", 1))

    # An earlier call is in flight.
    earlier = bank.transfer_later(20, "ada", "bob", 1)
    try:
        with unpanic.transaction(bank):
            bank.deposit("ada", 100)
            await bank.slow(1)
    except RuntimeError as error:
        answers.append(str(error))
    answers.append(bank.balance_of("ada"))
    try:
        with unpanic.transaction(bank):
            bank.deposit("ada", 100)
            await asyncio.sleep(0)
    except RuntimeError as error:
        answers.append(str(error))
    try:
        with unpanic.transaction(bank):
            bank.deposit("ada", 100)
            raise ValueError
    except ValueError:
        pass
    answers.append(bank.balance_of("ada"))
    await earlier
    answers.append([bank.balance_of("ada"), bank.balance_of("bob")])

    # A call that began inside and goes on when the rest is undone.
    try:
        with unpanic.transaction(bank):
            inside = bank.transfer_later(5, "ada", "bob", 1)
            raise ValueError
    except ValueError:
        pass
    try:
        await inside
    except unpanic.CallInterrupted as error:
        answers.append(str(error))
    await asyncio.sleep(0.03)
    answers.append([bank.balance_of("ada"), bank.balance_of("bob"), unpanic.status(bank).in_flight])
    return answers


def test_what_waits_inside_is_refused_where_it_cannot_be_undone(py):
    answers = py.run(wait, glue=BANK.format("abort"))
    assert answers[0] == 1
    assert "while another task is in a transaction of bank and waits" in answers[1]
    assert answers[2] == 4
    assert "bank.slow was called in a transaction while transfer_later is in flight" in answers[3]
    assert answers[4] == 4
    assert "waited while transfer_later was in flight" in answers[5]
    assert answers[6] == 4
    assert answers[7] == [3, 1]
    assert "undone" in answers[8]
    assert answers[9] == [3, 1, 0]


async def wait_in_vain(glue):
    import asyncio
    import time

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    bank.open("ada", 100)
    answers = []
    forever = asyncio.Event().wait

    async def block(waits, *, stubborn=False):
        reached = "before"
        try:
            with unpanic.transaction(bank):
                bank.deposit("ada", 1000)
                try:
                    await waits()
                except asyncio.CancelledError:
                    reached = "cancelled"
                    if not stubborn:
                        raise
                bank.deposit("ada", 1000)
                reached = "after"
        except (RuntimeError, asyncio.CancelledError) as error:
            return [type(error).__name__, str(error), reached, asyncio.current_task().cancelling()]

    async def nested():
        with unpanic.transaction(bank):
            await forever()

    async def in_time():
        # Whoever else cancels the task is not taken for the refusal.
        task = asyncio.current_task()
        task.cancel()
        await forever()

    async def late():
        # The future could go on already, and does so as soon as it is let.
        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            pass
        await forever()

    for waits, stubborn in [(forever, False), (nested, False), (forever, True), (in_time, False), (late, False)]:
        earlier = bank.transfer_later(10, "ada", "bob", 1)
        row = await asyncio.create_task(block(waits, stubborn=stubborn))
        row.append(bank.balance_of("ada"))
        await earlier
        answers.append([*row, bank.balance_of("ada"), bank.balance_of("bob")])
    return answers


def test_waiting_beside_a_call_in_flight_undoes_the_block_at_its_await(py):
    rows = py.run(wait_in_vain, glue=BANK.format("abort"))
    # The money of each block is gone again, and the transfer comes afterwards.
    for number, (kind, text, reached, cancels, *balances) in enumerate(rows):
        assert (kind, reached, cancels) == (
            ("CancelledError", "cancelled", 1) if number == 3 else ("RuntimeError", "cancelled", 0)
        )
        assert balances[1:] == [99 - number, number + 1]
        # On a slow machine, or in the last row, the transfer is there already.
        assert balances[0] in {100 - number, 99 - number}
        assert number == 3 or "waited while transfer_later was in flight" in text


async def get_in(glue):
    """Other tasks try to get into a transaction, one of them as early as it can."""
    import asyncio

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    bank.open("ada", 0)
    saved = unpanic.checkpoint(bank)

    async def attempt(function, *args):
        try:
            return function(*args) or "done"
        except RuntimeError as error:
            return str(error).partition(" was called while another task is in a transaction of bank and waits")[0]

    def begin():
        with unpanic.transaction(bank):
            bank.deposit("ada", 1000)

    early = [
        asyncio.create_task(attempt(bank.deposit, "ada", 1)),
        asyncio.create_task(attempt(begin)),
        asyncio.create_task(attempt(unpanic.checkpoint, bank)),
        asyncio.create_task(attempt(unpanic.restore, bank, saved)),
    ]
    try:
        with unpanic.transaction(bank):
            bank.deposit("ada", 10)
            await asyncio.sleep(0.02)
            bank.deposit("ada", 1)
            raise ValueError
    except ValueError:
        pass
    return await asyncio.gather(*early), bank.balance_of("ada"), bank.deposit("ada", 5)


def test_no_other_task_gets_in(py):
    refused, balance, later = py.run(get_in, glue=BANK.format("abort"))
    assert refused == ["bank.deposit", "bank.transaction", "bank.checkpoint", "bank.restore"]
    assert (balance, later) == (0, 5)


async def end_in_another_order(glue):
    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    bank.open("ada", 0)
    rows = []
    for error in (None, ValueError()):
        outer, inner = unpanic.transaction(bank), unpanic.transaction(bank)
        outer.__enter__()
        bank.deposit("ada", 1)
        inner.__enter__()
        bank.deposit("ada", 1)
        outer.__exit__(ValueError, ValueError(), None)
        rows.append(bank.balance_of("ada") if error else 0)
        try:
            inner.__exit__(error and ValueError, error, None)
        except RuntimeError as raised:
            rows.append(str(raised))
        rows.append(bank.balance_of("ada"))
    return rows


def test_what_was_undone_does_not_come_back(py):
    text = "A transaction of bank was undone together with the one around it, which has ended before it."
    assert py.run(end_in_another_order, glue=BANK.format("abort")) == [0, text, 0, 0, 0]


async def enter_otherwise(glue):
    import contextlib

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    bank.open("ada", 0)
    rows = []
    transaction = unpanic.transaction(bank)

    def by_hand(error):
        transaction.__enter__()
        bank.deposit("ada", 1)
        transaction.__exit__(error and type(error), error, None)

    def in_a_stack(error):
        with contextlib.ExitStack() as stack:
            stack.enter_context(transaction)
            bank.deposit("ada", 1)
            if error:
                raise error

    def twice(error):
        with transaction:
            by_hand(error)
            with transaction:
                bank.deposit("ada", 1)
                if error:
                    raise error

    for enter in (by_hand, in_a_stack, twice, by_hand):
        for error in (None, ValueError()):
            rows.append(hasattr(transaction, "__exit__"))
            with contextlib.suppress(ValueError):
                enter(error)
            rows.append(bank.balance_of("ada"))
    return rows


def test_a_transaction_can_be_entered_otherwise(py):
    rows = py.run(enter_otherwise, glue=BANK.format("abort"))
    assert rows[::2] == [True] * 8
    assert rows[1::2] == [1, 1, 2, 2, 4, 4, 5, 5]


async def press_stop(glue):
    import asyncio
    import contextvars

    import pyodide_js
    import unpanic

    import js

    bank = await unpanic.load(glue, recovery="rollback")
    bank.open("ada", 0)
    requests = js.Uint8Array.new(1)
    pyodide_js.setInterruptBuffer(requests)
    rows = []

    def press(filling, fails):
        with unpanic.transaction(bank):
            bank.deposit("ada", 1)
            requests[0] = 2
            for _ in range(filling):
                pass
            if fails:
                raise ValueError

    try:
        for fails in [False, True]:
            for filling in range(120):
                before = bank.balance_of("ada")
                outcome = "committed"
                try:
                    press(filling, fails)
                    for _ in range(1000):
                        pass
                except KeyboardInterrupt:
                    outcome = "stopped"
                except ValueError:
                    outcome = "failed"
                finally:
                    requests[0] = 0
                # Who is in no transaction could not call while one waits.
                await asyncio.sleep(0)
                after = contextvars.Context().run(bank.balance_of, "ada")
                rows.append([fails, outcome, after - before])
    finally:
        pyodide_js.setInterruptBuffer(js.undefined)
    return rows


def test_a_stop_button_leaves_no_transaction_open(py):
    rows = py.run(press_stop, glue=BANK.format("abort"))
    outcomes = {tuple(row) for row in rows}
    assert outcomes <= {
        (False, "committed", 1),
        (False, "stopped", 1),
        (False, "stopped", 0),
        (True, "failed", 0),
        (True, "stopped", 0),
    }
    assert len(outcomes) > 3


async def grow(glue):
    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    account = bank.Account("ada", 100)
    before = unpanic.status(bank).memory_bytes
    sizes = []
    for _ in range(3):
        try:
            with unpanic.transaction(bank):
                account.deposit(1)
                len(bank.statements(1))
                for number in range(200):
                    bank.open(str(number), number)
                raise ValueError
        except ValueError:
            sizes.append([unpanic.status(bank).memory_bytes - before, account.balance, bank.total()])
    return sizes


@pytest.mark.unchecked("a look at 200 MB takes a second")
def test_memory_that_grew_inside_is_given_back(py):
    assert py.run(grow, glue=BANK.format("abort")) == [[0, 100, 0]] * 3
