"""Runs inside Pyodide: what it costs that calls can be stopped, against unchanged modules, in interleaved rounds."""

import json
import math
import statistics
import time

import unpanic
from pyodide.code import run_js

from bench.work import SUBJECTS, compare, rewriting

BANK = "/fixtures/bank/pkg/abort/bank.js"


REPEAT = """(add, times) => {
    const began = performance.now();
    for (let call = 0; call < times; call++) add(2, 3);
    return ((performance.now() - began) * 1e6) / times;
}"""


async def calls(times):
    """Nanoseconds that a call with two ints takes, and how many more into the module that can be stopped.

    JavaScript makes the calls, through the function that Python calls: what Python takes would hide the difference.
    """
    repeat = run_js(REPEAT)
    plain = (await unpanic.load(BANK)).add.func
    stoppable = (await unpanic.load(BANK, timeout=math.inf)).add.func

    def per_call_ns(function, times):
        return repeat(function, times)

    for function in (plain, stoppable):
        per_call_ns(function, times)
    before, dearer = [], []
    for number in range(41):
        pair = [plain, stoppable] if number % 2 else [stoppable, plain]
        taken = [per_call_ns(function, times) for function in pair]
        one, other = taken if number % 2 else reversed(taken)
        before.append(one)
        dearer.append(other - one)
    quarters = statistics.quantiles(dearer)
    fastest = min(one + more for one, more in zip(before, dearer, strict=True)) - min(before)
    return {
        "ns": statistics.median(before),
        "median": quarters[1],
        "low": quarters[0],
        "high": quarters[2],
        "fastest": fastest,
    }


LOOPS = "/fixtures/loops/pkg/abort/loops.js"
STOPS = 50
ENDLESS = {
    "loop": lambda loops: loops.spin(),
    "loops in a loop": lambda loops: loops.nested(),
    "recursion": lambda loops: loops.fibonacci(80),
    "iterator": lambda loops: loops.iterate(),
    "calls of a JavaScript function": lambda loops: loops.call_for_ever(run_js("() => Math.random()")),
    "calls of a slow one": lambda loops: loops.call_for_ever(run_js("() => JSON.stringify(new Array(2000).fill(7))")),
}


async def lateness():
    """How many milliseconds after its deadline a call raises, for the caller: the recovery counts with it."""
    result = {}
    for name, spin in ENDLESS.items():
        loops = await unpanic.load(LOOPS, timeout=math.inf)
        late = []
        for number in range(STOPS):
            # The module comes from cheap work, for which it looks at the clock rarely.
            loops.count_to(3_000_000)
            seconds = 0.02 + 0.001 * (number % 20)
            began = time.perf_counter()
            try:
                with unpanic.deadline(seconds):
                    spin(loops)
            except unpanic.CallTimeout:
                late.append((time.perf_counter() - began - seconds) * 1000)
        unpanic.unload(loops)
        deciles = statistics.quantiles(late, n=10)
        result[name] = {"median": deciles[4], "high": deciles[8], "most": max(late), "stops": len(late)}
    return result


async def main(scale):
    return json.dumps(
        {
            "calls": await calls(int(200_000 * scale)),
            "lateness": await lateness(),
            "rewriting": await rewriting(SUBJECTS, 1),
            "work": {name: await compare(*subject, {}, {"timeout": math.inf}) for name, subject in SUBJECTS.items()},
        }
    )
