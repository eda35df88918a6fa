"""Waits: Python code blocks, and the event loop turns meanwhile.

Pyodide suspends the stack of the code that waits (`run_sync`). The stop button's `KeyboardInterrupt` is raised in
whatever code runs. While somebody waits, that is code of the event loop: of another task, or the very code that would
wake the one who waits, who would then wait for ever. So a request to stop is kept until the wait is over, and ends it.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["Waits"]

# After so many seconds, whoever waits looks whether the user wants to stop.
LONGEST = 0.05


class _Wait:
    is_stopped = False


class Waits:
    """All waits of this interpreter, which may end in any order.

    Args:
        run_sync: Pyodide's function that suspends the stack until an awaitable has a result.
        check_interrupt: Pyodide's function that runs the handler of `SIGINT` if the user has asked to stop.
    """

    def __init__(self, run_sync: Callable[[Awaitable[Any]], Any], check_interrupt: Callable[[], object]) -> None:
        self._run_sync = run_sync
        self._check_interrupt = check_interrupt
        self._waits: list[_Wait] = []
        # The handler of `SIGINT` while nobody waits.
        self._handler: Any = None

    def wait(self, future: "asyncio.Future[Any]") -> None:
        """Blocks until a future is done, or for a moment: whoever has to wait for longer calls again.

        Raises:
            KeyboardInterrupt: the user pressed the stop button.
        """
        wait = _Wait()
        try:
            self._begin(wait)
            self._run_sync(asyncio.wait([future], timeout=LONGEST))
            self._check_interrupt()
        finally:
            handler = self._end(wait)
        if wait.is_stopped:
            handler(signal.SIGINT, None)

    # A request may come after any line of these two. `_stop` is the handler only while somebody is in the list.

    def _begin(self, wait: _Wait) -> None:
        self._waits.append(wait)
        if len(self._waits) == 1:
            self._handler = signal.getsignal(signal.SIGINT)
            # Otherwise nobody would hear of the request anyway.
            if callable(self._handler):
                signal.signal(signal.SIGINT, self._stop)

    def _end(self, wait: _Wait) -> Any:
        handler = self._handler
        try:
            # Somebody else may have set a handler meanwhile.
            if len(self._waits) == 1 and signal.getsignal(signal.SIGINT) == self._stop:
                signal.signal(signal.SIGINT, handler)
        finally:
            if wait in self._waits:
                self._waits.remove(wait)
        return handler

    def _stop(self, number: int, frame: Any) -> None:
        """Keeps a request to stop for those who wait. A second one ends what keeps them waiting, as ever."""
        if all(wait.is_stopped for wait in self._waits):
            self._handler(number, frame)
        for wait in self._waits:
            wait.is_stopped = True
