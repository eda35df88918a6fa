"""Python answers requests of the page, through a service worker.

>>> from unpanic import service
>>> await service.serve("/bank/", lambda request: {"total": bank.total()})

`fetch("/bank/")` of the page is then answered by that function. When Rust crashes, every request
in flight is answered with a 500 at once, and the next one by the recovered module.
"""

import types
from collections.abc import Callable, Iterable
from typing import Any

from ._http import Headers, HTTPError, Query, Request, Response
from ._keyed import Keyed
from ._page import ServiceError, browser_gateway
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
        prefix: a path, also relative to the page; it ends with a slash. Of several that fit, the longest counts.
        handler: gets a `Request`, returns a `Response`, text, bytes, a dict or list (JSON) or None
            (404), at once or as an async function. Async handlers run concurrently.
        worker: where the service worker is, relative to the page: what `unpanic assets DIR` wrote,
            or a worker that imports it. The page must be in its folder or below.
        timeout: seconds after which a request is answered with 504 and its handler cancelled; None for none.
            A handler that does not give way is answered for, too, but goes on.
        modules: the Rust modules whose crashes end requests in flight; by default all.
        navigations: whether links, forms and frames of any site may ask with GET and HEAD, and so may who types the
            address in. Let handlers of GET change nothing then.
        allow: origins such as `"https://other.example"` whose links, forms and frames are answered.

    What an exception of a handler answers: an `HTTPError` its own status, a `ModuleTerminated`
    503, everything else 500, in an `application/problem+json` body. Serving a prefix that is
    served by this Python already replaces its handler.

    Returns:
        the server; `await server.close()` ends it, and so does `async with`.

    Raises:
        ServiceError: this page cannot be served, and what to do.
        ValueError: no such prefix or timeout, or `allow` has what is no origin.

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
