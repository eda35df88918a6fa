"""Attributes of asyncio's futures that asyncio does not document. No other file of unpanic reads such attributes.

CPython has both attributes since 3.7, in the futures that are written in C and in those that are written in Python. In
`VERSIONS` that was tried. Where a version has none, the functions give the answer that does no harm.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

__all__ = ["VERSIONS", "callbacks_of", "error_of"]

# The versions of CPython in which the attributes were tried, by the unit tests and by the tests in a browser.
VERSIONS = ((3, 12), (3, 13), (3, 14))


def callbacks_of(future: asyncio.Future[Any]) -> list[tuple[Callable[[Any], object], Context]]:
    """Gives what a future will call when it settles, each with the context in which it will.

    Only a future itself knows who awaits it. A future that is interrupted while it settles forgets the callbacks that
    it has not called, so a call of Rust has to read them before. A service also has to find the request that waits for
    a call. Without the attribute the list is empty: futures then settle as asyncio's do, and requests that would get
    the crash itself are interrupted.
    """
    return list(getattr(future, "_callbacks", None) or ())


def error_of(future: asyncio.Future[Any]) -> BaseException | None:
    """Gives the exception of a future that has one, or None.

    asyncio takes a call of `exception()` as a look at the exception, and would not report it any more. A debugger that
    shows a variable must not change that. Without the attribute no exception is found.
    """
    error: BaseException | None = getattr(future, "_exception", None)
    return error
