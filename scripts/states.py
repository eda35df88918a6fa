"""Writes the section of docs/recovery.md about the states of a module, and its picture, from the table in the sources.

`python -m scripts.states` writes both files. A unit test fails if they differ from the table.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[1]
if str(ROOT / "py") not in sys.path:
    sys.path.insert(0, str(ROOT / "py"))

from unpanic._recovery.states import BETWEEN, TRANSITIONS, Event, State  # noqa: E402 - found by the line before

PAGE = ROOT / "docs" / "recovery.md"
PICTURE = ROOT / "docs" / "images" / "states.svg"
BEGIN, END = "<!-- states: begin (written by scripts/states.py) -->\n", "<!-- states: end -->\n"

COLOURS = {"ready": "#2f9e5b", "recovering": "#c27c0e", "terminated": "#d64545", "unloaded": "currentColor"}
ALTERNATIVE = "The states of a module, and the events between them, as the tables below have them"
WIDTH, HEIGHT = 140, 50
# The places of the boxes in the picture: left and top.
PLACES = {
    State.READY: (20, 70),
    State.FILLING: (390, 70),
    State.RECOVERING: (20, 272),
    State.WAITING: (200, 272),
    State.STARVED: (390, 272),
    State.TERMINATED: (20, 530),
    State.UNLOADED: (390, 530),
}


@dataclass(frozen=True)
class Arrow:
    """An arrow of the picture.

    Attributes:
        sources: the states from which the arrow leads.
        events: the events that make a module follow the arrow; their names stand beside it.
        target: the state to which the arrow leads.
        path: the SVG path of the arrow.
        label: the place of the first line of the text.
        columns: the number of characters in a line.
        anchor: the end of a line that is at this place.
    """

    sources: tuple[State, ...]
    events: tuple[Event, ...]
    target: State
    path: str
    label: tuple[int, int]
    columns: int = 60
    anchor: str = "start"


ARROWS = (
    Arrow((State.READY,), (Event.DIED,), State.RECOVERING, "M128 120V270", (138, 158), 17),
    Arrow((State.RECOVERING,), (Event.ROLLED_BACK,), State.READY, "M34 272V122", (44, 166), 11),
    Arrow((State.FILLING,), (Event.DIED,), State.RECOVERING, "M400 120L142 270", (318, 184), 17),
    Arrow((State.FILLING,), (Event.FILLED,), State.READY, "M390 95H162", (275, 66), 24, "middle"),
    Arrow(BETWEEN, (Event.MADE,), State.FILLING, "M462 240V122", (470, 180), 12),
    Arrow(BETWEEN, (Event.AWAITED,), State.WAITING, "M270 350V324", (270, 366), 20, "middle"),
    Arrow(BETWEEN, (Event.NO_MEMORY,), State.STARVED, "M460 350V324", (460, 366), 20, "middle"),
    Arrow((State.RECOVERING,), (Event.RECOVERY_OFF,), State.TERMINATED, "M36 322V528", (46, 348), 18),
    Arrow(BETWEEN, (Event.BUDGET_SPENT, Event.NOT_STARTED), State.TERMINATED, "M110 412V528", (120, 446), 40),
    Arrow(BETWEEN, (Event.UNLOADED,), State.UNLOADED, "M480 412V528", (490, 474)),
    Arrow((State.TERMINATED,), (Event.UNLOADED,), State.UNLOADED, "M160 555H388", (275, 547), 60, "middle"),
)

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" class="unpanic-states" role="img" \
aria-labelledby="unpanic-states-title unpanic-states-text" viewBox="0 0 560 592" \
font-family="system-ui, sans-serif" font-size="14" fill="currentColor">
  <style>
    .unpanic-states { color: #1f2328; }
    @media (prefers-color-scheme: dark) { .unpanic-states { color: #e6e6e6; } }
  </style>
  <title id="unpanic-states-title">The states of a module</title>
  <defs>
    <marker id="unpanic-states-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" \
orient="auto-start-reverse">
      <path d="M0 0 10 5 0 10z" fill="currentColor"/>
    </marker>
  </defs>"""


