"""The stop button: a request in Pyodide's interrupt buffer ends the Rust code that runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from unpanic_tools.testing.in_browser import InBrowser

from tests.browser.builds import caught, load_large, slowed
from tests.browser.rollbacks import fate, tally, undoing

if TYPE_CHECKING:
    from unpanic_tools.testing.host import Host

BUILDS = ["abort", "unwind"]


@pytest.fixture
def py(realm: str, pyodide_hosts: dict[str, Host], new_pyodide_host, py_in) -> Iterator[InBrowser]:
    """Runs functions in a Pyodide whose page is isolated from other origins, so that it may share memory."""
    key = f"isolated {realm}"
    if key not in pyodide_hosts:
        pyodide_hosts[key] = new_pyodide_host(realm, "/isolated/tests/")
    py = py_in(pyodide_hosts[key])
    yield py
    if py.host.is_broken:
        pyodide_hosts.pop(key).close()


class Button:
    """A worker that requests an interrupt a while after it was told to, whatever blocks this thread then."""

    SOURCE = """
        onmessage = ({ data: [requests, times, ms] }) => setTimeout(() => {
            times[0] = performance.timeOrigin + performance.now();
            requests[0] = 2;
        }, ms);
        postMessage("ready");
    """

    async def start(self):
        import asyncio

        import pyodide_js

        import js

        make = js.Function.new("type", "size", "return new globalThis[type](new SharedArrayBuffer(size))")
        self.requests, self.times = make("Uint8Array", 1), make("Float64Array", 8)
        self.worker = js.Worker.new(js.URL.createObjectURL(js.Blob.new([self.SOURCE])))
        ready = asyncio.Event()
        self.worker.onmessage = lambda _: ready.set()
        await ready.wait()
        pyodide_js.setInterruptBuffer(self.requests)
        return self

    def press(self, ms):
        import js

        self.worker.postMessage(js.Array.of(self.requests, self.times, ms))

    def ms_since(self):
        import js

        return round(js.performance.timeOrigin + js.performance.now() - self.times[0], 1)

    def is_taken(self):
        return self.requests[0] == 0

    def remove(self):
        import pyodide_js

        pyodide_js.setInterruptBuffer()
        self.worker.terminate()


def work():
    return sum(range(10_000))


def ignoring(function):
    """A function of JavaScript's that loses the exceptions of a Python function."""
    import js

    return js.Function.new("f", "return () => { try { f() } catch {} }")(function)


def enter(loops, call):
    ways = {
        "loop": loops.spin,
        "getter": lambda: loops.Wheel(False, False).speed,
        "loop in a callback": lambda: loops.call(lambda: loops.spin(), 1),
        "callbacks": lambda: loops.call_for_ever(lambda: None),
        "callbacks that work": lambda: loops.call_for_ever(work),
    }
    ways[call]()


async def stop(build, call, times):
    import math

    import unpanic

    button = await Button().start()
    loops = await unpanic.load(f"/fixtures/loops/pkg/{build}/loops.js", timeout=math.inf, recovery="reset")
    late, rows = [], []
    for _ in range(times):
        in_flight = loops.wait(20_000)
        generation = unpanic.status(loops).generation
        try:
            button.press(20)
            enter(loops, call)
        except KeyboardInterrupt:
            late.append(button.ms_since())
        row = {"taken": button.is_taken(), "next": loops.add(2, 3), "long": loops.count_to(20_000_000) > 0}
        row["new"] = unpanic.status(loops).generation - generation
        if row["new"]:
            try:
                await in_flight
            except unpanic.CallInterrupted as interrupted:
                row["in flight"] = str(interrupted)
        else:
            in_flight.cancel()
        rows.append(row)
    button.remove()
    crashes = dict(unpanic.status(loops).crashes)
    unpanic.unload(loops)
    print(f"{call}, {build}: KeyboardInterrupt after {late} ms")
    return {"stopped": len(late), "crashes": crashes, "rows": rows}


