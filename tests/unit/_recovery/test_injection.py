"""Whatever is raised at whatever line while a crash is handled, the module recovers (rule 8).

As a database is tested by making each allocation fail once, each line of unpanic that runs in a scenario raises once,
in a run of its own: what a stop button, a recursion limit, a full memory or a log handler would do there.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from unpanic import CallInterrupted, ModuleTerminated, RustError, RustPanic, StaleObjectError
from unpanic._exports import registry

from tests.unit.fakes import PANIC, FakeDriver, function, make_module, raised

SOURCES = str(Path(sys.modules["unpanic"].__file__ or "").parent)
# What settles a future calls this, and a stop button mostly hits there: so much of the time is spent in it.
SCHEDULING = ("call_soon", "_call_soon")


class Stop(BaseException):
    """What the event loop reports, where it would end at a `KeyboardInterrupt`."""


KINDS: dict[str, list[type[BaseException]]] = {
    "an end": [KeyboardInterrupt],
    "an error": [RecursionError, MemoryError, ValueError],
}


class Injection:
    """Raises an exception at one line of unpanic, by its place in the row of all lines that run."""

    def __init__(self, kind: type[BaseException], at: int) -> None:
        self.kind = kind
        self.at = at
        self.lines = 0
        self.place = ""

    @contextmanager
    def armed(self) -> Iterator[None]:
        """While this lasts, lines are counted, and one of them raises."""
        tool, lines = sys.monitoring.DEBUGGER_ID, sys.monitoring.events.LINE
        sys.monitoring.use_tool_id(tool, "injection")
        sys.monitoring.register_callback(tool, lines, self._line)
        sys.monitoring.set_events(tool, lines)
        try:
            yield
        finally:
            sys.monitoring.set_events(tool, 0)
            sys.monitoring.free_tool_id(tool)

    def _line(self, code: CodeType, line: int) -> object:
        if code.co_name in SCHEDULING:
            frame = sys._getframe(1)
            while frame.f_back and frame.f_code.co_name in SCHEDULING:
                frame = frame.f_back
            if not frame.f_code.co_filename.startswith(SOURCES):
                return None
        elif not code.co_filename.startswith(SOURCES):
            return sys.monitoring.DISABLE
        self.lines += 1
        if self.lines == self.at:
            self.place = f"{Path(code.co_filename).name}:{line}"
            raise self.kind("injected")
        return None


class Runtime:
    """The JavaScript side, as far as it calls Python; the module has state."""

    def __init__(self, recovery: str = "auto") -> None:
        self.driver = FakeDriver({"functions": [function("f"), function("slow", is_async=True)]})
        self.hooked: list[Any] = []
        _, self.supervisor, _ = make_module(self.driver, panic_hook=self.hooked.append, recovery=recovery)
        self.handlers = self.supervisor.handlers()
        self.states: dict[int, list[str]] = {0: ["first", "second"]}
        for name in ("first", "second"):
            self.supervisor.reset_callbacks.append(self.filler(name))
        self.soon = False

    def filler(self, name: str) -> Callable[..., None]:
        def fill(_bank: Any, _crash: Any) -> None:
            self.call()
            self.states.setdefault(self.driver.generation, []).append(name)

        return fill

    @property
    def state(self) -> list[str]:
        return self.states.get(self.driver.generation, [])

    def ask(self, name: str, *given: Any) -> Any:
        handler = self.handlers[name]
        try:
            return handler(*given)
        except BaseException as error:
            sys.last_exc = error
            try:
                self.supervisor.raised()
                return handler(*given)
            except BaseException as again:
                sys.last_exc = again
                self.soon = True
                raise

    def tell(self, id_: int, name: str, *given: Any) -> None:
        try:
            self.handlers[name](*given)
        except BaseException as error:
            sys.last_exc = error
            self.supervisor.abandoned(id_)

    def revive(self) -> None:
        if self.driver.dead is not None:
            self.throw(self.ask("recover", True))
        if self.driver.dead is not None:
            self.throw(self.supervisor.unavailable("f"))

    def call(self) -> str:
        """A call that returns."""
        self.revive()
        return "well"

    def throw(self, address: int) -> None:
        if address:
            raise raised(address)

    def crash(self, *interrupted: int, attended: bool = True, suspects: Any = None, rolls_back: bool = False) -> None:
        """A call that crashes, or a timer."""
        self.revive()
        call = "f" if attended else ""
        fields = (*PANIC, call, self.driver.generation, attended, attended, suspects, list(interrupted), True)
        event = self.driver.die(*fields, can_roll_back=rolls_back)
        if attended:
            self.throw(self.ask("crashed", *event))
            return
        self.soon = True
        try:
            self.ask("crashed", *event)
        except BaseException:
            return

    def turn(self) -> None:
        """Returns what was queued for the end of the turn."""
        if self.soon and self.driver.dead is not None:
            try:
                self.ask("recover", False)
            except BaseException:
                return


type Scenario = Callable[[Runtime, Injection], Any]


async def a_call_crashes(runtime: Runtime, injection: Injection) -> None:
    """While others are in flight, one of which is a task's, and one awaited by two."""
    supervisor = runtime.supervisor
    calls = [supervisor.started(number, "slow", None) for number in range(1, 5)]
    calls[3].cancel()
    waiting = [asyncio.create_task(settled(call)) for call in (*calls, calls[0])]
    waiting.append(asyncio.gather(*calls, return_exceptions=True))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    with injection.armed():
        error = caught(lambda: runtime.crash(1, 2, 3, 4))
    runtime.turn()
    expect_at_the_caller(error, injection)
    assert runtime.call() == "well"
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert {type(outcome) for outcome in outcomes[:3]} == {CallInterrupted}
    assert supervisor.in_flight.calls == {}


