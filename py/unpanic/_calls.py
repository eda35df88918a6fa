"""Calls of async exports: futures that have begun, which asyncio takes for coroutines too."""

import asyncio
import reprlib
import types
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from ._crashes import without_own_frames
from .errors import CallInterrupted

__all__ = ["Call", "make_call"]


class Call(asyncio.Future[Any]):
    """A call of an async export. It has begun, whether anybody awaits it or not.

    Where asyncio takes a coroutine, it takes a `Call`; where it takes a future, too. Only `asyncio.wait` refuses what
    a task could be made of, so give it `asyncio.create_task(bank.slow(200))`, as for a coroutine.

    To cancel it, by itself or by a timeout around it, is to give up its result. A Rust future that runs as a promise
    cannot be stopped: it goes on to its end, `status(...).in_flight` counts it until then, and what it gives is freed.
    """

    __slots__ = ("__name__",)
    __name__: str

    def __repr__(self) -> str:
        return f"<Call {self.__name__}: {self._outcome()}>"

    def _outcome(self) -> str:
        if not self.done():
            return "pending"
        if self.cancelled():
            return "cancelled"
        error: BaseException | None = self._exception  # `exception()` would count as having been looked at
        return f"raised {error!r}" if error else f"returned {reprlib.repr(self.result())}"

    # What a coroutine has. Nothing is kept between two steps, so that several tasks may await one call.

    def send(self, _value: object) -> "Call":
        """Goes on to the next step, as a task does: there is one, until the call has settled."""
        if self.done():
            raise StopIteration(self.result())
        self._asyncio_future_blocking = True
        return self

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: object = None,
        traceback: types.TracebackType | None = None,
        /,
    ) -> NoReturn:
        """Raises an exception where the call is awaited, which ends it."""
        self.cancel()
        error = value if isinstance(value, BaseException) else kind
        raise error.with_traceback(traceback) if traceback and isinstance(error, BaseException) else error

    def close(self) -> None:
        """Gives up the call."""
        self.cancel()

    # A call that waits for a generation.

    def begin(self, run: Callable[[], Awaitable[Any]]) -> None:
        """Begins the call that this one stands for, unless it was given up, and settles as that does."""
        if self.done():
            return
        try:
            begun = asyncio.ensure_future(run())
        except BaseException as error:
            # What converts the arguments is the user's code too.
            self._end(without_own_frames(error))
            if not isinstance(error, Exception | asyncio.CancelledError):
                raise  # the event loop hears of it, as from a task
        else:
            begun.add_done_callback(self._follow)

    def _end(self, error: BaseException) -> None:
        """Settles as a task does that ends in an exception."""
        if self.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self.cancel()
        else:
            self.set_exception(error)

    def _follow(self, begun: asyncio.Future[Any]) -> None:
        if begun.cancelled():
            self.cancel()
            return
        error = begun.exception()
        if self.done():
            return
        if error is None:
            self.set_result(begun.result())
        else:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Ends in an exception. Of an interruption nobody has to look: it was reported where its crash happened."""
        self.set_exception(error)
        if isinstance(error, CallInterrupted):
            self.exception()


def make_call(name: str) -> Call:
    """A call that has not settled.

    Args:
        name: what is called, with its module: `bank.slow`.
    """
    call = Call(loop=asyncio.get_event_loop())
    call.__name__ = name
    return call
