"""Calls of async exports: futures that have begun. Wherever asyncio takes a coroutine, it takes such a future too."""

import asyncio
import functools
import reprlib
import types
from collections.abc import Callable
from contextvars import Context
from typing import Any, NoReturn

from .._unseen import without_own_frames
from ..errors import CallInterrupted
from .asyncio_private import callbacks_of, error_of

__all__ = ["Call", "make_call"]


class Call(asyncio.Future[Any]):
    """A call of an async export. It has begun, whether anybody awaits it or not.

    asyncio takes a `Call` wherever it takes a coroutine or a future. The exception is `asyncio.wait`, which refuses
    anything that a task could be made of: give it `asyncio.create_task(bank.slow(200))`, as for a coroutine.

    To cancel a call, by itself or by a timeout around it, is to give up its result. A Rust future that is a promise
    cannot be stopped: it goes on to its end, `status(...).in_flight` counts it until then, and its result is freed.
    """

    __slots__ = ("__name__", "_wakes", "has_begun")
    __name__: str
    has_begun: bool
    _wakes: list[tuple[Callable[[], object], Context]] | None

    def __repr__(self) -> str:
        return f"<Call {self.__name__}: {self._outcome()}>"

    def _outcome(self) -> str:
        if not self.done():
            return "pending"
        if self.cancelled():
            return "cancelled"
        error = error_of(self)
        return f"raised {error!r}" if error else f"returned {reprlib.repr(self.result())}"

    # The methods of a coroutine. They keep nothing between two steps, so that several tasks may await one call.

    def send(self, _value: object) -> "Call":
        """Goes on to the next step, as a task does: there is one, until the call has settled."""
        step: Call = next(self.__await__())
        return step

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

    # For a call that waits for a generation.

    def begin(self, run: Callable[[], object]) -> None:
        """Has `run` begin this call, unless it was given up.

        The call ends in any exception that `run` raises. One that ends a program is raised here too, as tasks do it.
        """
        if self.done() or self.has_begun:
            return
        try:
            self.has_begun = True
            run()
        except BaseException as error:
            self.end(without_own_frames(error))
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise

    def end(self, error: BaseException | None, result: Any = None) -> None:
        """Ends the call in an exception or a result, unless it has ended.

        This may be interrupted at any line, and is called again then: every task that awaits the call goes on, and goes
        on once. A plain future forgets the tasks that await it when the loop's `call_soon` is interrupted.
        """
        wakes = self._wakes
        if wakes is None:
            if self.done():
                return
            self._wakes = wakes = [(_once(callback, self), context) for callback, context in callbacks_of(self)]
            wakes.reverse()
        if not self.done():
            for callback, _ in callbacks_of(self):
                self.remove_done_callback(callback)
            if error is None:
                self.set_result(result)
            elif isinstance(error, asyncio.CancelledError):
                self.cancel()
            else:
                self.set_exception(error)
        while wakes:
            wake, context = wakes[-1]
            self.get_loop().call_soon(wake, context=context)
            wakes.pop()
        if isinstance(error, CallInterrupted):
            self.exception()  # asyncio need not report it: the crash was reported where it happened


def _once(callback: Callable[[Call], object], call: Call) -> Callable[[], object]:
    """A function that calls a callback, but only once. It runs no line of Python that could be interrupted."""
    return functools.partial(next, map(callback, (call,)), None)


def make_call(name: str) -> Call:
    """A call that has not settled.

    Args:
        name: the name of the export, with that of its module: `bank.slow`.
    """
    call = Call(loop=asyncio.get_event_loop())
    call.__name__ = name
    call.has_begun = False
    call._wakes = None
    return call
