"""Buffers on their way into Rust: typed arrays are made of them.

A buffer whose elements are those of the typed array is copied once, as memory. Elements of another type are converted
one by one, and each has to fit.
"""

import array
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from .._bridge import kinds
from .._bridge.context import Context
from .._bridge.kinds import ARRAYS, RANGES
from .._bridge.protocols import Browser
from .elements import Elements, flatten
from .numbers import SENDERS, format_integer
from .written_buffers import MutableBuffer, SharedBuffer, is_writable

__all__ = ["BufferSender", "MutableSender", "SharedSender", "send_any_buffer"]


class BufferSender:
    """Makes a typed array of a buffer or of a sequence of numbers; a typed array is taken as it is.

    Args:
        element: what the typed array holds: `u8`, `f64`, …
        browser: makes the typed array.
        receive: converts a value of JavaScript's that is no such typed array, such as a list, into a Python value.
    """

    def __init__(self, element: str, browser: Browser, receive: Callable[[Any], Any]) -> None:
        self.element = element
        self.code, self.name = ARRAYS[element]
        self.browser = browser
        self._receive = receive

    def __call__(self, value: Any) -> Any:
        if type(value) is bytes and self.code == "B":
            return self.browser.to_typed_array(value)
        if self.browser.is_foreign(value):
            if self.browser.class_name(value) == self.name:
                return value  # uncopied, so that Rust can write into it
            value = self._receive(value)
            if self.browser.is_foreign(value):  # a typed array without memory, for example
                raise TypeError("must be a buffer or a sequence of numbers, not an object that only JavaScript knows")
        try:
            view = memoryview(value)
        except TypeError:
            return self.browser.to_typed_array(self._convert(_check_sequence(value)))
        elements = Elements(view)
        if elements.is_memory_of(self.code):
            return self.browser.to_typed_array(flatten(view, self.code))
        if elements.family == "f" and self.element[0] != "f":
            raise TypeError(f"must hold integers, not floats (format {view.format!r})")
        return self.browser.to_typed_array(self._convert(elements.read_numbers()))

    def _convert(self, numbers: Sequence[Any]) -> "array.array[Any]":
        # A sequence that somebody else wrote may give other items the next time, so it is read once.
        items = numbers if isinstance(numbers, array.array) else list(numbers)
        try:
            converted = array.array(self.code, items)
        except OverflowError:
            if self.element[0] != "f":
                self._refuse_misfit(items)
            raise
        if self.element == "f32" and (math.inf in converted or -math.inf in converted):
            _refuse_infinite(items)
        return converted

    def _refuse_misfit(self, items: Sequence[Any]) -> None:
        """Raises an error that names the first integer which does not fit."""
        low, high, noun = RANGES[kinds.S32 if self.element == "i32" else self.element]
        for at, item in enumerate(items):
            if not low <= (number := operator.index(item)) <= high:
                raise OverflowError(
                    f"element {at}: {format_integer(number)} does not fit {noun} ({low} to {high})"
                ) from None


def _refuse_infinite(items: Sequence[Any]) -> None:
    """Raises an error that names the first number which an f32 would round to infinity, if there is one."""
    for at, item in enumerate(items):
        try:
            SENDERS[kinds.F32](item)
        except OverflowError as error:
            raise OverflowError(f"element {at}: {error}") from None


def _check_sequence(value: Any) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"must be a sequence of numbers, not {type(value).__name__}")
    return value


class MutableSender(BufferSender):
    """Makes typed arrays for `&mut [T]`.

    When the call has ended, also with an `Err`, the caller's buffer has what Rust wrote.
    """

    def __call__(self, value: Any) -> Any:
        if self.browser.is_foreign(value) and self.browser.class_name(value) == self.name:
            return value
        self._check_writable(value)
        return MutableBuffer(value, super().__call__(value), self.browser)

    def _check_writable(self, value: Any) -> None:
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


class SharedSender(BufferSender):
    """Makes typed arrays that Rust gets uncopied, so that it may write into them.

    Args:
        element: see `BufferSender`.
        context: the context of the module whose function it is.
        receive: see `BufferSender`.
    """

    def __init__(self, element: str, context: Context, receive: Callable[[Any], Any]) -> None:
        super().__init__(element, context.browser, receive)
        self._context = context

    def __call__(self, value: Any) -> Any:
        typed_array = super().__call__(value)
        return SharedBuffer(value, typed_array, self._context) if is_writable(value) else typed_array


def send_any_buffer(value: Any, browser: Browser) -> Any:
    """Returns the typed array that has the elements of a buffer.

    A buffer without dimensions, such as one of NumPy's numbers, becomes a number.

    Raises:
        TypeError: JavaScript has no typed array of such elements.
    """
    view = memoryview(value)
    elements = Elements(view)
    if not view.ndim:
        number = elements.read_numbers()[0]
        return bool(number) if elements.family == "?" else number
    if not elements.code:
        raise TypeError(f"cannot pass a buffer of the format {view.format!r} to Rust: JavaScript has no such array")
    if elements.swapped:
        return browser.to_typed_array(elements.read_numbers())
    return browser.to_typed_array(flatten(view, elements.code))
