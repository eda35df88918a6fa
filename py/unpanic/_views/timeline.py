"""The past of a module as a value that shows itself as a picture."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .._bridge.wire import BurstsAnswer
from .._recovery.history import CrashMark, Span
from .bursts import Burst, read_bursts
from .picture import draw
from .words import count, duration

if TYPE_CHECKING:
    from .._recovery.supervisor import Supervisor

__all__ = ["Timeline", "read_timeline"]

# As an image of its own the picture has no text colour to inherit.
OWN_COLOURS = (
    "<style>.unpanic-timeline{color:#1f2328}"
    "@media (prefers-color-scheme:dark){.unpanic-timeline{color:#e6e6e6}}</style>"
)


class Timeline:
    """Calls, crashes, recoveries and calls in flight over time.

    It is a value: what happens later does not change it. Notebooks show it by themselves.

    Attributes:
        name: the module's name.
        began: when it was loaded, in the seconds of `time.perf_counter`.
        ended: when the timeline was asked for, likewise.
        generations: each with `name`, `began` and `ended`.
        crashes: each with `at`, `kind`, `message`, `call` and `generation`.
        bursts: the plain calls, as `began`, `ended`, how many `calls` and their `generation`.
        calls: the async calls, likewise, with `how` they ended; in flight if `ended` is None.
    """

    def __init__(
        self,
        name: str,
        began: float,
        ended: float,
        generations: Iterable[Span],
        crashes: Iterable[CrashMark],
        bursts: Iterable[Burst],
        calls: Iterable[Span],
    ) -> None:
        self.name, self.began, self.ended = name, began, ended
        self.generations, self.crashes = tuple(generations), tuple(crashes)
        self.bursts, self.calls = tuple(bursts), tuple(calls)

    def __repr__(self) -> str:
        return f"<Timeline of {self.name!r}: {self._summary()}>"

    def _summary(self) -> str:
        facts = (
            duration(self.ended - self.began),
            count(len(self.generations), "generation"),
            count(len(self.crashes), "crash"),
            count(sum(burst.calls for burst in self.bursts), "call"),
            f"{len(self.calls):,} of them async" if self.calls else "",
        )
        return ", ".join(filter(None, facts))

    @property
    def svg(self) -> str:
        """The picture as an image of its own, in the colours that the reader prefers."""
        return self._draw(OWN_COLOURS)

    def save(self, path: str | Path) -> None:
        """Writes the picture to a file.

        Example:
            >>> unpanic.timeline(bank).save("bank.svg")
        """
        Path(path).write_text(self.svg, "utf-8")

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self._draw()

    def _draw(self, style: str = "") -> str:
        return draw(
            self.began,
            self.ended,
            generations=self.generations,
            crashes=self.crashes,
            bursts=self.bursts,
            calls=self.calls,
            style=style,
            label=f"Timeline of the Rust module {self.name}",
            description=self._summary(),
        )


def read_timeline(supervisor: "Supervisor") -> Timeline:
    """Reads the past of a module up to now."""
    history = supervisor.history
    answer = BurstsAnswer.of(supervisor.context.driver.bursts())
    now = history.clock()
    generations = history.generations
    bursts = read_bursts(answer, now, generations)
    in_flight = [Span(call.name, call.began) for call in supervisor.in_flight.calls.values()]
    began = history.began if generations[0].name == "0" else generations[0].began
    calls = [*history.calls, *in_flight]
    return Timeline(supervisor.context.name, began, now, generations, history.crashes, bursts, calls)
