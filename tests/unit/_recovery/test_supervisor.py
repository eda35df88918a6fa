"""The supervisor decides on recovery when the runtime reports a crash."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unpanic import (
    CallInterrupted,
    ForeignException,
    ModuleTerminated,
    OutOfMemory,
    RustError,
    RustPanic,
    StaleObjectError,
    Trap,
)
from unpanic._bridge.crashes import throw
from unpanic._bridge.futures import Call
from unpanic._recovery.states import State
from unpanic._recovery.supervisor import Supervisor

from tests.unit.fakes import PANIC, TRAP, FakeDriver, FakeStack, crash, function, make_module, obstacle, raised

TYPES = Path(__file__).parents[3] / "js" / "src" / "types.d.ts"
AT = "in bank.f, src/lib.rs:41:9"


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver({"functions": [function("f"), function("slow", result="float", is_async=True)]})


@pytest.fixture
def heard() -> list[Any]:
    return []


@pytest.fixture
def supervisor(driver: FakeDriver, heard: list[Any]) -> Supervisor:
    return make_module(driver, panic_hook=heard.append)[1]


def test_a_crash_resets(supervisor: Supervisor, driver: FakeDriver, heard: list[Any]):
    """The next generation exists before the caller sees the panic, and the panic says so."""
    panic = crash(supervisor)
    assert type(panic) is RustPanic
    assert str(panic) == f"insufficient funds ({AT}; reset to generation 1, state lost)"
    assert (panic.recovery, panic.state_kept, panic.generation, panic.payload) == ("reset", False, 0, "&str")
    assert [frame.function for frame in panic.frames] == ["bank::withdraw", "bank::main"]
    assert (driver.renewals, driver.closed) == (1, 0)
    assert (supervisor.phase, supervisor.generation, supervisor.last_generation, supervisor.resets) == (
        "ready",
        1,
        1,
        1,
    )
    assert heard == [panic]
    assert supervisor.last_crash is panic
    assert crash(supervisor).outcome == "reset to generation 2, state lost"


def test_recovery_none_ends_the_module(driver: FakeDriver):
    """The crash says that no generation follows, and is the cause of all later errors."""
    supervisor = make_module(driver, recovery="none")[1]
    panic = crash(supervisor)
    assert str(panic) == f"insufficient funds ({AT}; the module has ended: recovery is off)"
    assert panic.recovery == "none"
    assert (driver.renewals, driver.closed, supervisor.phase) == (0, 1, "terminated")
    error = raised(supervisor.unavailable("g"))
    assert type(error) is ModuleTerminated
    assert str(error) == "bank.g cannot run: the module has ended (recovery is off). Load it again."
    assert error.__cause__ is panic
    with pytest.raises(ModuleTerminated):
        supervisor.reset()


def test_recovery_none_still_resets_on_request(driver: FakeDriver):
    """`reset` is the user's decision, not a recovery."""
    supervisor = make_module(driver, recovery="none")[1]
    supervisor.reset()
    assert (driver.renewals, supervisor.phase, supervisor.generation) == (1, "ready", 1)


def test_nothing_is_made_while_rust_is_on_the_stack(supervisor: Supervisor, driver: FakeDriver):
    """An outer call is interrupted, and the next generation comes when that call has left."""
    panic = crash(supervisor, clear=False)
    assert (supervisor.phase, supervisor.generation, driver.renewals) == ("recovering", -1, 0)
    driver.clear = False
    with pytest.raises(CallInterrupted) as caught:
        supervisor.ensure_ready("g")
    assert str(caught.value) == f"bank.g was interrupted: another call crashed: {panic}"
    outer = raised(supervisor.interrupted("outer", True))
    assert type(outer) is CallInterrupted
    assert outer.crash is panic
    assert (supervisor.phase, supervisor.generation, driver.renewals) == ("ready", 1, 1)


