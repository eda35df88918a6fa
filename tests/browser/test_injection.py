"""An exception at any line that handles a crash does not stop the recovery (rule 8): in a browser, with real instances.

`tests/unit/_recovery/test_injection.py` has more scenarios, and says how it works.
"""

import pytest

from tests.browser.builds import BUILDS, caught, load
from tests.places import builds

STATE = 2


class Stop(BaseException):
    """Stands for `KeyboardInterrupt`, which would end the event loop; the loop only reports this one."""


class Injection:
    """Raises an exception at one line of unpanic, which is known by its number among all lines that run."""

    def __init__(self, kind, at):
        import pathlib

        import unpanic

        self.sources = str(pathlib.Path(unpanic.__file__).parent)
        self.kind = kind
        self.at = at
        self.lines = 0
        self.place = ""

    def __enter__(self):
        from sys import monitoring

        # Unlike a trace function, it also notices calls from JavaScript.
        monitoring.use_tool_id(monitoring.DEBUGGER_ID, "injection")
        monitoring.register_callback(monitoring.DEBUGGER_ID, monitoring.events.LINE, self.line)
        monitoring.set_events(monitoring.DEBUGGER_ID, monitoring.events.LINE)
        return self

    def __exit__(self, *_):
        from sys import monitoring

        monitoring.set_events(monitoring.DEBUGGER_ID, 0)
        monitoring.free_tool_id(monitoring.DEBUGGER_ID)

    def line(self, code, line):
        from sys import monitoring

        if not code.co_filename.startswith(self.sources):
            return monitoring.DISABLE
        self.lines += 1
        if self.lines == self.at:
            self.place = f"{code.co_filename}:{line}"
            raise self.kind("injected")
        return None


async def with_state(build, **options):
    """Returns a module in which two callbacks of `on_reset` count."""
    import unpanic

    faults = await load(build, panic_hook=lambda _: None, **options)
    for _ in range(STATE):
        unpanic.on_reset(faults, lambda module, _crash: module.bump())
        faults.bump()
    return faults


def problems(faults, futures):
    """Returns the rules that do not hold after an injection."""
    import unpanic

    state = faults.bump()
    status = unpanic.status(faults)
    if status.phase != "ready" or state != STATE + 1:
        yield f"{status.phase}, state {state}"
    if status.in_flight or not all(future.done() for future in futures):
        yield f"{status.in_flight} in flight: {futures}"
    unpanic.reset(faults)


async def inject_into_a_call(build, kinds):
    """A call crashes while two others are in flight. Each line that Python then runs raises once."""
    import asyncio
    import builtins

    faults = await with_state(build)
    crash = faults.trap_unreachable if build == "unwind" else faults.panic_message
    failed, lines, at = [], 1, 0
    while at <= lines:
        kind = getattr(builtins, kinds[at % len(kinds)])
        futures = [asyncio.ensure_future(faults.never()) for _ in range(2)]
        tasks = [asyncio.create_task(settled(future)) for future in futures]
        await asyncio.sleep(0)
        with Injection(kind, at) as injection:
            error = caught(crash)
        wanted = ("Trap", "RustPanic") if issubclass(kind, Exception) or not injection.place else ()
        if type(error).__name__ not in (kind.__name__, *wanted):
            failed.append(f"{injection.place}: {error!r}")
        failed += [f"{injection.place}: {problem}" for problem in problems(faults, futures)]
        await asyncio.wait_for(asyncio.gather(*tasks), 10)
        if at == 0:
            lines = injection.lines
        at += 1
    return lines, failed


async def settled(future):
    try:
        await future
    except BaseException as error:
        return error


@pytest.mark.parametrize("kinds", [["KeyboardInterrupt"], ["RecursionError", "MemoryError", "ValueError"]])
@builds("unwind", long=["native", "abort", "reset"])
def test_an_exception_at_any_line_of_a_crash_is_survived(py, build, kinds):
    """The exception arrives, all calls in flight have settled, and the next call works on a filled generation."""
    lines, failed = py.run(inject_into_a_call, build=build, kinds=kinds, timeout=120)
    assert failed == []
    assert lines > 100


