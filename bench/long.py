"""Runs inside Pyodide: what it costs long calls that they can be rolled back, once it is known that they are long."""

import asyncio
import json
import statistics
import time

import js
import unpanic

from bench.rollback import OXIGRAPH, PACKAGES, PLAIN, TRACKED
from bench.work import SUBJECTS, ratio, seconds_of

ROUNDS = 31
ONLY = ""


async def long(glue, wasm, work):
    modules = {}
    for name, options in (("plain", PLAIN), ("tracked", TRACKED), ("learned", TRACKED)):
        js.globalThis.noPlain = name == "tracked"
        modules[name] = await unpanic.load(glue, wasm=wasm, **options)
    until = time.perf_counter() + 3
    while time.perf_counter() < until:
        for module in modules.values():
            work(module)
        await asyncio.sleep(0)
    times = max(1, round(0.003 / seconds_of(work, modules["plain"])))
    taken = {name: [] for name in modules}
    rounds = max(41, round(4 / (times * seconds_of(work, modules['plain'])) / 3))
    for number in range(rounds):
        for name in list(modules)[:: 1 if number % 2 else -1]:
            began = time.perf_counter()
            for _ in range(times):
                work(modules[name])
            taken[name].append((time.perf_counter() - began) / times)
    status = unpanic.status(modules["learned"])
    for module in modules.values():
        unpanic.unload(module)
    return {
        "ms": statistics.median(taken["plain"]) * 1000,
        "tracked": ratio(taken["plain"], taken["tracked"]),
        "learned": ratio(taken["plain"], taken["learned"]),
        "mb": status.memory_bytes / 1e6,
        "used": str(js.globalThis.plainSaid),
    }


async def main(scale):
    everything = {n: s for n, s in {**SUBJECTS, **PACKAGES}.items() if ONLY in n}
    return json.dumps({"long": {name: await long(*subject) for name, subject in everything.items()}})
