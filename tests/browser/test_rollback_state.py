"""Everything that Rust owns comes back when a call is rolled back."""

import pytest

from tests.browser.rollbacks import UNDOING, UNDONE, fate, tally, undoing
from tests.places import builds

pytestmark = pytest.mark.each_build

ROUNDS = 3
EACH_BUILD = pytest.mark.parametrize("build", UNDOING)


async def keep_statics(build, rounds):
    undo = await undoing(build)
    undo.count()
    answers = []
    for _ in range(rounds):
        answers += [fate(undo.count_and_fail), fate(undo.lock_and_fail), undo.lock()]
    answers += [fate(undo.lazy), fate(undo.lazy), undo.count(), undo.lazy()]
    return answers, tally(undo)


@EACH_BUILD
def test_statics_locks_and_lazies(py, build):
    """A counter, a mutex that was locked, and a static whose initialiser panicked can be used as before the call."""
    answers, counts = py.run(keep_statics, build=build, rounds=ROUNDS)
    rounds = [row for number in range(ROUNDS) for row in (UNDONE, UNDONE, number + 1)]
    assert answers == [*rounds, UNDONE, UNDONE, 2, 42]
    assert counts == [0, 2 * ROUNDS + 2, 0]


async def keep_objects(build, rounds):
    undo = await undoing(build)
    item, beside = undo.Item("a"), undo.Item("b")
    answers = []
    for number in range(rounds):
        answers += [fate(item.rename_and_fail, "x"), item.name]
        for call in (item.consume_and_fail, lambda: undo.take_and_fail(item), lambda: undo.take_maybe_and_fail(item)):
            answers += [fate(call), item.name]
        answers += [fate(undo.take_all_and_fail, [item, beside]), item.name, beside.name, undo.drops()]
        item.name = "a" * (number + 2)
    undo.store(item)
    return answers, fate(lambda: item.name), undo.fetch().name, tally(undo)


@EACH_BUILD
def test_objects_that_a_call_borrowed_or_consumed(py, build):
    """An object is as it was: its fields, that nobody borrows it, and that Python may use it. No destructor has run."""
    answers, moved, fetched, counts = py.run(keep_objects, build=build, rounds=ROUNDS)
    names = ["a" * (number + 1) for number in range(ROUNDS)]
    assert answers == [row for name in names for row in (*[UNDONE, name] * 5, "b", 0)]
    assert moved[0] == "StaleObjectError"
    assert fetched == "a" * (ROUNDS + 1)
    assert counts == [0, 5 * ROUNDS, 0]


async def keep_borrowed(build, rounds):
    faults = await undoing(build, "faults")
    thing, answers = faults.Thing(7), []
    for _ in range(rounds):
        answers += [fate(thing.explode), fate(lambda: thing.bad), fate(setattr, thing, "value", -1)]
        answers += [fate(thing.with_callback, lambda _: faults.panic_message())[0]]
        thing.value = 7
        answers += [thing.value, faults.sum(thing, faults.Thing(1)), faults.live_guard(), fate(faults.panic_with_guard)]
    return answers, faults.live_guard(), tally(faults)


@pytest.mark.parametrize("build", ["abort", "reset", "unwind"])
def test_an_object_that_was_borrowed_can_be_borrowed_again(py, build):
    answers, guards, counts = py.run(keep_borrowed, build=build, rounds=ROUNDS)
    assert answers == [UNDONE, UNDONE, UNDONE, "CallInterrupted", 7, 8, 0, UNDONE] * ROUNDS
    assert guards == 0
    assert counts == [0, 5 * ROUNDS, 0]


async def keep_values(build):
    import js

    undo = await undoing(build)
    first, second = js.Object.new(), js.Object.new()
    first.name, second.name = "first", "second"
    undo.keep(first)
    undo.keep(lambda: "called")
    answers = []
    for times in (1, 40, 1000):
        answers.append(fate(undo.replace_and_fail, second, times))
        first, function = undo.kept()
        answers.append([first["name"], function()])
    return answers, tally(undo)


@EACH_BUILD
def test_values_that_a_call_dropped(py, build):
    """JavaScript values, and Python callbacks, are Rust's again. Those that it was given are not."""
    answers, counts = py.run(keep_values, build=build)
    assert answers == [UNDONE, ["first", "called"]] * 3
    assert counts == [0, 3, 0]


async def keep_closures(build, rounds):
    undo = await undoing(build)
    adder, answers = undo.adder(1), []
    for _ in range(rounds):
        answers += [fate(undo.drop_adder_and_fail), adder(1)]
        answers += [fate(undo.call_and_fail, lambda: (adder(10), undo.adder(5))), adder(1)]
        answers += [fate(undo.grow_and_fail, 20), adder(1)]
    second = undo.adder(0)
    return answers, fate(adder, 1), second(2), tally(undo)


@EACH_BUILD
def test_closures_that_a_call_dropped(py, build):
    """A closure that was dropped, called or replaced in a failed call has the state from before."""
    answers, dropped, second, counts = py.run(keep_closures, build=build, rounds=ROUNDS)
    sums = iter(range(2, 2 + 3 * ROUNDS))
    assert answers == [row for number in sums for row in (UNDONE, number)]
    assert dropped[0] != "", "the closure was dropped by a call that returned"
    assert second == 2
    assert counts == [0, 3 * ROUNDS, 0]


async def keep_freed(build):
    import gc

    undo = await undoing(build)
    freed, stored, answers = undo.Item("freed"), undo.Item("stored"), []
    undo.store(stored)

    def free():
        freed.free()
        taken = undo.fetch()
        answers.append([undo.drops(), taken.name])
        taken.free()
        answers.append(undo.drops())

    answers += [fate(undo.call_and_fail, free), undo.drops(), fate(lambda: freed.name)[0], undo.fetch().name]
    gc.collect()
    return answers, undo.drops(), tally(undo)


@builds("abort", "mvp", long=["reset", "unwind"])
def test_objects_that_a_callback_freed(py, build):
    """What Rust had stored is there again. A handle that Python itself gave up stays given up."""
    answers, drops, counts = py.run(keep_freed, build=build)
    assert answers == [[1, "stored"], 2, UNDONE, 0, "StaleObjectError", "stored"]
    assert drops == 1  # the one that was fetched last, and that nobody holds
    assert counts == [0, 1, 0]


async def write_through_views(build, grows):
    from pyodide.code import run_js

    undo = await undoing(build)
    if grows:
        undo.grow(5)

    write = run_js("view => { view.fill(2.5); }")
    write_each = run_js("view => { for (let at = 0; at < 4; at++) view[at] = 9; }")
    rows = [undo.write_numbers(write)]
    for _ in range(3):
        rows += [fate(undo.write_numbers_and_fail, write_each), undo.sum_numbers()]
    return rows, tally(undo)


@pytest.mark.parametrize("grows", [False, True])
@EACH_BUILD
def test_what_a_callback_wrote_through_a_view_of_memory(py, build, grows):
    rows, counts = py.run(write_through_views, build=build, grows=grows)
    assert rows == [10.0, *[UNDONE, 10.0] * 3]
    assert counts == [0, 3, 0]
