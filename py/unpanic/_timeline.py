"""The past of a module as a picture: SVG, written by hand because a plotting library takes seconds to start."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from ._card import count
from ._history import CrashMark, Span

if TYPE_CHECKING:
    from ._module import Module

__all__ = ["Timeline", "read_timeline"]

WIDTH, LEFT, RIGHT = 960, 96, 16
BAR, TALLEST, ROW, MOST_ROWS = 16, 36, 10, 12
# What comes closer than this is drawn as one.
CLOSE = 4
BLUE, RED, GREEN, AMBER = "#3b82d6", "#d64545", "#2f9e5b", "#c27c0e"
# As an image of its own it has no text colour to inherit.
OWN_COLOURS = (
    "<style>.unpanic-timeline{color:#1f2328}"
    "@media (prefers-color-scheme:dark){.unpanic-timeline{color:#e6e6e6}}</style>"
)
FRAME = (
    f'<svg xmlns="http://www.w3.org/2000/svg" class="unpanic-timeline" role="img" width="100%%" '
    f'viewBox="0 0 {WIDTH} %d" style="max-width:{WIDTH}px;height:auto;font:11px system-ui,sans-serif" '
    'fill="currentColor" aria-label=%s>%s</svg>'
)
# The mark at the end of a call in flight: at 0, 0; each has a shape of its own.
ENDS = {
    "returned": f'<circle r="3.5" fill="{GREEN}"/>',
    "failed": f'<path d="M-3-3 3 3M-3 3 3-3" stroke="{RED}" stroke-width="2"/>',
    "interrupted": f'<path d="M-3.5-3.5h7v7h-7z" fill="{AMBER}"/>',
    "cancelled": '<circle r="3" fill="none" stroke="currentColor" stroke-width="1.5"/>',
    "in flight": f'<path d="M-3-4 4 0-3 4z" fill="{BLUE}"/>',
}
CRASH = f'<path d="M-4-4 4 4M-4 4 4-4" stroke="{RED}" stroke-width="2.5"/>'


@dataclass(frozen=True)
class Burst:
    """Calls with no long pause between them."""

    began: float
    ended: float
    calls: int


class Timeline:
    """Calls, crashes, recoveries and calls in flight over time.

    It is a value: what happens later does not change it. Notebooks show it by themselves.

    Attributes:
        name: the module's name.
        began: when it was loaded, in the seconds of `time.perf_counter`.
        ended: when the timeline was asked for, likewise.
        generations: each with `name`, `began` and `ended`.
        crashes: each with `at`, `kind`, `message`, `call` and `generation`.
        bursts: the plain calls, as `began`, `ended` and how many `calls`.
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
            f"{self.ended - self.began:.3g} s",
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
        drawing = Drawing(self.began, self.ended)
        drawing.lane("generations", BAR + 8, self._draw_generations)
        drawing.lane("crashes", 16, self._draw_crashes)
        drawing.lane("calls", TALLEST + 14, self._draw_bursts)
        rows, left_out = packed(self.calls, self.ended)
        drawing.lane("async calls", max(1, len(rows)) * ROW + 8, lambda to: self._draw_calls(to, rows, left_out))
        drawing.axis()
        drawing.legend()
        label = f"Timeline of the Rust module {self.name}"
        head = f"{style}<title>{escape(label)}</title><desc>{escape(self._summary())}</desc>"
        return FRAME % (drawing.y, quoteattr(label), head + "".join(drawing.parts))

    def _draw_generations(self, to: "Drawing") -> None:
        for group in close(self.generations, lambda span: to.x(span.began)):
            first, last = group[0], group[-1]
            name = first.name if first is last else f"{first.name} to {last.name}"
            to.bar(first.began, last.ended, BAR, f"generation {name}", name, "currentColor", 'fill-opacity=".18"')
        pairs = list(zip(self.generations, self.generations[1:], strict=False))
        for same in close(pairs, lambda pair: to.x(pair[1].began)):
            told = [
                f"recovery to generation {after.name}: {(after.began - (before.ended or after.began)) * 1000:.3g} ms"
                for before, after in same
            ]
            began = same[0][0].ended or same[0][1].began
            to.bar(began, same[-1][1].began, BAR, lines(told), "", "none", f'stroke="{AMBER}" stroke-width="2"')

    def _draw_crashes(self, to: "Drawing") -> None:
        for group in close(self.crashes, lambda crash: to.x(crash.at), 26):
            told = [f"{crash.kind} in {crash.call or 'no call'}: {crash.message}" for crash in group]
            to.mark(group[0].at, 6, CRASH, lines(told), f"{len(group)} times" if len(group) > 1 else "")

    def _draw_bursts(self, to: "Drawing") -> None:
        groups = close(self.bursts, lambda burst: to.x(burst.began))
        most = max((sum(burst.calls for burst in group) for group in groups), default=1)
        for group in groups:
            calls = sum(burst.calls for burst in group)
            height = 3 + (TALLEST - 3) * math.log1p(calls) / math.log1p(most)
            to.bar(group[0].began, group[-1].ended, height, count(calls, "call"), f"{calls:,}", BLUE, "", TALLEST + 10)

    def _draw_calls(self, to: "Drawing", rows: Sequence[Sequence[Span]], left_out: int) -> None:
        for number, row in enumerate(rows):
            middle = number * ROW + 6.0
            for call in row:
                how, ended = call.how or "in flight", self.ended if call.ended is None else call.ended
                title = f"{call.name}: {how} after {ended - call.began:.3g} s"
                to.line(call.began, ended, middle, title)
                to.mark(ended, middle, ENDS[how], title)
        if left_out:
            to.text(LEFT - 8, to.y + 26, f"and {left_out:,} more", "end")


