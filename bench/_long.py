"""Runs inside Pyodide: what it costs that calls can be rolled back, against modules that are reset instead."""

import asyncio
import json
import statistics
import time

import unpanic
from pyodide.code import run_js
from pyodide.http import pyfetch

from bench.work import SUBJECTS, compare, never_seen, oxigraph, ratio, rewriting, seconds_of, sqlparser

BANK = "/fixtures/bank/pkg/abort/bank.js"
OXIGRAPH = ("/compat/oxigraph/web.js", "/compat/oxigraph/web_bg.wasm")
PLAIN = {"recovery": "reset"}
TRACKED = {"recovery": "rollback"}
LOADS = 7
ROUNDS = 41
IN_A_ROW = 10
LONG_ROUNDS = 61
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

REPEAT = """(call, times) => {
    const began = performance.now();
    for (let turn = 0; turn < times; turn++) call();
    return ((performance.now() - began) * 1e6) / times;
}"""


def spread(values):
    low, median, high = statistics.quantiles(values)
    return {"median": median, "low": low, "high": high}


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
            order = (0, 1) if number % 2 else (1, 0)
            taken = {which: measure(pair[which], times) for which in order}
            plain.append(taken[0])
            dearer.append(taken[1] - taken[0])
        result[name] = {"ns": statistics.median(plain), **spread(dearer)}
    return result


async def crashes(count):
    """Microseconds from a call that panics to the end of the next good one, and the same for other ways to fail."""
    options = {"restart_budget": 10**9, "panic_hook": lambda _: None}
    banks = {name: await unpanic.load(BANK, **options, recovery=name) for name in ("rollback", "reset")}
    throw = run_js("() => { throw new Error('plain'); }")
    for bank in banks.values():
        bank.open("ada", 5)
        bank.open("bob", 5)
    ways = {
        **{
            f"a panic, {name}": (lambda bank=bank: bank.transfer("ada", "bob", 1_000), bank.add)
            for name, bank in banks.items()
        },
        "an Err": (lambda: banks["rollback"].balance_of("nobody"), banks["rollback"].add),
        "a JavaScript exception": (throw, banks["rollback"].add),
    }
    taken = {name: [] for name in ways}
    for _ in range(count):
        for name, (fail, add) in ways.items():
            # A few in a row: what a reset leaves to the garbage collector would disturb the one that follows it.
            for turn in range(IN_A_ROW):
                began = time.perf_counter()
                try:
                    fail()
                except Exception:
                    add(2, 3)
                if turn:
                    taken[name].append((time.perf_counter() - began) * 1e6)
    result = {name: spread(values) for name, values in taken.items()}
    status = unpanic.status(banks["rollback"])
    if status.resets or not status.rollbacks:
        raise AssertionError(f"{status.resets} resets and {status.rollbacks} rollbacks")
    return result


async def loading():
    """Milliseconds to load a package of 4 MB that the engine has never seen, and how much memory it then has."""
    glue, wasm = OXIGRAPH
    content = await (await pyfetch(wasm)).bytes()
    ratios, plain = [], []
    both = [("plain", PLAIN), ("tracked", TRACKED)]
    for number in range(LOADS):
        taken = {}
        for name, options in both if number % 2 else both[::-1]:
            began = time.perf_counter()
            module = await unpanic.load(glue, wasm=never_seen(content), **options)
            taken[name] = time.perf_counter() - began
            oxigraph(module)
            status = unpanic.status(module)
            if name == "tracked":
                tracked = status
            else:
                own = status
            unpanic.unload(module)
        plain.append(taken["plain"] * 1000)
        ratios.append(taken["tracked"] / taken["plain"])
    return {
        "megabytes": len(content) / 1e6,
        "ms": statistics.median(plain),
        "ratio": spread(ratios),
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
            for which in (0, 1) if number % 2 else (1, 0):
                # The first one of some in a row finds what another module has left in the caches.
                for _ in range(3):
                    seconds = seconds_of(work, modules[which])
                    if pause:
                        await asyncio.sleep(pause)
                taken[which].append(seconds)
        result[name] = ratio(*taken)
        result["ms"] = statistics.median(taken[0]) * 1000
    result["megabytes"] = unpanic.status(modules[1]).shadow_bytes / 1e6
    for module in modules:
        unpanic.unload(module)
    return result


async def main(scale):
    return json.dumps({"long": {name: await long_calls(*subject) for name, subject in LONG.items()}})
