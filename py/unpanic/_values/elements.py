"""The elements of Python buffers: which numbers a buffer holds, and how they lie in its memory."""

import array
import itertools
import struct
from collections.abc import Sequence
from typing import Any

from .._bridge.kinds import ARRAYS

__all__ = ["Elements", "count_elements", "fill", "flatten"]

# The family of a buffer's numbers, by the last character of its format: signed, unsigned, float, or truth value. How
# wide each number is says `itemsize`.
FAMILIES = {
    "c": "u",
    "?": "?",
    **dict.fromkeys("bhilqn", "i"),
    **dict.fromkeys("BHILQN", "u"),
    **dict.fromkeys("efd", "f"),
}
CODES = {(element[0], int(element[1:]) // 8): code for element, (code, _) in ARRAYS.items()}


class Elements:
    """The elements of a buffer, read from its format.

    Attributes:
        family: `i` for signed integers, `u` for unsigned ones, `f` for floats, `?` for truth values.
        code: the typecode of an array with such elements; empty if there is none.
        swapped: whether the bytes of each element are in the opposite order.

    Raises:
        TypeError: the buffer holds something else than numbers.
    """

    def __init__(self, view: memoryview) -> None:
        order, letter = view.format[:-1], view.format[-1:]
        self.view = view
        self.family = FAMILIES.get(letter, "")
        if not self.family or order not in ("", "@", "=", "<", ">", "!"):
            raise TypeError(f"must be a buffer of numbers, not of the format {view.format!r}")
        # Wasm is little-endian, and so is every machine that runs it.
        self.swapped = view.itemsize > 1 and order in (">", "!")
        self.code = CODES.get(("u" if self.family == "?" else self.family, view.itemsize), "")

    def is_memory_of(self, code: str) -> bool:
        """Whether the memory is that of an array with this typecode."""
        return self.code == code and not self.swapped

    def to_element(self, number: float) -> float:
        """Returns a number of JavaScript's as the buffer's family has it: a whole float becomes an integer."""
        is_whole = self.family != "f" and isinstance(number, float) and number.is_integer()
        return int(number) if is_whole else number

    def read_numbers(self) -> Sequence[Any]:
        """Returns all elements as Python numbers, in C order."""
        data = self.view.tobytes()
        if not self.code:  # half floats, which the array module does not have
            return struct.unpack(f"{'>' if self.swapped else '<'}{len(data) // 2}e", data)
        numbers = array.array(self.code, data)
        if self.swapped:
            numbers.byteswap()
        return numbers


def count_elements(buffer: Any) -> int:
    """Returns how many elements a buffer has, in all dimensions together."""
    view = memoryview(buffer)
    return view.nbytes // view.itemsize


def flatten(view: memoryview, code: str) -> Any:
    """Returns a flat buffer with the same elements; it is a copy only where the elements do not lie side by side."""
    if not view.c_contiguous:
        return array.array(code, view.tobytes())
    if view.ndim == 1 and view.format in (code, f"<{code}"):
        return view
    try:
        return view.cast("B").cast(code)  # type: ignore[call-overload]
    except (TypeError, ValueError):  # a format with a prefix, as ctypes writes it; or no elements in many dimensions
        return array.array(code, view.tobytes())


def fill(view: memoryview, numbers: "array.array[Any]") -> None:
    """Writes all elements of a buffer of any layout, in C order."""
    if view.c_contiguous:
        # `memoryview` itself writes into no buffer whose format has a prefix.
        struct.pack_into(f"{view.nbytes}s", view, 0, numbers.tobytes())
    else:
        for place, number in zip(itertools.product(*map(range, view.shape or ())), numbers, strict=True):
            view[place] = number
