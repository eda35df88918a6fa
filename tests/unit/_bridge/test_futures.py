"""Calls of async exports behave as asyncio and its users expect."""

from __future__ import annotations

import asyncio
import gc
import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unpanic import CallInterrupted, RustError
from unpanic._bridge.futures import Call
from unpanic._recovery.supervisor import Supervisor

from tests.unit.fakes import FakeDriver, crash, function, make_module, struct


class Bank:
    """A module with the async functions `slow` and `find`. The test decides when their calls settle."""

    def __init__(self) -> None:
        self.begun = 0
        described = {
            "functions": [
                function("slow", "string?", result="string", is_async=True),
                function("find", result="object:Account", is_async=True),
                function("quick", result="string"),
            ],
            "classes": [
                struct("Account")
                | {"methods": [function("audit", is_async=True)], "statics": [function("scan", is_async=True)]}
            ],
        }
        names = ("slow", "find", "Account.audit", "Account.scan")
        self.driver = FakeDriver(described, dict.fromkeys(names, self.begin))
        self.module, self.supervisor, self.bank = make_module(self.driver, panic_hook=lambda _panic: None)

    def begin(self, *_args: Any) -> int:
        self.begun += 1
        return self.begun

    def settle_soon(self, *values: Any) -> None:
        """Lets the calls that began return these results, in their order, when the loop turns."""
        for id_, value in enumerate(values, 1):
            asyncio.get_running_loop().call_soon(self.supervisor.settled, id_, value)