CALLS = ["loop", "getter", "loop in a callback", "callbacks", "callbacks that work"]
STOPPED = "loops.wait was interrupted: the user stopped another call"


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("call", CALLS)
def test_a_request_ends_the_call_that_runs(py, build, call):
    """The caller gets one KeyboardInterrupt, the module has recovered, and the next calls are left alone."""
    answer = py.run(stop, build=build, call=call, times=10)
    assert (answer["stopped"], answer["crashes"]) == (10, {})
    for row in answer["rows"]:
        assert (row["taken"], row["next"], row["long"]) == (True, 5, True)
        # Where it comes in a callback, Rust hands it on like any error of a callback, and nothing is lost.
        # Neither is anything lost if the request comes before Rust is entered, as on a machine that is busy elsewhere.
        assert row["new"] in [0, 1]
        assert row.get("in flight", STOPPED) == STOPPED
    if call in CALLS[:3]:
        assert sum(row["new"] for row in answer["rows"]) >= 1


async def ignore(build, times):
    import math

    import unpanic

    button = await Button().start()
    loops = await unpanic.load(f"/fixtures/loops/pkg/{build}/loops.js", timeout=math.inf, recovery="reset")
    late, rows = [], []
    for _ in range(times):
        try:
            button.press(20)
            loops.call_for_ever(ignoring(work))
        except KeyboardInterrupt:
            late.append(button.ms_since())
        rows.append([button.is_taken(), loops.count_to(20_000_000) > 0])
    button.remove()
    crashes = dict(unpanic.status(loops).crashes)
    unpanic.unload(loops)
    print(f"ignored, {build}: KeyboardInterrupt after {late} ms")
    return {"stopped": len(late), "crashes": crashes, "rows": rows}


@pytest.mark.parametrize("build", BUILDS)
def test_a_loop_that_ignores_the_errors_of_its_callbacks_ends(py, build):
    """The request is taken by a callback, and Rust does not care: the call ends nevertheless."""
    answer = py.run(ignore, build=build, times=5)
    assert answer == {"stopped": 5, "crashes": {}, "rows": [[True, True]] * 5}


async def stop_async(build, way, times):
    import asyncio
    import math

    import unpanic

    button = await Button().start()
    loops = await unpanic.load(f"/fixtures/loops/pkg/{build}/loops.js", timeout=math.inf, recovery="reset")
    reported = []
    loop = asyncio.get_running_loop()
    loop._keyboard_interrupt_handler = lambda: reported.append("KeyboardInterrupt")
    rows, late = [], []
    try:
        for number in range(times):
            other = loops.wait(20_000)
            error = None
            button.press(40)
            try:
                if way == "await":
                    await loops.spin_async(1)
                else:
                    loops.spin_later(1) if way == "timer" else loops.spin_in_task()
                    while unpanic.status(loops).generation == number:
                        await asyncio.sleep(0.005)
                    await asyncio.sleep(0.02)
            except KeyboardInterrupt:
                error = "KeyboardInterrupt"
            late.append(button.ms_since())
            try:
                await other
            except unpanic.CallInterrupted as interrupted:
                ended = str(interrupted)
            rows.append([error, ended, button.is_taken(), loops.add(2, 3)])
    finally:
        loop._keyboard_interrupt_handler = None
        button.remove()
    print(f"{way}, {build}: KeyboardInterrupt after {late} ms")
    crashes = dict(unpanic.status(loops).crashes)
    unpanic.unload(loops)
    return {"rows": rows, "reported": reported, "crashes": crashes}


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("way", ["await", "timer", "task"])
def test_rust_that_the_event_loop_runs_is_stopped(py, build, way):
    """Whoever awaits the call gets the KeyboardInterrupt; if nobody does, the event loop gets it."""
    answer = py.run(stop_async, build=build, way=way, times=3)
    row = ["KeyboardInterrupt" if way == "await" else None, STOPPED, True, 5]
    assert (answer["rows"], answer["crashes"]) == ([row] * 3, {})
    assert answer["reported"] == ([] if way == "await" else ["KeyboardInterrupt"] * 3)


