"""Numbers and texts on their way into Rust: which of them a type holds without changing them."""

import operator
from collections.abc import Callable
from typing import Any

__all__ = ["RANGES", "SENDERS", "refuse_surrogates", "send_str"]

# Where the declaration names no Rust type, the glue does not tell u32 from i32, nor a byte from either.
RANGES = {
    "i32": (-(2**31), 2**32 - 1, "a 32-bit integer"),
    "int16": (-(2**15), 2**16 - 1, "a 16-bit integer"),
    "int64": (-(2**63), 2**64 - 1, "a 64-bit integer"),
    "int128": (-(2**127), 2**128 - 1, "a 128-bit integer"),
    "i8": (-(2**7), 2**7 - 1, "an i8"),
    "u8": (0, 2**8 - 1, "a u8"),
    "i16": (-(2**15), 2**15 - 1, "an i16"),
    "u16": (0, 2**16 - 1, "a u16"),
    "s32": (-(2**31), 2**31 - 1, "an i32"),
    "u32": (0, 2**32 - 1, "a u32"),
    "i64": (-(2**63), 2**63 - 1, "an i64"),
    "u64": (0, 2**64 - 1, "a u64"),
    "i128": (-(2**127), 2**127 - 1, "an i128"),
    "u128": (0, 2**128 - 1, "a u128"),
}
EXACT_IN_FLOAT = 2**53


def _integer_sender(low: int, high: int, name: str) -> Callable[[Any], int]:
    def send(value: Any) -> int:
        number = operator.index(value)
        if low <= number <= high:
            return number
        raise OverflowError(f"{number} does not fit {name} ({low} to {high})")

    return send


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
        raise OverflowError(f"{number} is beyond the integers that a JavaScript number holds exactly")
    return number


def _send_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"must be bool, not {type(value).__name__}")


def refuse_surrogates(text: str) -> None:
    """Raises `UnicodeEncodeError` for half of a surrogate pair, which no text of Rust's holds."""
    if not text.isascii():
        text.encode()


def send_str(value: Any) -> str:
    """A text that Rust can hold."""
    if not isinstance(value, str):
        raise TypeError(f"must be str, not {type(value).__name__}")
    refuse_surrogates(value)
    return value


def _send_char(value: Any) -> str:
    text = send_str(value)
    if len(text) != 1:
        raise TypeError(f"must be a single character, not a string of length {len(text)}")
    return text


SENDERS: dict[str, Callable[[Any], Any]] = {
    **{kind: _integer_sender(*limits) for kind, limits in RANGES.items()},
    "float": _send_float,
    "number": _send_number,
    "bigint": operator.index,
    "bool": _send_bool,
    "boolean": _send_bool,
    "string": send_str,
    "char": _send_char,
}
