"""What hostile users do around a rollback: in callbacks, near the recursion limit, with two modules."""

import pytest

from tests.browser.builds import caught
from tests.browser.rollbacks import UNDONE, fate, tally, undoing
from tests.places import builds


async def dive(build):
    """A call crashes at each of the last frames before Python's recursion limit."""
    import sys

    undo = await undoing(build)
    undo.count()
    kinds, first = {}, sys.getrecursionlimit()

    def deeper(left):
        if left:
            return deeper(left - 1)
        return undo.count_and_fail()

    frame, depth = sys._getframe(), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    for left in range(first - depth - 60, first - depth + 5):
        name = (fate(deeper, left) or ["none"])[0]
        kinds[name] = kinds.get(name, 0) + 1
    return sorted(kinds), undo.count(), tally(undo)[::2]


@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_a_crash_near_the_recursion_limit_is_undone(py, build):
    kinds, count, counts = py.run(dive, build=build)
    assert kinds == ["RecursionError", "RustPanic"]
    assert (count, counts) == (2, [0, 0])


async def end_in_callback(build, how):
    import unpanic

    undo = await undoing(build)
    undo.count()
    before = unpanic.checkpoint(undo)
    undo.count()
    inner = []

    def callback():
        undo.count()
        if how == "raise":
            raise ValueError("mine")
        act = {
            "unload": lambda: unpanic.unload(undo),
            "reset": lambda: unpanic.reset(undo),
            "restore": lambda: unpanic.restore(undo, before),
            "checkpoint": lambda: unpanic.checkpoint(undo),
            "transaction": lambda: unpanic.transaction(undo).__enter__(),
            "capsule": lambda: caught(undo.count_and_fail).capsule(),
        }[how]
        inner.append((fate(act) or [""])[0])

    outer = fate(undo.call_and_fail, callback)
    status = unpanic.status(undo)
    return inner, outer, status.phase, [] if how == "unload" else [undo.count(), fate(undo.count_and_fail), tally(undo)]


IN_CALLBACKS = {
    "unload": [[""], ["CallInterrupted", "", None], "unloaded", []],
    "reset": [[""], ["CallInterrupted", "", None], "ready", [1, UNDONE, [1, 1, 1]]],
    "restore": [["RuntimeError"], UNDONE, "ready", [3, UNDONE, [0, 2, 0]]],
    "checkpoint": [["RuntimeError"], UNDONE, "ready", [3, UNDONE, [0, 2, 0]]],
    "transaction": [["RuntimeError"], UNDONE, "ready", [3, UNDONE, [0, 2, 0]]],
    "raise": [[], UNDONE, "ready", [3, UNDONE, [0, 2, 0]]],
    "capsule": [["LookupError"], ["CallInterrupted", "", None], "ready", [3, UNDONE, [0, 2, 0]]],
}


@pytest.mark.parametrize("how", IN_CALLBACKS)
@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_what_a_callback_does_before_its_call_fails(py, build, how):
    assert py.run(end_in_callback, build=build, how=how) == IN_CALLBACKS[how]


async def cross(build):
    """Two modules call each other through Python."""
    one, two = await undoing(build, name="one"), await undoing(build, name="two")
    rows = []

    def note(outer, inner):
        rows.append([fate(outer, inner), one.count(), two.count(), tally(one), tally(two)])

    note(one.call_and_fail, two.count)
    note(one.call, two.count_and_fail)
    note(one.call_and_fail, lambda: caught(two.count_and_fail))
    note(one.call, lambda: two.call_and_fail(one.count))
    note(one.call_and_fail, lambda: two.call(lambda: caught(one.count_and_fail)))
    note(one.call_and_fail, lambda: two.call_and_fail(lambda: caught(one.count)))
    return rows


@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_two_modules_keep_their_own_states(py, build):
    """What the inner module has committed when the outer one fails is an effect outside of that."""
    rows = py.run(cross, build=build)
    assert rows == [
        [UNDONE, 1, 2, [0, 1, 0], [0, 0, 0]],
        [["RustPanic", "rollback", True], 3, 3, [0, 1, 0], [0, 1, 0]],
        [UNDONE, 4, 4, [0, 2, 0], [0, 2, 0]],
        [["RustPanic", "rollback", True], 7, 5, [0, 2, 0], [0, 3, 0]],
        [["CallInterrupted", "", None], 8, 7, [0, 3, 0], [0, 3, 0]],
        [UNDONE, 9, 8, [0, 4, 0], [0, 4, 0]],
    ]


