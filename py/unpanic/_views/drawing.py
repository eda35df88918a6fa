"""A picture that grows downwards, row by row: SVG, because a plotting library takes seconds to start.

Places from left to right are percentages and everything else is in pixels: so a picture is as wide as its place, and
its texts and marks are as large on a telephone as on a wide screen.
"""

from collections.abc import Callable, Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from .colours import AMBER, BLUE, GREEN, RED
from .words import round_step, short_number, visible

__all__ = ["CRASH", "ENDS", "Drawing"]

# The legend has room even in an image that nobody gave a width: 300 pixels.
WIDEST, NARROWEST, LEGEND_WIDTH = 960, 380, 285
# In percent of the width, at both ends, so that marks and texts have room there.
MARGIN = 2.0
CAPTION = 16
MOST_TICKS = 6
FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" class="unpanic-timeline" role="img" width="100%%" height="%d" '
    f'style="display:block;max-width:{WIDEST}px;font:12px system-ui,sans-serif" '
    'fill="currentColor" aria-label=%s>%s</svg>'
)
# The mark at the end of an async call, drawn around 0, 0; each has a shape of its own.
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


class Drawing:
    """SVG that grows downwards, row by row; times become places from left to right."""

    def __init__(self, began: float, ended: float) -> None:
        self.began = began
        self.seconds = max(ended - began, 1e-3)
        self.y = 2.0
        self.rows: list[float] = []
        self.parts: list[str] = []
        self.used: dict[str, None] = {}

    def x(self, time: float) -> float:
        """Gives the place of a time, in percent."""
        place = (time - self.began) / self.seconds
        return MARGIN + min(max(place, 0), 1) * (100 - 2 * MARGIN)

    def use(self, name: str) -> None:
        """Notes that a kind of mark is drawn, so that the legend has it."""
        self.used[name] = None

    def row(self, name: str, height: float, draw: Callable[[], None]) -> None:
        """Adds a row below the others, with its name above it.

        Args:
            name: what is in the row.
            height: its height in pixels.
            draw: draws what is in it.
        """
        self.words(f'x="{MARGIN}%"', self.y + 11, name, 'font-size="11" fill-opacity=".7"')
        self.y += CAPTION
        self.rows.append(self.y)
        draw()
        self.y += height + 6

    def words(self, place: str, y: float, text: str, more: str = "") -> None:
        """Writes a text.

        Args:
            place: the attributes that say where it is from left to right.
            y: where its line is, in pixels from the top.
            text: the text.
            more: further attributes.
        """
        self.parts.append(f'<text {place} y="{y:.1f}" {more}>{escape(visible(text))}</text>')

    def text(self, time: float, y: float, text: str, room: float = 100.0, short: str = "") -> None:
        """Writes a text behind a mark.

        Args:
            time: where the mark is.
            y: where the line of the text is, in pixels from the top of the row.
            text: the text.
            room: where the next mark is, in percent. A text that would reach it is left out.
            short: what is written instead, if that has the room.
        """
        left = self.x(time) + percent(9)
        for words in (text, short):
            if words and left + percent(6.5 * len(words)) <= room:
                self.words(f'x="{self.x(time):.2f}%" dx="9"', self.y + y, words)
                return

    def bar(self, began: float, ended: float | None, bottom: float, height: float, title: str, style: str,
            label: str = "") -> None:  # fmt: skip
        """Draws a bar that stands on `bottom`: a tick if it lasts a moment. The label is in it, if it has the room."""
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

    def numbers(self, numbers: Iterable[tuple[int, float, float]]) -> None:
        """Writes numbers over their bars, the largest first, if they have room beside each other and taller bars.

        Args:
            numbers: each with its place in percent, and its height in pixels from the top of the row.
        """
        taken: list[tuple[float, float]] = []
        taller: list[float] = []
        for number, middle, y in sorted(numbers, reverse=True):
            text = short_number(number)
            half = percent(3.3 * len(text) + 2)
            is_free = all(abs(bar - middle) > half for bar in taller)
            taller.append(middle)
            middle = min(max(middle, half), 100 - half)
            if is_free and all(middle + half <= left or middle - half >= right for left, right in taken):
                taken.append((middle - half, middle + half))
                self.words(f'x="{middle:.2f}%"', self.y + y, text, 'text-anchor="middle" font-size="11"')

    def line(self, began: float, ended: float, middle: float, title: str) -> None:
        """Draws a line from one time to another, `middle` pixels below the top of the row."""
        y = f"{self.y + middle:.1f}"
        self.parts.append(
            f'<line x1="{self.x(began):.2f}%" x2="{self.x(ended):.2f}%" y1="{y}" y2="{y}" stroke="currentColor" '
            f'stroke-opacity=".45" stroke-width="3"><title>{escape(visible(title))}</title></line>'
        )

    def mark(self, time: float, middle: float, shape: str, title: str) -> None:
        """Draws a mark, `middle` pixels below the top of the row."""
        self.parts.append(
            f'<svg x="{self.x(time):.2f}%" y="{self.y + middle:.1f}" overflow="visible">{shape}'
            f"<title>{escape(visible(title))}</title></svg>"
        )

    def crash_lines(self, times: Sequence[float]) -> None:
        """Draws a line through all rows at each crash: the eye finds what was before it and what came after it."""
        for time in times:
            place = f'x1="{self.x(time):.2f}%" x2="{self.x(time):.2f}%"'
            self.parts.append(
                f'<line {place} y1="{self.rows[0]:.1f}" y2="{self.y:.1f}" stroke="{RED}" stroke-opacity=".45" '
                'stroke-dasharray="2 3"/>'
            )

    def axis(self) -> None:
        """Draws the axis: the time since the load, at round numbers."""
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
        """Explains the marks that are drawn, in as many lines as a narrow picture needs."""
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

    def finish(self, style: str, label: str, description: str) -> str:
        """Gives the picture as SVG; see `draw` in picture.py."""
        label = visible(label)
        head = f"{style}<title>{escape(label)}</title><desc>{escape(description)}</desc>"
        return FRAME % (self.y, quoteattr(label), head + "".join(self.parts))


def percent(pixels: float) -> float:
    """Gives pixels as percent of the width of the narrowest picture."""
    return pixels * 100 / NARROWEST
