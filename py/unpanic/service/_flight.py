"""One request in flight: how its answer is sent, whole or as a stream, and at most once."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import Any

from ._exchange import Exchange
from ._http import Request, Response, problem
from ._problems import named

__all__ = ["Flight", "current_flight"]


class Flight:
    """One request in flight.

    Attributes:
        due: when the answer must be there, in the event loop's time, or None.
        has_begun: whether a streamed answer has begun.
        is_over: whether the request was answered, or nobody waits for the answer any more.
    """

    def __init__(self, exchange: Exchange, prefix: str) -> None:
        self.exchange = exchange
        self.request = Request(exchange, prefix)
        self.due: float | None = None
        self.has_begun = False
        self.is_over = False

    @property
    def is_late(self) -> bool:
        """Whether the time for an answer is over."""
        return self.due is not None and asyncio.get_event_loop().time() >= self.due

    async def send(self, response: Response) -> None:
        """Answers at once, or chunk by chunk if the body is streamed; does nothing if the request is over."""
        if isinstance(response.body, bytes) or self._has_no_body(response):
            self.answer(response)
        elif not self.is_over:
            parts = response.parts()
            self.has_begun = True
            self.exchange.answer(response.status, response.headers, None)
            async with contextlib.aclosing(_chunks(parts)) as chunks:
                async for chunk in chunks:
                    await self.exchange.send(chunk)
            self._end("")

    def answer(self, response: Response) -> None:
        """Answers at once; a streamed answer that has begun breaks off instead."""
        if self.is_over:
            return
        if self.has_begun:
            self._end("The request failed in Python.")
            return
        self.is_over = True
        try:
            self._post(response)
        except BaseException as error:
            self._post(problem(500, f"The response could not be sent: {named(error)}"))
            raise

    def _post(self, response: Response) -> None:
        body = b"" if self._has_no_body(response) else response.body
        self.exchange.answer(response.status, response.headers, body)

    def _has_no_body(self, response: Response) -> bool:
        return self.request.method == "HEAD" or response.is_empty

    def _end(self, error: str) -> None:
        self.is_over = True
        self.exchange.end(error)


async def _chunks(body: Any) -> AsyncGenerator[bytes]:
    """Yields the chunks of a body that is streamed."""
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


# The request for which the running code works.
current_flight: ContextVar[Flight | None] = ContextVar("unpanic request", default=None)
