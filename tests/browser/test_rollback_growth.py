"""What failing calls take, they give back; and errors that Rust throws on purpose cost nothing."""

import pytest

from tests.browser.rollbacks import UNDOING, UNDONE, fate, tally, undoing
from tests.places import builds

pytestmark = pytest.mark.each_build

EACH_BUILD = pytest.mark.parametrize("build", UNDOING)


def times_for(realm, build):
    """What is the same in all builds and realms happens often in one of them."""
    return 1000 if (realm, build) == ("page", "abort") else 100


async def grow_often(build, megabytes, times):
    import unpanic

    undo = await undoing(build)
    item = undo.Item("item")
    undo.keep(item)
    adder = undo.adder(0)
    before = unpanic.status(undo).memory_bytes
    rows, sizes = [], []
    for number in range(times):
        rows.append(fate(undo.grow_and_fail, megabytes))
        if number % 10 == 0:
            sizes.append(unpanic.status(undo).memory_bytes)
            adder(1)
    good = [undo.count(), item.name, adder(0)]
    undo.grow(megabytes)
    grown = unpanic.status(undo).memory_bytes
    return before, sizes, [row for row in rows if row != rows[0]], rows[0], good, grown, tally(undo)


@builds("mvp", "reset", "unwind", long=["abort"])
def test_memory_that_failing_calls_took(py, build):
    """A hundred calls, or a thousand, that take 200 MB each leave the memory where it was."""
    times = times_for(py.realm, build)
    before, sizes, others, row, good, grown, counts = py.run(
        grow_often, build=build, megabytes=200, times=times, timeout=120
    )
    assert (row, others) == (UNDONE, [])
    assert set(sizes) == {before}
    assert good == [1, "item", times // 10]
    assert grown - before >= 200 << 20
    assert counts == [0, times, 0]


async def grow_tables(build):
    import js

    undo = await undoing(build)
    first = js.Object.new()
    first.name = "first"
    undo.keep(first)
    rows = []
    for times in (200, 2000, 20000):
        rows += [fate(undo.replace_and_fail, first, times), fate(undo.grow_and_fail, 20)]
        rows.append([value["name"] for value in undo.kept()])
    for _ in range(3000):
        undo.keep(1)
    return rows, len(undo.kept()), tally(undo)


@EACH_BUILD
def test_tables_that_failing_calls_grew(py, build):
    """Rust goes on with its table of JavaScript values where it was, and so does the glue's array."""
    rows, count, counts = py.run(grow_tables, build=build)
    assert rows == [UNDONE, UNDONE, ["first"]] * 3
    assert count == 3001
    assert counts == [0, 6, 0]


async def die_of_hunger(build, rounds):
    import unpanic

    faults = await undoing(build, "faults")
    faults.bump()
    before = unpanic.status(faults).memory_bytes
    rows = []
    for _ in range(rounds):
        for death in (faults.out_of_memory, faults.engine_stack_overflow, faults.shadow_stack_overflow):
            rows += [fate(death), unpanic.status(faults).memory_bytes - before, faults.add(1, 2)]
    return rows, faults.bump(), tally(faults)


@pytest.mark.parametrize("build", ["abort", "reset", "unwind"])
def test_out_of_memory_and_both_stack_overflows(py, build):
    rows, bump, counts = py.run(die_of_hunger, build=build, rounds=20, timeout=120)
    kinds = ["OutOfMemory", "StackOverflow", "StackOverflow"]
    assert rows == [row for kind in kinds for row in ([kind, "rollback", True], 0, 3)] * 20
    assert (bump, counts) == (2, [0, 60, 0])


async def throw_often(build, times):
    import unpanic

    throws = await undoing(build, "throws")
    vault, rows = throws.Vault(1), set()
    throws.bump()
    address, sizes = throws.shadow_stack_address(), []
    for number in range(times):
        rows.add(fate(throws.reject, "no", 3)[0])
        rows.add(fate(throws.reject_value, {"a": number})[0])
        rows.add(fate(throws.unwrap_nothing)[0])
        rows.add(fate(vault.reject, "no")[0])
        rows.add(fate(vault.complain, "no")[0])
        if number % 10 == 0:
            sizes.append(unpanic.status(throws).memory_bytes)
    after = [vault.content, vault.put(1), throws.bump(), throws.shadow_stack_address() - address]
    return sorted(rows), sizes, after, tally(throws)


@pytest.mark.parametrize("build", ["abort", "reset", "unwind", "mvp", "handler"])
def test_errors_that_rust_throws_on_purpose(py, build):
    """Five thousand of them reset nothing and leak nothing; objects that were borrowed can be borrowed again."""
    rows, sizes, after, counts = py.run(throw_often, build=build, times=times_for(py.realm, build), timeout=120)
    assert rows == ["RustError"]
    assert len(set(sizes)) == 1
    assert after == [1, 2, 2, 0]
    assert [counts[0], counts[2]] == [0, 0]


async def throw_inside(build):
    juggle = await undoing(build, "juggle")
    outer, inner = juggle.Item("outer"), juggle.Item("inner")
    thrown = []

    def throw(_):
        thrown.append(fate(inner.add, 1, 13))

    row = fate(outer.lend, throw, 0)
    # Without a borrowed object, only the error arrives, and the outer call goes on.
    added = juggle.play([13, 0, 0, 0, 0, 1, 0, 0], [], lambda _: thrown.append(fate(juggle.drop_adder, 13)), 0)
    return thrown, row, [outer.count, inner.add(1, 0), added], tally(juggle)


@EACH_BUILD
def test_a_throw_in_an_inner_call_that_leaves_an_object_borrowed(py, build):
    """The outer call is rolled back as well, because the inner one cannot be by itself. Nothing is reset."""
    thrown, row, values, counts = py.run(throw_inside, build=build)
    assert thrown == [["ForeignException", "rollback", True], ["RustError", "", None]]
    assert row[0] == "CallInterrupted"
    assert values == [0, 1, 1]
    assert counts == [0, 1, 0]


async def err_commits(build):
    throws = await undoing(build, "throws")
    vault = throws.Vault(1)

    def fail():
        vault.content  # noqa: B018 - a call of Rust's
        throws.bump()
        raise ValueError("no")

    rows = [fate(throws.call, fail)[0], throws.bump(), fate(throws.fail_with, "no")[0], throws.bump()]
    # These fly through Rust, which is not undone by an `Err`, but by a crash or a throw.
    rows += [fate(throws.call_and_throw, fail)[0], throws.bump(), fate(throws.call_through, fail)[0], throws.bump()]
    rows += [fate(throws.call_and_unwrap, fail)[0], throws.bump(), fate(throws.call_and_abort, fail)[0], throws.bump()]
    return rows, tally(throws)


@pytest.mark.parametrize("build", ["abort", "reset", "mvp", "handler"])
def test_an_err_commits_and_what_flies_through_rust_does_not(py, build):
    rows, counts = py.run(err_commits, build=build)
    assert rows[:4] == ["ValueError", 2, "RustError", 3]
    assert rows[4::2] == ["ValueError", rows[6], "RustPanic", "Trap"]
    assert rows[5::2] == [4, 5, 6, 7]
    assert [counts[0], counts[2]] == [0, 0]


async def time_out(build):
    import unpanic

    undo = await undoing(build, timeout=0.05)
    before = unpanic.status(undo).memory_bytes
    rows = []
    for _ in range(3):
        undo.count()
        for megabytes in (0, 50):
            rows.append(fate(undo.grow_and_spin, megabytes))
            with unpanic.deadline(0.02):
                rows.append(fate(undo.grow_and_spin, megabytes))
            rows.append(unpanic.status(undo).memory_bytes - before)
    return rows, undo.count(), tally(undo)


@EACH_BUILD
def test_calls_that_take_too_long(py, build):
    """A call is stopped again and again, also after another instance has taken the place of one that had grown."""
    rows, count, counts = py.run(time_out, build=build)
    stopped = ["CallTimeout", "rollback", True]
    assert rows == [stopped, stopped, 0] * 6
    assert count == 4
    assert counts == [0, 12, 0]
