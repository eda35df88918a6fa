"""The browser's side of serving: the page's service worker, its locks and message ports.

With `_host.py` the only module that imports JavaScript. Everything else takes a `Gateway`, and gets an `Exchange` for
each request. js/src/service-worker.js is what is at the other end.
"""

import asyncio
import itertools
import math
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from .._version import __version__
from ..errors import UnpanicError

__all__ = ["Exchange", "Gateway", "ServiceError", "browser_gateway"]

# A worker that is another one does not answer at all.
SECONDS_TO_ANSWER = 5.0
NAME = "unpanic-service"
FILE = "unpanic-service-worker.js"


class ServiceError(UnpanicError):
    """Requests cannot be served here, and why."""


class Exchange(Protocol):
    """One request, and the way of its answer."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    # What a browser tells of who asks: `mode`, `referrer` and `referrerPolicy` of a JavaScript request.
    mode: str
    referrer: str
    referrer_policy: str
    # The seconds since it was asked.
    waited: float
    # Called when nobody waits for the answer any more.
    aborted: Callable[[], None]

    async def read(self) -> bytes | None: ...
    def answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes | None) -> None: ...
    async def send(self, chunk: bytes) -> None: ...
    def end(self, error: str = "") -> None: ...
    def close(self) -> None: ...


class Gateway(Protocol):
    """What serving needs from the place where Python runs."""

    def prefix(self, given: str) -> str: ...
    async def open(
        self, prefix: str, worker: str, timeout: float | None, receive: Callable[[Exchange], None]
    ) -> Callable[[], Awaitable[None]]: ...


class PortExchange:
    """A request that came through the service worker, on a message port of its own."""

    def __init__(self, browser: "PageGateway", data: Any, port: Any) -> None:
        self.method, self.url = str(data.method), str(data.url)
        self.headers: Sequence[tuple[str, str]] = [(str(name), str(value)) for name, value in data.headers.to_py()]
        self.mode, self.referrer = str(data.mode), str(data.referrer)
        self.referrer_policy = str(data.referrerPolicy)
        self.waited = max(0.0, (browser.now() - data.asked) / 1000)
        self.aborted: Callable[[], None] = lambda: None
        self._browser = browser
        self._port = port
        self._has_body = bool(data.body)
        self._chunks: asyncio.Queue[Any] = asyncio.Queue()
        self._pulls = asyncio.Semaphore(0)
        self._proxy = browser.ffi.create_proxy(self._receive)
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
        """The next chunk of the request's body, or None at its end.

        Raises:
            ConnectionError: the page broke it off.
        """
        if not self._has_body:
            return None
        self._post(verb="read")
        data = await self._chunks.get()
        if error := getattr(data, "error", None):
            raise ConnectionError(f"The request's body ended early: {error}")
        if self._browser.is_nothing(data.value):
            self._has_body = False
            return None
        return bytes(data.value.to_bytes())

    def answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes | None) -> None:
        """Answers with the whole body, or begins a stream."""
        self._post(verb="head", status=status, headers=[list(pair) for pair in headers], body=body)

    async def send(self, chunk: bytes) -> None:
        """Sends a part of a streamed body, as soon as it is wanted."""
        await self._pulls.acquire()
        self._post(verb="chunk", value=chunk)

    def end(self, error: str = "") -> None:
        """Ends a streamed body, well or with an error."""
        self._post(verb="error" if error else "end", message=error)

    def close(self) -> None:
        """Lets go of the port, which the worker closes."""
        self._port.onmessage = None
        self._proxy.destroy()

    def _post(self, **message: Any) -> None:
        self._port.postMessage(self._browser.message(message))


class PageGateway:
    """The main thread of a page."""

    def __init__(self) -> None:
        from pyodide import ffi

        import js

        self.ffi = ffi
        self._js: Any = js
        self._null = getattr(ffi, "jsnull", None)
        self._numbers = itertools.count()
        # The addresses of the workers that were found to be ours.
        self._workers: set[str] = set()

    def is_nothing(self, value: object) -> bool:
        return value is None or value is self._null

    def now(self) -> float:
        """The time in milliseconds, which is the same in the worker."""
        return float(self._js.Date.now())

    def message(self, message: dict[str, Any]) -> Any:
        """A dict as a plain object."""
        return self.ffi.to_js(message, dict_converter=self._js.Object.fromEntries)

    def prefix(self, given: str) -> str:
        """The path of a prefix that may be relative to the page.

        Raises:
            ServiceError: this page cannot have a service worker.
            ValueError: it is on another origin, or does not end with a slash.
        """
        self._container()
        url = self._url(given)
        if str(url.origin) != str(self._js.location.origin):
            raise ValueError(f"{given!r} is on another origin than the page: only its own requests can be served.")
        if not str(url.pathname).endswith("/"):
            raise ValueError(f"A prefix ends with a slash: {given!r} does not.")
        return str(url.pathname)

    def _url(self, given: str) -> Any:
        return self._js.URL.new(given, self._js.document.baseURI)

    async def open(
        self, prefix: str, worker: str, timeout: float | None, receive: Callable[[Exchange], None]
    ) -> Callable[[], Awaitable[None]]:
        """Begins to receive the requests of a prefix; returns what ends it.

        The worker answers for a Python that is still busy after `timeout` seconds.

        Raises:
            ServiceError: this page cannot have a service worker, or that one is none of ours.
        """
        container = self._container()
        url = str(self._url(worker).href)
        registration = await self._registered(container, url)
        client = await self._admitted(container, registration, prefix, url)
        self._workers.add(url)
        seconds = timeout if timeout is not None and math.isfinite(timeout) else 0
        lock = f"{NAME} {client} {self.now():.0f}.{next(self._numbers)} {seconds} {prefix}"

        def received(event: Any) -> None:
            # Any worker of this origin may send messages here.
            sender = str(getattr(event.source, "scriptURL", ""))
            if sender in self._workers and getattr(event.data, "unpanic", None) == lock:
                receive(PortExchange(self, event.data, event.ports[0]))

        proxy = self.ffi.create_proxy(received)
        container.addEventListener("message", proxy)
        container.startMessages()
        release = await self._lock(lock)

        async def close() -> None:
            release()
            active = registration.active
            if not self.is_nothing(active):
                await self._ask(active, unpanic="forget", prefix=prefix, lock=lock)
            container.removeEventListener("message", proxy)
            proxy.destroy()

        return close

    def _container(self) -> Any:
        js = self._js
        if not hasattr(js, "document"):
            raise ServiceError(
                "Requests are served by Python on a page's main thread; this one runs in a worker, where browsers "
                "offer no service workers."
            )
        if not js.isSecureContext:
            raise ServiceError(
                f"Browsers offer service workers to https and localhost only, not to {js.location.origin}."
            )
        container = getattr(js.navigator, "serviceWorker", None)
        if container is None or not hasattr(js.navigator, "locks"):
            raise ServiceError("This browser offers no service workers here; some turn them off in private windows.")
        return container

    async def _registered(self, container: Any, url: str) -> Any:
        """The registration with an active worker."""
        registration = await self._registered_before(container, url)
        try:
            # Chromium may let that wait while another worker does, or while it is about to look for a newer one.
            registration = registration or await self._in_time(
                container.register(url, self.message({"updateViaCache": "none"}))
            )
        except self.ffi.JsException as error:
            raise await self._refusal(url, error) from None
        if registration is None:
            raise ServiceError(f"The browser does not register the service worker {url}: close all pages of this site.")
        scope, page = str(registration.scope), str(self._js.location.href)
        if not page.startswith(scope):
            raise ServiceError(
                f"The service worker {url} reaches pages below {scope}, which {page} is not: "
                "put its file into the page's folder or one above."
            )
        if self.is_nothing(registration.active) or str(registration.active.scriptURL) != url:
            await self._begun(registration)
        if self.is_nothing(registration.active):
            raise ServiceError(
                f"The browser does not start the service worker {url}: it has an error, or takes too long."
            )
        return registration

    async def _registered_before(self, container: Any, url: str) -> Any:
        """The registration that a worker has already, if it is active."""
        scope = str(self._js.URL.new("./", url).href)
        registration = await container.getRegistration(scope)
        if self.is_nothing(registration) or str(registration.scope) != scope:
            return None
        active = registration.active
        return registration if not self.is_nothing(active) and str(active.scriptURL) == url else None

    async def _refusal(self, url: str, error: Any) -> ServiceError:
        """Why a worker was not registered, in words that do not depend on the browser."""
        try:
            response = await self._js.fetch(url, self.message({"cache": "no-store"}))
        except self.ffi.JsException:
            return ServiceError(f"The service worker {url} cannot be fetched: {error.message}")
        kind = response.headers.get("content-type")
        kind = "without a type" if self.is_nothing(kind) else f"as {kind}"
        if not response.ok:
            return ServiceError(
                f"There is no service worker at {url} (HTTP status {response.status}). `unpanic assets DIR` writes "
                f"{FILE} into a folder of your site; serve(..., worker=...) tells where it is."
            )
        if "javascript" not in kind:
            return ServiceError(
                f"The service worker {url} comes {kind}, not as text/javascript, so browsers refuse it."
            )
        return ServiceError(f"The browser refuses the service worker {url}: {error.message}")

    async def _admitted(self, container: Any, registration: Any, prefix: str, url: str) -> str:
        """Tells the worker of a prefix, and sees to it that it controls this page; returns the page's number there."""
        answer = await self._ask(registration.active, unpanic="serve", prefix=prefix)
        if answer is None or answer.version != __version__:
            # One of an earlier visit. The browser looks for a newer file now, and would let that wait for all pages.
            await self._renewed(registration)
            answer = await self._ask(registration.active, unpanic="serve", prefix=prefix)
        if str(registration.active.scriptURL) != url:
            raise ServiceError(
                f"The service worker {url} waits until {registration.active.scriptURL} has ended: close all pages of "
                f"this site. One that imports {FILE} begins at once."
            )
        if answer is None:
            raise ServiceError(f"{url} is another service worker: it does not import {FILE}.")
        if answer.version != __version__:
            raise ServiceError(
                f"The service worker {url} is that of unpanic {answer.version}, but this is unpanic {__version__}: "
                "`unpanic assets DIR` writes the file of this version."
            )
        if self.is_nothing(container.controller) and not await self._happens(container, "controllerchange"):
            raise ServiceError(f"The browser did not give this page to the service worker {url}: load it again.")
        return str(answer.client)

    async def _renewed(self, registration: Any) -> None:
        """Lets the browser look for a newer worker, which takes the place of the active one."""
        try:
            await self._in_time(registration.update())  # as above
        except self.ffi.JsException:
            return
        await self._begun(registration)

    async def _begun(self, registration: Any) -> None:
        """Lets the newest worker of a registration begin its work, if it will."""
        for role in ("installing", "waiting"):
            worker = getattr(registration, role)
            while not self.is_nothing(worker) and str(worker.state) not in ("activated", "redundant"):
                if str(worker.state) == "installed":
                    worker.postMessage(self.message({"unpanic": "activate"}))
                # One that keeps a site for the time without a network is being installed as long as that takes.
                seconds = None if str(worker.state) == "installing" else SECONDS_TO_ANSWER
                if not await self._happens(worker, "statechange", seconds):
                    return

    async def _happens(self, target: Any, name: str, seconds: float | None = SECONDS_TO_ANSWER) -> bool:
        """Waits for an event, or gives up."""
        happened = asyncio.get_running_loop().create_future()
        proxy = self.ffi.create_proxy(_settling(happened))
        target.addEventListener(name, proxy)
        try:
            return await self._in_time(happened, seconds) is not None
        finally:
            target.removeEventListener(name, proxy)
            proxy.destroy()

    async def _in_time(self, event: Awaitable[Any], seconds: float | None = SECONDS_TO_ANSWER) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await event
        except TimeoutError:
            return None

    async def _ask(self, worker: Any, **message: Any) -> Any:
        """What a worker answers, or None."""
        answered = asyncio.get_running_loop().create_future()
        channel = self._js.MessageChannel.new()
        proxy = self.ffi.create_proxy(_settling(answered))
        channel.port1.onmessage = proxy
        worker.postMessage(self.message(message), self.ffi.to_js([channel.port2]))
        try:
            event = await self._in_time(answered)
            return event and event.data
        finally:
            channel.port1.close()
            proxy.destroy()

    async def _lock(self, name: str) -> Callable[[], object]:
        """Holds a lock of this name; returns what releases it."""
        held = asyncio.get_running_loop().create_future()
        releases: list[Any] = []
        released = self._js.Promise.new(self.ffi.create_once_callable(lambda resolve, _: releases.append(resolve)))

        def hold(_: Any) -> Any:
            held.set_result(None)
            return released

        self._js.navigator.locks.request(name, self.ffi.create_once_callable(hold))
        await held
        return releases[0]  # type: ignore[no-any-return]


def _settling(future: asyncio.Future[Any]) -> Callable[[Any], None]:
    """A listener that settles a future with the first event."""

    def listener(event: Any) -> None:
        if not future.done():
            future.set_result(event)

    return listener


_gateway: PageGateway | None = None


def browser_gateway() -> Gateway:
    """The gateway of this page.

    Raises:
        RuntimeError: this Python does not run under Pyodide.
    """
    global _gateway
    if _gateway is None:
        if "pyodide" not in sys.modules:
            raise RuntimeError("unpanic serves requests in the browser: run it under Pyodide (this is plain CPython).")
        _gateway = PageGateway()
    return _gateway