def run(test: Callable[[Bank], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await test(Bank())

    return asyncio.run(main())


async def as_task(call: Call) -> Any:
    return await asyncio.create_task(call)  # type: ignore[arg-type]


async def in_a_group(call: Call) -> Any:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(call)
    return task.result()


async def completed(call: Call) -> Any:
    [only] = [await done for done in asyncio.as_completed([call])]
    return only


async def with_deadline(call: Call) -> Any:
    async with asyncio.timeout(10):
        return await call


async def waited(call: Call) -> Any:
    done, _pending = await asyncio.wait([asyncio.create_task(call)])
    [task] = done
    return task.result()


async def twice(call: Call) -> Any:
    first, second = await asyncio.gather(asyncio.create_task(call), asyncio.create_task(call))
    return first if first == second == await call else None


async def gathered(call: Call) -> Any:
    [only] = await asyncio.gather(call)
    return only


WAYS: list[Callable[[Call], Awaitable[Any]]] = [
    lambda call: call,
    as_task,
    in_a_group,
    completed,
    with_deadline,
    waited,
    twice,
    gathered,
    asyncio.shield,
    asyncio.ensure_future,
    lambda call: asyncio.wait_for(call, 10),
]
NAMES = ["await", "task", "group", "completed", "timeout", "wait", "twice", "gather", "shield", "ensure", "wait_for"]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=NAMES)
def test_asyncio_takes_a_call(way: Callable[[Call], Awaitable[Any]], debug: bool):
    """A call works as a coroutine and as a future, with its result and with its error."""

    async def main() -> list[Any]:
        bank = Bank()
        bank.settle_soon("ada")
        result = await way(bank.bank.slow())
        asyncio.get_running_loop().call_soon(bank.supervisor.settled_by_error, 2, 7, None, "7", None, "slow")
        try:
            await way(bank.bank.slow())
        except* RustError as errors:
            error = errors.exceptions[0]
        return [result, error.value]

    assert asyncio.run(main(), debug=debug) == ["ada", 7]


def test_asyncio_run_takes_a_call():
    """A call can be the main task. It needs a loop, so it is made inside of one."""

    async def main() -> str:
        bank = Bank()
        bank.settle_soon("ada")
        return await bank.bank.slow()

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        assert runner.run(main()) == "ada"
        bank = Bank()
        asyncio.set_event_loop(loop)
        call = bank.bank.slow()
        loop.call_soon(bank.supervisor.settled, 1, "bob")
        assert runner.run(call) == "bob"
        call = bank.bank.slow()
        loop.call_soon(bank.supervisor.settled, 2, "eve")
        assert loop.run_until_complete(call) == "eve"


def test_it_is_known_to_be_async():
    """Frameworks recognise an async function and an awaitable call."""

    async def test(bank: Bank) -> list[Any]:
        account = bank.module.classes["Account"]
        functions = [bank.bank.slow, bank.bank.quick, account.audit, account.scan]  # type: ignore[attr-defined]
        call = bank.bank.slow()
        kinds = [
            asyncio.iscoroutine(call),
            asyncio.isfuture(call),
            inspect.isawaitable(call),
            isinstance(call, asyncio.Future),
        ]
        call.cancel()
        return [*map(inspect.iscoroutinefunction, functions), *kinds]

    assert run(test) == [True, False, True, True, True, True, True, True]


def test_a_call_begins_at_once():
    """The call begins before it is awaited, and also if nobody ever awaits it."""

    async def test(bank: Bank) -> list[Any]:
        call = bank.bank.slow()
        begun = bank.begun
        bank.supervisor.settled(1, "ada")
        return [begun, call.result(), await call]

    assert run(test) == [1, "ada", "ada"]


def test_it_says_what_it_is():
    """The texts of a call and of its task have name and state, and reading them does not count as taking an error."""

    async def test(bank: Bank) -> list[str]:
        texts = []
        calls = [bank.bank.slow() for _ in range(4)]
        texts.append(repr(calls[0]))
        task = asyncio.create_task(calls[0])
        texts += re.findall("coro=<.*?>", repr(task))
        task.cancel()
        calls[1].cancel()
        bank.supervisor.settled(3, "x" * 1000)
        bank.supervisor.settled_by_error(4, 7, None, "7", None, "slow")
        texts += [repr(call) for call in calls[1:]]
        assert calls[3]._log_traceback  # type: ignore[attr-defined]
        calls[3].exception()
        return [*texts, calls[0].__name__]

    assert run(test) == [
        "<Call bank.slow: pending>",
        "coro=<bank.slow()>",
        "<Call bank.slow: cancelled>",
        "<Call bank.slow: returned 'xxxxxxxxxxxx...xxxxxxxxxxxxx'>",
        "<Call bank.slow: raised RustError('7')>",
        "bank.slow",
    ]


@pytest.mark.parametrize("how", ["call", "task", "task at once", "timeout", "close", "throw"])
def test_to_cancel_is_to_give_up_the_result(how: str, caplog: pytest.LogCaptureFixture):
    """The Rust future goes on. Its result is dropped, an object is freed, and an error is not reported."""

    async def test(bank: Bank) -> list[Any]:
        released: list[Any] = []
        bank.driver.release = lambda *args: released.append(args) or ""  # type: ignore[method-assign,func-returns-value]
        for ending in ("object", "error"):
            call = bank.bank.find()
            task = asyncio.ensure_future(give_up(call, how))
            with pytest.raises(TimeoutError if how == "timeout" else asyncio.CancelledError):
                await task
            assert call.cancelled()
            assert len(bank.supervisor.in_flight.calls) == 1
            if ending == "object":
                bank.supervisor.settled(bank.begun, 7)
            else:
                bank.supervisor.settled_by_error(bank.begun, 7, None, "7", None, "find")
            assert bank.supervisor.in_flight.calls == {}
        gc.collect()
        return released

    assert run(test) == [(0, 7, "Account")]
    assert caplog.records == []


async def give_up(call: Call, how: str) -> None:
    if how == "call":
        call.cancel()
        await call
    elif how == "timeout":
        async with asyncio.timeout(0):
            await call
    elif how == "close":
        call.close()
        await call
    elif how == "throw":
        with pytest.raises(ZeroDivisionError):
            call.throw(ZeroDivisionError())
        await call
    else:
        task = asyncio.create_task(call)
        if how == "task":
            await asyncio.sleep(0)
        task.cancel()
        await task


def test_a_cancelled_call_has_no_part_in_a_reset():
    """It stays cancelled and does not count as interrupted, but the call beside it does."""

    async def test(bank: Bank) -> list[Any]:
        cancelled, other = bank.bank.slow(), bank.bank.slow()
        cancelled.cancel()
        bank.driver.in_flight = [1, 2]
        bank.supervisor.reset()
        return [cancelled.cancelled(), type(other.exception()), bank.supervisor.in_flight.calls]

    assert run(test) == [True, CallInterrupted, {}]


def waiting(bank: Bank, *args: Any) -> tuple[Supervisor, Call]:
    """Returns a call that began while the next instance is being made."""
    bank.driver.failure = "preparing"
    crash(bank.supervisor)
    call = bank.bank.slow(*args)
    assert (type(call), bank.begun, repr(call)) == (Call, 0, "<Call bank.slow: pending>")
    return bank.supervisor, call


def arrive(bank: Bank) -> None:
    bank.driver.failure = ""
    bank.supervisor.prepared("", "")


@pytest.mark.parametrize("way", WAYS, ids=NAMES)
def test_a_call_that_waits_for_a_generation_is_the_same(way: Callable[[Call], Awaitable[Any]]):
    """It begins when there is a generation, and settles as usual."""

    async def test(bank: Bank) -> Any:
        _, call = waiting(bank)

        async def go_on() -> None:
            arrive(bank)
            while not bank.begun:
                await asyncio.sleep(0)
            bank.supervisor.settled(1, "ada")

        result, _ = await asyncio.gather(way(call), go_on())
        return result

    assert run(test) == "ada"


def test_a_call_that_is_cancelled_while_it_waits_never_begins():
    """Rust does no work that nobody wants."""

    async def test(bank: Bank) -> list[Any]:
        _, call = waiting(bank)
        other = bank.bank.slow()
        call.cancel()
        arrive(bank)
        await asyncio.sleep(0)
        begun = bank.begun
        bank.supervisor.settled(1, "ada")
        return [call.cancelled(), begun, await other]

    assert run(test) == [True, 1, "ada"]


def test_a_call_that_waited_can_be_cancelled_when_it_has_begun(caplog: pytest.LogCaptureFixture):
    """Its result or error is dropped like that of any other call."""

    async def test(bank: Bank) -> list[Any]:
        calls = [waiting(bank)[1], bank.bank.slow(), bank.bank.slow()]
        arrive(bank)
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        bank.supervisor.settled(1, "ada")
        bank.supervisor.settled_by_error(2, 7, None, "7", None, "slow")
        crash(bank.supervisor, interrupted=[3])
        await asyncio.sleep(0)
        return [call.cancelled() for call in calls]

    assert run(test) == [True, True, True]
    gc.collect()
    assert caplog.records == []


def test_a_call_that_waited_is_told_what_is_wrong_with_it():
    """Its arguments are checked when it begins, because they belong to a generation."""

    async def test(bank: Bank) -> None:
        _, call = waiting(bank, 3)
        arrive(bank)
        await call

    with pytest.raises(TypeError, match=r"slow\(\) argument 'a'"):
        run(test)


def test_a_call_that_waited_follows_what_becomes_of_the_one_that_it_stands_for():
    """It is interrupted or cancelled with that call, and nobody has to retrieve its exception."""

    async def test(bank: Bank) -> list[Any]:
        _, call = waiting(bank)
        arrive(bank)
        await asyncio.sleep(0)
        crash(bank.supervisor, interrupted=[1])
        await asyncio.sleep(0)
        log = call._log_traceback  # type: ignore[attr-defined]
        bank.driver.failure = "preparing"
        crash(bank.supervisor)
        again = bank.bank.slow()
        arrive(bank)
        await asyncio.sleep(0)
        bank.supervisor.in_flight.calls[2].future.cancel()
        await asyncio.sleep(0)
        return [type(call.exception()), log, again.cancelled()]

    assert run(test) == [CallInterrupted, False, True]


def test_an_error_that_nobody_takes_is_reported(caplog: pytest.LogCaptureFixture):
    """The report has the name of the call. An interruption is not reported, because its crash already was."""

    async def test(bank: Bank) -> None:
        bank.bank.slow()
        bank.bank.slow()
        bank.supervisor.settled_by_error(1, 7, None, "7", None, "slow")
        crash(bank.supervisor, interrupted=[2])

    run(test)
    gc.collect()
    assert [record.getMessage() for record in caplog.records] == [
        "Call exception was never retrieved\nfuture: <Call bank.slow: raised RustError('7')>"
    ]


def test_a_group_hears_of_a_crash_and_of_all_that_it_interrupted():
    """Each task has its own error in the group: one has the crash, and the others have an interruption."""

    async def test(bank: Bank) -> list[str]:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(bank.bank.slow())
                asyncio.get_running_loop().call_soon(
                    lambda: crash(bank.supervisor, call="slow", suspects=[1], interrupted=[2, 3])
                )
        except ExceptionGroup as errors:
            return [type(error).__name__ for error in errors.exceptions]
        return []

    assert run(test) == ["RustPanic", "CallInterrupted", "CallInterrupted"]


def test_asyncio_wait_wants_tasks():
    """As for coroutines, the message says so, and the call goes on."""

    async def test(bank: Bank) -> Any:
        call = bank.bank.slow()
        with pytest.raises(TypeError, match="use tasks explicitly"):
            await asyncio.wait([call])
        bank.settle_soon("ada")
        return await call

    assert run(test) == "ada"