def check() -> None:
    """Raises `ValueError` if the picture does not show exactly the transitions of the table."""
    drawn = {(source, event): arrow.target for arrow in ARROWS for source in arrow.sources for event in arrow.events}
    if drawn != TRANSITIONS:
        difference = sorted(
            f"{state.title}: {event.name} leads to {target.title}"
            for (state, event), target in set(drawn.items()) ^ set(TRANSITIONS.items())
        )
        raise ValueError(f"ARROWS in scripts/states.py and the table of states differ: {'; '.join(difference)}")


def picture() -> str:
    """Returns the picture as SVG."""
    check()
    lines = [HEAD, f'  <desc id="unpanic-states-text">{escape(description())}</desc>']
    lines += ['  <g fill="none" stroke="currentColor" stroke-width="1.5" marker-end="url(#unpanic-states-head)">']
    lines += [f'    <path d="{path}"/>' for path in ("M90 32V68", *(arrow.path for arrow in ARROWS))]
    lines += ["  </g>", '  <rect x="6" y="242" width="548" height="168" rx="12" fill="none" stroke="currentColor" '
              'stroke-opacity=".5" stroke-dasharray="5 4"/>']  # fmt: skip
    for state, (left, top) in PLACES.items():
        colour = COLOURS[state.phase]
        lines += [
            f'  <rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{colour}" '
            f'fill-opacity=".16" stroke="{colour}" stroke-width="2"/>',
            text(left + WIDTH // 2, top + 31, state.title, 'text-anchor="middle" font-size="17" font-weight="600"'),
        ]
    lines += [text(90, 22, "load", 'text-anchor="middle"'), text(204, 262, "in each of these three:")]
    for arrow in ARROWS:
        lines += labels(arrow)
    return "\n".join([*lines, "</svg>"]) + "\n"


def labels(arrow: Arrow) -> Iterator[str]:
    """Yields the lines of the text beside an arrow."""
    left, top = arrow.label
    words = [line for event in arrow.events for line in textwrap.wrap(plain(event.value), arrow.columns)]
    for number, line in enumerate(words):
        yield text(left, top + 18 * number, line, f'text-anchor="{arrow.anchor}"')


def text(left: int, top: int, words: str, style: str = "") -> str:
    """Returns a line of text in the picture."""
    return f'  <text x="{left}" y="{top}"{" " if style else ""}{style}>{escape(words)}</text>'


def plain(markdown: str) -> str:
    """Returns a text without the marks of code."""
    return markdown.replace("`", "")


def description() -> str:
    """Returns the picture in words, for readers who cannot see it."""
    sentences = [
        f"From {joined(state.title for state in arrow.sources)} to {arrow.target.title}: "
        f"{joined(plain(event.value) for event in arrow.events)}."
        for arrow in ARROWS
    ]
    return " ".join(["Loading makes a module ready.", *sentences])


def joined(words: Iterable[str]) -> str:
    """Joins alternatives as in a sentence."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def row(*cells: str) -> str:
    """Returns a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def section() -> str:
    """Returns the section of the page: the picture, the states, and the events that change them."""
    lines = [f"![{ALTERNATIVE}](images/states.svg)", ""]
    lines += ["`unpanic.status(bank).phase` names the phase, which several states may share:", ""]
    lines += [row("phase", "state", "what it means", "a call then"), row(*["---"] * 4)]
    lines += [row(f"`{state.phase}`", state.title, state.meaning, state.call) for state in State]
    lines += ["", "Only these events change the state:", "", row("event", "from", "to"), row(*["---"] * 3)]
    for event in Event:
        targets = {target for (_, known), target in TRANSITIONS.items() if known is event}
        for target in (state for state in State if state in targets):
            sources = [state.title for state in State if TRANSITIONS.get((state, event)) is target]
            lines.append(row(event.value, ", ".join(sources), target.title))
    lines += ["", "`reset` and `unload` end the generation first, if there is one."]
    return "\n".join(lines) + "\n"


def page(before: str) -> str:
    """Returns the text of the page with the section written anew."""
    head, _, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE.name} has no lines {BEGIN.strip()!r} and {END.strip()!r}")
    return head + BEGIN + section() + END + tail


def main() -> None:
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    PICTURE.write_text(picture(), "utf-8")


if __name__ == "__main__":
    main()