def test_a_question_before_a_call_recovers(supervisor: Supervisor, driver: FakeDriver):
    """If a timer died and its frames have left since, the next use makes the generation."""
    crash(supervisor, clear=False)
    supervisor.ensure_ready("g")
    assert (supervisor.phase, driver.renewals) == ("ready", 1)


@pytest.mark.parametrize("budget", [1, 3])
def test_the_budget_is_of_crashes_that_nobody_called_for(driver: FakeDriver, budget: int):
    """The crash after the last reset of the budget, within ten seconds, ends the module and names them all."""
    supervisor = make_module(driver, restart_budget=budget, panic_hook=lambda _panic: None)[1]
    for number in range(budget):
        assert crash(supervisor, call="").outcome == f"reset to generation {number + 1}, state lost"
        driver.returned += 1  # calls that return do not stop a loop of timers
    last = crash(supervisor, call="")
    times = f"panic: insufficient funds ({budget + 1} times)"
    assert last.outcome == (
        f"the module has ended: {budget + 1} crashes that nobody called for within 10 seconds: {times}"
    )
    assert (last.recovery, supervisor.phase, driver.renewals, driver.closed) == ("none", "terminated", budget, 1)
    with pytest.raises(ModuleTerminated, match="insufficient funds"):
        supervisor.ensure_ready("f")


def test_a_crash_that_a_caller_asked_for_never_counts(driver: FakeDriver):
    """A bad input is its caller's exception, also in an async call, however many follow each other."""

    async def main() -> Supervisor:
        supervisor = make_module(driver, restart_budget=1, panic_hook=lambda _panic: None)[1]
        for number in range(200):
            crash(supervisor)
            call = supervisor.started(number, "slow", None)
            crash(supervisor, call="slow", suspects=[number])
            assert type(call.exception()) is RustPanic
        return supervisor

    supervisor = asyncio.run(main())
    assert (supervisor.phase, supervisor.resets) == ("ready", 400)


def test_crashes_that_come_slowly_end_nothing(driver: FakeDriver):
    """Only crashes of the last ten seconds count."""
    supervisor = make_module(driver, restart_budget=2, panic_hook=lambda _panic: None)[1]
    now = 0.0
    supervisor.history.clock = lambda: now
    for _ in range(10):
        crash(supervisor, call="")
        now += 5.1
    assert supervisor.phase == "ready"
    for _ in range(3):
        now += 3.0
        crash(supervisor, call="")
    assert supervisor.phase == "terminated"


def test_a_start_function_that_crashes_every_time_ends_the_module(driver: FakeDriver):
    """It has no caller, so the budget limits the attempts. The crash and later errors say so."""
    supervisor = make_module(driver, restart_budget=3, panic_hook=lambda _panic: None)[1]
    driver.failure = "The start function of bank crashed: boom."
    panic = crash(supervisor)
    names = "The start function of bank crashed: boom (4 times)"
    reason = f"4 crashes that nobody called for within 10 seconds: {names}"
    assert str(panic) == f"insufficient funds ({AT}; the module has ended: {reason})"
    assert (supervisor.phase, driver.renewals, driver.closed, supervisor.resets) == ("terminated", 4, 1, 0)
    assert str(raised(supervisor.unavailable("f"))).startswith(f"bank.f cannot run: the module has ended ({reason})")


def test_a_start_function_that_crashes_once_ends_nothing(supervisor: Supervisor, driver: FakeDriver):
    """The next instance may start."""
    answers: list[Any] = [["start", "The start function of bank crashed: boom."], 1]
    driver.renew = lambda: answers.pop(0)  # type: ignore[method-assign]
    crash(supervisor)
    assert (supervisor.phase, answers) == ("ready", [])


def test_a_generation_that_cannot_be_made_ends_the_module(supervisor: Supervisor, driver: FakeDriver):
    """An error that is no crash of the start function would be the same again."""
    driver.failure = "no such import"
    panic = crash(supervisor)
    assert panic.outcome == "the module has ended: the next generation did not start: no such import"
    assert (supervisor.phase, driver.renewals) == ("terminated", 1)


