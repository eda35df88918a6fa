"""Which marks of a timeline are drawn together, because they are neighbours or would cover each other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from .._recovery.history import Span

__all__ = ["close", "pack", "split"]

# Marks that are closer than this, in percent, are drawn as one: three pixels of a narrow picture.
CLOSE = 0.8
MOST_TRACKS = 12


def split[T](items: Iterable[T], key: Callable[[T], object]) -> Iterator[list[T]]:
    """Groups neighbours that have the same key."""
    for _, group in groupby(items, key):
        yield list(group)


def close[T](items: Sequence[T], place: Callable[[T], float], distance: float = CLOSE) -> list[list[T]]:
    """Groups neighbours that would be drawn over each other."""
    groups: list[list[T]] = []
    for item in items:
        if groups and place(item) - place(groups[-1][0]) < distance:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def pack(calls: Iterable[Span], now: float) -> tuple[list[list[Span]], int]:
    """Puts calls into as few tracks as they need. No two calls of one track overlap in time.

    Args:
        calls: the calls.
        now: when those end that have not ended.

    Returns:
        The tracks, and how many calls have no place in them.
    """
    tracks: list[list[Span]] = []
    ends: list[float] = []
    left_out = 0
    for call in sorted(calls, key=lambda call: call.began):
        free = next((number for number, end in enumerate(ends) if end <= call.began), len(tracks))
        if free == MOST_TRACKS:
            left_out += 1
            continue
        if free == len(tracks):
            tracks.append([])
            ends.append(0)
        tracks[free].append(call)
        ends[free] = now if call.ended is None else call.ended
    return tracks, left_out
