"""A service without a browser: the requests that tests send to a server, and the responses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from unpanic import service
from unpanic._recovery.observers import crash_observers

ORIGIN = "http://localhost"


class FakeExchange:
    """A request and its response. By default it is a `fetch` of a page of this origin."""

    def __init__(
        self,
        path: str,
        method: str = "GET",
        chunks: tuple[bytes, ...] = (),
        headers: Any = (),
        *,
        mode: str = "cors",
        referrer: str = "",
        referrer_policy: str = "strict-origin-when-cross-origin",
        waited: float = 0.0,
    ) -> None:
        self.url = f"{ORIGIN}/bank{path}"
        self.method = method
        self.headers = list(headers)
        self.mode, self.referrer, self.referrer_policy = mode, referrer, referrer_policy
        self.waited = waited
        self.aborted: Callable[[], None] = lambda: None
        self.chunks = list(chunks)
        self.status = 0
        self.body: bytes | None = None
        self.sent: list[bytes] = []
        self.error: str | None = None
        self.wanted = asyncio.Semaphore(100)
        self.closed = 0

    async def read(self) -> bytes | None:
        await asyncio.sleep(0)
        return self.chunks.pop(0) if self.chunks else None

    def answer(self, status: int, headers: Any, body: bytes | None) -> None:
        assert not self.status, "answered twice"
        self.status, self.body, self.answer_headers = status, body, dict(headers)

    async def send(self, chunk: bytes) -> None:
        await self.wanted.acquire()
        self.sent.append(chunk)

    def end(self, error: str = "") -> None:
        assert self.error is None, "ended twice"
        self.error = error

    def close(self) -> None:
        self.closed += 1

    @property
    def problem(self) -> Any:
        assert self.answer_headers["content-type"] == "application/problem+json"
        assert self.body is not None
        return json.loads(self.body)


class FakeGateway:
    """A page with one service worker."""

    def __init__(self) -> None:
        self.receive: Any = None
        self.ended = 0

    def prefix(self, prefix: str) -> str:
        return prefix

    async def open(
        self, _prefix: str, _worker: str, _timeout: float | None, receive: Any
    ) -> Callable[[], Awaitable[None]]:
        self.receive = receive

        async def close() -> None:
            self.ended += 1

        return close


class Site:
    """A server and its requests."""

    def __init__(self, handler: Any, **options: Any) -> None:
        self.gateway = FakeGateway()
        self.server = service.Server("/bank/", handler, **options)

    async def __aenter__(self) -> Site:
        await self.server.open(self.gateway, "worker.js")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()
        await turns()
        assert not crash_observers

    def begin(self, path: str, method: str = "GET", **more: Any) -> FakeExchange:
        exchange = FakeExchange(path, method, **more)
        self.gateway.receive(exchange)
        return exchange

    async def ask(self, path: str, method: str = "GET", **more: Any) -> FakeExchange:
        exchange = self.begin(path, method, **more)
        while not exchange.closed:
            await asyncio.sleep(0)
        assert exchange.closed == 1
        return exchange


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(main())