async def a_timer_crashes(runtime: Runtime, injection: Injection) -> None:
    """Nobody called: what is raised goes to the event loop, and the next turn recovers. One call may be to blame."""
    calls = [runtime.supervisor.started(number, "slow", None) for number in (1, 2)]
    waiting = [asyncio.create_task(settled(call)) for call in calls]
    await asyncio.sleep(0)
    with injection.armed():
        runtime.crash(1, attended=False, suspects=[2])
        runtime.turn()
    assert runtime.call() == "well"
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert [type(outcome) for outcome in outcomes] == [CallInterrupted, RustPanic]


async def a_call_is_interrupted(runtime: Runtime, injection: Injection) -> None:
    """A crash in a callback, that ends an outer call as well."""
    driver = runtime.driver
    event = driver.die(*PANIC, "f", driver.generation, True, False, None, None, True)
    with injection.armed():
        first = caught(lambda: runtime.throw(runtime.ask("crashed", *event)))
        second = caught(lambda: runtime.throw(runtime.ask("interrupted", "outer", True)))
    expect(injection, any(isinstance(error, injection.kind) for error in (first, second)))
    assert isinstance(second, CallInterrupted | injection.kind)


async def a_user_resets(runtime: Runtime, injection: Injection) -> None:
    """From Python, with a call in flight."""
    call = runtime.supervisor.started(1, "slow", None)
    waiting = asyncio.create_task(settled(call))
    await asyncio.sleep(0)
    runtime.driver.in_flight = [1]
    with injection.armed():
        error = caught(runtime.supervisor.reset)
    runtime.soon = True
    runtime.turn()
    expect(injection, isinstance(error, injection.kind))
    if runtime.driver.in_flight:  # it had not begun
        call.cancel()
        return
    assert runtime.call() == "well"
    assert type(await asyncio.wait_for(waiting, 5)) is CallInterrupted


async def rust_asks_for_a_reset(runtime: Runtime, injection: Injection) -> None:
    """`schedule_reinit`: the call itself ends well."""
    call = runtime.supervisor.started(1, "slow", None)
    waiting = asyncio.create_task(settled(call))
    await asyncio.sleep(0)
    driver = runtime.driver
    event = driver.die(*[None] * 9, "", driver.generation, True, False, None, [1], True)
    with injection.armed():
        caught(lambda: runtime.throw(runtime.ask("retired", *event)))
        caught(runtime.call)
    assert runtime.call() == "well"
    assert type(await asyncio.wait_for(waiting, 5)) is CallInterrupted


