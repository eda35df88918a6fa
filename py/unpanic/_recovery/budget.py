"""The restart budget: a module that keeps crashing by itself has to end."""

from collections import Counter, deque
from collections.abc import Callable, Iterator

__all__ = ["Budget"]

# Crashes that nobody called for are counted over so many seconds.
WINDOW = 10.0
LONGEST_NAME = 80


class Budget:
    """Counts crashes that nobody called for: of timers, tasks, listeners, start functions and callbacks of `on_reset`.

    A crash that a caller asked for is that caller's exception, however many follow each other. The crashes that are
    counted here could go on for ever.

    Args:
        limit: how many there may be within ten seconds.
        clock: gives seconds.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._latest: deque[tuple[float, str]] = deque(maxlen=limit + 1)

    def add(self, name: str) -> None:
        """Counts one crash."""
        self._latest.append((self._clock(), name))

    @property
    def excess(self) -> str:
        """Why the module has to end; empty as long as it need not."""
        latest = self._latest
        if len(latest) <= self._limit or latest[-1][0] - latest[0][0] > WINDOW:
            return ""
        names = ", ".join(_most_common(Counter(name for _, name in latest)))
        return f"{len(latest)} crashes that nobody called for within {WINDOW:g} seconds: {names}"


def _most_common(counts: Counter[str]) -> Iterator[str]:
    for name, count in counts.most_common(3):
        short = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
        yield f"{short} ({count} times)" if count > 1 else short
    if len(counts) > 3:
        yield "…"
