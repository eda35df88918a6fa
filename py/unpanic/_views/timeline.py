"""The past of a module as a picture: SVG, written by hand because a plotting library takes seconds to start.

Places from left to right are percentages and everything else is in pixels: so a picture is as wide as its place, and
its texts and marks are as large on a telephone as on a wide screen.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from .._bridge.wire import BurstsAnswer
from .._recovery.history import CrashMark, Span
from .card import AMBER, BLUE, GREEN, RED, count, crashes_of, visible

if TYPE_CHECKING:
    from .._exports.module import Module

__all__ = ["Timeline", "read_timeline"]

# The legend has room even in an image that nobody gave a width: 300 pixels.
WIDEST, NARROWEST, LEGEND_WIDTH = 960, 380, 285
# In percent of the width, at both ends, so that marks and texts have room there.
MARGIN = 2.0
CAPTION, BAR, TALLEST, SHORTEST, ROW, MOST_ROWS = 16, 18, 34, 9, 11, 12
# Above a bar of calls stands how many they are.
ABOVE = 13
# What comes closer than this, in percent, is drawn as one: three pixels of a narrow picture.
CLOSE = 0.8
# Crashes have texts; of many only their number can be told.
CLOSE_CRASHES, CLOSE_MANY_CRASHES, MANY_CRASHES = 3.0, 8.0, 10
MOST_TICKS = 6
# As an image of its own it has no text colour to inherit.
OWN_COLOURS = (
    "<style>.unpanic-timeline{color:#1f2328}"
    "@media (prefers-color-scheme:dark){.unpanic-timeline{color:#e6e6e6}}</style>"
)
FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" class="unpanic-timeline" role="img" width="100%%" height="%d" '
    f'style="display:block;max-width:{WIDEST}px;font:12px system-ui,sans-serif" '
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
LEGEND = {
    "generation": '<rect x="-5" y="-5" width="10" height="10" rx="2" fill-opacity=".2"/>',
    "recovery": f'<rect x="-3" y="-6" width="3" height="12" fill="{AMBER}"/>',
    "crash": CRASH,
    "calls": f'<rect x="-5" y="-5" width="10" height="10" rx="1" fill="{BLUE}"/>',
    **ENDS,
}
UNITS = (("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("days", 86400.0))


@dataclass(frozen=True)
class Burst:
    """The calls of one turn of the event loop, or of several that follow close upon each other, in one generation."""

    began: float
    ended: float
    calls: int
    generation: int = 0


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
        drawing = Drawing(self.began, self.ended)
        drawing.lane("generations", BAR, self._draw_generations)
        if self.crashes:
            drawing.lane("crashes", 14, self._draw_crashes)
        if self.bursts:
            drawing.lane("calls", ABOVE + TALLEST, self._draw_bursts)
        rows, left_out = packed(self.calls, self.ended)
        if rows:
            more = f" (and {left_out:,} more)" if left_out else ""
            drawing.lane(f"async calls{more}", len(rows) * ROW, lambda to: self._draw_calls(to, rows))
        drawing.crash_lines([group[0].at for group in self._crash_groups(drawing)])
        drawing.axis()
        drawing.legend()
        label = visible(f"Timeline of the Rust module {self.name}")
        head = f"{style}<title>{escape(label)}</title><desc>{escape(self._summary())}</desc>"
        return FRAME % (drawing.y, quoteattr(label), head + "".join(drawing.parts))

    def _draw_generations(self, to: "Drawing") -> None:
        for group in self._generation_groups(to):
            first, last = group[0], group[-1]
            name = first.name if first is last else f"{first.name} to {last.name}"
            to.use("generation")
            to.bar(first.began, last.ended, BAR, BAR, f"generation {name}", 'rx="2" fill-opacity=".2"', name)
        pairs = list(zip(self.generations, self.generations[1:], strict=False))
        for same in close(pairs, lambda pair: to.x(pair[1].began)):
            told = [
                f"recovery to generation {after.name}: {(after.began - (before.ended or after.began)) * 1000:.3g} ms"
                for before, after in same
            ]
            began = same[0][0].ended or same[0][1].began
            to.use("recovery")
            opacity = ' fill-opacity=".4"' if len(same) > 1 else ""
            to.bar(began, same[-1][1].began, BAR, BAR, lines(told), f'fill="{AMBER}"{opacity}')
        if (ended := self.generations[-1].ended) is not None:
            to.text(ended, BAR - 5, "ended")

    def _generation_groups(self, to: "Drawing") -> list[list[Span]]:
        return close(self.generations, lambda span: to.x(span.began))

    def _crash_groups(self, to: "Drawing") -> list[list[CrashMark]]:
        groups = close(self.crashes, lambda crash: to.x(crash.at), CLOSE_CRASHES)
        if len(groups) > MANY_CRASHES:
            return close(self.crashes, lambda crash: to.x(crash.at), CLOSE_MANY_CRASHES)
        return groups

    def _draw_crashes(self, to: "Drawing") -> None:
        groups = self._crash_groups(to)
        rooms = [to.x(group[0].at) for group in groups[1:]] + [100.0]
        for group, room in zip(groups, rooms, strict=True):
            told = [f"{crash.kind} in {crash.call or 'no call'}: {crash.message}" for crash in group]
            to.use("crash")
            to.mark(group[0].at, 7, CRASH, lines(told))
            kinds = {crash.kind for crash in group}
            label = crashes_of(group[0].kind, len(group)) if len(kinds) == 1 else count(len(group), "crash")
            alone = group[0].kind.replace("_", " ") if len(group) == 1 else ""
            to.text(group[0].at, 11, alone or label, room, "" if alone else f"{len(group):,}")

    def _draw_bursts(self, to: "Drawing") -> None:
        """Bursts of one generation that are close are one bar; one call alone is a tick."""
        first = {
            name: at for at, group in enumerate(self._generation_groups(to)) for name in (span.name for span in group)
        }
        groups = [
            group
            for same in split(self.bursts, lambda burst: first.get(str(burst.generation), -1))
            for group in close(same, lambda burst: to.x(burst.began))
        ]
        most = max(sum(burst.calls for burst in group) for group in groups)
        numbers: list[tuple[int, float, float]] = []
        for group in groups:
            calls = sum(burst.calls for burst in group)
            height = SHORTEST + (TALLEST - SHORTEST) * math.log(calls) / math.log(max(most, 2))
            to.use("calls")
            to.bar(group[0].began, group[-1].ended, ABOVE + TALLEST, height, count(calls, "call"), f'fill="{BLUE}"')
            if calls > 1:
                numbers.append(
                    (calls, (to.x(group[0].began) + to.x(group[-1].ended)) / 2, ABOVE + TALLEST - height - 3)
                )
        to.numbers(numbers)

    def _draw_calls(self, to: "Drawing", rows: Sequence[Sequence[Span]]) -> None:
        for number, row in enumerate(rows):
            middle = number * ROW + 6.0
            for call in row:
                how, ended = call.how or "in flight", self.ended if call.ended is None else call.ended
                title = f"{call.name}: {how} after {duration(ended - call.began)}"
                to.use(how)
                to.line(call.began, ended, middle, title)
                to.mark(ended, middle, ENDS[how], title)


class Drawing:
    """SVG that grows downwards, lane by lane; times become places from left to right."""

    def __init__(self, began: float, ended: float) -> None:
        self.began = began
        self.seconds = max(ended - began, 1e-3)
        self.y = 2.0
        self.lanes: list[float] = []
        self.parts: list[str] = []
        self.used: dict[str, None] = {}

    def x(self, time: float) -> float:
        """The place of a time, in percent."""
        place = (time - self.began) / self.seconds
        return MARGIN + min(max(place, 0), 1) * (100 - 2 * MARGIN)

    def use(self, name: str) -> None:
        """Has it in the legend."""
        self.used[name] = None

    def lane(self, name: str, height: float, draw: "Callable[[Drawing], None]") -> None:
        self.words(f'x="{MARGIN}%"', self.y + 11, name, 'font-size="11" fill-opacity=".7"')
        self.y += CAPTION
        self.lanes.append(self.y)
        draw(self)
        self.y += height + 6

    def words(self, place: str, y: float, text: str, more: str = "") -> None:
        self.parts.append(f'<text {place} y="{y:.1f}" {more}>{escape(visible(text))}</text>')

    def text(self, time: float, y: float, text: str, room: float = 100.0, short: str = "") -> None:
        """A text behind a mark, if there is room before the next one, or in its place a short one."""
        left = self.x(time) + percent(9)
        for words in (text, short):
            if words and left + percent(6.5 * len(words)) <= room:
                self.words(f'x="{self.x(time):.2f}%" dx="9"', self.y + y, words)
                return

    def bar(self, began: float, ended: float | None, bottom: float, height: float, title: str, style: str,
            label: str = "") -> None:  # fmt: skip
        """A bar that stands on `bottom`; one that lasts a moment is a tick. The label is in it, if it has the room."""
        left = self.x(began)
        width = (100 - MARGIN if ended is None else self.x(ended)) - left
        is_tick = width < percent(2)
        size = 'width="2" transform="translate(-1 0)"' if is_tick else f'width="{width:.2f}%"'
        top = self.y + bottom - height
        self.parts.append(
            f'<rect x="{left:.2f}%" y="{top:.1f}" {size} height="{height:.1f}" {style}>'
            f"<title>{escape(visible(title))}</title></rect>"
        )
        if label and width >= percent(7 * len(label) + 6):
            self.words(f'x="{left + width / 2:.2f}%"', top + 13, label, 'text-anchor="middle" font-size="11"')

    def numbers(self, found: Iterable[tuple[int, float, float]]) -> None:
        """Numbers over their bars, as many as have room beside each other and beside taller bars: the largest first."""
        taken: list[tuple[float, float]] = []
        taller: list[float] = []
        for number, middle, y in sorted(found, reverse=True):
            text = short_number(number)
            half = percent(3.3 * len(text) + 2)
            is_free = all(abs(bar - middle) > half for bar in taller)
            taller.append(middle)
            middle = min(max(middle, half), 100 - half)
            if is_free and all(middle + half <= left or middle - half >= right for left, right in taken):
                taken.append((middle - half, middle + half))
                self.words(f'x="{middle:.2f}%"', self.y + y, text, 'text-anchor="middle" font-size="11"')

    def line(self, began: float, ended: float, middle: float, title: str) -> None:
        y = f"{self.y + middle:.1f}"
        self.parts.append(
            f'<line x1="{self.x(began):.2f}%" x2="{self.x(ended):.2f}%" y1="{y}" y2="{y}" stroke="currentColor" '
            f'stroke-opacity=".45" stroke-width="3"><title>{escape(visible(title))}</title></line>'
        )

    def mark(self, time: float, middle: float, shape: str, title: str) -> None:
        self.parts.append(
            f'<svg x="{self.x(time):.2f}%" y="{self.y + middle:.1f}" overflow="visible">{shape}'
            f"<title>{escape(visible(title))}</title></svg>"
        )

    def crash_lines(self, times: Sequence[float]) -> None:
        """Through all lanes, so that the eye finds what was before a crash and what came after it."""
        for time in times:
            place = f'x1="{self.x(time):.2f}%" x2="{self.x(time):.2f}%"'
            self.parts.append(
                f'<line {place} y1="{self.lanes[0]:.1f}" y2="{self.y:.1f}" stroke="{RED}" stroke-opacity=".45" '
                'stroke-dasharray="2 3"/>'
            )

    def axis(self) -> None:
        """Time since the load, at round numbers."""
        step, unit, size = round_step(self.seconds / MOST_TICKS)
        y = self.y + 2
        faint = 'stroke="currentColor" stroke-opacity=".4"'
        self.parts.append(f'<line x1="{MARGIN}%" x2="{100 - MARGIN}%" y1="{y}" y2="{y}" {faint}/>')
        free = 0.0
        for number in range(int(self.seconds / step + 1e-9) + 1):
            place = self.x(self.began + number * step)
            label = f"{number * step / size:.6g} {unit}" if number else "0"
            self.parts.append(f'<line x1="{place:.2f}%" x2="{place:.2f}%" y1="{y}" y2="{y + 4}" {faint}/>')
            half = percent(3.3 * len(label) + 2)
            at_end = place + half > 100
            left = 100 - MARGIN - 2 * half if at_end else place - half if number else place
            if left < free:
                continue
            free = left + 2 * half
            anchor = "end" if at_end else "middle" if number else "start"
            self.words(
                f'x="{100 - MARGIN if at_end else place:.2f}%"', y + 16, label, f'text-anchor="{anchor}" font-size="11"'
            )
        self.y += 26

    def legend(self) -> None:
        """What is in the picture, in as many rows as a narrow one needs."""
        x, y = 0.0, self.y + 8
        for name in (name for name in LEGEND if name in self.used):
            width = 26 + 6.5 * len(name)
            if x and x + width > LEGEND_WIDTH:
                x, y = 0.0, y + 18
            text = f'<text x="11" y="4" font-size="11">{name}</text>'
            shape = f'<g transform="translate({x + 6:.1f} 0)">{LEGEND[name]}{text}</g>'
            self.parts.append(f'<svg x="{MARGIN}%" y="{y:.1f}" overflow="visible">{shape}</svg>')
            x += width
        self.y = y + 14


def percent(pixels: float) -> float:
    """What so many pixels are of the width of the narrowest picture."""
    return pixels * 100 / NARROWEST


def round_step(least: float) -> tuple[float, str, float]:
    """The next round number of seconds, with the unit in which it is told and how many seconds that has."""
    unit, size = next((each for each in reversed(UNITS) if least > each[1] / 2), UNITS[0])
    if unit in ("min", "h"):
        steps = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0) if unit == "min" else (1.0, 2.0, 3.0, 6.0, 12.0, 24.0)
        step = next((each for each in steps if each * size >= least * 0.999), steps[-1])
    else:
        power: float = 10.0 ** math.floor(math.log10(least / size))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * size >= least * 0.999)
    return step * size, unit, size


def short_number(number: int) -> str:
    """A number in few places: `9,999`, `12k`, `3.4M`."""
    if number < 10_000:
        return f"{number:,}"
    return f"{number // 1000}k" if number < 10**6 else f"{number / 10**6:,.1f}M"


def duration(seconds: float) -> str:
    """How long something took, as people say it: `12.5 ms`, `3 s`, `2.5 min`."""
    unit, size = next((each for each in reversed(UNITS) if seconds >= each[1]), UNITS[0])
    return f"{seconds / size:.3g} {unit}"


def lines(told: Sequence[str]) -> str:
    """The first few lines of what a title tells."""
    return "\n".join([*told[:10], *([f"and {len(told) - 10:,} more"] if len(told) > 10 else [])])


def split[T](items: Iterable[T], key: Callable[[T], object]) -> Iterator[list[T]]:
    """Neighbours that have the same key, together."""
    for _, group in groupby(items, key):
        yield list(group)


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


def within(span: Span | None, burst: Burst) -> Burst:
    """A burst inside of its generation: JavaScript's clock is another one, and a coarse one in some browsers."""
    if span is None:
        return burst
    began = max(burst.began, span.began)
    ended = burst.ended if span.ended is None else min(burst.ended, span.ended)
    return Burst(began, max(began, ended), burst.calls, burst.generation)


def read_timeline(module: "Module") -> Timeline:
    """The past of a module up to now."""
    supervisor = module.supervisor
    history = supervisor.history
    answer = BurstsAnswer.of(module.driver.bursts())
    now = history.clock()
    spans = {span.name: span for span in history.generations}
    bursts = [
        within(
            spans.get(str(int(generation))),
            Burst(now - (answer.now - began) / 1000, now - (answer.now - ended) / 1000, int(calls), int(generation)),
        )
        for began, ended, calls, generation in answer.each()
        if calls
    ]
    pending = [Span(pending.call, pending.began) for pending in supervisor.pending.values()]
    generations = history.generations
    began = history.began if generations[0].name == "0" else generations[0].began
    return Timeline(module.name, began, now, generations, history.crashes, bursts, [*history.calls, *pending])
