"""Python answers requests of the page, through a service worker.

>>> from unpanic import service
>>> await service.serve("/bank/", lambda request: {"total": bank.total()})

That function then answers the page's `fetch("/bank/")`. When Rust crashes, every request in flight is
answered with a 500 at once, and the next one by the recovered module.

Owns: requests and responses, the page's service worker, and what a crash means for requests in flight.
May know every other package; no other package knows it.
"""

import types
from collections.abc import Callable, Iterable
from typing import Any

from ._exchange import ServiceError
from ._gateway import browser_gateway
from ._http import Headers, HTTPError, Query, Request, Response
from ._keyed import Keyed
from ._router import Router
from ._server import Server

__all__ = ["HTTPError", "Headers", "Keyed", "Query", "Request", "Response", "Router", "Server", "ServiceError", "serve"]

_servers: dict[str, Server] = {}


async def serve(
    prefix: str,
    handler: Callable[[Request], Any],
    *,
    worker: str = "unpanic-service-worker.js",
    timeout: float | None = 30.0,
    modules: Iterable[types.ModuleType] | None = None,
    navigations: bool = False,
    allow: Iterable[str] = (),
) -> Server:
    """Answers requests whose address begins with a prefix, if pages of this origin send them.

    Args:
        prefix: a path, absolute or relative to the page, that ends with a slash. If several prefixes fit an address,
            the longest one counts.
        handler: takes a `Request`, and returns a `Response`, text, bytes, a dict or list (JSON) or None
            (404). It may be an async function; async handlers run concurrently.
        worker: where the service worker is, relative to the page: the file that `unpanic assets DIR` wrote,
            or a worker that imports it. The page must be in its folder or below.
        timeout: the seconds after which a request is answered with 504 and its handler is cancelled, or None.
            A handler that ignores its cancellation goes on, but its request is answered.
        modules: the Rust modules whose crashes end requests in flight; by default all.
        navigations: whether navigations with GET and HEAD are answered wherever they come from: links, forms and frames
            of any site, and addresses that somebody types in. Handlers of GET should change nothing then.
        allow: origins such as `"https://other.example"` whose links, forms and frames are answered.

    If a handler raises an exception, the answer is an `application/problem+json` body: with the status of an
    `HTTPError`, with 503 for a `ModuleTerminated`, and with 500 for everything else. If this Python serves the prefix
    already, the new handler replaces the old one.

    Returns:
        the server; `await server.close()` ends it, and so does `async with`.

    Raises:
        ServiceError: this page cannot be served; the message says why and what to do.
        ValueError: the prefix, the timeout or an origin in `allow` is not valid.

    Example:
        >>> async with await service.serve("/bank/", router):
        ...     await asyncio.sleep(60)
    """
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout={timeout!r}: it must be a positive number of seconds, or None.")
    if not callable(handler):
        raise TypeError(f"handler must be a function of a request, not {type(handler).__name__}")
    gateway = browser_gateway()
    server = Server(
        gateway.prefix(prefix), handler, timeout=timeout, modules=modules, navigations=navigations, allow=allow
    )
    await server.open(gateway, worker)
    before, _servers[server.prefix] = _servers.get(server.prefix), server
    if before:
        await before.close()
    return server
