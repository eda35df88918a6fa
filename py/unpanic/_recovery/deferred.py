"""Exceptions that are raised while a crash is handled, and wait until somebody can get them.

A panic hook, a log handler, a stop button, a finalizer or the recursion limit may raise at any line. The crash is
handled to its end all the same. An exception that ends programs, such as `KeyboardInterrupt`, is raised afterwards: at
the caller, or in the event loop if nobody called. Any other exception becomes a note on the crash.
"""

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

from .._bridge.crashes import throw
from ..errors import TRACEBACK, Crash

__all__ = ["Deferred", "attempt", "show"]


class Deferred:
    """The exception of one module that waits for a caller."""

    def __init__(self) -> None:
        self._error: BaseException | None = None

    def keep(self, error: BaseException, crash: Crash | None) -> None:
        """Keeps an exception for the caller, or makes it a note on the crash that was handled."""
        if not isinstance(error, Exception):
            self._error = self._error or error
        elif crash is not None:
            crash.add_note(f"while it was handled: {show(error)}")
        else:
            traceback.print_exception(error)  # as logging does with what its handlers raise

    def attempt(self, crash: Crash | None, function: Callable[..., object], *args: Any) -> None:
        """Calls a function that may run code of the user's, and keeps the exception that it raises."""
        error = attempt(function, *args)
        if error is not None:
            self.keep(error, crash)

    def answer(self, error: BaseException | None) -> int:
        """Gives the address of the exception that the runtime throws at the caller; 0 stands for none.

        Args:
            error: the exception to throw if none waits.
        """
        waiting = self._error
        if waiting is not None:
            if error is not None and error is not waiting and waiting.__context__ is None:
                waiting.__context__ = error
            error = waiting
        address = 0 if error is None else throw(error)
        self._error = None
        return address

    def deliver(self) -> int:
        """Raises the exception that waits in the event loop, as if a callback of the loop raised it: nobody called."""
        waiting = self._error
        if waiting is not None:
            asyncio.get_event_loop().call_soon(_raise, waiting)
            self._error = None
        return 0

    def raise_now(self) -> None:
        """Raises the exception that waits, where Python itself asked for a recovery."""
        waiting, self._error = self._error, None
        if waiting is not None:
            raise waiting


def _raise(error: BaseException) -> None:
    raise error


def attempt(function: Callable[..., object], *args: Any) -> BaseException | None:
    """Calls a function of the user's, or one that may run one, and returns the exception that it raises.

    It is called once, and once more if the first call was interrupted before the function began.
    """
    raised: BaseException | None = None
    try:
        for _ in range(2):
            try:
                function(*args)
            except BaseException as error:
                raised = raised or error
                if _has_begun(function, error):
                    break
            else:
                break
        return raised
    finally:
        del raised  # its traceback holds this frame


def _has_begun(function: Callable[..., object], error: BaseException) -> bool:
    """Tells whether an error was raised inside a function, and not on the way into it.

    A function that is not written in Python counts as begun, because nobody can tell.
    """
    code = getattr(function, "__code__", None)
    entry = TRACEBACK.__get__(error)  # with unpanic's own frames, which the attribute leaves out
    inner = entry and entry.tb_next
    return code is None or (inner is not None and inner.tb_frame.f_code is code)


def show(error: BaseException) -> str:
    """Gives an exception as notes have it."""
    try:
        return repr(error)
    except Exception:
        return type(error).__name__