async def handle():
    import math
    import signal

    import unpanic

    def handler(_signal, _frame):
        seen.append("called")
        if len(seen) == 3:
            raise LookupError("the user's own")
        button.press(20)

    seen = []
    button = await Button().start()
    loops = await unpanic.load("/fixtures/loops/pkg/abort/loops.js", timeout=math.inf, recovery="reset")
    before = signal.signal(signal.SIGINT, handler)
    try:
        button.press(20)
        loops.spin()
    except LookupError as error:
        seen.append(type(error).__name__)
    finally:
        signal.signal(signal.SIGINT, before)
        button.remove()
    result = [*seen, loops.add(2, 3), unpanic.status(loops).generation]
    unpanic.unload(loops)
    return result


def test_the_users_handler_of_the_signal_decides(py):
    """What a handler of SIGINT raises is what the caller gets; as long as it raises nothing, Rust goes on."""
    assert py.run(handle) == ["called", "called", "called", "LookupError", 5, 1]


async def stop_and_go_on(build):
    import math

    button = await Button().start()
    loops = await undoing(build, "loops", timeout=math.inf)
    rows = []
    for _ in range(3):
        loops.count()
        button.press(30)
        rows += [fate(loops.spin)[0], loops.count()]
        button.press(30)
        rows += [fate(loops.call, lambda: loops.count() and loops.spin(), 1)[0], loops.count()]
    button.remove()
    return rows, tally(loops)


@pytest.mark.parametrize("build", BUILDS)
def test_what_a_stopped_call_did_is_undone(py, build):
    rows, counts = py.run(stop_and_go_on, build=build)
    assert rows[::2] == ["KeyboardInterrupt"] * 6
    assert rows[1::2] == [2, 3, 5, 6, 8, 9]
    assert counts == [0, 6, 0]


async def stop_waiting():
    import signal

    import unpanic

    button = await Button().start()
    faults = await load_large("abort", spare=False)
    restore = slowed(500)
    rows, late = [], []
    for call, argument in ((faults.bump, ()), (faults.echo_string, ("x",)), (faults.Thing, (7,))):
        caught(faults.trap_unreachable)
        button.press(30)
        error = caught(call, *argument)
        late.append(button.ms_since())
        rows.append([type(error).__name__, button.is_taken(), unpanic.status(faults).phase])
        rows[-1].append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        faults.add(2, 3)
    restore()
    button.remove()
    print(f"KeyboardInterrupt after {late} ms")
    return rows, unpanic.status(faults).resets


@pytest.mark.usefixtures("large")
def test_a_request_ends_a_wait(py, refuses):
    """A call that waits for the next instance ends before that is there, and the call after it waits on."""
    rows, resets = py.run(stop_waiting)
    if refuses:
        assert (rows, resets) == ([["KeyboardInterrupt", True, "recovering", True]] * 3, 3)


def loop_until_stopped(button):
    """CPython reads a request and clears it in two steps, and loses one that comes between them: press again."""
    import time

    pressed = time.monotonic()
    while True:
        if time.monotonic() > pressed + 2:
            button.press(0)
            pressed = time.monotonic()


async def stop_at_any_time(times):
    import asyncio

    import unpanic

    button = await Button().start()
    faults = await load_large("abort", spare=False)
    stopped = good = 0
    for number in range(times):
        caught(faults.trap_unreachable)
        in_flight = faults.wait(0)
        try:
            button.press(number % 12)
            faults.bump()
            loop_until_stopped(button)
        except KeyboardInterrupt:
            stopped += 1
        good += faults.add(2, 3) == 5
        await asyncio.gather(in_flight, return_exceptions=True)
    button.remove()
    status = unpanic.status(faults)
    return stopped, good, status.resets, status.in_flight, status.phase


@pytest.mark.usefixtures("large")
def test_a_request_that_comes_at_any_time_of_a_wait_reaches_the_caller(py):
    """It is never raised in the event loop, and nothing waits for ever."""
    assert py.run(stop_at_any_time, times=36) == [36, 36, 36, 0, "ready"]