def test_a_browser_without_memory_ends_no_module(supervisor: Supervisor, driver: FakeDriver):
    """Calls raise the reason, and the call that finds memory again makes the next generation."""
    driver.failure = "WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance"
    panic = crash(supervisor)
    assert str(panic) == f"insufficient funds ({AT}; not reset yet: the browser has no memory for the next instance)"
    assert (supervisor.phase, driver.closed) == ("recovering", 0)
    shortage = raised(supervisor.unavailable("f"))
    assert type(shortage) is OutOfMemory
    assert "unload modules, or try again (in bank.f)" in str(shortage)
    with pytest.raises(OutOfMemory):
        supervisor.ensure_ready("f")
    driver.failure = ""
    supervisor.recover()
    assert (supervisor.phase, supervisor.generation) == ("ready", 1)


def test_an_instance_on_its_way_is_waited_for_or_named(driver: FakeDriver):
    """Async calls wait for it, and other calls learn when it will be there. It comes once."""

    async def main() -> None:
        resets: list[Any] = []
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        supervisor.reset_callbacks.append(lambda _module, cause: resets.append(cause))
        driver.failure = "preparing"
        panic = crash(supervisor)
        assert panic.outcome == (
            "resetting to generation 1, which will be there in about 12 ms; calls wait for it where they can; "
            "state lost"
        )
        assert (supervisor.phase, supervisor.state, supervisor.resets, resets) == ("recovering", State.WAITING, 0, [])
        for ask in (lambda: raised(supervisor.unavailable("f")), lambda: caught_from(supervisor.ensure_ready, "f")):
            refusal = ask()
            assert type(refusal) is CallInterrupted
            assert refusal.crash is panic
            assert "bank.f cannot run yet: the next instance will be there in about 12 ms" in str(refusal)
        supervisor.reset()
        waiting = supervisor.when_ready(lambda: supervisor.started(1, "slow", None))
        await asyncio.sleep(0)
        assert supervisor.in_flight.calls == {}
        driver.failure = ""
        supervisor.prepared("", "")
        assert (supervisor.phase, supervisor.state, supervisor.resets, resets) == ("ready", State.READY, 1, [panic])
        supervisor.prepared("", "")
        assert supervisor.resets == 1
        await asyncio.sleep(0)
        supervisor.settled(1, "x")
        assert await waiting == "x"

    asyncio.run(main())


def caught_from(run: Callable[..., Any], *args: Any) -> BaseException:
    with pytest.raises(Exception) as caught:
        run(*args)
    return caught.value


@pytest.mark.parametrize(
    ("failure", "phase", "error"),
    [("boom", "terminated", ModuleTerminated), ("could not allocate memory", "recovering", OutOfMemory)],
)
def test_an_instance_that_could_not_be_made_leaves_nobody_waiting(
    driver: FakeDriver, failure: str, phase: str, error: type[Exception]
):
    """Waiting calls get the reason. If memory was missing, the next call tries again."""

    async def main() -> None:
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        driver.failure = "preparing"
        crash(supervisor)

        waiting = supervisor.when_ready(lambda: slow(supervisor))
        await asyncio.sleep(0)
        driver.failure = failure
        supervisor.prepared(obstacle(failure), failure)
        assert supervisor.phase == phase
        with pytest.raises(error):
            await waiting

    asyncio.run(main())


def slow(supervisor: Supervisor, number: int = 1) -> Call:
    """An async call, as a generation begins it."""
    supervisor.ensure_ready("slow")
    return supervisor.started(number, "slow", None)


