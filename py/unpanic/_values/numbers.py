"""Numbers and texts on their way into Rust: each type takes the values that it can hold unchanged."""

import enum
import math
import operator
from collections.abc import Callable
from typing import Any

from .._bridge import kinds
from .._bridge.kinds import RANGES

__all__ = ["SENDERS", "SURELY_FITS", "check_text", "format_integer", "make_string_sender", "send_str"]

EXACT_IN_FLOAT = 2**53
# Any larger number is rounded to infinity.
LARGEST_F32 = math.nextafter((2 - 2**-24) * 2.0**127, 0)
# Python refuses to print an integer of more than 4,300 digits, and nobody would read that many.
MOST_BITS_SHOWN = 512
# Every engine can hold a text of this length. For a longer text the engine is asked for its limit.
SURELY_FITS = 2**28 - 32


def format_integer(number: int) -> str:
    """Returns an integer as a message shows it."""
    if number.bit_length() <= MOST_BITS_SHOWN:
        return str(number)
    return f"an integer of {number.bit_length():,} bits"


def _integer(value: Any) -> int:
    # A call with plain numbers crosses without Python's help, and there 2.0 is 2, because JavaScript has one type for
    # both. So 2.0 is an integer here, too.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return operator.index(value)


def _make_integer_sender(low: int, high: int, name: str) -> Callable[[Any], int]:
    def send(value: Any) -> int:
        number = _integer(value)
        if low <= number <= high:
            return number
        raise OverflowError(f"{format_integer(number)} does not fit {name} ({low} to {high})")

    return send


_send_i32 = _make_integer_sender(*RANGES[kinds.I32])


def _send_float(value: Any) -> float:
    if isinstance(value, str | bytes | bytearray):
        raise TypeError(f"must be a real number, not {type(value).__name__}")
    return float(value)


def _send_f32(value: Any) -> float:
    number = _send_float(value)
    if LARGEST_F32 < abs(number) < math.inf:
        raise OverflowError(f"{number} does not fit an f32 (up to 3.4028235e+38)")
    return number


def _send_number(value: Any) -> int | float:
    # The glue does not tell whether Rust takes an integer or a float.
    if isinstance(value, float):
        return value
    number = operator.index(value)
    if abs(number) > EXACT_IN_FLOAT:
        raise OverflowError(f"{format_integer(number)} is beyond the integers that a JavaScript number holds exactly")
    return number


def _send_word(value: Any) -> Any:
    # No declaration tells what crosses as this i32: an integer, a truth value, a member of an enum, or nothing.
    if value is None or isinstance(value, bool):
        return value
    value = value.value if isinstance(value, enum.Enum) else value
    return _send_i32(value)


def _send_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"must be bool, not {type(value).__name__}")


def text_length(text: str) -> int:
    """Returns the length of a text in JavaScript, which counts UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def check_text(text: str, longest: Callable[[], int]) -> None:
    """Refuses a text that would not arrive unchanged.

    Args:
        text: any text.
        longest: returns how many UTF-16 units a text can have in this engine.

    Raises:
        UnicodeEncodeError: the text holds half of a surrogate pair, which no text in Rust does.
        ValueError: the text is longer than the engine allows; it would arrive as an empty one.
    """
    if not text.isascii():
        text.encode()
    if len(text) >= SURELY_FITS and (length := text_length(text)) > (limit := longest()):
        raise ValueError(f"text of {length:,} UTF-16 units: this browser's longest has {limit:,}; pass it in parts")


def send_str(value: Any, longest: Callable[[], int]) -> str:
    """Returns a text that Rust can hold; see `check_text`."""
    if not isinstance(value, str):
        raise TypeError(f"must be str, not {type(value).__name__}")
    check_text(value, longest)
    return value


def make_string_sender(longest: Callable[[], int]) -> Callable[[Any], str]:
    """Returns `send_str` for a parameter, with a short way for short texts, which are nearly all."""

    def send(value: Any) -> str:
        if isinstance(value, str) and len(value) < SURELY_FITS:
            if not value.isascii():
                value.encode()
            return value
        return send_str(value, longest)

    return send


def _send_char(value: Any) -> str:
    if isinstance(value, str) and len(value) != 1:
        raise TypeError(f"must be a single character, not a string of length {len(value)}")
    return send_str(value, lambda: 1)


# Senders by the names of the kinds for which they need nothing of a module.
SENDERS: dict[str, Callable[[Any], Any]] = {
    **{name: _make_integer_sender(*limits) for name, limits in RANGES.items()},
    kinds.FLOAT: _send_float,
    kinds.F32: _send_f32,
    kinds.NUMBER: _send_number,
    kinds.WORD: _send_word,
    kinds.BIGINT: _integer,
    kinds.BOOL: _send_bool,
    kinds.CHAR: _send_char,
}