async def inject_into_failing_calls():
    """A panic unwinds, and Rust returns an `Err`. Each line that handles them in the living generation raises once."""
    faults = await with_state("unwind")
    failed, counts = [], {}
    for name, expected in (("panic_message", "RustPanic"), ("err_string", "RustError")):
        lines, at = 1, 0
        while at <= lines:
            with Injection(ValueError, at) as injection:
                error = caught(getattr(faults, name))
            if type(error).__name__ != expected:
                failed.append(f"{injection.place}: {error!r}")
            failed += [f"{injection.place}: {problem}" for problem in problems(faults, [])]
            if at == 0:
                lines = counts[name] = injection.lines
            at += 1
    return counts, failed


def test_an_exception_at_any_line_of_a_failing_call_is_survived(py):
    """The runtime calls the handler again, so the caller gets the panic or the `Err` itself."""
    counts, failed = py.run(inject_into_failing_calls, timeout=120)
    assert failed == []
    assert counts["panic_message"] > 40
    assert counts["err_string"] > 10


async def inject_into_a_task(build):
    """A task without a caller crashes while a call is in flight."""
    import asyncio

    loop = asyncio.get_running_loop()
    before, reported = loop.get_exception_handler(), []
    loop.set_exception_handler(lambda _, context: reported.append(context.get("exception")))
    failed, lines, at = [], 1, 0
    faults = await with_state(build, restart_budget=100_000)
    try:
        while at <= lines:
            future = asyncio.ensure_future(faults.never())
            waiting = asyncio.create_task(settled(future))
            faults.spawn_panics(0)
            with Injection(Stop, at) as injection:
                await asyncio.wait_for(waiting, 10)
                await asyncio.sleep(0.005)
            failed += [f"{injection.place}: {problem}" for problem in problems(faults, [future])]
            if at == 0:
                lines = injection.lines
            at += 1
    finally:
        loop.set_exception_handler(before)
    return lines, failed, sorted({type(error).__name__ for error in reported})


@builds("abort", long=["reset", "native"])
def test_an_exception_in_the_handling_of_a_task_is_survived(py, build):
    """Without a caller, the exception arrives in the event loop, and the loop's next turn recovers."""
    lines, failed, reported = py.run(inject_into_a_task, build=build, timeout=120)
    assert failed == []
    assert lines > 100
    assert reported == ["Stop"]


async def near_the_limit(build):
    import asyncio

    faults = await with_state(build)

    def descend(depth, function):
        return function() if depth == 0 else descend(depth - 1, function)

    deepest = 0
    while not caught(descend, deepest, int):
        deepest += 1
    kinds, failed = set(), []
    for margin in range(31):
        futures = [asyncio.ensure_future(faults.never()) for _ in range(2)]
        error = caught(descend, deepest - 1 - margin, faults.trap_unreachable)
        kinds.add(type(error).__name__)
        failed += [f"{margin} frames below: {problem}" for problem in problems(faults, futures)]
        await asyncio.gather(*futures, return_exceptions=True)
    return sorted(kinds), failed


@pytest.mark.parametrize("build", BUILDS)
def test_a_crash_near_the_recursion_limit_is_survived(py, build):
    """From thirty frames below the limit up to the limit, the call raises one of the two, and the next call works."""
    kinds, failed = py.run(near_the_limit, build=build)
    assert failed == []
    assert kinds == ["RecursionError", "Trap"]


async def failing_filter(build, kind):
    import builtins
    import logging

    faults = await with_state(build)

    def refuse(_record):
        raise getattr(builtins, kind)("filter")

    logger = logging.getLogger("unpanic")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addFilter(refuse)
    try:
        error = caught(faults.trap_unreachable)
    finally:
        logger.removeFilter(refuse)
        logger.setLevel(level)
    context = error.__context__
    return type(error).__name__, getattr(error, "__notes__", []), type(context).__name__, list(problems(faults, []))


@pytest.mark.parametrize("build", BUILDS)
def test_a_logging_filter_that_raises(py, build):
    """The crash gets a note. An exception that ends programs reaches the caller, with the crash as its context."""
    name, notes, _, failed = py.run(failing_filter, build=build, kind="ValueError")
    assert (name, failed) == ("Trap", [])
    assert set(notes) == {"while it was handled: ValueError('filter')"}
    name, _, context, failed = py.run(failing_filter, build=build, kind="KeyboardInterrupt")
    assert (name, context, failed) == ("KeyboardInterrupt", "Trap", [])