def test_a_call_that_waited_may_call_something_else(driver: FakeDriver):
    """Its arguments may do so while they are converted. Each call gets its own result or exception."""

    async def main() -> None:
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        driver.failure = "preparing"
        crash(supervisor)
        others: list[Call] = []

        def calls_first() -> Call:
            others.append(supervisor.when_ready(lambda: slow(supervisor, 1)))
            return slow(supervisor, 2)

        def fails() -> Call:
            raise asyncio.CancelledError

        waiting, failing, last = [
            supervisor.when_ready(run) for run in (calls_first, fails, lambda: slow(supervisor, 3))
        ]
        driver.failure = ""
        supervisor.prepared("", "")
        await asyncio.sleep(0)
        for number in (1, 2, 3):
            supervisor.settled(number, number)
        assert [await call for call in (*others, waiting, last)] == [1, 2, 3]
        with pytest.raises(asyncio.CancelledError):
            await failing

    asyncio.run(main())


@pytest.mark.parametrize("error", [asyncio.CancelledError(), StopIteration(), KeyboardInterrupt()], ids=repr)
def test_whatever_the_arguments_of_a_waiting_call_raise_ends_it(driver: FakeDriver, error: BaseException):
    """Other waiting calls go on. An exception that ends the program does so, as in a task."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        driver.failure = "preparing"
        crash(supervisor)

        def convert() -> Any:
            raise error

        raised: list[BaseException] = []
        begin = supervisor.in_flight.begin_waiting

        def watched() -> None:
            try:
                begin()
            except KeyboardInterrupt as interrupt:
                raised.append(interrupt)

        supervisor.in_flight.begin_waiting = watched  # type: ignore[method-assign]
        waiting = [supervisor.when_ready(run) for run in (convert, lambda: slow(supervisor))]
        driver.failure = ""
        supervisor.prepared("", "")
        for _ in range(3):
            await asyncio.sleep(0)
        supervisor.settled(1, None)
        first, second = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
        assert second is None
        assert isinstance(first, RuntimeError if isinstance(error, StopIteration) else type(error))
        assert raised == ([error] if isinstance(error, KeyboardInterrupt) else [])
        assert loop.is_running()

    asyncio.run(main())


def test_unload_leaves_nobody_waiting(driver: FakeDriver):
    """A call that waits for an instance ends with its module."""

    async def main() -> None:
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        driver.failure = "preparing"
        crash(supervisor)

        waiting = supervisor.when_ready(lambda: slow(supervisor))
        await asyncio.sleep(0)
        supervisor.unload()
        with pytest.raises(ModuleTerminated):
            await waiting

    asyncio.run(main())


def test_a_hook_that_raises_changes_nothing(driver: FakeDriver, caplog: pytest.LogCaptureFixture):
    """The hook's exception is logged and noted on the panic, and the module recovers."""

    def hook(_panic: RustPanic) -> None:
        raise KeyError("hook")

    supervisor = make_module(driver, panic_hook=hook)[1]
    panic = crash(supervisor)
    assert panic.__notes__ == ["the panic hook failed: KeyError('hook')"]
    assert [record.getMessage() for record in caplog.records] == ["The panic hook of bank failed."]
    assert supervisor.phase == "ready"


def test_on_reset_callbacks_run_in_order_and_may_fail(driver: FakeDriver, heard: list[Any], caplog: Any):
    """Each gets the module and the crash. One that raises stops neither the others nor the recovery."""
    _, supervisor, bank = make_module(driver, panic_hook=lambda _panic: None)

    def fail(_module: object, _crash: object) -> None:
        raise KeyError("refill")

    supervisor.reset_callbacks += [fail, lambda *given: heard.append(given)]
    panic = crash(supervisor)
    assert heard == [(bank, panic)]
    assert panic.__notes__ == [f"on_reset: {fail!r} failed: KeyError('refill')"]
    assert [record.getMessage() for record in caplog.records] == ["The callback of on_reset of bank failed."]
    supervisor.reset()
    assert heard[1] == (bank, None)
    assert supervisor.generation == 2


