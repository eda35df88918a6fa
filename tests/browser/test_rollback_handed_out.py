"""What a call handed out before it was rolled back is stale; what was there before it goes on."""

import pytest

from tests.browser.rollbacks import UNDOING, UNDONE, fate, tally, undoing
from tests.places import builds

EACH_BUILD = pytest.mark.parametrize("build", UNDOING)


async def hand_out(build):
    undo = await undoing(build)
    undo.store(undo.Item("stored"))
    got = []

    def take():
        got.append(undo.Item("new"))
        got.append(undo.adder(1))
        got.append(undo.fetch())

    answers = [fate(undo.call_and_fail, take)]
    # New objects take the places in memory of those that were undone.
    others = [undo.Item("other") for _ in range(5)]
    item, adder, fetched = got
    for use in (
        lambda: item.name,
        lambda: undo.store(item),
        lambda: adder(1),
        lambda: fetched.name,
        item.consume_and_fail,
    ):
        try:
            use()
            answers.append("no error")
        except Exception as error:
            answers.append([type(error).__name__, str(error)])
    names = [other.name for other in others]
    item = fetched = adder = None
    got.clear()
    return answers, names, undo.fetch().name, undo.drops(), tally(undo)


@EACH_BUILD
def test_what_a_failed_call_handed_out(py, build):
    """Objects and closures that it made cannot be used; freeing them frees nothing of what took their places."""
    answers, names, stored, drops, counts = py.run(hand_out, build=build)
    assert answers[0] == UNDONE
    assert [answer[0] for answer in answers[1:]] == ["StaleObjectError"] * 5, answers
    assert all("rolled back" in answer[1] for answer in answers[1:]), answers
    assert (names, stored) == (["other"] * 5, "stored")
    assert drops == 1  # the one that was fetched and that nobody holds
    assert counts == [0, 1, 0]


async def collect_what_was_undone(build):
    import asyncio
    import gc

    from pyodide.code import run_js

    undo = await undoing(build)
    # JavaScript gets the objects, so that only its own collector frees them. With each lot goes an object that tells.
    make = run_js("""
        globalThis.collected = 0;
        const registry = new FinalizationRegistry(() => { collected++; });
        globalThis.keepRegistry = registry;
        f => { for (let at = 0; at < 200; at++) f(); registry.register({}); }
    """)
    for _ in range(10):
        fate(undo.call_and_fail, lambda: make(lambda: undo.Item("undone") and None))
    others = [undo.Item(f"other {number}") for number in range(300)]
    before = undo.drops()
    for _ in range(100):
        run_js("for (let at = 0; at < 50; at++) new Array(100_000).fill({})")
        gc.collect()
        await asyncio.sleep(0.02)
        if run_js("collected") == 10:
            break
    return (
        run_js("collected"),
        before,
        undo.drops(),
        all(other.name == f"other {number}" for number, other in enumerate(others)),
        tally(undo),
    )


@builds("abort", "mvp", long=["reset", "unwind"])
def test_finalizers_of_what_was_undone_free_nothing(py, build):
    collected, before, after, are_whole, counts = py.run(collect_what_was_undone, build=build)
    assert (collected, before, after, are_whole) == (10, 0, 0, True)
    assert counts == [0, 10, 0]


async def give_a_known_object_a_number(build):
    from pyodide.code import run_js

    undo = await undoing(build)
    # JavaScript alone knows the object when the failed call gives it to Python first.
    state = run_js("({item: null})")
    undo.keep(state)
    put = run_js("state => item => { state.item = item; }")(state)
    undo.store(undo.Item("known"))
    fate(undo.fetch_and_fail, put)
    fate(undo.fetch_and_fail, lambda item: item.name)
    return undo.fetch().name, tally(undo)


@EACH_BUILD
def test_an_object_that_two_failed_calls_gave_away(py, build):
    name, counts = py.run(give_a_known_object_a_number, build=build)
    assert name == "known"
    assert counts == [0, 2, 0]


async def begin_in_a_callback(build):
    import asyncio

    faults = await undoing(build, "faults")
    before = asyncio.ensure_future(faults.wait(30))
    begun = []

    def begin():
        begun.append(asyncio.ensure_future(faults.wait(5)))
        faults.timer(5, False)
        faults.interval(5)
        faults.spawn_ok(5)
        faults.timer(5, True)
        faults.spawn_panics(5)

    row = fate(faults.call_then_panic, begin)
    [lost] = await asyncio.gather(*begun, return_exceptions=True)
    answers = [row, type(lost).__name__, str(lost), lost.crash is not None, await before]
    await asyncio.sleep(0.05)
    return answers, faults.timer_count(), await faults.wait(1), tally(faults)


@pytest.mark.parametrize("build", ["abort", "reset", "unwind"])
def test_async_calls_and_timers_that_a_failed_call_began(py, build):
    """The calls are interrupted, and the timers do nothing; a call that was in flight before ends well."""
    answers, ticks, later, counts = py.run(begin_in_a_callback, build=build)
    assert [answers[0], answers[1], *answers[3:]] == [UNDONE, "CallInterrupted", True, 30]
    assert "crashed" in answers[2]
    assert (ticks, later) == (0, 1)
    assert counts == [0, 1, 0]


async def crash_in_a_callback(build, caught):
    import unpanic

    undo = await undoing(build)
    other = await undoing(build, name="other")
    item = undo.Item("item")
    errors = []

    def crash():
        undo.count()
        try:
            item.rename_and_fail("x")
        except unpanic.Crash as error:
            errors.append([type(error).__name__, error.recovery, error.state_kept])
            errors.append(fate(undo.count)[0])
            if not caught:
                raise
        return 7

    answers = []
    for _ in range(3):
        answers.append(fate(undo.call, crash)[0])
        answers += [undo.count(), item.name]
        # Another module lies in between.
        answers.append(fate(undo.call, lambda: other.call(crash))[0])
        answers += [undo.count(), other.count()]
    return answers, errors, tally(undo), tally(other)


@pytest.mark.parametrize("caught", [True, False])
@EACH_BUILD
def test_a_crash_in_a_callback_rolls_the_outermost_call_back(py, build, caught):
    """The outer call is interrupted, whatever the callback makes of the crash; a module in between only hears of it."""
    answers, errors, counts, others = py.run(crash_in_a_callback, build=build, caught=caught)
    rows = []
    for number in range(3):
        rows += ["CallInterrupted", 2 * number + 1, "item", "CallInterrupted", 2 * number + 2, 2 * number + 2]
    assert answers == rows
    assert errors == [UNDONE, "CallInterrupted"] * 6
    assert counts == [0, 6, 0]
    assert others == [0, 0, 0]
