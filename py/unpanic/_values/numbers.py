"""Numbers and texts on their way into Rust: which of them a type holds without changing them."""

import enum
import operator
from collections.abc import Callable
from typing import Any

from .._bridge import kinds
from .._bridge.kinds import RANGES

__all__ = ["SENDERS", "SURELY_FITS", "check_text", "send_str", "shown", "string_sender", "text_length"]

EXACT_IN_FLOAT = 2**53
# Python itself refuses to write more digits than 4,300, and nobody reads as many.
MOST_BITS_SHOWN = 512
# Every engine holds a text of this length; what its longest is, is asked for texts that are longer.
SURELY_FITS = 2**28 - 32


def shown(number: int) -> str:
    """An integer for a message."""
    if number.bit_length() <= MOST_BITS_SHOWN:
        return str(number)
    return f"an integer of {number.bit_length():,} bits"


def _integer(value: Any) -> int:
    # A call of plain numbers is made without Python: there 2.0 is 2, because JavaScript has one type for both.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return operator.index(value)


def _integer_sender(low: int, high: int, name: str) -> Callable[[Any], int]:
    def send(value: Any) -> int:
        number = _integer(value)
        if low <= number <= high:
            return number
        raise OverflowError(f"{shown(number)} does not fit {name} ({low} to {high})")

    return send


_send_i32 = _integer_sender(*RANGES[kinds.I32])


def _send_float(value: Any) -> float:
    if isinstance(value, str | bytes | bytearray):
        raise TypeError(f"must be a real number, not {type(value).__name__}")
    return float(value)


def _send_number(value: Any) -> int | float:
    # Integer or float: the glue does not tell.
    if isinstance(value, float):
        return value
    number = operator.index(value)
    if abs(number) > EXACT_IN_FLOAT:
        raise OverflowError(f"{shown(number)} is beyond the integers that a JavaScript number holds exactly")
    return number


def _send_word(value: Any) -> Any:
    # An i32, a truth value or a member of an enum; or nothing: no declaration tells.
    if value is None or isinstance(value, bool):
        return value
    value = value.value if isinstance(value, enum.Enum) else value
    return _send_i32(value)


def _send_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"must be bool, not {type(value).__name__}")


def text_length(text: str) -> int:
    """The length of a text in JavaScript, which counts in UTF-16."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def check_text(text: str, longest: Callable[[], int]) -> None:
    """Refuses a text that would not arrive as it is.

    Args:
        text: any text.
        longest: asks how long a text can be in this engine, in UTF-16.

    Raises:
        UnicodeEncodeError: it has half of a surrogate pair, which no text of Rust's holds.
        ValueError: it is longer than the engine's longest, as which an empty one would arrive.
    """
    if not text.isascii():
        text.encode()
    if len(text) >= SURELY_FITS and (length := text_length(text)) > (limit := longest()):
        raise ValueError(f"text of {length:,} UTF-16 units: this browser's longest has {limit:,}; pass it in parts")


def send_str(value: Any, longest: Callable[[], int]) -> str:
    """A text that Rust can hold; see `check_text`."""
    if not isinstance(value, str):
        raise TypeError(f"must be str, not {type(value).__name__}")
    check_text(value, longest)
    return value


def string_sender(longest: Callable[[], int]) -> Callable[[Any], str]:
    """`send_str` for a parameter, without a call of another function for what is no long text."""

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


SENDERS: dict[str, Callable[[Any], Any]] = {
    **{name: _integer_sender(*limits) for name, limits in RANGES.items()},
    kinds.FLOAT: _send_float,
    kinds.NUMBER: _send_number,
    kinds.WORD: _send_word,
    kinds.BIGINT: _integer,
    kinds.BOOL: _send_bool,
    kinds.CHAR: _send_char,
}
