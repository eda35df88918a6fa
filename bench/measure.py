"""Runs inside Pyodide: measures unpanic and its alternatives in alternating rounds."""

import asyncio
import json
import statistics
import time

import unpanic
from pyodide.code import run_js

GLUE = "/fixtures/bank/pkg/abort/bank.js"


def per_call_us(function, times):
    """Returns microseconds per turn; `function` runs as many turns as it is told."""
    began = time.perf_counter()
    function(times)
    return (time.perf_counter() - began) * 1e6 / times


def rounds(subjects, times, count):
    """Measures all subjects in turn, `count` times. Returns a list of microseconds for each name."""
    for function in subjects.values():
        function(times // 4)
    durations = {name: [] for name in subjects}
    for _ in range(count):
        for name, function in subjects.items():
            durations[name].append(per_call_us(function, times))
    return durations


def calls(bank, bare):
    """A call with two numbers: through unpanic, through a held proxy, and through an attribute of a proxy."""
    add, held = bank.add, bare.add

    def through_unpanic(times):
        for _ in range(times):
            add(2, 3)

    def through_module(times):
        for _ in range(times):
            bank.add(2, 3)

    def held_proxy(times):
        for _ in range(times):
            held(2, 3)

    def proxy_attribute(times):
        for _ in range(times):
            bare.add(2, 3)

    return {
        "unpanic, held name": through_unpanic,
        "unpanic, bank.add(...)": through_module,
        "bare proxy, held": held_proxy,
        "bare proxy.add(...)": proxy_attribute,
    }


def other_calls(bank, bare):
    """Calls that convert more than numbers. They have no target."""

    def strings(times):
        for _ in range(times):
            bank.open("ada", 100)

    def bare_strings(times):
        to_big = run_js("BigInt")
        amount = to_big(100)
        for _ in range(times):
            bare.open("ada", amount)

    return {"unpanic, string and i64": strings, "bare proxy, string and i64": bare_strings}


def crashes(bank, throw):
    """A crash with the next good call, and a plain JavaScript exception with the next good call.

    A dead instance leaves a megabyte to the garbage collector, which runs now and then. The mean over a round
    without a pause includes the collector; the median of single turns (`single_turns`) does not.
    """
    transfer, add = bank.transfer, bank.add

    def crash_and_recover(times):
        for _ in range(times):
            try:
                transfer("ada", "bob", 1)
            except unpanic.RustPanic:
                add(2, 3)

    def plain_exception(times):
        for _ in range(times):
            try:
                throw()
            except Exception:
                add(2, 3)

    return {"crash to next good call": crash_and_recover, "JavaScript exception": plain_exception}


async def single_turns(subjects, count):
    """Measures single turns of one subject after the other. The event loop turns in between."""
    durations = {name: [] for name in subjects}
    for _ in range(count):
        for name, function in subjects.items():
            await asyncio.sleep(0.002)
            durations[name].append(per_call_us(function, 1))
    return durations


async def settling(bank, count):
    """Returns microseconds from the call that crashes until all of twenty async calls in flight have ended."""
    durations = []
    for _ in range(count):
        in_flight = [bank.slow(60_000) for _ in range(20)]
        await asyncio.sleep(0.01)
        began = time.perf_counter()
        try:
            bank.transfer("ada", "bob", 1)
        except unpanic.RustPanic:
            await asyncio.gather(*in_flight, return_exceptions=True)
        durations.append((time.perf_counter() - began) * 1e6)
    return durations


def summary(durations):
    return {
        name: {"median": statistics.median(values), "low": min(values), "high": max(values)}
        for name, values in durations.items()
    }


def ratio_of_medians(durations, subject, peer):
    """Returns the ratio of two medians, with the lowest and the highest ratio of a tenth of the turns."""
    count = len(durations[peer]) // 10
    tenths = [
        statistics.median(durations[subject][at : at + count]) / statistics.median(durations[peer][at : at + count])
        for at in range(0, 10 * count, count)
    ]
    overall = statistics.median(durations[subject]) / statistics.median(durations[peer])
    return {"median": overall, "low": min(tenths), "high": max(tenths)}


def ratios(durations, subject, peer):
    """Returns the ratio of two subjects, round by round: a disturbance affects both subjects of a round."""
    values = [mine / theirs for mine, theirs in zip(durations[subject], durations[peer], strict=True)]
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


async def main(scale):
    options = {"restart_budget": 10**9, "panic_hook": lambda _: None}
    bank = await unpanic.load(GLUE, **options)
    spared = await unpanic.load(GLUE, spare=True, **options)
    bare = await run_js(
        f"(async () => {{ const glue = await import('{GLUE}'); await glue.default(); return glue; }})()"
    )
    throw = run_js("() => { throw new Error('plain'); }")
    durations = rounds(calls(bank, bare), int(20_000 * scale), 25)
    more = rounds(other_calls(bank, bare), int(2_000 * scale), 15)
    deaths = rounds(crashes(bank, throw), int(100 * scale), 25)
    with_spare = {"the same with a spare": crashes(spared, throw)["crash to next good call"]}
    singles = await single_turns({**crashes(bank, throw), **with_spare}, int(1_000 * scale))
    settled = {"crash until 20 calls in flight have ended": await settling(bank, int(50 * scale))}
    return json.dumps(
        {
            "times": summary({**durations, **more, **singles, **settled}),
            "ratios": {
                "numeric call / proxy.name(...)": ratios(durations, "unpanic, bank.add(...)", "bare proxy.add(...)"),
                "numeric call / held bare proxy": ratios(durations, "unpanic, held name", "bare proxy, held"),
                "string call / bare": ratios(more, "unpanic, string and i64", "bare proxy, string and i64"),
                "crash to next good call / JavaScript exception": ratio_of_medians(
                    singles, "crash to next good call", "JavaScript exception"
                ),
                "the same with a spare": ratio_of_medians(singles, "the same with a spare", "JavaScript exception"),
                "the same in a row without a pause": ratios(deaths, "crash to next good call", "JavaScript exception"),
            },
        }
    )
