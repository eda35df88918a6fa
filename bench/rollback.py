"""Runs inside Pyodide: what it costs that calls can be rolled back, against modules that are reset instead."""

import asyncio
import json
import statistics
import time

import unpanic
from pyodide.code import run_js
from pyodide.http import pyfetch

from bench.failing import BANK, crashes, flat, spread, touching
from bench.work import SUBJECTS, compare, never_seen, order, oxigraph, ratio, rewriting, seconds_of, sqlparser, unload

VALUES = "/fixtures/values/pkg/abort/values.js"
OXIGRAPH = ("/compat/oxigraph/web.js", "/compat/oxigraph/web_bg.wasm")
PLAIN = {"recovery": "reset"}
TRACKED = {"recovery": "rollback"}
ROUNDS = 41
LONG_ROUNDS = 41
LONG_WARM_SECONDS = 3
PAUSE_SECONDS = 0.002

PACKAGES = {
    **{name: subject for name, subject in SUBJECTS.items() if "resvg" not in name},
    "query (oxigraph)": (*OXIGRAPH, oxigraph),
}

# What is called has calls of over 1 ms.
LONG = {
    **{name: subject for name, subject in SUBJECTS.items() if "sqlparser" not in name and "css-inline" not in name},
    "format (sqlparser-ts)": (*SUBJECTS["format (sqlparser-ts)"][:2], lambda module: sqlparser(module, 1_500)),
    "query (oxigraph)": (*OXIGRAPH, oxigraph),
}

MEMORIES = {
    "`oxigraph`": (*OXIGRAPH, oxigraph),
    "`@astral-sh/ruff-wasm-web`": SUBJECTS["lint (ruff-wasm-web)"],
    "the smallest module": (BANK, BANK.replace(".js", "_bg.wasm"), lambda bank: bank.open("bob", 5)),
}

REPEAT = """(call, times) => {
    const began = performance.now();
    for (let turn = 0; turn < times; turn++) call();
    return ((performance.now() - began) * 1e6) / times;
}"""


def per_call_ns(call, times):
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) * 1e9 / times


async def calls(times):
    """How many nanoseconds a call that writes little is dearer, by what it does.

    JavaScript makes the calls with numbers, through the function that Python calls; Python makes the others.
    """
    repeat = run_js(REPEAT)
    banks = [await unpanic.load(BANK, **options) for options in (PLAIN, TRACKED)]
    for bank in banks:
        bank.open("bob", 5)
    ways = {
        "two ints, writes nothing": ([run_js("add => () => add(2, 3)")(bank.add.func) for bank in banks], repeat),
        "writes one number": ([bank.count.func for bank in banks], repeat),
        "a string and an int": ([lambda bank=bank: bank.deposit("bob", 1) for bank in banks], per_call_ns),
        "a string, returns an int": ([lambda bank=bank: bank.balance_of("bob") for bank in banks], per_call_ns),
    }
    result = {}
    for name, (pair, measure) in ways.items():
        for call in pair:
            measure(call, times)
        plain, dearer = [], []
        for number in range(ROUNDS):
            taken = {which: measure(pair[which], times) for which in order(number)}
            plain.append(taken[0])
            dearer.append(taken[1] - taken[0])
        result[name] = {"ns": statistics.median(plain), **spread(dearer)}
    return result


async def awaits(times):
    """How many microseconds an `await` of a Rust future that waits for a settled promise is dearer."""
    modules = [await unpanic.load(VALUES, **options) for options in (PLAIN, TRACKED)]

    async def settled():
        return 1

    async def per_await_us(module):
        began = time.perf_counter()
        for _ in range(times):
            await module.wait_for(settled())
        return (time.perf_counter() - began) * 1e6 / times

    plain, dearer = [], []
    for number in range(ROUNDS):
        taken = {which: await per_await_us(modules[which]) for which in order(number)}
        plain.append(taken[0])
        dearer.append(taken[1] - taken[0])
    return {"us": statistics.median(plain), **spread(dearer)}


async def memory(glue, wasm, work):
    """How many bytes of memory a module has, and how many with what rollback needs."""
    content = await (await pyfetch(wasm)).bytes()
    statuses = []
    for options in (PLAIN, TRACKED):
        module = await unpanic.load(glue, wasm=never_seen(content), **options)
        work(module)
        statuses.append(unpanic.status(module))
        unpanic.unload(module)
    own, tracked = statuses
    return {
        "own_bytes": own.memory_bytes,
        "memory_bytes": tracked.memory_bytes,
        "shadow_bytes": tracked.shadow_bytes,
    }


async def long_calls(glue, wasm, work):
    """The ratios of calls that take over 1 ms, once it is known that they do, and how often they ran.

    One after the other without a pause; and with a pause after each, in which the memory can be copied.
    """
    content = await (await pyfetch(wasm)).bytes()
    modules = [await unpanic.load(glue, wasm=never_seen(content), **options) for options in (PLAIN, TRACKED)]
    result = {}
    for name, pause in (("in a row", 0), ("with pauses", PAUSE_SECONDS)):
        until = time.perf_counter() + LONG_WARM_SECONDS
        while time.perf_counter() < until:
            for module in modules:
                work(module)
                await asyncio.sleep(pause)
        taken = [[], []]
        for number in range(LONG_ROUNDS):
            for which in order(number):
                # The first one of some in a row finds what another module has left in the caches.
                for _ in range(3):
                    seconds = seconds_of(work, modules[which])
                    if pause:
                        await asyncio.sleep(pause)
                taken[which].append(seconds)
        result[name] = ratio(*taken)
        result["ms"] = statistics.median(taken[0]) * 1000
    result["megabytes"] = unpanic.status(modules[1]).shadow_bytes / 1e6
    unload(modules)
    return result


async def main(scale):
    return json.dumps(
        {
            "calls": await calls(int(10_000 * scale)),
            "awaits": await awaits(max(10, int(100 * scale))),
            "crashes": await crashes(max(3, int(40 * scale))),
            "touching": await touching(),
            "flat": await flat(10_000),
            "memory": {name: await memory(*subject) for name, subject in MEMORIES.items()},
            "rewriting": await rewriting(PACKAGES, 2),
            "rewriting for both": await rewriting(PACKAGES, 3),
            "long": {name: await long_calls(*subject) for name, subject in LONG.items()},
            "work": {name: await compare(*subject, PLAIN, TRACKED) for name, subject in PACKAGES.items()},
        }
    )
