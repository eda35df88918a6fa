"""How amounts, times and texts are written for people."""

import math
import re
from collections.abc import Sequence

__all__ = ["count", "crashes_of", "duration", "first_lines", "round_step", "short_number", "size", "visible"]

# The words for kinds of crashes, where they differ from the kind itself.
CRASHES = {"foreign": "foreign exception"}
# XML may not hold these in any spelling, and a terminal would obey some of them: C0 and C1 controls but for tabs and
# line ends, surrogates, and code points that are no characters.
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
UNITS = (("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("days", 86400.0))
MOST_LINES = 10


def visible(text: str) -> str:
    """Makes control characters visible instead of active, NUL as `␀`, and replaces code points without a character."""
    return HIDDEN.sub(_stand_in, text)


def _stand_in(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def first_lines(lines: Sequence[str]) -> str:
    """Joins the first few lines, and says how many more there are."""
    more = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], *([f"and {more:,} more"] if more > 0 else [])])


def count(number: int, noun: str) -> str:
    """Writes a number with its noun: `1 call`, `2 crashes`."""
    plural = "" if number == 1 else "es" if noun.endswith("sh") else "s"
    return f"{number:,} {noun}{plural}"


def crashes_of(kind: str, number: int) -> str:
    """Writes how many crashes of a kind there were: `1 panic`, `2 stack overflows`, `3 times out of memory`."""
    if kind == "out_of_memory":
        return f"{count(number, 'time')} out of memory"
    return count(number, CRASHES.get(kind, kind.replace("_", " ")))


def size(number: int) -> str:
    """Writes an amount of memory: `1.1 MB`."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if number >= 10**power:
            return f"{number / 10**power:.1f} {unit}"
    return f"{number} bytes"


def short_number(number: int) -> str:
    """Writes a number with few characters: `9,999`, `12k`, `3.4M`."""
    if number < 10_000:
        return f"{number:,}"
    return f"{number // 1000}k" if number < 10**6 else f"{number / 10**6:,.1f}M"


def duration(seconds: float) -> str:
    """Writes how long something took: `12.5 ms`, `3 s`, `2.5 min`."""
    unit, unit_seconds = next((each for each in reversed(UNITS) if seconds >= each[1]), UNITS[0])
    return f"{seconds / unit_seconds:.3g} {unit}"


def round_step(least: float) -> tuple[float, str, float]:
    """Finds the next round number of seconds, for the marks of an axis.

    Returns:
        The step in seconds, the unit in which it is written, and how many seconds that unit has.
    """
    unit, unit_seconds = next((each for each in reversed(UNITS) if least > each[1] / 2), UNITS[0])
    if unit in ("min", "h"):
        steps = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0) if unit == "min" else (1.0, 2.0, 3.0, 6.0, 12.0, 24.0)
        step = next((each for each in steps if each * unit_seconds >= least * 0.999), steps[-1])
    else:
        power: float = 10.0 ** math.floor(math.log10(least / unit_seconds))
        factors = (1, 2, 5, 10)
        step = next(factor * power for factor in factors if factor * power * unit_seconds >= least * 0.999)
    return step * unit_seconds, unit, unit_seconds
