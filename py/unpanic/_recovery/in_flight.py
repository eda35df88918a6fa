"""Async calls: the table of those that are in flight, and the row of those that wait for a generation."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._bridge.futures import Call, make_call
from .._unseen import unseen

if TYPE_CHECKING:
    from .history import History
    from .protocols import Converter

__all__ = ["InFlight", "Starter"]

# Converts the arguments of an async call, begins it, and hands it to `Supervisor.started`.
type Starter = Callable[[], Call]


@dataclass
class CallInFlight:
    """An async call that has begun.

    Attributes:
        future: what the caller awaits.
        receive: converts the result, if that is needed.
        name: what was called.
        began: when, by the history's clock.
        fills: whether a callback of `on_reset` began it, or a task that was started there.
        limit: tells how many seconds it may compute without giving the event loop a turn.
    """

    future: Call
    receive: "Converter | None"
    name: str
    began: float
    fills: bool = False
    limit: Callable[[], float] = lambda: math.inf


class InFlight:
    """The async calls of one module.

    Attributes:
        calls: the calls that have begun, by the numbers that the runtime gave them.
    """

    def __init__(self, module: str, history: "History", is_waiting: Callable[[], bool]) -> None:
        self.calls: dict[int, CallInFlight] = {}
        self._module = module
        self._history = history
        # Tells whether calls have to wait for a generation.
        self._is_waiting = is_waiting
        self._waiting: deque[tuple[Call, Starter]] = deque()
        # The one of them that begins now.
        self._beginning: Call | None = None

    # Calls that have begun.

    def take_future(self, name: str) -> Call:
        """Gives the future for a call that begins: the one that its caller has awaited so far, or a new one."""
        waited, self._beginning = self._beginning, None
        return waited or self._make_future(name)

    def add(
        self,
        number: int,
        future: Call,
        name: str,
        receive: "Converter | None",
        *,
        fills: bool,
        limit: Callable[[], float],
    ) -> None:
        """Notes that a call has begun."""
        self.calls[number] = CallInFlight(future, receive, name, self._history.clock(), fills, limit)

    def end(self, number: int, how: str, error: BaseException | None, result: Any = None) -> None:
        """Ends a call in flight, which its caller may have given up. If this is interrupted, it is done again."""
        call = self.calls.get(number)
        if call is not None:
            how = "cancelled" if call.future.cancelled() else how
            call.future.end(error, result)
            self.calls.pop(number, None)
            self._history.call_ended(call.name, call.began, how)

    def end_with(self, number: int, value: Any) -> None:
        """Ends a call that has returned."""
        call = self.calls.get(number)
        if call is None:
            return
        try:
            # Also where the call was given up: an object that nobody takes is freed.
            result = value if call.receive is None else call.receive(value)
        except BaseException as error:
            self.end(number, "returned", error)
        else:
            self.end(number, "returned", None, result)

    def find(self, numbers: Iterable[int]) -> list[CallInFlight]:
        """Gives those of the calls that have not ended."""
        return [self.calls[number] for number in numbers if number in self.calls]

    def limit(self, numbers: Iterable[int]) -> float:
        """Gives the tightest limit of some calls: code that the event loop calls may be any of them."""
        return min((call.limit() for call in self.find(numbers)), default=math.inf)

    # Calls that wait.

    @unseen
    def begin_or_wait(self, run: Starter, name: str) -> Call:
        """Begins a call, or has it wait until there is a generation."""
        if self._is_waiting():
            future = self._make_future(name)
            self._waiting.append((future, run))
            return future
        # The code that converts the arguments of a call that waited may call something else.
        waited, self._beginning = self._beginning, None
        if waited is None:
            return run()
        try:
            return run()
        finally:
            self._beginning = waited

    def arrival(self) -> "asyncio.Future[None]":
        """Gives a future that is done once calls that wait can begin: after those that have waited for longer."""
        arrival: asyncio.Future[None] = asyncio.get_event_loop().create_future()

        def arrive() -> Call:
            call = self.take_future("")
            if not arrival.done():
                arrival.set_result(None)
            call.end(None)
            return call

        self.begin_or_wait(arrive, "")
        return arrival

    def wake(self) -> None:
        """Lets calls that wait go on, when the event loop turns."""
        if self._waiting:
            asyncio.get_event_loop().call_soon(self.begin_waiting)

    def begin_waiting(self) -> None:
        """Begins the calls that wait, the oldest first, as long as there is a generation."""
        while self._waiting and not self._is_waiting():
            future, run = self._waiting[0]
            try:
                self._beginning = future
                future.begin(run)
                self._beginning = None
                if self._waiting and self._waiting[0][0] is future:
                    self._waiting.popleft()
            except BaseException:
                self._beginning = None
                self.wake()  # one that has begun does not begin again
                raise

    def _make_future(self, name: str) -> Call:
        return make_call(f"{self._module}.{name}" if name else self._module)
