"""What a module says of its rollbacks is true, also after the browser had no room for a copy of memory."""

import pytest

from tests.browser.builds import caught
from tests.browser.rollbacks import UNDONE, fate, tally, undoing

NO_ROOM = """() => {
    const original = globalThis.Uint8Array;
    globalThis.Uint8Array = new Proxy(original, {
        construct(target, args) {
            if (args[0] >= 65536) throw new RangeError("Array buffer allocation failed");
            return Reflect.construct(target, args);
        },
    });
    return () => { globalThis.Uint8Array = original; };
}"""


async def give_up(build):
    """The browser has no room for a larger copy, when a call begins after memory has grown."""
    import unpanic
    from pyodide.code import run_js

    undo = await undoing(build)
    undo.count()
    checkpoint = unpanic.checkpoint(undo)
    undo.grow(8)
    mend = run_js(NO_ROOM)()
    try:
        undo.count()
    finally:
        mend()
    status = unpanic.status(undo)
    told = [[status.recovery, status.why, status.shadow_bytes]]
    told.append(str(caught(unpanic.restore, undo, checkpoint)))
    told.append(str(caught(unpanic.checkpoint, undo)))
    rows = [fate(undo.count_and_fail), undo.count(), unpanic.status(undo).recovery, fate(undo.count_and_fail)]
    return told, rows, tally(undo)


@pytest.mark.parametrize("build", ["abort", "unwind", "mvp"])
def test_where_there_is_no_room_status_says_reset(py, build):
    """The next generation is as small as the first was, and can be rolled back again."""
    [status, restore, checkpoint], rows, counts = py.run(give_up, build=build)
    why = (
        "its calls cannot be rolled back: the browser has no room for a copy of its memory "
        "(Array buffer allocation failed)"
    )
    assert status == ["reset", why, 0]
    assert restore.endswith("(Array buffer allocation failed). Nothing has changed.")
    assert f"'reset' ({why})." in checkpoint
    assert "Load it with" not in checkpoint
    if build == "unwind":
        # A panic ran destructors.
        assert rows[0][0] == "RustPanic"
    else:
        assert rows == [["RustPanic", "reset", False], 1, "rollback", UNDONE]
        assert counts == [1, 1, 1]


async def measure(build):
    import unpanic

    undo = await undoing(build)
    rows = []
    for megabytes in (0, 20):
        undo.grow(megabytes)
        undo.count()
        status = unpanic.status(undo)
        rows.append([status.memory_bytes, status.shadow_bytes])
    return rows


@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_memory_is_at_most_twice_the_module_s_own(py, build):
    """The copy holds all but Rust's stack and the table of marks, which takes a megabyte itself."""
    table = stack = 1 << 20
    for memory, shadow in py.run(measure, build=build):
        assert table + stack <= memory - shadow <= table + stack + 65536, (memory, shadow)
        assert memory + shadow <= 2 * (memory - table)


async def recurse_at_begin(build):
    """The copy of memory fails for want of stack, at each `set` in turn, while there is a checkpoint."""
    import unpanic
    from pyodide.code import run_js

    spoil = run_js(
        "(at) => { const proto = Object.getPrototypeOf(Uint8Array.prototype); const original = proto.set;"
        "const full = (() => { const dive = () => dive() + 1; try { dive(); } catch (error) { return error; } })();"
        "let left = at;"
        "proto.set = function (...args) { if (left-- === 0) throw full; return original.apply(this, args); };"
        "return () => { proto.set = original; }; }"
    )
    undo = await undoing(build)
    rows = []
    for at in range(6):
        undo.count()
        undo.keep("value")
        before = undo.count()
        checkpoint = unpanic.checkpoint(undo)
        undo.count()
        if at >= 3:
            undo.grow(1)
        mend = spoil(at % 3)
        try:
            undo.count()
        finally:
            mend()
        undo.keep(["another"])
        failed = fate(undo.count_and_fail)
        unpanic.restore(undo, checkpoint)
        rows.append([undo.count() - before, len(undo.kept()) - at, failed])
    return rows, tally(undo)


@pytest.mark.parametrize("build", ["abort", "mvp"])
def test_a_checkpoint_outlives_a_full_stack(py, build):
    rows, counts = py.run(recurse_at_begin, build=build)
    assert rows == [[1, 1, UNDONE]] * 6
    assert counts == [0, 6, 0]


async def ask_for_capsules(build, capsules):
    import asyncio

    import unpanic

    tasks = await undoing(build, "tasks", capsules=capsules)
    crashes = [await settled(tasks.work("panic", polls, 1)) for polls in (1, 2)]
    tasks.once("trap", 1)
    await asyncio.sleep(0.05)
    crashes.append(unpanic.status(tasks).last_crash)
    texts = [str(caught(crash.capsule)) for crash in crashes]
    # A timer has changed the state since the call.
    tasks.once("ok", 5)
    crash = caught(tasks.fail_now, "panic")
    await asyncio.sleep(0.05)
    return texts, crash.recovery, repr(caught(crash.capsule)), tally(tasks)


async def settled(future):
    try:
        return await future
    except BaseException as error:
        return error


@pytest.mark.parametrize("build", ["abort", "mvp"])
@pytest.mark.parametrize("capsules", [False, True])
def test_there_is_no_capsule_of_a_poll_or_a_timer(py, build, capsules):
    texts, recovery, after_timer, counts = py.run(ask_for_capsules, build=build, capsules=capsules)
    assert [text.startswith("There is no capsule of this crash, because it came in a timer") for text in texts] == [
        True
    ] * 3, texts
    assert recovery == "rollback"
    if capsules:
        # It was to be kept at once, when the timer was still to run.
        assert "JavaScript holds" in after_timer
    else:
        assert "tasks went on since: in a timer or a task" in after_timer
    assert counts == [0, 4, 0]


async def fail_together(build):
    """Several futures fail in one turn of the event loop, each in its own way."""
    import asyncio

    tasks = await undoing(build, "tasks")
    rows = []
    for _ in range(3):
        hows = ["panic", "ok", "trap", "stack", "javascript", "ok", "panic", "throw", "ok"]
        calls = [tasks.work(how, 2, 10) for how in hows]
        results = await asyncio.gather(*calls, return_exceptions=True)
        crashes = [result for result in results if isinstance(result, BaseException)]
        rows.append([type(result).__name__ for result in results])
        rows[-1] += [len({id(crash) for crash in crashes}), [result for result in results if result == 10]]
    return rows, list(tasks.state()), tally(tasks)


@pytest.mark.parametrize("build", ["abort", "reset", "mvp", "unwind"])
def test_futures_that_fail_in_one_turn_get_their_own_crashes(py, build):
    rows, state, counts = py.run(fail_together, build=build)
    names = ["RustPanic", "int", "Trap", "StackOverflow", "ForeignException", "int", "RustPanic", "RustError", "int"]
    assert rows == [[*names, 6, [10, 10, 10]]] * 3
    assert state[1:] == [0, 0]
    assert counts[::2] == [0, 0]