class Drawing:
    """SVG that grows downwards, lane by lane; times become places from left to right."""

    def __init__(self, began: float, ended: float) -> None:
        self.began = began
        self.seconds = max(ended - began, 1e-3)
        self.y = 4.0
        self.parts: list[str] = []

    def x(self, time: float) -> float:
        place = (time - self.began) / self.seconds
        return LEFT + min(max(place, 0), 1) * (WIDTH - LEFT - RIGHT)

    def lane(self, name: str, height: float, draw: "Callable[[Drawing], None]") -> None:
        self.text(LEFT - 8, self.y + height / 2 + 2, name, "end")
        draw(self)
        self.y += height

    def text(self, x: float, y: float, text: str, anchor: str = "start") -> None:
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>')

    def bar(self, began: float, ended: float | None, height: float, title: str, label: str, fill: str, more: str,
            bottom: float = BAR + 2) -> None:  # fmt: skip
        left = self.x(began)
        width = max((self.x(ended) if ended is not None else WIDTH - RIGHT) - left, 2.0)
        top = self.y + bottom - height
        self.parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="1" fill="{fill}" {more}>'
            f"<title>{escape(title)}</title></rect>"
        )
        inside = fill == "currentColor"
        if label and width >= (7 if inside else 5) * len(label) + 4:
            self.text(left + width / 2, top + 12 if inside else top - 2, label, "middle")

    def line(self, began: float, ended: float, middle: float, title: str) -> None:
        y = self.y + middle
        self.parts.append(
            f'<path d="M{self.x(began):.1f} {y:.1f}H{self.x(ended):.1f}" stroke="currentColor" stroke-opacity=".5" '
            f'stroke-width="3"><title>{escape(title)}</title></path>'
        )

    def mark(self, time: float, middle: float, shape: str, title: str, label: str = "") -> None:
        x, y = self.x(time), self.y + middle
        self.parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{shape}<title>{escape(title)}</title></g>')
        if label:
            self.text(x + 7, y + 4, label)

    def axis(self) -> None:
        """Seconds since the load, at round numbers."""
        step = round_step(self.seconds / 8)
        self.y += 4
        self.parts.append(f'<path d="M{LEFT} {self.y}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity=".4"/>')
        for number in range(int(self.seconds / step) + 1):
            x = self.x(self.began + number * step)
            self.parts.append(f'<path d="M{x:.1f} {self.y}v4" stroke="currentColor" stroke-opacity=".4"/>')
            self.text(min(x, WIDTH - 24), self.y + 15, f"{number * step:.6g} s", "middle")
        self.y += 24

    def legend(self) -> None:
        recovery = f'<path d="M-4-5h8v10h-8z" fill="none" stroke="{AMBER}" stroke-width="2"/>'
        x = float(LEFT)
        for name, shape in {"crash": CRASH, "recovery": recovery, **ENDS}.items():
            self.parts.append(f'<g transform="translate({x + 5:.1f} {self.y + 6:.1f})">{shape}</g>')
            self.text(x + 14, self.y + 10, name)
            x += 30 + 6.5 * len(name)
        self.y += 20


def round_step(least: float) -> float:
    """The next of 1, 2, 5, 10, 20, … in any power of ten."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999)


def lines(told: Sequence[str]) -> str:
    """The first few lines of what a title tells."""
    return "\n".join([*told[:10], *([f"and {len(told) - 10:,} more"] if len(told) > 10 else [])])


def close[T](items: Sequence[T], place: Callable[[T], float], distance: float = CLOSE) -> list[list[T]]:
    """Neighbours that would be drawn over each other, together."""
    groups: list[list[T]] = []
    for item in items:
        if groups and place(item) - place(groups[-1][0]) < distance:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def packed(calls: Iterable[Span], now: float) -> tuple[list[list[Span]], int]:
    """Calls in as few rows as they need, none over another, and how many found no place."""
    rows: list[list[Span]] = []
    ends: list[float] = []
    left_out = 0
    for call in sorted(calls, key=lambda call: call.began):
        free = next((number for number, end in enumerate(ends) if end <= call.began), len(rows))
        if free == MOST_ROWS:
            left_out += 1
            continue
        if free == len(rows):
            rows.append([])
            ends.append(0)
        rows[free].append(call)
        ends[free] = now if call.ended is None else call.ended
    return rows, left_out


def read_timeline(module: "Module") -> Timeline:
    """The past of a module up to now."""
    supervisor = module.supervisor
    history = supervisor.history
    told: list[Any] = [*module.driver.bursts()]
    now = history.clock()
    theirs, *numbers = told
    bursts = [
        Burst(now - (theirs - began) / 1000, now - (theirs - ended) / 1000, int(calls))
        for began, ended, calls in zip(*[iter(numbers)] * 3, strict=True)
        if calls
    ]
    pending = [Span(pending.call, pending.began) for pending in supervisor.pending.values()]
    generations = history.generations
    began = history.began if generations[0].name == "0" else generations[0].began
    return Timeline(module.name, began, now, generations, history.crashes, bursts, [*history.calls, *pending])