@pytest.mark.parametrize(("call", "level"), [("f", logging.DEBUG), ("", logging.ERROR)])
def test_the_default_hook_logs_one_line(driver: FakeDriver, caplog: pytest.LogCaptureFixture, call: str, level: int):
    """A panic without a caller, such as a timer's, is logged at ERROR. A panic that somebody gets is not."""
    caplog.set_level(logging.DEBUG, "unpanic")
    panic = crash(make_module(driver)[1], call=call)
    (record,) = [record for record in caplog.records if record.unpanic["event"] == "panic"]  # type: ignore[attr-defined]
    assert (record.name, record.levelno, record.getMessage()) == ("unpanic", level, str(panic))
    assert record.unpanic["call"] == call  # type: ignore[attr-defined]


def test_the_default_hook_logs_what_no_awaiting_call_gets(driver: FakeDriver, caplog: pytest.LogCaptureFixture):
    """A panic of an async call is that call's. One that Rust caught, or of a task that unwound, is logged."""

    async def main() -> None:
        supervisor = make_module(driver)[1]
        futures = [supervisor.started(number, "slow", None) for number in (1, 2)]
        supervisor.settled_by_unwinding(1, *PANIC, "slow")
        crash(supervisor, call="slow", suspects=[2])
        await asyncio.gather(*futures, return_exceptions=True)
        assert caplog.records == []
        supervisor.settled_by_unwinding(0, *PANIC, "")
        supervisor.caught_panic(*PANIC, 0)

    asyncio.run(main())
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


@pytest.mark.parametrize(("diagnosis", "logged"), [(TRAP, 1), (PANIC, 0)])
def test_a_crash_without_a_caller_is_logged(supervisor: Supervisor, caplog: Any, diagnosis: Any, logged: int):
    """A timer's trap is logged, because it has no caller. The hook has already reported a panic."""
    crash(supervisor, call="", diagnosis=diagnosis)
    assert len(caplog.records) == logged


def test_only_panics_reach_the_hook(supervisor: Supervisor, heard: list[Any]):
    """A trap is a crash with a code, and no panic."""
    trap = crash(supervisor, diagnosis=TRAP)
    assert type(trap) is Trap
    assert str(trap) == "memory access out of bounds (in bank.f; reset to generation 1, state lost)"
    assert (trap.code, heard, dict(supervisor.crashes)) == ("out_of_bounds", [], {"trap": 1})


def test_an_unwound_panic_keeps_the_generation(supervisor: Supervisor, driver: FakeDriver, heard: list[Any]):
    """Nothing is reset, and the panic says that the state was kept."""
    panic = raised(supervisor.unwound(*PANIC, "f"))
    assert str(panic) == f"insufficient funds ({AT}; unwound, state kept)"
    assert (panic.recovery, panic.state_kept) == ("unwind", True)
    assert (driver.renewals, supervisor.phase, supervisor.generation) == (0, "ready", 0)
    assert heard == [panic]


def test_a_panic_that_rust_caught_reaches_the_hook_alone(supervisor: Supervisor, heard: list[Any]):
    """Nothing is raised, and nothing is reset."""
    supervisor.caught_panic(*PANIC, 0)
    assert [panic.message for panic in heard] == ["insufficient funds"]
    assert supervisor.phase == "ready"


def test_errors_of_rust_are_no_crashes(supervisor: Supervisor, driver: FakeDriver):
    """An Err arrives with its value, and a callback's own exception arrives as itself."""
    error = raised(supervisor.failed(7, None, "7", None, "f", ""))
    assert (type(error), error.value) == (RustError, 7)
    mine = KeyError("mine")
    assert raised(supervisor.failed(None, mine, "KeyError: 'mine'", None, "f", "")) is mine
    assert (driver.renewals, dict(supervisor.crashes)) == (0, {})


@pytest.mark.parametrize(("consumer", "fate"), [("", "freed"), ("bank.g", "moved into bank.g, which consumed it")])
def test_a_dead_argument_says_how_it_died(supervisor: Supervisor, consumer: str, fate: str):
    """The error says that it was freed, or names the call that consumed it."""
    error = raised(supervisor.stale("Account", consumer, "f"))
    assert type(error) is StaleObjectError
    assert str(error) == f"This bank.Account was {fate}; it cannot be used in bank.f."