async def an_instance_comes_later(runtime: Runtime, injection: Injection) -> None:
    """The engine takes its time, and async calls wait for it."""
    driver, supervisor = runtime.driver, runtime.supervisor
    driver.failure = "preparing"
    caught(lambda: runtime.crash())
    numbers = iter(range(1, 10))

    def begin() -> Any:
        supervisor.ensure_ready("slow")
        return supervisor.started(next(numbers), "slow", None)

    calls = [supervisor.when_ready(begin, "slow") for _ in range(3)]
    waiting = [asyncio.create_task(settled(call)) for call in calls]
    await asyncio.sleep(0)
    driver.failure = ""
    with injection.armed():
        caught(lambda: runtime.ask("prepared", "", ""))
        for _ in range(5):
            await asyncio.sleep(0)
    assert runtime.call() == "well"
    await asyncio.sleep(0)
    for number in range(1, 4):
        supervisor.settled(number, "x")
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert {type(outcome) for outcome in outcomes} <= {type(None), injection.kind}


async def a_call_waits(runtime: Runtime, injection: Injection) -> None:
    """The engine takes its time, and a synchronous call waits."""
    driver, supervisor = runtime.driver, runtime.supervisor
    driver.failure = "preparing"
    caught(lambda: runtime.crash())

    def arrive() -> None:
        driver.failure = ""
        caught(lambda: runtime.ask("prepared", "", ""))

    supervisor.context.browser.meanwhile = arrive  # type: ignore[attr-defined]
    with injection.armed():
        error = caught(lambda: supervisor.ensure_ready("f"))
    assert type(error) in (type(None), injection.kind)
    driver.failure = ""
    supervisor.ensure_ready("f")


async def calls_end(runtime: Runtime, injection: Injection) -> None:
    """By themselves: with a result, an `Err`, a panic that unwound, a poll that was undone."""
    supervisor = runtime.supervisor
    calls = [supervisor.started(number, "slow", str) for number in (1, 2, 3, 4)]
    waiting = [asyncio.create_task(settled(call)) for call in calls]
    await asyncio.sleep(0)
    with injection.armed():
        runtime.tell(1, "settled", 1, 7)
        runtime.tell(2, "settledByError", 2, "no", None, "no", "Error", "slow")
        runtime.tell(3, "settledByUnwinding", 3, *PANIC, "slow")
        runtime.tell(0, "settledByUnwinding", 0, *PANIC, "")
        runtime.tell(4, "settledByRollback", 4, *PANIC, "slow")
        runtime.tell(0, "settledByRollback", 0, *PANIC, "")
        runtime.tell(0, "caughtPanic", *PANIC, 0)
    await asyncio.wait_for(asyncio.gather(*waiting), 5)


async def calls_fail_without_a_death(runtime: Runtime, injection: Injection) -> None:
    """A panic that unwinds, what Rust throws on purpose, an object in use, one that is gone: the generation lives."""
    failures: list[tuple[type[BaseException], str, tuple[Any, ...]]] = [
        (RustPanic, "unwound", (*PANIC, "f")),
        (RustError, "failed", ("no", None, "no", "Error", "f", "borrowed")),
        (RustError, "inUse", ("Vault", "Vault.open", "Vault.put", "recursive use", "stack")),
        (StaleObjectError, "gone", ("f", "borrowed")),
    ]
    with injection.armed():
        errors = [
            caught(lambda name=name, fields=fields: runtime.throw(runtime.ask(name, *fields)))
            for _, name, fields in failures
        ]  # type: ignore[misc]
    for (expected, name, _), error in zip(failures, errors, strict=True):
        assert type(error) in (expected, injection.kind), name
        # An error that was raised meanwhile takes nothing away: the handler was called again.
        assert type(error) is expected or not issubclass(injection.kind, Exception)
    assert runtime.driver.left >= 3
    expect(injection, any(isinstance(error, injection.kind) for error in errors))


