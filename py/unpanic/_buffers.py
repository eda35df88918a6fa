"""Buffers as typed arrays, and typed arrays as `bytes` and `array.array`.

A buffer whose elements are those of the typed array is copied once, as memory. Elements
of another type are converted one by one, and each has to fit.
"""

import array
import operator
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._numbers import RANGES

if TYPE_CHECKING:
    from ._host import Host

__all__ = ["ARRAYS", "BufferSender", "MutableSender", "UntypedMutableSender", "send_any_buffer"]

# The elements of JavaScript's typed arrays: the array module's name for them, and the typed array.
ARRAYS = {
    "i8": ("b", "Int8Array"), "u8": ("B", "Uint8Array"), "i16": ("h", "Int16Array"), "u16": ("H", "Uint16Array"),
    "i32": ("i", "Int32Array"), "u32": ("I", "Uint32Array"), "i64": ("q", "BigInt64Array"),
    "u64": ("Q", "BigUint64Array"), "f32": ("f", "Float32Array"), "f64": ("d", "Float64Array"),
}  # fmt: skip
# What is in a buffer, by the last character of its format; how wide it is says `itemsize`.
KINDS = {
    "c": "u",
    "?": "?",
    **dict.fromkeys("bhilqn", "i"),
    **dict.fromkeys("BHILQN", "u"),
    **dict.fromkeys("efd", "f"),
}
CODES = {(element[0], int(element[1:]) // 8): code for element, (code, _) in ARRAYS.items()}


class Elements:
    """The elements of a buffer, read from its format."""

    def __init__(self, view: memoryview) -> None:
        order, letter = view.format[:-1], view.format[-1:]
        self.view = view
        self.kind = KINDS.get(letter, "")
        if not self.kind or order not in ("", "@", "=", "<", ">", "!"):
            raise TypeError(f"must be a buffer of numbers, not of the format {view.format!r}")
        # Wasm is little-endian, and so is everything that runs it.
        self.swapped = view.itemsize > 1 and order in (">", "!")
        self.code = CODES.get(("u" if self.kind == "?" else self.kind, view.itemsize), "")

    def is_memory_of(self, code: str) -> bool:
        """Whether its memory is that of an array with this typecode."""
        return self.code == code and not self.swapped

    def numbers(self) -> Sequence[Any]:
        """All elements in C order, as Python numbers."""
        data = self.view.tobytes()
        if not self.code:  # half floats, which the array module does not have
            return struct.unpack(f"{'>' if self.swapped else '<'}{len(data) // 2}e", data)
        numbers = array.array(self.code, data)
        if self.swapped:
            numbers.byteswap()
        return numbers


class BufferSender:
    """Makes a typed array of a buffer, of a sequence of numbers, or takes one that is there.

    Args:
        element: what the typed array holds: `u8`, `f64`, …
        host: makes it.
        items: the items of a list of JavaScript's.
    """

    def __init__(self, element: str, host: "Host", items: Callable[[Any], Any]) -> None:
        self.element = element
        self.code, self.name = ARRAYS[element]
        self.host = host
        self._items = items

    def __call__(self, value: Any) -> Any:
        if type(value) is bytes and self.code == "B":
            return self.host.to_typed_array(value)
        if self.host.is_foreign(value):
            if self.host.class_name(value) == self.name:
                return value  # uncopied, so that Rust can write into it
            value = self._items(value)
            if self.host.is_foreign(value):  # a typed array without memory, for example
                raise TypeError("must be a buffer or a sequence of numbers, not an object that only JavaScript knows")
        try:
            view = memoryview(value)
        except TypeError:
            return self.host.to_typed_array(self._convert(_sequence(value)))
        elements = Elements(view)
        if elements.is_memory_of(self.code):
            return self.host.to_typed_array(_flat(view, self.code))
        if elements.kind == "f" and self.element[0] != "f":
            raise TypeError(f"must hold integers, not floats (format {view.format!r})")
        return self.host.to_typed_array(self._convert(elements.numbers()))

    def _convert(self, numbers: Sequence[Any]) -> "array.array[Any]":
        # Read once: a sequence of somebody else's may tell something else the next time.
        items = numbers if isinstance(numbers, array.array) else list(numbers)
        try:
            return array.array(self.code, items)
        except OverflowError:
            if self.element[0] == "f":
                raise
            low, high, name = RANGES["s32" if self.element == "i32" else self.element]
            for at, item in enumerate(items):
                if not low <= (number := operator.index(item)) <= high:
                    raise OverflowError(f"element {at}: {number} does not fit {name} ({low} to {high})") from None
            raise


def _sequence(value: Any) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"must be a sequence of numbers, not {type(value).__name__}")
    return value


def _flat(view: memoryview, code: str) -> Any:
    """The same elements one after the other; a copy only where they are not."""
    if not view.c_contiguous:
        return array.array(code, view.tobytes())
    if view.ndim == 1 and view.format in (code, f"<{code}"):
        return view
    try:
        return view.cast("B").cast(code)  # type: ignore[call-overload]
    except (TypeError, ValueError):  # a format with a prefix, as ctypes writes it; or no elements in many dimensions
        return array.array(code, view.tobytes())


class MutableSender(BufferSender):
    """For `&mut [T]`: what Rust wrote is in the caller's buffer when the call has ended, also with an `Err`."""

    def __call__(self, value: Any) -> Any:
        if self.host.is_foreign(value) and self.host.class_name(value) == self.name:
            return value
        self._writable(value)
        return super().__call__(value)

    def _writable(self, value: Any) -> memoryview:
        try:
            view = memoryview(value)
        except TypeError:
            raise TypeError(
                f"must be a writable buffer of {self.element}, such as {self._example()}, not {type(value).__name__}"
            ) from None
        if view.readonly:
            raise TypeError(f"must be writable, because Rust writes into it: a {type(value).__name__} is not")
        if not Elements(view).is_memory_of(self.code):
            raise TypeError(f"must hold exactly {self.element} (as {self._example()} does), not {view.format!r}")
        if view.format[:-1] not in ("", "<") or (view.ndim != 1 and not (view.c_contiguous and len(view.format) == 1)):
            raise TypeError("must be a flat buffer, or a contiguous one of a native format")
        return view

    def _example(self) -> str:
        return "bytearray" if self.element == "u8" else f"array({self.code!r})"

    def after(self, value: Any, converted: Any) -> None:
        """Copies back what Rust wrote.

        Args:
            value: the argument as the caller gave it.
            converted: what this sender made of it.
        """
        if value is None or converted is value:
            return
        _copy_back(converted, self._writable(value), self.host)


class UntypedMutableSender:
    """The same where nothing tells the type: what can be written into is.

    Args:
        send: converts a value without a type.
        host: copies.
    """

    def __init__(self, send: Callable[[Any], Any], host: "Host") -> None:
        self._send = send
        self._host = host

    def __call__(self, value: Any) -> Any:
        return self._send(value)

    def after(self, value: Any, converted: Any) -> None:
        """Copies back what Rust wrote, see `MutableSender`."""
        try:
            view = memoryview(value)
        except TypeError:
            return
        if view.ndim and not view.readonly and not Elements(view).swapped:
            _copy_back(converted, view, self._host)


def _copy_back(converted: Any, view: memoryview, host: "Host") -> None:
    if view.c_contiguous and view.ndim == 1:
        host.copy_typed_array(converted, view)
    elif view.c_contiguous:
        host.copy_typed_array(converted, view.cast("B").cast(Elements(view).code))  # type: ignore[call-overload]
    else:
        view[:] = memoryview(host.from_typed_array(converted))


def send_any_buffer(value: Any, host: "Host") -> Any:
    """A buffer as the typed array that has such elements; one without dimensions, as NumPy's numbers are, as a number.

    Raises:
        TypeError: JavaScript has no such elements.
    """
    view = memoryview(value)
    elements = Elements(view)
    if not view.ndim:
        number = elements.numbers()[0]
        return bool(number) if elements.kind == "?" else number
    if not elements.code:
        raise TypeError(f"cannot pass a buffer of the format {view.format!r} to Rust: JavaScript has no such array")
    if elements.swapped:
        return host.to_typed_array(elements.numbers())
    return host.to_typed_array(_flat(view, elements.code))
