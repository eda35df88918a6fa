"""A module's status as a small card: HTML for notebooks, text for terminals, one line for `repr`."""

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from ..errors import RustPanic
from .colours import AMBER, GREEN, RED
from .words import count, crashes_of, size, visible

if TYPE_CHECKING:
    from ..errors import Crash

__all__ = ["one_line", "to_html", "to_text"]

# A sign beside the word, for those who do not see the colour.
SIGNS = {"ready": "●", "recovering": "◐", "terminated": "■", "unloaded": "○"}
COLOURS = {"ready": GREEN, "recovering": AMBER, "terminated": RED}
LONGEST_MESSAGE = 200

# `currentColor` and transparency fit a light and a dark notebook; Jupyter's own style gives tables stripes.
FAINT = "color-mix(in srgb, currentColor 25%, transparent)"
CARD = f"display:inline-block;max-width:40em;border:1px solid {FAINT};border-radius:6px;padding:6px 12px"
TABLE = "border-collapse:collapse;border:0;margin:0;color:inherit;font-size:inherit"
CAPTION = "caption-side:top;text-align:left;font-weight:bold;color:inherit;padding:2px 0;white-space:nowrap"
ROW = "background:none;border:0"
CELL = "text-align:left;vertical-align:top;border:0;color:inherit;padding:1px 0;overflow-wrap:anywhere"
HEAD = f"{CELL};font-weight:normal;opacity:.75;padding-right:1.5em;white-space:nowrap"


class Shown(Protocol):
    """The facts that a card shows; `Status` says what they mean."""

    @property
    def name(self) -> str: ...
    @property
    def generation(self) -> int: ...
    @property
    def phase(self) -> str: ...
    @property
    def recovery(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def calls(self) -> int: ...
    @property
    def crashes(self) -> Mapping[str, int]: ...
    @property
    def resets(self) -> int: ...
    @property
    def rollbacks(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def spare_bytes(self) -> int: ...
    @property
    def shadow_bytes(self) -> int: ...
    @property
    def last_crash(self) -> "Crash | None": ...
    @property
    def timings(self) -> Mapping[str, float]: ...


def to_html(status: Shown) -> str:
    """Gives the card as HTML that needs nothing around it."""
    rows = "".join(
        f'<tr style="{ROW}"><th scope="row" style="{HEAD}">{html.escape(name)}</th>'
        f'<td style="{cell(name, status)}">{html.escape(text)}</td></tr>'
        for name, text in rows_of(status)
    )
    caption = f'<caption style="{CAPTION}">Rust module {html.escape(visible(status.name))}</caption>'
    return f'<div style="{CARD}"><table style="{TABLE}">{caption}<tbody>{rows}</tbody></table></div>'


def cell(name: str, status: Shown) -> str:
    """Gives the style of a value; the state has the colour of its phase."""
    colour = COLOURS.get(status.phase) if name == "state" else None
    return f"{CELL};color:{colour};font-weight:bold" if colour else CELL


def to_text(status: Shown) -> str:
    """Gives the card as lines of text."""
    rows = (f"  {name:<11} {text}" for name, text in rows_of(status))
    return "\n".join([f"Rust module {visible(status.name)}", *rows])


def one_line(status: Shown) -> str:
    """Gives the line that `repr` of the module shows."""
    facts = [status.phase, f"generation {status.generation}", count(status.calls, "call")]
    crashes = sum(status.crashes.values())
    facts += [count(crashes, "crash")] if crashes else []
    return f"<Rust module {status.name!r}: {', '.join(facts)}>"


def rows_of(status: Shown) -> list[tuple[str, str]]:
    """Gives names and texts, in the order in which the card shows them."""
    crashes = ", ".join(crashes_of(kind, number) for kind, number in status.crashes.items())
    more = f", and a copy of {size(status.shadow_bytes)} to roll back to" if status.shadow_bytes else ""
    more += f", and a spare of {size(status.spare_bytes)}" if status.spare_bytes else ""
    rows = [
        ("state", f"{SIGNS.get(status.phase, '?')} {status.phase}"),
        ("generation", f"{status.generation:,} ({recoveries(status)})"),
        ("calls", f"{status.calls:,} ({status.in_flight:,} in flight)"),
        ("crashes", crashes or "none"),
        ("memory", f"{size(status.memory_bytes)}{more}"),
        ("recovery", recovery(status)),
    ]
    return rows + ([("last crash", last_crash(status.last_crash))] if status.last_crash else [])


def recoveries(status: Shown) -> str:
    """Says how often calls were rolled back, and how often the module was reset."""
    resets = count(status.resets, "reset")
    return f"{count(status.rollbacks, 'rollback')}, {resets}" if status.rollbacks else resets


def recovery(status: Shown) -> str:
    """Says what a crash leads to, how long that took, and why calls are not rolled back if they are not."""
    took = status.timings.get("recovery")
    what = status.recovery if took is None else f"{status.recovery}, {took:.2g} ms"
    return what if status.recovery == "rollback" or not status.why else f"{what} ({status.why})"


def last_crash(crash: "Crash") -> str:
    """Says what happened, in which call, and where."""
    message = crash.message
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}…"
    place = f"in {crash.module}.{crash.call}" if crash.call else crash.suspicion or "in no call"
    location = f", {crash.location}" if isinstance(crash, RustPanic) and crash.location else ""
    return visible(f"{message} ({crash.kind.replace('_', ' ')} {place}{location})")
