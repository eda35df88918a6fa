"""A checkpoint keeps a state, and `restore` brings it back, any number of times and in any order."""

from __future__ import annotations

import contextlib

import pytest

from tests.browser.rollbacks import UNDOING, UNDONE, fate, undoing

pytestmark = pytest.mark.each_build

BANK = "/fixtures/bank/pkg/{}/bank.js"
FAULTS = "/fixtures/faults/pkg/{}/faults.js"
BUILDS = ["abort", "reset", "unwind"]


async def in_any_order(glue):
    import random

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    account = bank.Account("ada", 100)
    bank.open("bob", 0)
    saved, expected, objects = [], [], []
    in_saved = []
    choose = random.Random(15)
    wrong = []

    def state():
        return [account.balance, bank.balance_of("bob"), bank.total()]

    for round_ in range(60):
        for _ in range(choose.randrange(4)):
            match choose.randrange(4):
                case 0:
                    account.deposit(choose.randrange(10))
                case 1:
                    bank.deposit("bob", choose.randrange(10))
                case 2:
                    bank.open(str(choose.randrange(1000)), choose.randrange(10))
                case 3:
                    with contextlib.suppress(unpanic.RustPanic):
                        account.withdraw(1_000_000)
        if choose.randrange(3) == 0 or not saved:
            objects.append(bank.Account(str(round_), round_))
            expected.append(state())
            in_saved.append(list(objects))
            saved.append(unpanic.checkpoint(bank))
        elif choose.randrange(2):
            which = choose.randrange(len(saved))
            unpanic.restore(bank, saved[which])
            objects = list(in_saved[which])
            if state() != expected[which]:
                wrong.append([round_, which, state(), expected[which]])
            for at, made in enumerate(objects):
                if made.balance != int(made.owner):
                    wrong.append([round_, at])
    status = unpanic.status(bank)
    return wrong, len(saved) > 10, status.generation, repr(saved[0])


@pytest.mark.parametrize("build", BUILDS)
def test_checkpoints_are_restored_in_any_order(py, build):
    wrong, is_enough, generation, text = py.run(in_any_order, glue=BANK.format(build))
    assert not wrong
    assert is_enough
    assert generation == 0
    assert text.startswith("<checkpoint of bank, generation 0: ")


async def objects_come_back(glue):
    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    first = unpanic.checkpoint(bank)
    account = bank.Account("ada", 100)
    second = unpanic.checkpoint(bank)
    account.free()
    answers = []
    unpanic.restore(bank, second)
    answers.append(account.balance)
    unpanic.restore(bank, first)
    try:
        answers.append(account.balance)
    except unpanic.StaleObjectError as error:
        answers.append(str(error))
    other = bank.Account("eve", 5)
    unpanic.restore(bank, second)
    answers.append([account.owner, account.balance])
    try:
        answers.append(other.balance)
    except unpanic.StaleObjectError:
        answers.append("stale")
    del account
    for _ in range(3):
        unpanic.restore(bank, second)
    answers.append(bank.Account("new", 1).balance)
    return answers


def test_objects_are_valid_in_the_states_that_have_them(py):
    balance, stale, again, other, new = py.run(objects_come_back, glue=BANK.format("abort"))
    assert (balance, again, other, new) == (100, ["ada", 100], "stale", 1)
    assert "made or received after the state" in stale


async def refuse(glue):
    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    other = await unpanic.load(glue, recovery="rollback", name="other")
    saved = unpanic.checkpoint(bank)
    answers = []

    def attempt(run):
        try:
            run()
            answers.append("done")
        except Exception as error:
            answers.append(f"{type(error).__name__}: {error}")

    attempt(lambda: unpanic.restore(other, saved))
    attempt(lambda: unpanic.restore(bank, "saved"))
    later = bank.slow(5)
    attempt(lambda: unpanic.checkpoint(bank))
    attempt(lambda: unpanic.restore(bank, saved))
    await later
    attempt(lambda: unpanic.restore(bank, saved))
    unpanic.reset(bank)
    attempt(lambda: unpanic.restore(bank, saved))
    plain = await unpanic.load(glue, recovery="none", name="plain")
    attempt(lambda: unpanic.checkpoint(plain))
    unpanic.unload(bank)
    attempt(lambda: unpanic.restore(bank, saved))
    attempt(lambda: repr(saved))
    return answers


