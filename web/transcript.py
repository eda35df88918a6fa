"""Rust crashes in the browser, and Python goes on.

This file runs in Pyodide. To use it elsewhere, remove `Narrated(...)` and every use of `page`: they only
show on the page what the rest does.
"""

import asyncio
import json
import re
import sys
import textwrap
import time

import page  # transcript.js: shows lines on the page
import pyodide
import unpanic

# Long enough to be in flight when the panic comes, also on a busy machine.
SLOW_CALLS = [1_000, 1_100, 1_200, 1_300, 1_400]
ROUNDS = 3
# Seconds that one call may compute.
TIMEOUT = 1
GOOD_QUERY = "from employees | take 3"
DEEP_QUERY = "from employees | derive x = " + "(" * 300 + "1" + ")" * 300

problems = []


async def main(bank_url, prql_url, loops_url):
    """Runs everything. Returns True if every check passed."""
    problems.clear()
    page.line("note", f"unpanic {unpanic.__version__}, Pyodide {pyodide.__version__}, Python {sys.version.split()[0]}")
    bank = await panic_in_a_transfer(bank_url)
    prql = await package_from_npm(prql_url)
    loops = await endless_loop(loops_url)
    await leave_time_for_late_errors()
    return summary(bank, prql, loops)


async def panic_in_a_transfer(url):
    """Crashes the bank: it has accounts in a table inside Rust, and async calls that wait."""
    page.line("title", "1. A Rust panic in the middle of a transfer, with five async calls in flight")
    panics = []
    bank = await load(url, panic_hook=panics.append)
    bank.module.open("ada", 100)
    bank.module.open("bob", 20)
    page.line("note", "The accounts are open: ada has 100, bob has 20.")

    bank.transfer("ada", "bob", 30)
    check(bank.balance_of("bob") == 50, "bob has 50")
    in_flight = [bank.slow(milliseconds) for milliseconds in SLOW_CALLS]
    await asyncio.sleep(0.02)
    check(unpanic.status(bank.module).in_flight == 5, "five calls are in flight")

    try:
        bank.transfer("ada", "bob", 10_000)
    except unpanic.RustPanic as panic:
        check(panic.message == "insufficient funds", "the panic has its message")
        check(panic.location.file.endswith("lib.rs"), "the panic has its file and line")
        check(panics == [panic], "the panic hook heard of it")
    else:
        check(False, "the transfer panicked")
    failing = bank.milliseconds

    rolled_back(bank)
    check(bank.add(2, 3) == 5, "2 + 3 is 5 after the panic")
    compare(failing, bank.milliseconds)
    check(bank.balance_of("ada") == 70, "ada has what she had before the failed transfer")
    check(bank.balance_of("bob") == 50, "bob has what he had before it, too")
    page.line("note", "Rust had taken 10,000 from ada when it panicked. That is undone, and the first transfer stays.")

    ends = await asyncio.gather(*in_flight, return_exceptions=True)
    check(ends == SLOW_CALLS, "all five calls went on, and returned")
    return bank


async def package_from_npm(url):
    """Crashes a compiler from PRQL to SQL, as its authors published it: it knows nothing of unpanic."""
    page.line("title", "2. A package from npm, unmodified: prql-js dies of 300 nested parentheses")
    prql = await load(url)
    sql = prql.compile(GOOD_QUERY)
    check("SELECT" in sql and "LIMIT" in sql, "the good query gives SQL")

    for _ in range(ROUNDS):
        try:
            prql.compile(DEEP_QUERY)
        except unpanic.Crash as crash:
            check(crash.kind == "stack_overflow", "the deep query overflows the stack")
        else:
            check(False, "the deep query crashed")
        failing = prql.milliseconds
        rolled_back(prql)
        check(prql.compile(GOOD_QUERY) == sql, "the good query gives the same SQL again")
        compare(failing, prql.milliseconds)
    return prql


async def endless_loop(url):
    """Stops a call that would compute for ever, and with it freeze the page for ever."""
    page.line("title", "3. An endless loop in Rust: a timeout ends the call")
    loops = await load(url, timeout=TIMEOUT)
    try:
        loops.spin()
    except unpanic.CallTimeout as timeout:
        check(timeout.kind == "timeout", "the endless loop timed out")
        check(loops.milliseconds >= TIMEOUT * 1000, "the endless loop had all its time")
    else:
        check(False, "the endless loop was stopped")
    rolled_back(loops)
    check(loops.add(2, 3) == 5, "2 + 3 is 5 after the timeout")
    return loops


async def leave_time_for_late_errors():
    """Waits a moment for errors that come late: there must be none."""
    await asyncio.sleep(0.1)
    for error in page.uncaught():
        check(False, f"no error is left uncaught ({error})")


