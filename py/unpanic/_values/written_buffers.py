"""Buffers that Rust writes into: what it wrote goes back from the typed array to the caller's buffer."""

import array
import warnings
from typing import Any

from .._bridge.context import Context
from .._bridge.protocols import Browser
from .._traceback import OWN_FILES
from .drafts import Written
from .elements import Elements, count_elements, fill

__all__ = ["MutableBuffer", "SharedBuffer", "is_writable"]


def is_writable(value: Any) -> bool:
    """Whether numbers can be written back into a value of which a typed array was made."""
    if type(value) is list:
        return bool(value)
    try:
        view = memoryview(value)
    except TypeError:
        return False
    return bool(view.ndim and view.nbytes and not view.readonly)


class MutableBuffer(Written):
    """A typed array that Rust borrows to write into: all of it goes back.

    Args:
        buffer: the caller's buffer.
        typed_array: the typed array that was made of it.
        browser: copies.
    """

    def __init__(self, buffer: Any, typed_array: Any, browser: Browser) -> None:
        super().__init__()
        self._buffer = buffer
        self._typed_array = typed_array
        self._browser = browser

    def lower(self, _call: str) -> Any:
        """Returns the typed array."""
        return self._typed_array

    def write_back(self) -> None:
        """Copies the typed array into the caller's buffer."""
        view = memoryview(self._buffer)
        if view.c_contiguous and view.ndim == 1:
            self._browser.copy_typed_array(self._typed_array, view)
        elif view.c_contiguous:
            flat = view.cast("B").cast(Elements(view).code)  # type: ignore[call-overload]
            self._browser.copy_typed_array(self._typed_array, flat)
        else:
            view[:] = memoryview(self._browser.from_typed_array(self._typed_array))


class SharedBuffer(Written):
    """A typed array that Rust may write into; it was made of a buffer, or of a list of numbers.

    Only the elements that have changed go back when the call has ended: a callback may have written into the others,
    and so may the caller, who goes on while an async call runs.

    Args:
        source: the buffer, or the list.
        typed_array: the typed array that was made of it.
        context: the context of the module that gets it.
    """

    def __init__(self, source: Any, typed_array: Any, context: Context) -> None:
        super().__init__()
        self._source = source
        self._typed_array = typed_array
        self._context = context
        self.look_again()

    def lower(self, _call: str) -> Any:
        """Returns the typed array."""
        return self._typed_array

    def look_again(self) -> None:
        """Remembers the typed array as it is now: from here on changes count."""
        self._before = self._context.browser.copy_of(self._typed_array)

    def write_back(self) -> None:
        """Copies the elements that Rust changed into the source.

        Raises:
            BufferError: the source has become smaller.
            TypeError: the source cannot hold what Rust wrote.
        """
        span = self._context.driver.changed(self._typed_array, self._before)
        if self._context.browser.is_null(span):
            return
        start, end = span
        part = self._context.browser.part_of(self._typed_array, start, end)
        size = len(self._source) if type(self._source) is list else count_elements(self._source)
        if size < end:
            raise BufferError(
                f"Rust wrote {end} elements into {self._type_name()!r}, which has become smaller: it has {size}"
            )
        if type(self._source) is list:
            self._source[start:end] = self._context.browser.from_typed_array(part)
        else:
            self._write(memoryview(self._source), start, end, part)

    def _write(self, view: memoryview, start: int, end: int, part: Any) -> None:
        elements = Elements(view)
        if view.ndim == 1 and view.c_contiguous and elements.is_memory_of(self._context.browser.code_of(part)):
            self._context.browser.copy_typed_array(part, view[start:end])
            return
        try:
            numbers = array.array(elements.code, elements.read_numbers())
            written = self._context.browser.from_typed_array(part)
            numbers[start:end] = array.array(elements.code, map(elements.to_element, written))
            if elements.swapped:
                numbers.byteswap()
            fill(view, numbers)
        except (TypeError, ValueError, OverflowError, NotImplementedError) as error:
            raise TypeError(
                f"{self._type_name()!r} of the format {view.format!r} cannot hold what Rust wrote: {error}"
            ) from None

    def _type_name(self) -> str:
        return type(self._source).__name__

    def warn_if_kept(self, call: str) -> None:
        """Warns if Rust still holds the typed array after the call: what it writes later does not come back."""
        # To look for it among all references that Rust holds takes longer than the call. A function that keeps its
        # array does so from the first time on, so the first, second, fourth, eighth, … time are enough.
        times = self._context.given_arrays[call] = self._context.given_arrays[call] + 1
        if times.bit_count() == 1 and self._context.driver.isKept(self._typed_array):
            warnings.warn(
                f"{self._context.name}.{call} keeps the JavaScript array that was made of {self._type_name()!r}: what "
                "Rust writes into it from now on does not come back. If Rust only reads it, give it a read-only view: "
                "memoryview(...).toreadonly().",
                RuntimeWarning,
                skip_file_prefixes=OWN_FILES,
            )