def test_what_rust_throws_on_purpose_is_no_crash(supervisor: Supervisor, driver: FakeDriver):
    """It is raised with its text alone. If it damaged the instance, that is replaced when the call has ended."""
    for left, count in (("", 0), ("borrowed", 1), ("stack", 2)):
        error = raised(supervisor.failed("bad query", None, "bad query", "Error", "f", left))
        assert (type(error), str(error), error.value, error.name) == (RustError, "bad query", "bad query", "Error")
        assert driver.left == count
    assert (supervisor.phase, supervisor.crashes, supervisor.last_crash) == ("ready", {}, None)
    supervisor.retired(*driver.die(*[None] * 9, "", 0, True, False, None, None, True))
    supervisor.recover()
    assert (supervisor.phase, supervisor.generation, supervisor.resets) == ("ready", 1, 1)


def test_without_recovery_nothing_is_replaced(driver: FakeDriver):
    """Without recovery the state is kept, whatever damage an exception left."""
    supervisor = make_module(driver, recovery="none")[1]
    raised(supervisor.failed("no", None, "no", "Error", "f", "borrowed"))
    assert driver.left == 0


def test_refusals_are_the_callers_mistakes(supervisor: Supervisor, driver: FakeDriver):
    """The error says that an object is borrowed or gone, and nothing is reset."""
    error = raised(supervisor.in_use("Vault", "Vault.open", "Vault.put", "recursive use", ""))
    said = "This bank.Vault is in use by bank.Vault.open, which has not ended; "
    said += "it cannot be used in bank.Vault.put meanwhile."
    assert (type(error), str(error), error.value) == (RustError, said, "recursive use")
    assert "is in use by a call, which" in str(raised(supervisor.in_use("Vault", "", "Vault.put", "recursive use", "")))
    gone = raised(supervisor.gone("take_all", "borrowed"))
    assert (type(gone), "bank.take_all" in str(gone)) == (StaleObjectError, True)
    assert (supervisor.crashes, driver.left) == ({}, 1)


ON_PURPOSE = ("foreign", "on_purpose", "no", None, None, None, None, FakeStack("bank::slow"))


def test_an_async_call_that_throws_on_purpose(driver: FakeDriver):
    """Its caller gets the text, and the instance is replaced without a crash. A task without a caller is a crash."""

    async def main() -> None:
        supervisor = make_module(driver)[1]
        failed, other = supervisor.started(1, "slow", None), supervisor.started(2, "slow", None)
        diagnosis = (*ON_PURPOSE, ["no", None, "no", "Error"])
        assert crash(supervisor, call="", suspects=[1], interrupted=[2], diagnosis=diagnosis) is None
        first, second = await settled(failed, other)
        assert (type(first), str(first)) == (RustError, "no")
        assert (type(second), second.crash) == (CallInterrupted, None)
        assert (supervisor.crashes, supervisor.resets, supervisor.in_flight.calls) == ({}, 1, {})
        unattended = crash(supervisor, call="", diagnosis=diagnosis)
        assert (type(unattended), str(unattended.__cause__)) == (ForeignException, "no")
        assert supervisor.crashes == {"foreign": 1}

    asyncio.run(main())


def test_an_exception_survives_the_end_of_the_one_before(supervisor: Supervisor):
    """The new exception arrives even if the last one held an object whose finalizer fails in Rust."""
    ended: list[int] = []

    class Finalized:
        def __del__(self) -> None:
            ended.append(supervisor.failed("inner", None, "inner", "Error", "f", ""))

    error = ValueError("it holds")
    error.held = Finalized()  # type: ignore[attr-defined]
    raised(throw(error))
    del error
    outer = raised(supervisor.failed("outer", None, "outer", "Error", "f", ""))
    assert (str(outer), len(ended)) == ("outer", 1)


