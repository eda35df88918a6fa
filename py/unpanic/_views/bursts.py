"""Plain calls of a module: the runtime counts them in bursts, by JavaScript's clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._bridge.wire import BurstsAnswer

if TYPE_CHECKING:
    from .._recovery.history import Span

__all__ = ["Burst", "read_bursts", "within"]


@dataclass(frozen=True)
class Burst:
    """The calls of one turn of the event loop, or of several that follow close upon each other, in one generation."""

    began: float
    ended: float
    calls: int
    generation: int = 0


def read_bursts(answer: BurstsAnswer, now: float, generations: "Iterable[Span]") -> list[Burst]:
    """Reads what the runtime says about calls.

    Args:
        answer: the time in JavaScript, in milliseconds, and the bursts.
        now: the same time by Python's clock, in seconds.
        generations: the module's.
    """
    spans = {span.name: span for span in generations}
    bursts = []
    for began, ended, calls, generation in answer.each():
        if calls:
            first, last = (now - (answer.now - time) / 1000 for time in (began, ended))
            burst = Burst(first, last, int(calls), int(generation))
            bursts.append(within(spans.get(str(int(generation))), burst))
    return bursts


def within(span: "Span | None", burst: Burst) -> Burst:
    """Limits a burst to its generation: JavaScript's clock is another one, and a coarse one in some browsers."""
    if span is None:
        return burst
    began = max(burst.began, span.began)
    ended = burst.ended if span.ended is None else min(burst.ended, span.ended)
    return Burst(began, max(began, ended), burst.calls, burst.generation)
