"""The stop button: a request in Pyodide's interrupt buffer ends the Rust code that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.harness import Py

if TYPE_CHECKING:
    from scripts.serve import Server
    from tests.harness import Guard, Host

BUILDS = ["abort", "unwind"]


@pytest.fixture
def py(
    realm: str, hosts: dict[str, Host], new_host: Callable[..., Host], server: Server, guard: Guard
) -> Iterator[Py]:
    """Runs functions in a Pyodide whose page is isolated from other origins, so that it may share memory."""
    key = f"isolated {realm}"
    if key not in hosts:
        hosts[key] = new_host(realm, "/isolated/tests")
    py = Py(hosts[key], server, guard)
    yield py
    try:
        py.check()
    finally:
        if py.host.broken:
            hosts.pop(key).close()


class Button:
    """A worker that requests an interrupt a while after it was told to, whatever blocks this thread then."""

    SOURCE = """onmessage = ({ data: [flags, times, ms] }) => {
        if (!flags) return postMessage("ready");
        setTimeout(() => {
            times[0] = performance.timeOrigin + performance.now();
            flags[0] = 2;
        }, ms);
    }; postMessage("ready");"""

    async def start(self):
        import asyncio

        import js
        import pyodide_js

        make = js.Function.new("type", "n", "return new globalThis[type](new SharedArrayBuffer(n))")
        self.flags, self.times = make("Uint8Array", 1), make("Float64Array", 8)
        self.worker = js.Worker.new(js.URL.createObjectURL(js.Blob.new([self.SOURCE])))
        ready = asyncio.Event()
        self.worker.onmessage = lambda _: ready.set()
        await ready.wait()
        pyodide_js.setInterruptBuffer(self.flags)
        return self

    def press(self, ms):
        import js

        self.worker.postMessage(js.Array.of(self.flags, self.times, ms))

    def ms_since(self):
        import js

        return js.performance.timeOrigin + js.performance.now() - self.times[0]

    def is_pressed(self):
        return self.flags[0] != 0

    def close(self):
        import pyodide_js

        pyodide_js.setInterruptBuffer()
        self.worker.terminate()


def make_calls(loops):
    import js

    swallow = js.Function.new("f", "return () => { try { f() } catch {} }")
    return {
        "loop": loops.spin,
        "callbacks": lambda: loops.call_for_ever(lambda: None),
        "callbacks that mostly are Python": lambda: loops.call_for_ever(lambda: sum(range(10_000))),
        "a loop in a callback": lambda: loops.call(lambda: loops.spin(), 1),
        "getter": lambda: loops.Wheel(False, False).speed,
        "swallowed": lambda: loops.call_for_ever(swallow(lambda: sum(range(10_000)))),
    }


async def stop(build, call, times):
    import math

    import unpanic

    button = await Button().start()
    loops = await unpanic.load(f"/fixtures/loops/pkg/{build}/loops.js", timeout=math.inf)
    run = make_calls(loops)[call]
    late, results = [], []
    for _ in range(times):
        in_flight = loops.wait(10_000)
        try:
            button.press(30)
            run()
        except KeyboardInterrupt:
            late.append(round(button.ms_since(), 2))
        results.append([button.is_pressed(), loops.add(2, 3), loops.count_to(10_000_000) > 0])
        try:
            results[-1].append("pending" if not in_flight.done() else await in_flight)
        except unpanic.CallInterrupted as error:
            results[-1].append(str(error))
        in_flight.cancel()
    button.close()
    status = unpanic.status(loops)
    print(call, build, max(late), late)
    return {"late": late, "results": results, "crashes": dict(status.crashes), "resets": status.resets, "generation": status.generation, "in": status.in_flight}


CALLS = ["loop", "callbacks", "callbacks that mostly are Python", "a loop in a callback", "getter", "swallowed"]


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_stopped(py, build, call):
    answer = py.run(stop, build=build, call=call, times=5)
    print(answer)
    assert 0
