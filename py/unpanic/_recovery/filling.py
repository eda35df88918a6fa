"""Filling a new generation: callbacks of `on_reset` put the user's state back.

If the generation dies while they run, it is not replaced before one of them calls the module again or returns. The work
that they did in it is dropped, because all of them do it again in the next one, from the first to the last.
"""

import types
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

from .deferred import Deferred, attempt
from .states import NONE, Lifecycle

if TYPE_CHECKING:
    from ..errors import Crash
    from .reports import Reports

__all__ = ["Filling", "ResetCallback"]

type ResetCallback = Callable[[types.ModuleType, "Crash | None"], object]

# The module and the generation that a callback of `on_reset` fills. A task that the callback starts inherits it: a
# crash in that task could repeat in each generation that follows, for ever.
_filled_now: ContextVar[tuple[int, int] | None] = ContextVar("filled_now", default=None)


class Filling:
    """Runs the callbacks of one module.

    Attributes:
        callbacks: the user's functions, in the order in which they were given.
        is_running: whether callbacks run now, or the generation that they fill is replaced.
        dropped: the number of the latest generation that was dropped because only some callbacks had filled it.
    """

    def __init__(self, life: Lifecycle, reports: "Reports", deferred: Deferred) -> None:
        self.callbacks: list[ResetCallback] = []
        self.is_running = False
        self.dropped = NONE
        self._life = life
        self._reports = reports
        self._deferred = deferred

    def is_needed(self) -> bool:
        """Tells whether a generation is there that nobody has filled."""
        return self._life.generation not in (NONE, self._life.filled)

    def runs_in(self, generation: int) -> bool:
        """Tells whether the code that runs now fills a generation: a callback, or a task that one has started."""
        return self.is_running or self.is_inherited(generation)

    def is_inherited(self, generation: int) -> bool:
        """Tells whether a callback that fills a generation has started the task that runs now."""
        return _filled_now.get() == (id(self._life), generation)

    def run(self, first: "Crash | None") -> bool:
        """Runs the callbacks, and tells whether the generation has lived through all of them.

        Args:
            first: the crash that ended the generation which was in use before. It gets notes of what callbacks raise.
        """
        number = self._life.generation
        for callback in tuple(self.callbacks):
            error = self._call(callback, number)
            if isinstance(error, Exception):
                self._reports.report_failed_callback(first, callback, number, error)
            elif error is not None:
                self._deferred.keep(error, first)
            if self._life.generation != number:
                return False
        return True

    def _call(self, callback: ResetCallback, number: int) -> BaseException | None:
        around = _filled_now.get()
        try:
            _filled_now.set((id(self._life), number))
            return attempt(callback, self._life.user_module(), self._life.cause)
        finally:
            _filled_now.set(around)