def summary(*modules):
    """Shows the totals. Returns True if every check passed."""
    page.line("title", "Summary")
    states = [unpanic.status(narrated.module) for narrated in modules]
    for state in states:
        kinds = ", ".join(f"{kind.replace('_', ' ')}: {count}" for kind, count in state.crashes.items())
        page.line(
            "note",
            f"{state.name}: {kinds}; still in generation {state.generation}, {state.in_flight} calls in flight; "
            f"rolled back in {rollback_time(state)} (median)",
        )
    crashes = sum(sum(state.crashes.values()) for state in states)
    check(crashes == 1 + ROUNDS + 1, f"there were {1 + ROUNDS + 1} crashes")
    check(not any(state.in_flight for state in states), "no call is left in flight")
    if problems:
        page.line("problem", f"Checks that failed, see above: {len(problems)}.")
    else:
        page.line("good", f"{crashes} crashes survived. Same page, same Python, no error left uncaught.")
    return not problems


# The functions below only show on the page what happens.


class Narrated:
    """A Rust module whose calls are shown on the page, each with its outcome."""

    def __init__(self, module):
        self.module = module
        self.milliseconds = 0.0  # the duration of the last call, without the time to show it
        self.crashed = 0.0  # the time of the last crash

    def __getattr__(self, name):
        function = getattr(self.module, name)
        return lambda *arguments: self._call(name, function, arguments)

    def _call(self, name, function, arguments):
        shown = f"{self.module.__name__}.{name}({', '.join(map(literal, arguments))})"
        generation = unpanic.status(self.module).generation
        began = time.perf_counter()
        try:
            result = function(*arguments)
        except unpanic.UnpanicError as error:
            self.crashed = time.perf_counter()
            self.milliseconds = (self.crashed - began) * 1000
            self._show(generation, "crash", shown, explain(error))
            raise
        self.milliseconds = (time.perf_counter() - began) * 1000
        if isinstance(result, asyncio.Future):
            self._show(generation, "call", f"{shown} has begun")
            return asyncio.ensure_future(self._wait(result, generation, shown, began))
        self._show(generation, "call", shown, f"->  {literal(result)}")
        return result

    async def _wait(self, result, generation, shown, began):
        try:
            value = await result
        except unpanic.CallInterrupted:
            self._show(generation, "interrupted", shown, f"->  CallInterrupted {since(self.crashed)} after the crash")
            raise
        self._show(generation, "call", shown, f"->  {literal(value)} after {since(began)}")
        return value

    def _show(self, generation, kind, *cells):
        page.line(kind, f"[generation {generation}]", *cells)
        show_status(self.module)


async def load(url, **options):
    """Loads a Rust module, and shows that."""
    began = time.perf_counter()
    module = await unpanic.load(url, **options)
    shown = [literal(url), *(f"{name}={value}" for name, value in options.items() if not callable(value))]
    page.line("call", f"await unpanic.load({', '.join(shown)})", f"->  module {module.__name__} after {since(began)}")
    show_status(module)
    return Narrated(module)


def rolled_back(narrated):
    """Checks that the module goes on in the same generation, and shows that."""
    state = unpanic.status(narrated.module)
    check(state.phase == "ready", f"{state.name} is ready again")
    check(state.rollbacks == sum(state.crashes.values()) and not state.resets, "each call that crashed was rolled back")
    if not state.rollbacks:
        return  # nothing crashed, as the caller has noted
    median = "" if state.rollbacks == 1 else f" (median of {state.rollbacks})"
    page.line("recovered", f"rolled back in {rollback_time(state)}{median}: still generation {state.generation}")


def rollback_time(state):
    """Returns the time to roll a call back: the median so far. A page's clock has steps of 0.1 ms."""
    took = state.timings.get("recovery")
    if took is None:
        return "no time at all"
    return f"{took:.1f} ms" if took >= 0.1 else "less than 0.1 ms"


def compare(failing, good):
    """Shows the cost of a crash to its caller. The measurement leaves out the time to show the two calls."""
    page.line("note", f"The crashed call took {failing:.1f} ms, rollback included; the next good one {good:.1f} ms.")


def check(holds, what):
    """Notes an expectation that does not hold."""
    if not holds:
        problems.append(what)
        page.line("problem", f"NOT AS IT SHOULD BE. Expected: {what}.")


def explain(error):
    """Returns an exception in one line, with its place in the Rust source if it has one."""
    if isinstance(error, unpanic.RustPanic):
        return f"->  RustPanic: {error.message} ({error.location})"
    if isinstance(error, unpanic.Crash):
        return f"->  {type(error).__name__}: {error.message} (not a panic: no file and line)"
    return f"->  {type(error).__name__}: {error}"


def literal(value):
    """Returns a value as Python source, cut to a line."""
    if isinstance(value, str):
        line = re.sub(r"(\S)\1{9,}", lambda run: f"{run[1]}[{len(run[0])} times]", value)
        return json.dumps(textwrap.shorten(line, 64, placeholder=" …"), ensure_ascii=False)
    return f"{value:_}" if type(value) is int else repr(value)


def since(began):
    """Returns the time from `began` to now."""
    return f"{(time.perf_counter() - began) * 1000:.0f} ms"


def show_status(module):
    """Updates the row of the module in the table."""
    state = unpanic.status(module)
    page.status(state.name, state.generation, sum(state.crashes.values()), state.in_flight)
