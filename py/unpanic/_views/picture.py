"""The rows of a timeline's picture: generations, crashes, plain calls and async calls over time."""

import math
from collections.abc import Sequence
from itertools import pairwise

from .._recovery.history import CrashMark, Span
from .bursts import Burst
from .colours import AMBER, BLUE
from .drawing import CRASH, ENDS, Drawing
from .grouping import close, pack, split
from .words import count, crashes_of, duration, first_lines

__all__ = ["draw"]

# Heights in pixels: of a bar, the tallest and the shortest bar of calls, and a track of async calls.
BAR, TALLEST, SHORTEST, TRACK = 18, 34, 9, 11
# Above a bar of calls stands how many they are.
ABOVE = 13
# Distances in percent. Crashes have texts; of many crashes only the number can be shown.
CLOSE_CRASHES, CLOSE_MANY_CRASHES, MANY_CRASHES = 3.0, 8.0, 10


def draw(
    began: float,
    ended: float,
    *,
    generations: Sequence[Span],
    crashes: Sequence[CrashMark],
    bursts: Sequence[Burst],
    calls: Sequence[Span],
    style: str,
    label: str,
    description: str,
) -> str:
    """Draws a timeline as SVG.

    Args:
        began: the time at the left end.
        ended: the time at the right end.
        generations: the generations, the current one last.
        crashes: the crashes.
        bursts: the plain calls.
        calls: the async calls.
        style: a `style` element, or nothing.
        label: what the picture is called.
        description: the picture in words.
    """
    drawing = Drawing(began, ended)
    drawing.row("generations", BAR, lambda: draw_generations(drawing, generations))
    groups = group_crashes(drawing, crashes)
    if crashes:
        drawing.row("crashes", 14, lambda: draw_crashes(drawing, groups))
    if bursts:
        drawing.row("calls", ABOVE + TALLEST, lambda: draw_bursts(drawing, bursts, generations))
    tracks, left_out = pack(calls, ended)
    if tracks:
        more = f" (and {left_out:,} more)" if left_out else ""
        drawing.row(f"async calls{more}", len(tracks) * TRACK, lambda: draw_calls(drawing, tracks, ended))
    drawing.crash_lines([group[0].at for group in groups])
    drawing.axis()
    drawing.legend()
    return drawing.finish(style, label, description)


def draw_generations(drawing: Drawing, generations: Sequence[Span]) -> None:
    """Draws a bar for each generation, and one for each recovery between two."""
    for group in group_generations(drawing, generations):
        first, last = group[0], group[-1]
        name = first.name if first is last else f"{first.name} to {last.name}"
        drawing.use("generation")
        drawing.bar(first.began, last.ended, BAR, BAR, f"generation {name}", 'rx="2" fill-opacity=".2"', name)
    pairs = list(pairwise(generations))
    for neighbours in close(pairs, lambda pair: drawing.x(pair[1].began)):
        lines = [
            f"recovery to generation {after.name}: {(after.began - (before.ended or after.began)) * 1000:.3g} ms"
            for before, after in neighbours
        ]
        began = neighbours[0][0].ended or neighbours[0][1].began
        opacity = ' fill-opacity=".4"' if len(neighbours) > 1 else ""
        drawing.use("recovery")
        drawing.bar(began, neighbours[-1][1].began, BAR, BAR, first_lines(lines), f'fill="{AMBER}"{opacity}')
    if (ended := generations[-1].ended) is not None:
        drawing.text(ended, BAR - 5, "ended")


def group_generations(drawing: Drawing, generations: Sequence[Span]) -> list[list[Span]]:
    """Groups generations that begin close to each other."""
    return close(generations, lambda span: drawing.x(span.began))


def group_crashes(drawing: Drawing, crashes: Sequence[CrashMark]) -> list[list[CrashMark]]:
    """Groups crashes that are close to each other, and more of them where there are many."""
    groups = close(crashes, lambda crash: drawing.x(crash.at), CLOSE_CRASHES)
    if len(groups) > MANY_CRASHES:
        return close(crashes, lambda crash: drawing.x(crash.at), CLOSE_MANY_CRASHES)
    return groups


def draw_crashes(drawing: Drawing, groups: Sequence[Sequence[CrashMark]]) -> None:
    """Draws a mark for each group of crashes, with a text if there is room before the next one."""
    rooms = [drawing.x(group[0].at) for group in groups[1:]] + [100.0]
    for group, room in zip(groups, rooms, strict=True):
        lines = [f"{crash.kind} in {crash.call or 'no call'}: {crash.message}" for crash in group]
        drawing.use("crash")
        drawing.mark(group[0].at, 7, CRASH, first_lines(lines))
        kinds = {crash.kind for crash in group}
        label = crashes_of(group[0].kind, len(group)) if len(kinds) == 1 else count(len(group), "crash")
        alone = group[0].kind.replace("_", " ") if len(group) == 1 else ""
        drawing.text(group[0].at, 11, alone or label, room, "" if alone else f"{len(group):,}")


def draw_bursts(drawing: Drawing, bursts: Sequence[Burst], generations: Sequence[Span]) -> None:
    """Draws a bar for the bursts of one generation that are close; one call alone is a tick."""
    groups = group_bursts(drawing, bursts, generations)
    most = max(sum(burst.calls for burst in group) for group in groups)
    numbers: list[tuple[int, float, float]] = []
    for group in groups:
        calls = sum(burst.calls for burst in group)
        height = SHORTEST + (TALLEST - SHORTEST) * math.log(calls) / math.log(max(most, 2))
        began, ended = group[0].began, group[-1].ended
        drawing.use("calls")
        drawing.bar(began, ended, ABOVE + TALLEST, height, count(calls, "call"), f'fill="{BLUE}"')
        if calls > 1:
            numbers.append((calls, (drawing.x(began) + drawing.x(ended)) / 2, ABOVE + TALLEST - height - 3))
    drawing.numbers(numbers)


def group_bursts(drawing: Drawing, bursts: Sequence[Burst], generations: Sequence[Span]) -> list[list[Burst]]:
    """Groups bursts that are close to each other, of generations that are drawn as one."""
    bar_of = {
        span.name: number for number, group in enumerate(group_generations(drawing, generations)) for span in group
    }
    return [
        group
        for neighbours in split(bursts, lambda burst: bar_of.get(str(burst.generation), -1))
        for group in close(neighbours, lambda burst: drawing.x(burst.began))
    ]


def draw_calls(drawing: Drawing, tracks: Sequence[Sequence[Span]], now: float) -> None:
    """Draws a line for each async call, whose mark at the end shows how it ended."""
    for number, track in enumerate(tracks):
        middle = number * TRACK + 6.0
        for call in track:
            how, ended = call.how or "in flight", now if call.ended is None else call.ended
            title = f"{call.name}: {how} after {duration(ended - call.began)}"
            drawing.use(how)
            drawing.line(call.began, ended, middle, title)
            drawing.mark(ended, middle, ENDS[how], title)