async def a_callback_crashes_once(runtime: Runtime, injection: Injection) -> None:
    """The generation that dies while it is filled is followed by one that is filled from the first callback on."""
    crashes = iter([True])

    def crash_once(_bank: Any, _crash: Any) -> None:
        if next(crashes, False):
            assert isinstance(caught(lambda: runtime.crash()), RustPanic | injection.kind)
            runtime.call()

    runtime.supervisor.reset_callbacks.insert(1, crash_once)
    with injection.armed():
        caught(lambda: runtime.crash())


async def a_call_is_rolled_back(runtime: Runtime, injection: Injection) -> None:
    """Calls in flight go on, but for one that the failed call had begun."""
    driver, supervisor = runtime.driver, runtime.supervisor
    calls = [supervisor.started(number, "slow", str) for number in (1, 2)]
    waiting = [asyncio.create_task(settled(call)) for call in calls]
    await asyncio.sleep(0)
    driver.in_flight, driver.begun = [1], [2]
    with injection.armed():
        error = caught(lambda: runtime.crash(rolls_back=True))
    runtime.turn()
    expect_at_the_caller(error, injection)
    assert runtime.call() == "well"
    assert (driver.rolled_back, driver.generation, supervisor.resets) == (1, 0, 0)
    crash = supervisor.last_crash
    assert crash is not None
    assert (crash.recovery, crash.state_kept) == ("rollback", True)
    assert list(supervisor.in_flight.calls) == [1]
    supervisor.settled(1, "x")
    driver.in_flight, driver.begun = [], []
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert [type(outcome) for outcome in outcomes] == [type(None), CallInterrupted]


async def a_rollback_fails(runtime: Runtime, injection: Injection) -> None:
    """The module is reset, and the crash says so."""
    driver, supervisor = runtime.driver, runtime.supervisor
    waiting = asyncio.create_task(settled(supervisor.started(1, "slow", None)))
    await asyncio.sleep(0)
    driver.in_flight, driver.obstacle = [1], "no memory"
    with injection.armed():
        error = caught(lambda: runtime.crash(rolls_back=True))
    runtime.turn()
    expect_at_the_caller(error, injection)
    assert runtime.call() == "well"
    # Whoever is interrupted while the next generation is taken over leaves it for another one.
    assert driver.rolled_back == 0
    assert driver.generation == supervisor.resets >= 1
    crash = supervisor.last_crash
    assert crash is not None
    assert (crash.recovery, crash.state_kept) == ("reset", False)
    assert type(await asyncio.wait_for(waiting, 5)) is CallInterrupted


SCENARIOS: list[Scenario] = [
    a_call_crashes,
    a_timer_crashes,
    a_call_is_interrupted,
    a_user_resets,
    rust_asks_for_a_reset,
    an_instance_comes_later,
    a_call_waits,
    calls_end,
    calls_fail_without_a_death,
    a_callback_crashes_once,
    a_call_is_rolled_back,
    a_rollback_fails,
]
# The module of these is loaded so that calls are rolled back.
ROLLING = (a_call_is_rolled_back, a_rollback_fails)

# Where an exception that ends programs would end the event loop of this test.
IN_THE_LOOP = (a_timer_crashes, an_instance_comes_later, a_call_waits, calls_end)


def caught(run: Callable[[], object]) -> BaseException | None:
    try:
        run()
    except BaseException as error:
        return error
    return None


async def settled(call: Any) -> BaseException | None:
    try:
        await call
    except BaseException as error:
        return error
    return None


def expect_at_the_caller(error: BaseException | None, injection: Injection) -> None:
    """An exception that ends programs reaches the caller; in place of any other, the caller may get the crash."""
    if injection.place and not issubclass(injection.kind, Exception):
        assert type(error) is injection.kind
    else:
        assert type(error) in (RustPanic, injection.kind)


def expect(injection: Injection, reached: bool) -> None:
    if injection.place and not issubclass(injection.kind, Exception):
        assert reached


