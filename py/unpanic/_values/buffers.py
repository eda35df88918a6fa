"""Buffers as typed arrays, and typed arrays as `bytes` and `array.array`.

A buffer whose elements are those of the typed array is copied once, as memory. Elements
of another type are converted one by one, and each has to fit.
"""

import array
import ctypes
import itertools
import operator
import struct
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from .._bridge.context import Context
from .._bridge.kinds import ARRAYS, RANGES
from .._bridge.protocols import Browser
from .._traceback import OWN_FILES
from .drafts import Written
from .numbers import shown

__all__ = ["BufferSender", "MutableSender", "SharedBuffer", "SharedSender", "is_writable", "send_any_buffer"]

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

    def held(self, number: float) -> float:
        """A number of JavaScript's as an element: whole ones are integers where these are."""
        return int(number) if self.kind != "f" and isinstance(number, float) and number.is_integer() else number

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
        browser: makes it.
        items: the items of a list of JavaScript's.
    """

    def __init__(self, element: str, browser: Browser, items: Callable[[Any], Any]) -> None:
        self.element = element
        self.code, self.name = ARRAYS[element]
        self.browser = browser
        self._items = items

    def __call__(self, value: Any) -> Any:
        if type(value) is bytes and self.code == "B":
            return self.browser.to_typed_array(value)
        if self.browser.is_foreign(value):
            if self.browser.class_name(value) == self.name:
                return value  # uncopied, so that Rust can write into it
            value = self._items(value)
            if self.browser.is_foreign(value):  # a typed array without memory, for example
                raise TypeError("must be a buffer or a sequence of numbers, not an object that only JavaScript knows")
        try:
            view = memoryview(value)
        except TypeError:
            return self.browser.to_typed_array(self._convert(_sequence(value)))
        elements = Elements(view)
        if elements.is_memory_of(self.code):
            return self.browser.to_typed_array(_flat(view, self.code))
        if elements.kind == "f" and self.element[0] != "f":
            raise TypeError(f"must hold integers, not floats (format {view.format!r})")
        return self.browser.to_typed_array(self._convert(elements.numbers()))

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
                    raise OverflowError(
                        f"element {at}: {shown(number)} does not fit {name} ({low} to {high})"
                    ) from None
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
        if self.browser.is_foreign(value) and self.browser.class_name(value) == self.name:
            return value
        self._check(value)
        return MutableBuffer(value, super().__call__(value), self.browser)

    def _check(self, value: Any) -> None:
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

    def _example(self) -> str:
        return "bytearray" if self.element == "u8" else f"array({self.code!r})"


class MutableBuffer(Written):
    """A typed array that Rust borrows to write into: all of it goes back.

    Args:
        value: the buffer that it was made of.
        made: the typed array.
        browser: copies.
    """

    def __init__(self, value: Any, made: Any, browser: Browser) -> None:
        super().__init__()
        self._value = value
        self._made = made
        self._browser = browser

    def lower(self, _call: str) -> Any:
        """The typed array."""
        return self._made

    def write_back(self) -> None:
        """Copies what Rust wrote."""
        view = memoryview(self._value)
        if view.c_contiguous and view.ndim == 1:
            self._browser.copy_typed_array(self._made, view)
        elif view.c_contiguous:
            self._browser.copy_typed_array(self._made, view.cast("B").cast(Elements(view).code))  # type: ignore[call-overload]
        else:
            view[:] = memoryview(self._browser.from_typed_array(self._made))


class SharedSender(BufferSender):
    """For a typed array that Rust gets as it is, and may write into.

    Args:
        element: see `BufferSender`.
        context: that of the module whose function it is.
        items: see `BufferSender`.
    """

    def __init__(self, element: str, context: Context, items: Callable[[Any], Any]) -> None:
        super().__init__(element, context.browser, items)
        self._context = context

    def __call__(self, value: Any) -> Any:
        made = super().__call__(value)
        return SharedBuffer(value, made, self._context) if is_writable(value) else made


def is_writable(value: Any) -> bool:
    """Whether what Rust writes into a typed array can go back into what it was made of."""
    if type(value) is list:
        return bool(value)
    try:
        view = memoryview(value)
    except TypeError:
        return False
    return bool(view.ndim and view.nbytes and not view.readonly)


class SharedBuffer(Written):
    """A typed array that was made of a buffer, or of a list of numbers, and that Rust may write into.

    What differs from before goes back when the call has ended, and nothing else: a callback, or whoever goes on
    while an async call runs, may have written into the rest.

    Args:
        value: the buffer, or the list.
        made: the typed array.
        context: that of the module that gets it.
    """

    def __init__(self, value: Any, made: Any, context: Context) -> None:
        super().__init__()
        self._value = value
        self._made = made
        self._context = context
        self.look_again()

    def lower(self, _call: str) -> Any:
        """The typed array."""
        return self._made

    def look_again(self) -> None:
        """From now on changes count."""
        self._before = self._context.browser.copy_of(self._made)

    def write_back(self) -> None:
        """Copies what Rust wrote.

        Raises:
            BufferError: the buffer has become smaller.
            TypeError: it cannot hold what Rust wrote.
        """
        span = self._context.driver.changed(self._made, self._before)
        if self._context.browser.is_null(span):
            return
        start, end = span
        part = self._context.browser.part_of(self._made, start, end)
        size = len(self._value) if type(self._value) is list else _size(self._value)
        if size < end:
            raise BufferError(
                f"Rust wrote {end} elements into {self._noun()!r}, which has become smaller: it has {size}"
            )
        if type(self._value) is list:
            self._value[start:end] = self._context.browser.from_typed_array(part)
        else:
            self._write(memoryview(self._value), start, end, part)

    def _write(self, view: memoryview, start: int, end: int, part: Any) -> None:
        elements = Elements(view)
        if view.ndim == 1 and view.c_contiguous and elements.is_memory_of(self._context.browser.code_of(part)):
            self._context.browser.copy_typed_array(part, view[start:end])
            return
        try:
            numbers = array.array(elements.code, elements.numbers())
            written = self._context.browser.from_typed_array(part)
            numbers[start:end] = array.array(elements.code, map(elements.held, written))
            if elements.swapped:
                numbers.byteswap()
            _fill(view, numbers)
        except (TypeError, ValueError, OverflowError, NotImplementedError) as error:
            raise TypeError(
                f"{self._noun()!r} of the format {view.format!r} cannot hold what Rust wrote: {error}"
            ) from None

    def _noun(self) -> str:
        return type(self._value).__name__

    def warn_if_kept(self, call: str) -> None:
        """Warns if Rust goes on to hold the typed array: what it writes from now on arrives nowhere."""
        # All references of Rust's are looked through, which takes longer than the call: what a function keeps, it
        # keeps the first time, or one of the times of which there are ever fewer.
        times = self._context.given_arrays[call] = self._context.given_arrays[call] + 1
        if times.bit_count() == 1 and self._context.driver.isKept(self._made):
            warnings.warn(
                f"{self._context.name}.{call} keeps the JavaScript array that was made of {self._noun()!r}: what Rust "
                "writes into it from now on does not come back. If Rust only reads it, give it a read-only view: "
                "memoryview(...).toreadonly().",
                RuntimeWarning,
                skip_file_prefixes=OWN_FILES,
            )


def _size(value: Any) -> int:
    view = memoryview(value)
    return view.nbytes // view.itemsize


def _fill(view: memoryview, numbers: "array.array[Any]") -> None:
    """Puts all elements into a buffer of any layout, in C order."""
    if view.c_contiguous:
        # A memoryview does not write into a format with a prefix.
        ctypes.memmove((ctypes.c_char * view.nbytes).from_buffer(view), numbers.tobytes(), view.nbytes)
    else:
        for place, number in zip(itertools.product(*map(range, view.shape or ())), numbers, strict=True):
            view[place] = number


def send_any_buffer(value: Any, browser: Browser) -> Any:
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
        return browser.to_typed_array(elements.numbers())
    return browser.to_typed_array(_flat(view, elements.code))
