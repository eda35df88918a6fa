"""Packages that keep data: after every kind of crash they have the state of before, and go on with it.

Every commit compares the memory with its shadow, byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.compat.catalogue import PACKAGES
from tests.compat.rounds import ROUNDS
from tests.compat.states import CRASHES, STATES

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

    from tests.compat.table import Results, Stateful

TIMEOUT = 180


async def crash_with_state(glue, build, look, change, crash):
    """Builds a state, crashes the module, looks whether the state is the same, and changes it: three times."""
    import math

    import unpanic

    module = await unpanic.load(glue, recovery="rollback", timeout=math.inf)
    rounds = []
    kept = build(module)
    for _ in range(ROUNDS):
        before = look(module, kept)
        raised = outcome_of(crash, module, kept)
        after = look(module, kept)
        change(module, kept)
        rounds.append([raised, before == after, look(module, kept) != after])
        if not rounds[-1][1]:
            rounds[-1] += [before, after]
    state = unpanic.status(module)
    unpanic.unload(module)
    return rounds, [state.generation, state.resets]


def outcome_of(crash, module, kept):
    try:
        value = crash(module, kept)
    except BaseException as error:
        return [type(error).__name__, getattr(error, "recovery", ""), str(error)[:200]]
    return ["no error", "", repr(value)[:200]]


@pytest.mark.parametrize(("package", "crash"), CRASHES, ids=[crash.__name__ for _, crash in CRASHES])
def test_a_crash_leaves_the_state(package: Stateful, crash, py: InBrowser, results: Results):
    """Objects stay valid, the state is that of before the failed call, and later calls change it as ever."""
    build, look, change = STATES[package]
    rounds, counts = py.run(
        crash_with_state,
        timeout=TIMEOUT,
        glue=f"/compat/{package.folder}/{package.glue}",
        build=build,
        look=look,
        change=change,
        crash=crash,
    )
    results.add_state(package, crash.__name__, py.realm, rounds[0][0][0], sum(each[1] for each in rounds))
    print(f"{crash.__name__}: {counts} {rounds[0]} {[each[1:3] for each in rounds]}")
    assert counts == [0, 0]
    assert [each[1:3] for each in rounds] == [[True, True]] * ROUNDS
    assert [each[0][1] for each in rounds] == ["rollback"] * ROUNDS


async def ask_badly(glue, use, times):
    """Returns the exceptions, how often the module was reset, and how much memory and heap grew meanwhile."""
    import unpanic

    module = await unpanic.load(glue, recovery="rollback")
    first = use(module)
    names, sizes = set(), []
    for number in range(times):
        if number in (times // 10, times - 1):
            sizes.append(unpanic.status(module).memory_bytes)
        try:
            module.compile(f"from tracks | filter plays >> {number} | select {{", None)
            names.add("no error")
        except Exception as error:
            names.add(type(error).__name__)
    state = unpanic.status(module)
    counts = [state.generation, state.resets, sum(state.crashes.values())]
    same = use(module) == first
    unpanic.unload(module)
    return sorted(names), sizes, counts, same


def test_bad_queries_cost_an_exception_each(py: InBrowser):
    """prql-js throws each of them from inside Rust. No reset follows, and nothing leaks, however many there are."""
    package = next(each for each in PACKAGES if each.folder == "prql-js")
    glue = f"/compat/{package.folder}/{package.glue}"
    names, (early, late), counts, same = py.run(ask_badly, timeout=TIMEOUT, glue=glue, use=package.use, times=1000)
    assert names == ["RustError"]
    assert early == late
    assert (counts, same) == ([0, 0, 0], True)
