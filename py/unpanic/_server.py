"""Requests in flight: who answers them, and what a crash means for them."""

import asyncio
import contextlib
import inspect
import logging
import types
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextvars import ContextVar
from typing import Any, Self

from ._calls import Call
from ._gateway import Exchange, Gateway
from ._http import HTTPError, Request, Response, crash_problem, explain, problem
from ._supervisor import crash_listeners
from .errors import CallInterrupted, Crash, ModuleTerminated

__all__ = ["Server"]

logger = logging.getLogger("unpanic.service")

# How often the event loop turns until what a crash settled has reached its handler: an await takes one turn, a gather
# or a task between them two more.
TURNS = 8

# Crashes are in the log already, and what a handler says itself needs no place there.
QUIET = (Crash, CallInterrupted, ModuleTerminated, HTTPError)

type Handler = Callable[[Request], Any]
type Flights = dict[asyncio.Task[None], Flight]


class Flight:
    """One request in flight."""

    def __init__(self, exchange: Exchange, prefix: str) -> None:
        self.exchange = exchange
        self.request = Request(exchange, prefix)
        self.has_begun = False
        self.is_over = False

    async def send(self, response: Response) -> None:
        """Answers, whole or bit by bit, unless it is too late."""
        if isinstance(response.body, bytes) or self._has_no_body(response):
            self.answer(response)
        elif not self.is_over:
            self.has_begun = True
            self.exchange.answer(response.status, response.headers, None)
            async with contextlib.aclosing(_chunks(response.body)) as chunks:
                async for chunk in chunks:
                    await self.exchange.send(chunk)
            self._end("")

    def answer(self, response: Response) -> None:
        """Answers at once; what is being streamed breaks off instead."""
        if self.is_over:
            return
        if self.has_begun:
            self._end("The request failed in Python.")
            return
        self.is_over = True
        body = b"" if self._has_no_body(response) else response.body
        self.exchange.answer(response.status, response.headers, body)

    def _has_no_body(self, response: Response) -> bool:
        return self.request.method == "HEAD" or response.is_empty

    def _end(self, error: str) -> None:
        self.is_over = True
        self.exchange.end(error)


async def _chunks(body: Any) -> AsyncGenerator[bytes]:
    """The parts of a body that is streamed."""
    if hasattr(body, "__aiter__"):
        async with contextlib.AsyncExitStack() as stack:
            if hasattr(body, "aclose"):
                stack.push_async_callback(body.aclose)
            async for chunk in body:
                yield _bytes(chunk)
    else:
        for chunk in body:
            yield _bytes(chunk)


def _bytes(chunk: Any) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else bytes(memoryview(chunk))


# Whose code is running.
_current: ContextVar[Flight | None] = ContextVar("unpanic request", default=None)


class Server:
    """Answers the requests of one prefix, until it is closed; `serve` makes it.

    It is an async context manager, which closes it.

    Attributes:
        prefix: the path with which its requests begin.
        timeout: how many seconds an async handler has, or None.
    """

    def __init__(
        self,
        prefix: str,
        handler: Handler,
        *,
        timeout: float | None = None,
        modules: Iterable[types.ModuleType] | None = None,
    ) -> None:
        self.prefix = prefix
        self.timeout = timeout
        self._handler = handler
        self._modules = None if modules is None else weakref.WeakSet(modules)
        self._flights: dict[asyncio.Task[None], Flight] = {}
        self._close: Callable[[], Awaitable[None]] | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else f"{len(self._flights)} in flight"
        return f"<Server {self.prefix} {state}>"

    async def open(self, gateway: Gateway, worker: str) -> None:
        """Begins to answer."""
        self._close = await gateway.open(self.prefix, worker, self._receive)
        crash_listeners.add(self._crashed)

    async def close(self) -> None:
        """Ends it: requests in flight get a 503, later ones go to the network. Safe to call twice."""
        if self._close is None:
            return
        self._is_closed = True
        close, self._close = self._close, None
        crash_listeners.discard(self._crashed)
        self._fail(self._flights.copy(), problem(503, f"{self.prefix} is not served any more."))
        await close()

    async def __aenter__(self) -> Self:
        """Closes the server when the `async with` block ends."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Closes the server."""
        await self.close()

    def _receive(self, exchange: Exchange) -> None:
        if self._is_closed:
            return  # the worker sees that too
        flight = Flight(exchange, self.prefix)
        task = asyncio.get_event_loop().create_task(self._run(flight))
        self._flights[task] = flight
        task.add_done_callback(self._landed)

        def give_up() -> None:
            flight.is_over = True
            task.cancel()

        exchange.aborted = give_up

    def _landed(self, task: asyncio.Task[None]) -> None:
        flight = self._flights.pop(task)
        # Where it was not cancelled from here, the handler awaited something that was.
        flight.answer(problem(500, "The handler was cancelled.", kind="cancelled"))
        flight.exchange.close()

    async def _run(self, flight: Flight) -> None:
        _current.set(flight)
        try:
            response = await self._respond(flight.request)
            await flight.send(response)
        except Exception as error:
            flight.answer(self._explain(error, flight.request))

    async def _respond(self, request: Request) -> Response:
        deadline = asyncio.timeout(self.timeout)
        try:
            async with deadline:
                result = self._handler(request)
                if inspect.isawaitable(result):
                    result = await result
        except TimeoutError:
            if not deadline.expired():
                raise
            return problem(504, f"{request.method} {request.path} took longer than {self.timeout:g} s.")
        return Response.of(result)

    def _explain(self, error: Exception, request: Request) -> Response:
        response = explain(error)
        if response.status >= 500 and not isinstance(error, QUIET):
            logger.error("%s %s failed.", request.method, request.path, exc_info=error)
        return response

    # Crashes.

    def _crashed(self, module: types.ModuleType | None, crash: Crash, suspects: list[Call]) -> None:
        """A generation died. All in flight fail with it, but those into whose code the crash is raised."""
        if self._modules is not None and module not in self._modules:
            return
        spared = {_current.get()}
        # Who awaits a call that may be to blame, through whatever tasks.
        for call in suspects:
            for _, context in call._callbacks or ():
                spared.add(context.get(_current))
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