def test_what_cannot_be_restored_says_so(py):
    answers = py.run(refuse, glue=BANK.format("abort"))
    assert answers[0].startswith("ValueError: <checkpoint of bank, generation 0: ")
    assert answers[0].endswith("is a state of bank, not of other.")
    assert answers[1] == "TypeError: restore takes what unpanic.checkpoint returned, or its bytes, not str"
    assert "A checkpoint of bank cannot be taken while slow is in flight" in answers[2]
    assert "bank cannot go back while slow is in flight" in answers[3]
    assert answers[4] == "done"
    assert answers[5].startswith("ValueError: ")
    assert "went with its generation" in answers[5]
    assert answers[6].startswith("TypeError: plain takes no checkpoint")
    assert answers[7].startswith("ModuleTerminated: ")
    assert answers[8] == "done"


async def values_and_closures(glue):
    import unpanic

    import js

    faults = await unpanic.load(glue, recovery="rollback")
    adder = faults.make_adder(5)
    first = unpanic.checkpoint(faults)
    numbers = [faults.bump() for _ in range(3)]
    later = faults.make_adder(6)
    second = unpanic.checkpoint(faults)
    answers = [numbers, adder(1), later(1)]
    unpanic.restore(faults, first)
    answers.append([faults.bump(), adder(1)])
    try:
        answers.append(later(1))
    except Exception as error:
        answers.append(type(error).__name__)
    faults.echo_js_value(js.Object.new())
    unpanic.restore(faults, second)
    answers.append([faults.bump(), adder(1), later(1)])
    return answers


@pytest.mark.parametrize("build", BUILDS)
def test_closures_belong_to_the_states_that_have_them(py, build):
    answers = py.run(values_and_closures, glue=FAULTS.format(build))
    assert answers[:4] == [[1, 2, 3], 6, 7, [1, 6]]
    assert answers[4] == "StaleObjectError"
    assert answers[5] == [4, 6, 7]


async def grow(glue):
    import gc

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    account = bank.Account("ada", 100)
    small = unpanic.checkpoint(bank)
    len(bank.statements(1))
    account.deposit(1)
    large = unpanic.checkpoint(bank)
    sizes = []
    for saved in (small, large, large, small, large, small):
        unpanic.restore(bank, saved)
        sizes.append([unpanic.status(bank).memory_bytes, account.balance])
    del small, large, saved
    gc.collect()
    points = unpanic._exports.registry.of(bank).context.driver.module.generation.points.size
    return sizes, points


@pytest.mark.unchecked("a look at 200 MB takes a second")
def test_memory_has_the_size_of_the_state(py):
    sizes, points = py.run(grow, glue=BANK.format("abort"))
    small, large = sizes[0], sizes[1]
    assert large[0] > small[0]
    assert sizes == [small, large, large, small, large, small]
    assert (small[1], large[1]) == (100, 101)
    assert points == 0