async def settled(*futures: asyncio.Future[Any]) -> list[Any]:
    assert all(future.done() for future in futures)
    return await asyncio.gather(*futures, return_exceptions=True)


def test_a_crash_settles_every_call_in_flight(driver: FakeDriver):
    """The call that failed gets the crash, the others get an interruption, and nothing stays pending."""

    async def main() -> None:
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        failed, other = supervisor.started(1, "slow", None), supervisor.started(2, "slow", None)
        panic = crash(supervisor, call="slow", suspects=[1], interrupted=[2])
        first, second = await settled(failed, other)
        assert first is panic
        assert type(second) is CallInterrupted
        assert second.crash is panic
        assert str(second).startswith(
            "bank.slow was interrupted: another call crashed: insufficient funds (in bank.slow"
        )
        assert supervisor.in_flight.calls == {}

    asyncio.run(main())


SUSPECTS = [
    (["slow"], False, "perhaps in bank.slow"),
    (["slow", "slow", "slow"], True, "in one of 3 calls of bank.slow"),
    (["slow", "slow"], False, "perhaps in one of 2 calls of bank.slow"),
    (["slow", "wait", "slow"], True, "in one of 3 calls: bank.slow, bank.wait"),
    (list("abcdefg"), True, "in one of 7 calls: bank.a, bank.b, bank.c, bank.d, bank.e, …"),
]


@pytest.mark.parametrize(("calls", "certain", "place"), SUSPECTS)
def test_calls_that_may_be_to_blame(driver: FakeDriver, calls: list[str], certain: bool, place: str):
    """Each gets the crash itself, whose message names them all and whose `call` is empty. Others are interrupted."""

    async def main() -> None:
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        other = supervisor.started(100, "other", None)
        futures = [supervisor.started(number, call, None) for number, call in enumerate(calls, 1)]
        numbers = list(range(1, len(calls) + 1))
        panic = crash(supervisor, call="", suspects=numbers, certain=certain, interrupted=[100])
        (interruption, *found) = await settled(other, *futures)
        assert all(error is panic for error in found)
        assert panic.call == ""
        assert f"insufficient funds ({place}, src/lib.rs:41:9; reset" in str(panic)
        assert type(interruption) is CallInterrupted
        assert f"another call crashed: insufficient funds ({place}, " in str(interruption)
        assert supervisor.in_flight.calls == {}

    asyncio.run(main())


def test_nobody_is_to_blame_for_a_timer(driver: FakeDriver):
    """Calls in flight are interrupted by a crash that has no call."""

    async def main() -> None:
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        future = supervisor.started(1, "slow", None)
        panic = crash(supervisor, call="", interrupted=[1])
        (error,) = await settled(future)
        assert str(error) == f"bank.slow was interrupted: a timer or a task crashed: {panic}"
        assert "(in bank, src/lib.rs:41:9; " in str(panic)

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["reset", "unload"])
def test_reset_and_unload_interrupt_calls_in_flight(driver: FakeDriver, verb: str):
    """No call waits for a generation that is gone."""

    async def main() -> None:
        supervisor = make_module(driver)[1]
        future = supervisor.started(1, "slow", None)
        driver.in_flight = [1]
        getattr(supervisor, verb)()
        (error,) = await settled(future)
        assert type(error) is CallInterrupted
        assert error.crash is None
        assert str(error).startswith("bank.slow was interrupted: the module was ")

    asyncio.run(main())


def test_async_calls_end_in_all_their_ways(driver: FakeDriver):
    """A call ends with a result, an Err, an unwound panic, or a converter that fails."""

    async def main() -> None:
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        futures = [
            supervisor.started(number, "slow", convert) for number, convert in enumerate([None, float, int, int], 1)
        ]
        supervisor.settled(1, "x")
        supervisor.settled_by_error(2, 7, None, "7", None, "slow")
        supervisor.settled_by_unwinding(3, *PANIC, "slow")
        supervisor.settled(4, "no number")
        first, second, third, fourth = await settled(*futures)
        assert (first, type(second), type(third), type(fourth)) == ("x", RustError, RustPanic, ValueError)
        assert (second.value, third.recovery) == (7, "unwind")

    asyncio.run(main())


