"""The parts of JavaScript that serving uses on a page's main thread: events, messages and locks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ._exchange import ServiceError

__all__ = ["Page"]

# The time in which a service worker answers. A worker that is not unpanic's does not answer at all.
SECONDS_TO_ANSWER = 5.0


class Page:
    """The main thread of a page.

    With `_bridge/browser.py` this is the only code that imports JavaScript.
    """

    def __init__(self) -> None:
        from pyodide import ffi

        import js

        self.ffi = ffi
        self.js: Any = js
        self._null = getattr(ffi, "jsnull", None)

    def is_nothing(self, value: object) -> bool:
        """Whether a value is JavaScript's `null` or `undefined`."""
        return value is None or value is self._null

    def now(self) -> float:
        """Returns the time in milliseconds, which is the same in the service worker."""
        return float(self.js.Date.now())

    def message(self, message: dict[str, Any]) -> Any:
        """Returns a dict as a plain JavaScript object."""
        return self.ffi.to_js(message, dict_converter=self.js.Object.fromEntries)

    def url(self, text: str) -> Any:
        """Returns the `URL` of an address that may be relative to the page."""
        return self.js.URL.new(text, self.js.document.baseURI)

    def container(self) -> Any:
        """Returns `navigator.serviceWorker`.

        Raises:
            ServiceError: this page has none.
        """
        js = self.js
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

    def listen(self, target: Any, name: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Calls a function at every event of this name; returns a function that ends it."""
        proxy = self.ffi.create_proxy(listener)
        target.addEventListener(name, proxy)

        def stop() -> None:
            target.removeEventListener(name, proxy)
            proxy.destroy()

        return stop

    async def happens(self, target: Any, name: str, *, takes_its_time: bool = False) -> bool:
        """Waits for an event; returns whether it came in time."""
        event = asyncio.get_running_loop().create_future()
        stop = self.listen(target, name, _settling(event))
        try:
            if takes_its_time:
                await event
                return True
            return await self.in_time(event) is not None
        finally:
            stop()

    async def in_time(self, event: Awaitable[Any]) -> Any:
        """Returns what an awaitable gives, or None if it takes longer than a worker takes to answer."""
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                return await event
        except TimeoutError:
            return None

    async def settle(self, owner: Any, method: str, *arguments: Any) -> tuple[Any, Any]:
        """Returns the value of a method's promise, and its error; None for what does not come in time.

        The promise stays in JavaScript: Pyodide's future never ends if an error has no stack, as some of WebKit's.
        """
        promises = self.js.Array.of(0).map(getattr(owner, method).bind(owner, *arguments))
        [settled] = await self.in_time(self.js.Promise.allSettled(promises)) or [None]
        return getattr(settled, "value", None), getattr(settled, "reason", None)

    async def ask(self, worker: Any, **message: Any) -> Any:
        """Sends a message to a worker; returns its answer, or None if none comes in time."""
        answer = asyncio.get_running_loop().create_future()
        channel = self.js.MessageChannel.new()
        proxy = self.ffi.create_proxy(_settling(answer))
        channel.port1.onmessage = proxy
        worker.postMessage(self.message(message), self.ffi.to_js([channel.port2]))
        try:
            event = await self.in_time(answer)
            return event and event.data
        finally:
            channel.port1.close()
            proxy.destroy()

    async def lock(self, name: str) -> Callable[[], object]:
        """Takes the lock of this name; returns a function that releases it."""
        is_held = asyncio.get_running_loop().create_future()
        releases: list[Any] = []
        released = self.js.Promise.new(self.ffi.create_once_callable(lambda resolve, _: releases.append(resolve)))

        def hold(_: Any) -> Any:
            is_held.set_result(None)
            return released

        self.js.navigator.locks.request(name, self.ffi.create_once_callable(hold))
        await is_held
        return releases[0]  # type: ignore[no-any-return]


def _settling(future: asyncio.Future[Any]) -> Callable[[Any], None]:
    """Returns a listener that settles a future with the first event."""

    def listener(event: Any) -> None:
        if not future.done():
            future.set_result(event)

    return listener
