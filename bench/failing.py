"""Runs inside Pyodide: what a failed call costs where it is rolled back, and whether memory stays flat."""

import asyncio
import gc
import statistics
import time

import pyodide_js
import unpanic
from pyodide.code import run_js

BANK = "/fixtures/bank/pkg/abort/bank.js"
UNDO = "/fixtures/undo/pkg/abort/undo.js"
OPTIONS = {"restart_budget": 10**9, "panic_hook": lambda _: None}
IN_A_ROW = 10
PAGE = 4096
# So many pages a failed call has written to.
TOUCHED = (4, 64, 256, 1024)
TIMES_EACH = 60
# What a call with a text writes of it: the argument, and Rust's own copy.
COPIES = 2


def spread(values):
    low, median, high = statistics.quantiles(values)
    return {"median": median, "low": low, "high": high}


def check(module):
    status = unpanic.status(module)
    if status.resets or not status.rollbacks:
        raise AssertionError(f"{status.resets} resets and {status.rollbacks} rollbacks")


async def crashes(count):
    """Microseconds from a call that panics to the end of the next good one, and the same for other ways to fail."""
    banks = {name: await unpanic.load(BANK, **OPTIONS, recovery=name) for name in ("rollback", "reset")}
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
    check(banks["rollback"])
    return {name: spread(values) for name, values in taken.items()}


async def touching():
    """Microseconds from a panic to the end of the next good call, by how many pages the failed call had written to."""
    undo = await unpanic.load(UNDO, **OPTIONS, recovery="rollback")
    item = undo.Item("a")
    texts = {pages: "x" * (pages * PAGE // COPIES) for pages in TOUCHED}
    # The memory has grown before.
    for _ in range(3):
        item.name = texts[max(TOUCHED)]
    taken = {pages: [] for pages in TOUCHED}
    for turn in range(TIMES_EACH):
        for pages, text in texts.items():
            # The first one of some in a row finds what another number of pages has left in the caches.
            for _ in range(3):
                us = panic_after_writing(undo, item, text)
            if turn >= TIMES_EACH // 6:
                taken[pages].append(us)
        await asyncio.sleep(0)
    check(undo)
    return {str(pages): spread(values) for pages, values in taken.items()}


def panic_after_writing(undo, item, text):
    """A call whose callback writes, and that panics right after it."""
    began = 0.0

    def write():
        nonlocal began
        item.name = text
        began = time.perf_counter()

    try:
        undo.call_and_fail(write)
    except unpanic.RustPanic:
        undo.count()
    return (time.perf_counter() - began) * 1e6


async def flat(count):
    """What is there after a tenth of so many panics in a row, and after all of them."""
    bank = await unpanic.load(BANK, **OPTIONS, recovery="rollback")
    bank.open("ada", 5)
    bank.open("bob", 5)
    sizes = []
    for number in range(1, count + 1):
        try:
            bank.transfer("ada", "bob", 1_000)
        except unpanic.RustPanic:
            bank.add(2, 3)
        if number in (count // 10, count):
            sizes.append(await size_of(bank))
    check(bank)
    return {"count": count, "early": sizes[0], "late": sizes[1]}


async def size_of(module):
    for _ in range(3):
        await asyncio.sleep(0.1)
        gc.collect()
        run_js("gc()")
    status = unpanic.status(module)
    return {
        "rust_bytes": status.memory_bytes + status.shadow_bytes,
        "python_bytes": pyodide_js._module.HEAP8.length,
        "python_objects": len(gc.get_objects()),
        "javascript_bytes": run_js("performance.memory?.usedJSHeapSize ?? 0"),
    }