def play(runner: asyncio.Runner, scenario: Scenario, injection: Injection) -> None:
    """Runs a scenario, and then what must hold after each."""

    async def main() -> None:
        reported: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context.get("exception")))
        runtime = Runtime("rollback" if scenario in ROLLING else "auto")
        await scenario(runtime, injection)
        assert runtime.call() == "well"
        supervisor = runtime.supervisor
        assert (supervisor.phase, supervisor.generation) == ("ready", runtime.driver.generation)
        assert runtime.state == ["first", "second"]
        assert caught(lambda: runtime.crash()).__class__ is RustPanic
        assert runtime.state == ["first", "second"]
        assert supervisor.resets == runtime.driver.generation
        await asyncio.sleep(0)
        assert {type(error) for error in reported} <= {injection.kind}

    runner.run(main())


@pytest.fixture(autouse=True)
def log_handler(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Has all records made, and no finalizer run between the lines."""
    caplog.set_level(logging.DEBUG, "unpanic")
    gc.disable()
    yield
    gc.enable()
    registry._loaded.clear()


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_exception_at_any_line_is_survived(scenario: Scenario, kinds: str, capsys: pytest.CaptureFixture[str]):
    """The next call works, all calls in flight have settled, the state is filled in, and the exception has arrived."""
    chosen = KINDS[kinds]
    if chosen == [KeyboardInterrupt] and scenario in IN_THE_LOOP:
        chosen = [Stop]
    failed = []
    with asyncio.Runner() as runner:
        count = Injection(chosen[0], 0)
        play(runner, scenario, count)
        assert count.lines > 40
        for at in range(1, count.lines + 1):
            injection = Injection(chosen[at % len(chosen)], at)
            try:
                play(runner, scenario, injection)
            except BaseException as error:
                failed.append(f"{injection.place}: {error!r}")
            capsys.readouterr()
    assert failed == []


async def recovery_is_off(injection: Injection) -> None:
    """The crash is the last one: calls in flight end, the next call says why, and the runtime closes the module."""
    runtime = Runtime(recovery="none")
    calls = [runtime.supervisor.started(number, "slow", None) for number in (1, 2)]
    waiting = [asyncio.create_task(settled(call)) for call in calls]
    await asyncio.sleep(0)
    with injection.armed():
        error = caught(lambda: runtime.crash(1, 2))
    runtime.turn()
    expect_at_the_caller(error, injection)
    assert isinstance(caught(runtime.call), ModuleTerminated)
    assert {type(outcome) for outcome in await asyncio.wait_for(asyncio.gather(*waiting), 5)} == {CallInterrupted}
    assert (runtime.supervisor.phase, bool(runtime.driver.closed)) == ("terminated", True)


async def a_user_unloads(injection: Injection) -> None:
    """Whoever was interrupted unloads once more, and then everything is let go."""
    runtime = Runtime()
    supervisor, driver = runtime.supervisor, runtime.driver
    call = supervisor.started(1, "slow", None)
    waiting = asyncio.create_task(settled(call))
    await asyncio.sleep(0)
    driver.in_flight = [1]
    with injection.armed():
        error = caught(supervisor.unload)
    expect(injection, isinstance(error, injection.kind))
    if error is not None:
        supervisor.unload()
    assert (supervisor.phase, supervisor.reset_callbacks, supervisor.panic_hook) == ("unloaded", [], None)
    browser: Any = supervisor.context.browser
    assert list(browser.handlers) == ["unloaded"]
    assert driver.closed
    assert type(await asyncio.wait_for(waiting, 5)) is CallInterrupted
    supervisor.unload()


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("scenario", [recovery_is_off, a_user_unloads])
def test_an_exception_at_any_line_of_an_end_is_survived(
    scenario: Callable[[Injection], Any], kinds: str, capsys: pytest.CaptureFixture[str]
):
    """A module that ends does so whole, whatever is raised meanwhile."""
    failed = []
    with asyncio.Runner() as runner:
        count = Injection(KINDS[kinds][0], 0)
        runner.run(scenario(count))
        assert count.lines > 30
        for at in range(1, count.lines + 1):
            injection = Injection(KINDS[kinds][at % len(KINDS[kinds])], at)
            try:
                runner.run(scenario(injection))
            except BaseException as error:
                failed.append(f"{injection.place}: {error!r}")
            capsys.readouterr()
    assert failed == []
