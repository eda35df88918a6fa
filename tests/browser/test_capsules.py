"""A crash is kept with the state before its call, and made again elsewhere."""

from __future__ import annotations

import pytest

from tests.browser.rollbacks import UNDOING, undoing

BANK = "/fixtures/bank/pkg/{}/bank.js"
PEOPLE = "/fixtures/people/pkg/{0}/people.js"
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
    import copy

    import unpanic

    answers = []

    def attempt(crash):
        try:
            crash.capsule()
        except Exception as error:
            answers.append(f"{type(error).__name__}: {error}")

    bank = await unpanic.load(glue, recovery="rollback")
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
    try:
        await bank.transfer_later(1, "ada", "bob", 2)
    except unpanic.RustPanic as panic:
        answers.append([panic.recovery, panic.state_kept])
        attempt(panic)
    unpanic.set_panic_hook(bank, attempt)
    try:
        bank.withdraw("ada", 2)
    except unpanic.RustPanic as panic:
        attempt(copy.copy(panic))
    plain = await unpanic.load(glue, recovery="reset", name="plain")
    try:
        plain.withdraw("ada", 2)
    except unpanic.RustPanic as panic:
        attempt(panic)
    return answers


def test_what_cannot_be_kept_says_so(py):
    late, flying, recovered, polled, early, copied, reset = py.run(refuse, glue=BANK.format("abort"))
    assert late.startswith("LookupError: The state before bank.withdraw is gone, because bank went on.")
    assert "capsules=True" in late
    assert flying.startswith("RuntimeError: bank cannot be kept while slow is in flight")
    assert recovered == ["rollback", True]
    for text in (polled, early, copied):
        assert text.startswith("LookupError: There is no capsule of this crash, because it came in a timer or a task")
    assert reset == "LookupError: There is no capsule of this crash, because the call was not rolled back (reset)."


async def keep_objects(build):
    """Crashes in every way in which a call can take objects. Returns the capsules, and the names afterwards."""
    import base64

    import unpanic

    people = await undoing(build, "people")
    people.invite("ada")
    one, two, three = (people.Person(name) for name in ("one", "two", "three"))
    calls = {
        "self": lambda: one.rename("other"),
        "self, consumed": two.leave,
        "self and another": lambda: one.meet(three),
        "self twice": lambda: one.meet(one),
        "an argument": lambda: people.take(three),
        "an optional one": lambda: people.take_maybe(two),
        "none of it": lambda: people.take_maybe(None),
        "a list": lambda: people.take_all([one, two, three]),
        "a getter": lambda: one.age,
        "a setter": lambda: setattr(one, "age", 7),
        "a constructor": lambda: people.Person(""),
        "an associated function": lambda: people.Person.named(""),
        "plain data": lambda: people.hold({"a": [1, 2.5, None, "text"], "b": True}),
    }
    capsules = {}
    for name, call in calls.items():
        try:
            call()
        except unpanic.RustPanic as panic:
            capsules[name] = [base64.b64encode(panic.capsule()).decode(), panic.call, panic.message]
    return capsules, [person.name for person in (one, two, three)]


async def replay_objects(glue, capsules):
    import base64

    import unpanic

    people = await unpanic.load(glue, recovery="rollback")
    mine = people.Person("mine")
    answers = {}
    for name, [capsule, _, _] in capsules.items():
        for _ in range(2):
            try:
                unpanic.replay(people, base64.b64decode(capsule))
            except unpanic.RustPanic as panic:
                answers[name] = [panic.call, panic.message]
    status = unpanic.status(people)
    return answers, [mine.name, status.rollbacks, sum(status.crashes.values())]


MESSAGES = {
    "self": "one becomes other",
    "self, consumed": "two leaves",
    "self and another": "one meets three",
    "self twice": "one is one",
    "an argument": "takes three",
    "an optional one": "maybe takes two",
    "none of it": "maybe takes nobody",
    "a list": "takes one, two, three",
    "a getter": "one has no age",
    "a setter": "one is not 7",
    "a constructor": "nobody",
    "an associated function": "nobody",
    "plain data": 'holds {"a":[1,2.5,null,"text"],"b":true}',
}


def check_replayed(capsules, answers, mine):
    """Each crash came again with its message, which names the objects, and nothing happened to the module itself."""
    assert {name: message for name, (_, message) in answers.items()} == {
        name: f"{message}; guests: ada" for name, message in MESSAGES.items()
    }
    assert answers == {name: [call, message] for name, (_, call, message) in capsules.items()}
    assert mine == ["mine", 0, 0]


@pytest.mark.parametrize("build", UNDOING)
def test_objects_travel_in_a_capsule(py, build):
    """As the object of a method and as arguments, by reference and moved. The message tells which object it was."""
    capsules, names = py.run(keep_objects, build=build)
    assert names == ["one", "two", "three"]
    answers, mine = py.run(replay_objects, glue=PEOPLE.format(build), capsules=capsules)
    check_replayed(capsules, answers, mine)


async def refuse_arguments(build):
    import unpanic

    undo = await undoing(build)
    other = await undoing(build, name="other")
    foreign = other.Item("foreign")
    answers = []
    for call in (
        lambda: undo.call_and_fail(print),
        lambda: undo.replace_and_fail(undo.adder(1), 1),
        lambda: undo.replace_and_fail({"a": [foreign]}, 1),
    ):
        try:
            call()
        except unpanic.RustPanic as panic:
            try:
                panic.capsule()
            except TypeError as error:
                answers.append(str(error))
    return answers


@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_an_argument_that_cannot_travel_is_named(py, build):
    function, closure, foreign = py.run(refuse_arguments, build=build)
    assert function.startswith("undo.call_and_fail: argument 1 is of type builtin_function_or_method, which a capsule")
    assert closure.startswith("undo.replace_and_fail: argument 1 is of type RustClosure")
    assert foreign.startswith("undo.replace_and_fail: argument 1['a'][0] is of type Item")
    assert foreign.endswith("objects of undo, and lists and dicts of these.")