def test_a_cancelled_call_may_still_settle(driver: FakeDriver):
    """The result for a future that the user cancelled is dropped."""

    async def main() -> None:
        supervisor = make_module(driver, panic_hook=lambda _panic: None)[1]
        futures = [supervisor.started(number, "slow", None) for number in range(1, 4)]
        for future in futures:
            future.cancel()
        supervisor.settled(1, "x")
        supervisor.settled_by_error(2, 7, None, "7", None, "slow")
        crash(supervisor, interrupted=[3])
        assert all(future.cancelled() for future in futures)

    asyncio.run(main())


def test_unload_ends_the_module_once(driver: FakeDriver):
    """Later calls say that the module has ended, and a second unload does nothing."""
    supervisor = make_module(driver)[1]
    supervisor.unload()
    supervisor.unload()
    assert (supervisor.phase, driver.closed, driver.renewals) == ("unloaded", 1, 0)
    with pytest.raises(ModuleTerminated) as caught:
        supervisor.ensure_ready("f")
    assert str(caught.value) == "bank.f cannot run: the module has ended (it was unloaded). Load it again."


def test_what_unload_leaves_behind_holds_no_module(driver: FakeDriver):
    """Shared functions replace the driver's, because any other function would keep the driver and the glue alive."""
    _, supervisor, bank = make_module(driver, panic_hook=lambda _panic: bank)
    supervisor.reset_callbacks.append(lambda *_: bank)
    supervisor.unload()
    handlers: Any = supervisor.context.browser.handlers  # type: ignore[attr-defined]
    assert list(handlers) == ["unloaded"]
    assert handlers["unloaded"].__closure__ is None
    assert (supervisor.panic_hook, supervisor.reset_callbacks) == (None, [])
    late, running = raised(handlers["unloaded"]("bank", "f", False)), raised(handlers["unloaded"]("bank", "f", True))
    assert (type(late), type(running)) == (ModuleTerminated, CallInterrupted)
    assert str(late) == "bank.f cannot run: the module has ended (it was unloaded). Load it again."
    assert str(running) == "bank.f was interrupted: the module was unloaded"


def test_the_runtime_finds_every_handler_that_it_calls(supervisor: Supervisor):
    """The supervisor and the exports have the names of `PythonHandlers` in js/src/types.d.ts."""
    declared = TYPES.read_text().split("interface PythonHandlers {", 1)[1].split("}", 1)[0]
    expected = re.findall(r"^\s+(\w+)\??[(:]", declared, re.M)
    assert len(expected) > 10
    browser: Any = supervisor.context.browser
    assert set(browser.handlers) == set(expected)


def test_rust_asks_for_a_reset(supervisor: Supervisor, driver: FakeDriver, heard: list[Any]):
    """Calls in flight are interrupted, also the one that requested the reset. The next use finds a new generation."""

    async def ask() -> list[Any]:
        before = supervisor.started(1, "slow", None)
        supervisor.retired(*driver.die(*[None] * 9, "", 0, True, False, None, [1], True))
        return await asyncio.gather(before, supervisor.started(2, "slow", None), return_exceptions=True)

    interrupted = "bank.slow was interrupted: the module was reset"
    assert [(type(error), str(error)) for error in asyncio.run(ask())] == [(CallInterrupted, interrupted)] * 2
    assert (supervisor.phase, driver.renewals) == ("recovering", 0)
    supervisor.ensure_ready("f")
    assert (supervisor.phase, driver.renewals, supervisor.resets, heard) == ("ready", 1, 1, [])
    assert supervisor.crashes == {}
