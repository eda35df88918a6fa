"""Thousands of crashes of every kind that are rolled back, with objects, closures, values and calls alive all the time.

The module is never reset, and nothing grows. The short form runs in `make test`; the long form is `make soak`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.places import builds
from tests.soak.test_soak import SLACK_BYTES, Memory, flat

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

# What a test keeps from one run to the next.
KEPT = {}

# Memory is measured after each part.
PARTS = 20
SLACK_OBJECTS = 300
# What ends each crash, by the numbers in rust/fixtures/juggle/src/ends.rs. Each takes its turn.
PANICS = [2, 3, 4, 5]
TRAPS = [6, 7, 8, 9]
OVERFLOWS = [10, 11]
THROWS = [13, 14, 15]
GROWING = [17, 18]
EACH = [*PANICS, *TRAPS, *OVERFLOWS, *THROWS, *GROWING]
# These take their time, so that their turn comes once in so many crashes.
MEMORY, TIMEOUT, SELDOM = 12, 16, 200


async def begin(build):
    """Loads the module, and keeps it with what is to outlive all crashes."""
    import asyncio

    import unpanic
    from pyodide.code import run_js

    juggle = await unpanic.load(
        f"/fixtures/juggle/pkg/{build}/juggle.js", recovery="rollback", timeout=60, panic_hook=lambda _: None
    )
    make_promise = run_js("() => new Promise(() => {})")
    KEPT["juggle"] = {
        "module": juggle,
        "items": [juggle.Item(f"item {number}") for number in range(20)],
        "adders": [juggle.adder(number) for number in range(10)],
        "own": [juggle.own_adder(number) for number in range(10)],
        "calls": [asyncio.ensure_future(juggle.wait(make_promise(), number, 0)) for number in range(5)],
    }
    juggle.play([6, 0, 0, 0], [run_js("({name: 'kept'})")], lambda _: None, 0)
    await asyncio.sleep(0)
    KEPT["juggle"]["state"] = juggle.state()


async def go_on(crashes, first, ends, seldom):
    """Makes so many crashes. Gives what was wrong, and how large everything is."""
    import asyncio
    import gc
    import json

    import pyodide_js
    import unpanic

    kept = KEPT["juggle"]
    module, items, adders = kept["module"], kept["items"], kept["adders"]
    problems, kinds = [], {}

    def crash(number):
        end = ends[number % len(ends)]
        if seldom and number % seldom == 0:
            end = [MEMORY, TIMEOUT][number // seldom % 2]
        item = items[number % len(items)]
        handed = []

        def inside(_):
            """Leaves something behind of every sort, and may crash itself."""
            handed.append(module.Item("inside"))
            handed.append(module.adder(1))
            adders[number % 10](1)
            if number % 7 == 0:
                module.play([0, 1, 0, 0], [], lambda _: None, 2)
            if number % 11 == 0:
                raise ValueError("in a callback")

        match number % 5:
            case 0:
                return lambda: item.add(5, end)
            case 1:
                return lambda: module.store(item, end)
            case 2:
                steps = [1, 0, 500, 0, 8, 0, 0, 0, 13 + number % 3, 0, 0, 0]
                return lambda: module.play(steps, [], inside, end)
            case 3:
                return lambda: adders[number % 10](-end)
            case _:
                return lambda: module.drop_adder(end)

    for number in range(first, first + crashes):
        run = crash(number)
        try:
            with unpanic.deadline(0.05):
                run()
            problems.append(f"crash {number}: no crash")
        except (unpanic.Crash, unpanic.CallInterrupted, unpanic.RustError) as error:
            name = type(error).__name__
            kinds[name] = kinds.get(name, 0) + 1
            if isinstance(error, unpanic.Crash) and not error.state_kept:
                problems.append(f"crash {number}: {error}")
        except ValueError:
            kinds["ValueError"] = kinds.get("ValueError", 0) + 1
        if number % 20 == 0:
            await asyncio.sleep(0)
    if module.state() != kept["state"]:
        problems.append(f"the state is {module.state()}")
    names = [item.name for item in items]
    if names != [f"item {number}" for number in range(20)] or len(module.values()) != 1:
        problems.append(f"{names}, {module.values()}")
    if [adder(0) for adder in kept["own"]] != list(range(10)):
        problems.append("an adder of JavaScript's has changed")
    gc.collect()
    status = unpanic.status(module)
    generation = unpanic._exports.registry.of(module).context.driver.module.generation
    return {
        "problems": problems[:5],
        "kinds": json.dumps(kinds),
        "resets": [status.generation, status.resets, status.in_flight],
        "rollbacks": status.rollbacks,
        "wasm_memory": status.memory_bytes,
        "python_heap": pyodide_js._module.HEAP8.length,
        "python_objects": len(gc.get_objects()),
        "objects": generation.objects.size,
        "finalizers": generation.holder.live.size,
        "moved": generation.owner.objects.moved.size,
    }


async def end():
    """Unloads the module; gives how the calls in flight ended."""
    import asyncio

    import unpanic

    kept = KEPT.pop("juggle")
    unpanic.unload(kept["module"])
    outcomes = await asyncio.gather(*kept["calls"], return_exceptions=True)
    return [type(outcome).__name__ for outcome in outcomes]


def soak(
    py: InBrowser, build: str, crashes: int, ends: list[int], seldom: int, capsys: pytest.CaptureFixture[str]
) -> None:
    py.run(begin, build=build)
    memory = Memory(py)
    reports: list[dict[str, Any]] = []
    size = crashes // PARTS
    for part in range(PARTS):
        report = py.run(go_on, crashes=size, first=part * size + 1, ends=ends, seldom=seldom, timeout=580)
        reports.append(report | memory.measure())
        assert report["problems"] == []
        assert report["resets"] == [0, 0, 5]
    outcomes = py.run(end)
    with capsys.disabled():
        print(f"\n{crashes} crashes, {build}, the last {size}: {reports[-1]['kinds']}")
        for name in list(reports[0])[3:]:
            print(f"  {name}: {', '.join(str(report[name]) for report in reports)}")
    assert outcomes == ["CallInterrupted"] * 5
    for name in ("wasm_memory", "python_heap"):
        assert len({report[name] for report in reports[PARTS // 4 :]}) == 1, name
    for name in ("python_objects", "objects", "finalizers", "moved"):
        assert flat([report[name] for report in reports], SLACK_OBJECTS), name
    for name in ("javascript_heap", "array_buffers"):
        assert flat([report[name] for report in reports], SLACK_BYTES), name


@pytest.mark.usefixtures("alone")
@pytest.mark.unchecked("it is about memory, and makes 20,000 calls")
@pytest.mark.parametrize("realm", ["page"])
@builds("abort", "unwind", long=["reset", "mvp"])
def test_crashes_of_all_kinds_all_day(
    fresh_py: InBrowser, build: str, crashes: int, capsys: pytest.CaptureFixture[str]
):
    """No reset: state, objects, closures, values and calls in flight outlive all crashes, and nothing grows."""
    soak(fresh_py, build, crashes, EACH, SELDOM, capsys)


@pytest.mark.usefixtures("alone")
@pytest.mark.unchecked("it is about memory, and makes 10,000 calls")
@pytest.mark.parametrize("realm", ["page"])
def test_panics_in_a_row(fresh_py: InBrowser, crashes: int, capsys: pytest.CaptureFixture[str]):
    soak(fresh_py, "abort", crashes // 2, PANICS, 0, capsys)
