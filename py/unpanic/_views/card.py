"""A module's status as a small card: HTML for notebooks, text for terminals, one line for `repr`."""

import html
import re
from typing import TYPE_CHECKING

from ..errors import RustPanic

if TYPE_CHECKING:
    from ..errors import Crash
    from .status import Status

__all__ = ["AMBER", "BLUE", "GREEN", "RED", "count", "crashes_of", "one_line", "to_html", "to_text", "visible"]

# They can be told from a white ground and from a black one.
BLUE, RED, GREEN, AMBER = "#3b82d6", "#d64545", "#2f9e5b", "#c27c0e"
# A sign beside the word, so that neither has to be told by its colour.
SIGNS = {"ready": "●", "recovering": "◐", "terminated": "■", "unloaded": "○"}
COLOURS = {"ready": GREEN, "recovering": AMBER, "terminated": RED}
# What people call the kinds of crashes, where it is not the kind itself.
CRASHES = {"foreign": "foreign exception"}
LONGEST_MESSAGE = 200
# No XML may hold these, in any spelling, and a terminal would obey some of them: C0 and C1 controls but for tabs and
# line ends, surrogates, and what is no character.
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# `currentColor` and transparency fit a light and a dark notebook; Jupyter's own style gives tables stripes.
FAINT = "color-mix(in srgb, currentColor 25%, transparent)"
CARD = f"display:inline-block;max-width:40em;border:1px solid {FAINT};border-radius:6px;padding:6px 12px"
TABLE = "border-collapse:collapse;border:0;margin:0;color:inherit;font-size:inherit"
CAPTION = "caption-side:top;text-align:left;font-weight:bold;color:inherit;padding:2px 0;white-space:nowrap"
ROW = "background:none;border:0"
CELL = "text-align:left;vertical-align:top;border:0;color:inherit;padding:1px 0;overflow-wrap:anywhere"
HEAD = f"{CELL};font-weight:normal;opacity:.75;padding-right:1.5em;white-space:nowrap"


def to_html(status: "Status") -> str:
    """The card as HTML that needs nothing around it."""
    rows = "".join(
        f'<tr style="{ROW}"><th scope="row" style="{HEAD}">{html.escape(name)}</th>'
        f'<td style="{cell(name, status)}">{html.escape(text)}</td></tr>'
        for name, text in rows_of(status)
    )
    caption = f'<caption style="{CAPTION}">Rust module {html.escape(visible(status.name))}</caption>'
    return f'<div style="{CARD}"><table style="{TABLE}">{caption}<tbody>{rows}</tbody></table></div>'


def cell(name: str, status: "Status") -> str:
    """The style of a value; that of the state has its colour."""
    colour = COLOURS.get(status.phase) if name == "state" else None
    return f"{CELL};color:{colour};font-weight:bold" if colour else CELL


def to_text(status: "Status") -> str:
    """The card as lines of text."""
    rows = (f"  {name:<11} {text}" for name, text in rows_of(status))
    return "\n".join([f"Rust module {visible(status.name)}", *rows])


def one_line(status: "Status") -> str:
    """What `repr` of the module shows."""
    facts = [status.phase, f"generation {status.generation}", count(status.calls, "call")]
    crashes = sum(status.crashes.values())
    facts += [count(crashes, "crash")] if crashes else []
    return f"<Rust module {status.name!r}: {', '.join(facts)}>"


def rows_of(status: "Status") -> list[tuple[str, str]]:
    """Names and texts, in the order in which they are shown."""
    crashes = ", ".join(crashes_of(kind, number) for kind, number in status.crashes.items())
    spare = f", and a spare of {size(status.spare_bytes)}" if status.spare_bytes else ""
    rows = [
        ("state", f"{SIGNS.get(status.phase, '?')} {status.phase}"),
        ("generation", f"{status.generation:,} ({count(status.resets, 'reset')})"),
        ("calls", f"{status.calls:,} ({status.in_flight:,} in flight)"),
        ("crashes", crashes or "none"),
        ("memory", f"{size(status.memory_bytes)}{spare}"),
        ("recovery", recovery(status)),
    ]
    return rows + ([("last crash", last_crash(status.last_crash))] if status.last_crash else [])


def recovery(status: "Status") -> str:
    """What a panic leads to, and how long that took."""
    took = status.timings.get("recovery")
    return status.recovery if took is None else f"{status.recovery}, {took:.2g} ms"


def last_crash(crash: "Crash") -> str:
    """What happened, in which call, where."""
    message = crash.message
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}…"
    place = f"in {crash.module}.{crash.call}" if crash.call else crash.suspicion or "in no call"
    location = f", {crash.location}" if isinstance(crash, RustPanic) and crash.location else ""
    return visible(f"{message} ({crash.kind.replace('_', ' ')} {place}{location})")


def crashes_of(kind: str, number: int) -> str:
    """Crashes of a kind with their number: `1 panic`, `2 stack overflows`, `3 times out of memory`."""
    if kind == "out_of_memory":
        return f"{count(number, 'time')} out of memory"
    return count(number, CRASHES.get(kind, kind.replace("_", " ")))


def visible(text: str) -> str:
    """A text whose control characters are seen instead of obeyed, NUL as `␀`; what is no character is replaced."""
    return HIDDEN.sub(_stand_in, text)


def _stand_in(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 call`, `2 crashes`."""
    plural = "" if number == 1 else "es" if noun.endswith("sh") else "s"
    return f"{number:,} {noun}{plural}"


def size(number: int) -> str:
    """An amount of memory as people say it: `1.1 MB`."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if number >= 10**power:
            return f"{number / 10**power:.1f} {unit}"
    return f"{number} bytes"
