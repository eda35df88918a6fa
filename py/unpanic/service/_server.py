"""The server of a prefix: how its requests are answered, and what a crash means for those in flight."""

import asyncio
import inspect
import logging
import math
import time
import types
import weakref
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

from .._bridge.asyncio_private import callbacks_of
from .._bridge.futures import Call
from .._recovery.deadlines import ends_at
from .._recovery.observers import crash_observers
from ..errors import CallInterrupted, CallTimeout, Crash, ModuleTerminated
from ._admission import Admission
from ._exchange import Exchange, Gateway
from ._flight import Flight, current_flight
from ._http import HTTPError, Request, Response, problem
from ._problems import crash_problem, explain, named

__all__ = ["Server"]

logger = logging.getLogger("unpanic.service")

# How often the event loop turns until the exception of a crashed call has reached its handler: an await takes one turn,
# a gather or a task in between takes two more.
TURNS = 8

# The log leaves these out: crashes are in it already, and an `HTTPError` is an answer that the handler chose.
QUIET = (Crash, CallInterrupted, ModuleTerminated, HTTPError)

type Handler = Callable[[Request], Any]
type Flights = dict[asyncio.Task[None], Flight]


class Server:
    """Answers the requests of one prefix until it is closed; `serve` makes it.

    As an async context manager it closes itself at the end of the block.

    Attributes:
        prefix: the path with which the requests begin.
    """

    def __init__(
        self,
        prefix: str,
        handler: Handler,
        *,
        timeout: float | None = None,
        modules: Iterable[types.ModuleType] | None = None,
        navigations: bool = False,
        allow: Iterable[str] = (),
    ) -> None:
        self.prefix = prefix
        self._timeout = timeout
        self._admission = Admission(navigations, allow)
        self._handler = handler
        self._modules = None if modules is None else weakref.WeakSet(modules)
        self._flights: dict[asyncio.Task[None], Flight] = {}
        self._close: Callable[[], Awaitable[None]] | None = None
        self._stop_observing: Callable[[], None] = lambda: None
        self._is_closed = False

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else f"{len(self._flights)} in flight"
        return f"<Server {self.prefix} {state}>"

    @property
    def timeout(self) -> float | None:
        """The seconds after which a request is answered with 504, or None."""
        return self._timeout

    async def open(self, gateway: Gateway, worker: str) -> None:
        """Begins to answer requests."""
        self._close = await gateway.open(self.prefix, worker, self.timeout, self._receive)
        self._stop_observing = crash_observers.add(self._crashed)

    async def close(self) -> None:
        """Ends the server: requests in flight get a 503, later ones go to the network. Safe to call twice."""
        if self._close is None:
            return
        self._is_closed = True
        close, self._close = self._close, None
        self._stop_observing()
        self._fail(self._flights.copy(), problem(503, f"{self.prefix} is not served any more."))
        await close()

    async def __aenter__(self) -> Self:
        """Returns the server, which closes when the `async with` block ends."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Closes the server."""
        await self.close()

    def _receive(self, exchange: Exchange) -> None:
        if self._is_closed:
            return  # the service worker sees that the lock is gone, and asks the network
        flight = Flight(exchange, self.prefix)
        loop = asyncio.get_event_loop()
        if self.timeout is not None:
            flight.due = loop.time() + self.timeout - exchange.waited
        if reason := self._admission.refusal(exchange):
            flight.answer(problem(403, reason))
            exchange.close()
            logger.info("%s %s was refused. %s", flight.request.method, flight.request.path, reason)
            return
        task = loop.create_task(self._run(flight))
        self._flights[task] = flight
        task.add_done_callback(self._landed)
        if flight.due is not None:
            # The answer does not wait until the handler has ended, because a handler may ignore its cancellation.
            timer = loop.call_later(max(0.0, flight.due - loop.time()), self._expire, task, flight)
            task.add_done_callback(lambda _: timer.cancel())

        def give_up() -> None:
            flight.is_over = True
            task.cancel()

        exchange.aborted = give_up

    def _lateness(self, request: Request) -> Response:
        return problem(504, f"{request.method} {request.path} took longer than {self.timeout:g} s.")

    def _expire(self, task: asyncio.Task[None], flight: Flight) -> None:
        if not flight.has_begun:
            flight.answer(self._lateness(flight.request))
            task.cancel()

    def _landed(self, task: asyncio.Task[None]) -> None:
        flight = self._flights.pop(task)
        error = None if task.cancelled() else task.exception()
        if error:
            flight.answer(problem(500, f"Answering failed: {named(error)}"))
            if not isinstance(error, KeyboardInterrupt):  # which the event loop raises itself
                context = {"message": "A request was answered, but not to the end.", "exception": error, "task": task}
                task.get_loop().call_exception_handler(context)
        else:
            # If the server did not cancel the handler, the handler awaited something that was cancelled.
            flight.answer(problem(500, "The handler was cancelled.", kind="cancelled"))
        flight.exchange.close()

    async def _run(self, flight: Flight) -> None:
        current_flight.set(flight)
        # Rust that computes when the time is over ends, if its module was loaded with `timeout=`.
        left = math.inf if flight.due is None else flight.due - asyncio.get_event_loop().time()
        lift = ends_at(time.monotonic() + left)
        try:
            # If Python was busy until now, the service worker has answered 504: nothing may be done for the request.
            response = self._lateness(flight.request) if flight.is_late else await self._respond(flight.request)
            lift()  # a stream may go on for longer
            await flight.send(self._lateness(flight.request) if flight.is_late else response)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            # A deadline that ended Rust was the request's, if its time is over.
            if isinstance(error, CallTimeout) and flight.is_late:
                flight.answer(self._lateness(flight.request))
            else:
                self._failed(flight, error)
            if isinstance(error, KeyboardInterrupt):
                raise  # the user who pressed stop means more than this request
        finally:
            lift()  # which tasks have inherited that the handler leaves behind

    async def _respond(self, request: Request) -> Response:
        result = self._handler(request)
        if inspect.isawaitable(result):
            result = await result
        return Response.of(result).check()

    def _failed(self, flight: Flight, error: BaseException) -> None:
        """Answers a request whose handler raised an exception, or returned something that cannot be sent."""
        try:
            response = explain(error)
        except Exception as failure:
            response = problem(500, f"{named(error)}, and the response for it cannot be made: {named(failure)}")
            error = failure
        flight.answer(response)  # before the log, whose handlers may do anything
        if response.status >= 500 and not isinstance(error, QUIET):
            logger.error("%s %s failed.", flight.request.method, flight.request.path, exc_info=error)

    # Crashes.

    def _crashed(self, module: types.ModuleType | None, crash: Crash, suspects: list[Call]) -> None:
        """Fails the requests in flight after a crash, except those into whose code the crash is raised."""
        if self._modules is not None and module not in self._modules:
            return
        spared = {current_flight.get()}
        # The requests that await a call that may be to blame, through any number of tasks.
        for call in suspects:
            for _, context in callbacks_of(call):
                spared.add(context.get(current_flight))
        doomed = {task: flight for task, flight in self._flights.items() if flight not in spared}
        if doomed:
            loop = asyncio.get_event_loop()
            loop.call_soon(self._wait, loop, TURNS, doomed, crash)

    def _wait(self, loop: asyncio.AbstractEventLoop, turns: int, doomed: Flights, crash: Crash) -> None:
        if turns:
            loop.call_soon(self._wait, loop, turns - 1, doomed, crash)
        else:
            self._fail(doomed, crash_problem(crash, f"This request was interrupted: another one crashed: {crash}"))

    def _fail(self, flights: Flights, response: Response) -> None:
        for task, flight in flights.items():
            flight.answer(response)
            if not task.done():
                task.cancel()