async def transact(build):
    """Transactions that fail after memory has grown, objects went, and calls crashed."""
    import gc

    import unpanic

    undo = await undoing(build)
    _old, kept = undo.Item("old"), undo.Item("kept")
    undo.count()
    size, drops = unpanic.status(undo).memory_bytes, undo.drops()
    rows = []
    for round_ in range(3):
        try:
            with unpanic.transaction(undo):
                undo.grow(20)
                undo.count()
                undo.Item("young")
                gc.collect()
                rows.append(fate(undo.count_and_fail))
                with unpanic.transaction(undo):
                    undo.store(undo.Item("stored"))
                kept.name = f"changed {round_}"
                raise KeyError("mine")
        except KeyError:
            pass
        gc.collect()
        rows.append(
            [unpanic.status(undo).memory_bytes - size, undo.drops() - drops < 2, kept.name, undo.fetch() is None]
        )
    return rows, undo.count(), tally(undo)


@builds("mvp", long=["abort"])
def test_a_transaction_that_fails_leaves_nothing(py, build):
    """An object that Python let go of in it is there again, for JavaScript's collector to free: once."""
    rows, count, counts = py.run(transact, build=build)
    assert rows == [UNDONE, [0, True, "kept", True]] * 3
    assert (count, counts) == (2, [0, 3, 0])


async def transact_async(build, how):
    import asyncio

    import unpanic

    tasks = await undoing(build, "tasks")
    await tasks.work("ok", 1, 1)
    before = list(tasks.state())
    outcomes = []
    for _ in range(3):
        try:
            with unpanic.transaction(tasks):
                outcomes.append(await tasks.work("ok", 1, 100))
                await asyncio.gather(*(tasks.work(how, polls, 1) for polls in (1, 2)))
        except BaseException as error:
            outcomes.append([type(error).__name__, getattr(error, "recovery", "")])
        await asyncio.sleep(0.01)
        outcomes.append(list(tasks.state()) == before)
    return outcomes, await tasks.work("ok", 2, 3), tally(tasks)[::2]


@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_a_transaction_around_async_calls(py, build):
    outcomes, result, counts = py.run(transact_async, build=build, how="panic")
    assert outcomes == [100, ["RustPanic", "rollback"], True] * 3
    assert (result, counts) == (3, [0, 0])


async def spare_and_fill(build):
    import asyncio

    import unpanic

    undo = await undoing(build, spare=True)
    filled = []
    unpanic.on_reset(undo, lambda module, crash: filled.append([module.count(), str(crash)]))
    await asyncio.sleep(0.1)
    rows = []
    for _ in range(2):
        undo.count()
        rows += [fate(undo.count_and_fail), undo.count(), len(filled)]
        await asyncio.sleep(0.05)
        rows.append(unpanic.status(undo).spare)
        unpanic.reset(undo)
        rows.append(len(filled))
    return rows, tally(undo)


@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_a_spare_and_callbacks_of_on_reset(py, build):
    """A rollback uses neither; a reset uses both."""
    rows, counts = py.run(spare_and_fill, build=build)
    assert rows == [UNDONE, 2, 0, "ready", 1, UNDONE, 3, 1, "ready", 2]
    assert counts == [2, 2, 2]


async def give_away(build, plain):
    """JavaScript holds a view of all memory. With `plain`, every other call runs without marks."""
    import unpanic
    from pyodide.code import run_js

    import js

    if plain:
        js.unpanicPlain = run_js("({every: 2, calls: 0})")
    undo = await undoing(build)
    js.unpanicPlain = None
    undo.count()
    first = unpanic.checkpoint(undo)
    memory = undo.own_memory()
    undo.count()
    second = unpanic.checkpoint(undo)
    rows = [fate(undo.count_and_fail), undo.count()]
    crash = caught(undo.count_and_fail)
    rows.append(type(caught(unpanic.replay, undo, crash.capsule())).__name__)
    for checkpoint in (second, first, second):
        unpanic.restore(undo, checkpoint)
        rows += [undo.count(), fate(undo.count_and_fail)]
    rows.append("copies all" in unpanic.status(undo).why)
    del memory
    return rows, tally(undo)[::2]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_checkpoints_of_a_memory_that_was_given_away(py, build, plain):
    rows, counts = py.run(give_away, build=build, plain=plain)
    assert rows == [UNDONE, 3, "RustPanic", 3, UNDONE, 2, UNDONE, 3, UNDONE, True]
    assert counts == [0, 0]


async def go_elsewhere(build, how):
    """A capsule is asked for after the module has gone to another state without any call."""
    import unpanic

    undo = await undoing(build)
    undo.count()
    checkpoint = unpanic.checkpoint(undo)
    undo.count()
    crash = None
    try:
        with unpanic.transaction(undo):
            undo.count()
            undo.count_and_fail()
    except unpanic.RustPanic as error:
        crash = error
    if how != "transaction":
        crash = caught(undo.count_and_fail)
    if how == "restore":
        unpanic.restore(undo, checkpoint)
    elif how == "reset":
        unpanic.reset(undo)
    return repr(caught(crash.capsule))


@pytest.mark.parametrize("how", ["transaction", "restore", "reset"])
@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_a_capsule_is_not_of_another_state(py, build, how):
    text = py.run(go_elsewhere, build=build, how=how)
    assert text.startswith("LookupError("), text
    assert "undo went on since" in text
