"""Endless loops of every shape are stopped hundreds of times in a row, and memory stays flat.

In the short form, which runs in `make test`, the shapes take turns in one module. The long form stops each shape that
often, in a module of its own: `make soak` does it in Chromium and in Firefox, and prints the figures.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.browser.builds import caught
from tests.browser.test_deadlines import BUILDS, LATER, SHAPES, enter
from tests.browser.test_leaks import FEW, heap_bytes, live_memories, room, watch_memories  # noqa: F401 - room: portable
from tests.soak.processes import resident_bytes

if TYPE_CHECKING:
    from unpanic_tools.testing.host import PageHost
    from unpanic_tools.testing.in_browser import InBrowser

# What a test keeps from one run to the next.
KEPT = {}

# Memory is measured after each part. The first one fills caches, so that the others are compared to it.
PARTS = 4
# A run may leave so much more than its first part: garbage that is not collected yet.
SLACK_OBJECTS = 50
SLACK_HEAP = 1_000_000
SLACK_RESIDENT = 50_000_000
START = "start function"
ALL = (*SHAPES, *LATER, START)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """In the long form each shape is a test."""
    is_long = metafunc.config.getoption("--each-shape")
    metafunc.parametrize("shapes", [[shape] for shape in ALL] if is_long else [list(ALL)], ids="-".join)


@pytest.fixture(autouse=True)
def nobody_beside(pyodide_hosts: dict[str, PageHost], realm: str) -> None:
    """Leaves only one Pyodide, because a Pyodide does not collect the garbage of another one."""
    for other in [other for other in pyodide_hosts if other != realm]:
        pyodide_hosts.pop(other).close()


async def begin(glue):
    """Loads the module, and keeps it for later runs."""
    import logging

    import unpanic

    import js

    # Timers and tasks are attended by nobody: their crashes would be logged, and too many of them end a module.
    logging.getLogger("unpanic").setLevel(logging.CRITICAL + 1)
    if not hasattr(js, "memories"):
        watch_memories()
    js.memories.length = 0
    KEPT["loops"] = await unpanic.load(glue, recovery="reset", timeout=0.005, restart_budget=10**6)


async def go_on(glue, shapes, count):
    """Makes so many stops. After each, the next calls must be right, and come from an instance that is new."""
    import asyncio

    import unpanic

    loops = KEPT["loops"]
    outcomes = {}
    for number in range(count):
        shape = shapes[number % len(shapes)]
        generation = unpanic.status(loops).generation
        key = f"{shape}: {await stop_once(loops, glue, shape)}"
        outcomes[key] = outcomes.get(key, 0) + 1
        # A new instance may have to wait for a collection until the next call.
        results = [loops.add(2, 3), unpanic.status(loops).generation - generation]
        results.append(loops.count() if results[1] else 1)
        if results != [5, int(shape != START), 1]:
            raise AssertionError(f"{key}, stop {number}: {results}")
        if number % 20 == 0:
            await asyncio.sleep(0)  # finalizers need the event loop to turn
    return outcomes


async def stop_once(loops, glue, shape):
    """Runs into an endless loop; returns the name of the exception that ended it."""
    import asyncio

    import unpanic

    if shape == START:
        return await stop_at_start(glue)
    if shape == "async call":
        [error] = await asyncio.gather(loops.spin_async(0), return_exceptions=True)
    elif shape in ("timer", "task"):
        crashes = dict(unpanic.status(loops).crashes)
        loops.spin_later(0) if shape == "timer" else loops.spin_in_task()
        while unpanic.status(loops).crashes == crashes:
            await asyncio.sleep(0)
        error = unpanic.status(loops).last_crash
    else:
        error = caught(enter, loops, shape)
    return type(error).__name__


async def stop_at_start(glue):
    import unpanic

    import js

    js.unpanicSpinAtStart = True
    try:
        await unpanic.load(glue, timeout=0.005)
    except unpanic.StartError as error:
        return type(error.crash).__name__
    finally:
        js.unpanicSpinAtStart = False


async def wait_for_room():
    """Waits until the browser makes Wasm memories again: Firefox collects those that were in use up to now later."""
    import asyncio

    from pyodide.code import run_js

    while not run_js(
        "(() => { try { return new WebAssembly.Memory({initial: 1}) && true; } catch { return false; } })()"
    ):
        await asyncio.sleep(0.05)


async def measure():
    """Returns what is left after collections."""
    import gc

    import pyodide_js

    alive = await live_memories()  # has JavaScript's collector run, which lets go of callbacks
    await wait_for_room()
    gc.collect()
    return {
        "wasm_memories": alive,
        "python_heap": pyodide_js._module.HEAP8.length,
        "python_objects": len(gc.get_objects()),
    }


def end():
    import logging

    import unpanic

    loops = KEPT.pop("loops")
    status = unpanic.status(loops)
    unpanic.unload(loops)
    logging.getLogger("unpanic").setLevel(logging.NOTSET)
    return dict(status.crashes), status.generation, status.in_flight


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("realm", ["page", "worker"])
def test_loops_that_are_stopped_all_day(
    py: InBrowser, engine: str, build: str, shapes: list[str], stops: int, capsys: pytest.CaptureFixture[str]
):
    """Each stop is one exception, the calls after it are right, and memory stays flat."""
    glue = f"/fixtures/loops/pkg/{build}/loops.js"
    count = stops // PARTS
    py.run(begin, glue=glue)
    samples = []
    for _ in range(PARTS):
        outcomes = py.run(go_on, glue=glue, shapes=shapes, count=count, timeout=240)
        assert outcomes == expected(shapes, count)
        sample = py.run(measure)
        if engine == "chromium" and py.realm == "page":
            sample["javascript_heap"] = heap_bytes(py.page)
        samples.append(sample | {"processes": resident_bytes()})
    crashes, generation, in_flight = py.run(end)
    with capsys.disabled():
        print(f"\n{count * PARTS} stops: {', '.join(shapes)}; {build}, {engine}, {py.realm}")
        for name in samples[0]:
            print(f"  {name}: {', '.join(f'{sample[name]:,}' for sample in samples)}")
    resets = PARTS * sum(times for key, times in outcomes.items() if not key.startswith(START))
    assert (crashes.get("timeout", 0), generation, in_flight) == (resets, resets, 0)
    early, late = samples[0], samples[-1]
    assert late["wasm_memories"] <= FEW
    assert late["python_heap"] == early["python_heap"], "Pyodide's memory grew"
    assert late["python_objects"] - early["python_objects"] < SLACK_OBJECTS, "Python objects were left"
    assert late.get("javascript_heap", 0) - early.get("javascript_heap", 0) < SLACK_HEAP, "the page's heap grew"
    assert late["processes"] - early["processes"] < SLACK_RESIDENT, "the browser grew"


def expected(shapes: list[str], count: int) -> dict[str, int]:
    """How the stops of one part end. A call whose callback was stopped is interrupted itself."""
    ends = {shape: "CallInterrupted" if shape == "loop in a callback" else "CallTimeout" for shape in shapes}
    turns = [f"{shape}: {ends[shape]}" for shape in (shapes[number % len(shapes)] for number in range(count))]
    return dict(Counter(turns))
