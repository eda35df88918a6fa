"""Observers of crashes. A service is one: it has to answer the requests that a crash interrupts."""

import types
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._bridge.futures import Call
    from ..errors import Crash

__all__ = ["Observers", "crash_observers"]

type Observer = Callable[[types.ModuleType | None, "Crash", list["Call"]], object]


class Observers:
    """Functions that hear of every crash that ends a generation, before the calls in flight settle.

    The loader hands one such object to the supervisor of each module. So a function that is added hears of the modules
    that are loaded, and of those that will be loaded later.
    """

    def __init__(self) -> None:
        self._observers: dict[object, Observer] = {}

    def __bool__(self) -> bool:
        return bool(self._observers)

    def add(self, observer: Observer) -> Callable[[], None]:
        """Adds a function; returns a function that removes it again, which may be called twice.

        Args:
            observer: gets the module, the crash, and the async calls that may be to blame. It must not raise, and may
                hear of a crash twice.
        """
        key = object()
        self._observers[key] = observer

        def remove() -> None:
            self._observers.pop(key, None)

        return remove

    def notify(self, module: types.ModuleType | None, crash: "Crash", suspects: Iterable["Call"]) -> None:
        """Tells all of them about a crash."""
        calls = list(suspects)
        for observer in tuple(self._observers.values()):
            observer(module, crash, calls)


# The loader hands this one to the supervisor of each module.
crash_observers = Observers()