async def travel(glue, data):
    import base64

    import unpanic

    bank = await unpanic.load(glue, recovery="rollback")
    if data:
        mine = bank.Account("mine", 1)
        before = [bank.total(), mine.balance]
        packed = base64.b64decode(data)
        answers = []
        other = await unpanic.load(glue.replace("bank", "faults"), recovery="rollback")
        flipped = bytearray(packed)
        flipped[len(packed) // 2] ^= 1
        attempts = [(other, packed), (bank, bytes(flipped)), (bank, packed[:-5]), (bank, b"rubbish"), (bank, b"")]
        for module, content in attempts:
            try:
                unpanic.restore(module, content)
            except ValueError as error:
                answers.append(str(error))
        answers.append([bank.total(), mine.balance] == before)
        saved = unpanic.checkpoint(bank)
        unpanic.restore(bank, packed)
        answers.append([bank.balance_of("ada"), bank.total(), bank.count()])
        try:
            answers.append(mine.balance)
        except unpanic.StaleObjectError:
            answers.append("stale")
        unpanic.restore(bank, saved)
        answers.append([bank.total(), mine.balance])
        unpanic.reset(bank)
        unpanic.restore(bank, bytearray(packed))
        for _ in range(2):
            try:
                bank.transfer("ada", "bob", 10_000)
            except unpanic.RustPanic as panic:
                answers.append([panic.recovery, bank.total(), bank.Account("new", 1).balance])
        answers.append(await bank.slow(1))
        return answers
    bank.open("ada", 10)
    bank.count()
    for number in range(500):
        bank.open(str(number), 1)
    content = bytes(unpanic.checkpoint(bank))
    return base64.b64encode(content).decode()


@pytest.mark.parametrize("build", BUILDS)
def test_bytes_are_restored_in_another_page_load(py, build):
    packed = py.run(travel, glue=BANK.format(build), data="")
    assert 1_000 < len(packed) < 200_000
    other, flipped, cut, rubbish, empty, same, state, stale, back, *rest = py.run(
        travel, glue=BANK.format(build), data=packed
    )
    assert "a state of bank as of another Wasm file" in other
    assert "damaged" in flipped
    assert "damaged" in cut
    assert "are not a checkpoint of unpanic" in rubbish
    assert "are not a checkpoint of unpanic" in empty
    assert same is True
    assert state == [10, 510, 2]
    assert stale == "stale"
    assert back == [0, 1]
    assert rest == [["rollback", 510, 1], ["rollback", 510, 1], 1]


async def stay(glue):
    import unpanic

    faults = await unpanic.load(glue, recovery="rollback")
    answers = []
    adder = faults.make_adder(5)
    try:
        bytes(unpanic.checkpoint(faults))
    except TypeError as error:
        answers.append(str(error))
    answers.append(adder(1))
    return answers


def test_what_cannot_travel_says_so(py):
    refused, still = py.run(stay, glue=FAULTS.format("abort"))
    assert refused.startswith("This state of faults cannot leave the page: ")
    assert "a closure of Rust, which calls into this instance" in refused
    assert still == 6


async def tasks_go_on(glue, queues):
    """A task is about to run when the checkpoint is taken, and has run when it is restored."""
    import asyncio

    import unpanic

    import js

    faults = await unpanic.load(glue, recovery="rollback")
    answers = []
    queue = js.queueMicrotask
    if not queues:
        js.queueMicrotask = 0
    try:
        faults.spawn_ok(0)
    finally:
        js.queueMicrotask = queue
    saved = unpanic.checkpoint(faults)
    for _ in range(2):
        for _ in range(200):
            await asyncio.sleep(0.001)
            if faults.timer_count() == 1:
                break
        answers.append(faults.timer_count())
        unpanic.restore(faults, saved)
        answers.append(faults.timer_count())
    return answers, await asyncio.wait_for(faults.wait(1), 5)


@pytest.mark.parametrize("queues", [True, False], ids=["a queue", "a promise"])
@pytest.mark.parametrize("build", BUILDS)
def test_tasks_that_were_about_to_run_do_so_again(py, build, queues):
    """Rust's executor believes that it will be called, so that without this no async call would ever go on."""
    answers, waited = py.run(tasks_go_on, glue=FAULTS.format(build), queues=queues)
    assert answers == [1, 0, 1, 0]
    assert waited == 1


async def leave_nothing(build):
    import unpanic
    from pyodide.code import run_js

    undo = await undoing(build)
    before = undo.Item("item")
    symbol = run_js("() => Symbol('given')")
    rows = [fate(undo.replace_and_fail, symbol(), times) for times in (1, 3, 500)]
    rows.append(fate(undo.call_and_fail, lambda: undo.keep(symbol())))
    return rows, len(bytes(unpanic.checkpoint(undo))) > 0, before.name


@pytest.mark.parametrize("build", UNDOING)
def test_what_a_failed_call_was_given_is_held_by_nobody(py, build):
    """A symbol in Rust's hands would keep the state from leaving the page."""
    rows, packed, name = py.run(leave_nothing, build=build)
    assert rows == [UNDONE] * 4
    assert packed
    assert name == "item"
