"""How requests come to Python: from the page's service worker, each on a message port of its own.

js/src/service-worker.js is at the other end.
"""

import asyncio
import itertools
import math
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ._exchange import Exchange, Gateway
from ._page import Page
from ._worker import ServiceWorker

__all__ = ["browser_gateway"]

# The service worker finds the Pythons that serve a prefix by the names of their locks, which begin with this.
NAME = "unpanic-service"


class PortExchange:
    """A request that came through the service worker, with a message port of its own."""

    def __init__(self, page: Page, data: Any, port: Any) -> None:
        self.method, self.url = str(data.method), str(data.url)
        self.headers: Sequence[tuple[str, str]] = [(str(name), str(value)) for name, value in data.headers.to_py()]
        self.mode, self.referrer = str(data.mode), str(data.referrer)
        self.referrer_policy = str(data.referrerPolicy)
        self.waited = max(0.0, (page.now() - data.asked) / 1000)
        self.aborted: Callable[[], None] = lambda: None
        self._page = page
        self._port = port
        self._has_body = bool(data.body)
        self._chunks: asyncio.Queue[Any] = asyncio.Queue()
        self._pulls = asyncio.Semaphore(0)
        self._proxy = page.ffi.create_proxy(self._receive)
        port.onmessage = self._proxy

    def _receive(self, event: Any) -> None:
        verb = event.data.verb
        if verb == "chunk":
            self._chunks.put_nowait(event.data)
        elif verb == "pull":
            self._pulls.release()
        else:
            self.aborted()

    async def read(self) -> bytes | None:
        """Returns the next chunk of the request's body, or None at its end.

        Raises:
            ConnectionError: the page broke the request off.
        """
        if not self._has_body:
            return None
        self._post(verb="read")
        data = await self._chunks.get()
        if error := getattr(data, "error", None):
            raise ConnectionError(f"The request's body ended early: {error}")
        if self._page.is_nothing(data.value):
            self._has_body = False
            return None
        return bytes(data.value.to_bytes())

    def answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes | None) -> None:
        """Answers with the whole body, or begins a stream."""
        self._post(verb="head", status=status, headers=[list(pair) for pair in headers], body=body)

    async def send(self, chunk: bytes) -> None:
        """Sends a part of a streamed body as soon as the page asks for it."""
        await self._pulls.acquire()
        self._post(verb="chunk", value=chunk)

    def end(self, error: str = "") -> None:
        """Ends a streamed body, with an error if `error` has a text."""
        self._post(verb="error" if error else "end", message=error)

    def close(self) -> None:
        """Lets go of the port, which the worker closes."""
        self._port.onmessage = None
        self._proxy.destroy()

    def _post(self, **message: Any) -> None:
        self._port.postMessage(self._page.message(message))


class PageGateway:
    """Requests of a page, for Python on its main thread."""

    def __init__(self) -> None:
        self._page = Page()
        self._numbers = itertools.count()
        # The addresses of the workers that have answered as unpanic's do.
        self._workers: set[str] = set()

    def prefix(self, text: str) -> str:
        """Returns the path of a prefix that may be relative to the page.

        Raises:
            ServiceError: this page cannot have a service worker.
            ValueError: the prefix is on another origin, or does not end with a slash.
        """
        self._page.container()
        url = self._page.url(text)
        if str(url.origin) != str(self._page.js.location.origin):
            raise ValueError(f"{text!r} is on another origin than the page: only its own requests can be served.")
        if not str(url.pathname).endswith("/"):
            raise ValueError(f"A prefix ends with a slash: {text!r} does not.")
        return str(url.pathname)

    async def open(
        self, prefix: str, worker: str, timeout: float | None, receive: Callable[[Exchange], None]
    ) -> Callable[[], Awaitable[None]]:
        """Begins to receive the requests of a prefix; returns a function that ends it.

        The worker answers for a Python that is still busy after `timeout` seconds.

        Raises:
            ServiceError: this page cannot have a service worker, or the worker is not unpanic's.
        """
        page, container = self._page, self._page.container()
        service_worker = ServiceWorker(page, str(page.url(worker).href))
        await service_worker.register()
        client = await service_worker.serve(prefix)
        self._workers.add(service_worker.url)
        seconds = timeout if timeout is not None and math.isfinite(timeout) else 0
        lock = f"{NAME} {client} {page.now():.0f}.{next(self._numbers)} {seconds} {prefix}"

        def received(event: Any) -> None:
            # Any worker of this origin may send messages to the page.
            sender = str(getattr(event.source, "scriptURL", ""))
            if sender in self._workers and getattr(event.data, "unpanic", None) == lock:
                receive(PortExchange(page, event.data, event.ports[0]))

        stop = page.listen(container, "message", received)
        container.startMessages()
        release = await page.lock(lock)

        async def close() -> None:
            release()
            await service_worker.forget(prefix, lock)
            stop()

        return close


_gateway: PageGateway | None = None


def browser_gateway() -> Gateway:
    """Returns the gateway of this page.

    Raises:
        RuntimeError: this Python does not run under Pyodide.
    """
    global _gateway
    if _gateway is None:
        if "pyodide" not in sys.modules:
            raise RuntimeError("unpanic serves requests in the browser: run it under Pyodide (this is plain CPython).")
        _gateway = PageGateway()
    return _gateway
