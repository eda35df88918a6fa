"""Data of any type on its way into JavaScript: lists, dicts, sets, dataclasses, and everything inside of them.

Data is packed in one walk without recursion: into a flat list of its leaves, and a plan of how JavaScript puts them
together again (js/src/module/parcel.js). List and plan cross at once. So data may hold itself, a dict may become a map,
a property may have any name, and a leaf that needs a generation waits in the list until the call begins.
"""

import dataclasses
import enum
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from .._bridge.context import Context
from .drafts import Draft, Lent
from .handles import HANDLE
from .numbers import SURELY_FITS, check_text

__all__ = ["Packed", "Shape", "fields_of", "is_data", "is_record", "pack_plain", "tidy"]

# Rust code that reads data by recursion overflows its stack long before this depth.
MOST_LEVELS = 1_000
CONTAINERS = (list, tuple, dict, set, frozenset)
# Values of these types need no check, and Pyodide converts them exactly.
PLAIN = frozenset({int, float, bool, type(None), bytes})
PLAIN_OR_TEXT = PLAIN | {str}
STRINGS = frozenset({str})
# The forms that a container can have in a plan. RUN is added where all its parts are leaves that follow each other.
ARRAY, OBJECT, MAP, SET, BIG_INTEGER, NULL, RUN = range(7)


def is_record(value: Any) -> bool:
    """Whether a value is an instance of a dataclass."""
    # An object of an exported class crosses as itself, also where a user's subclass is a dataclass.
    return dataclasses.is_dataclass(value) and not isinstance(value, type) and not hasattr(type(value), HANDLE)


def is_data(value: Any) -> bool:
    """Whether a value becomes an array, an object, a map or a set where no declared type says otherwise."""
    return isinstance(value, CONTAINERS) or is_record(value)


def fields_of(record: Any) -> dict[str, Any]:
    """Returns the fields of a dataclass's instance; their values stay as they are.

    Raises:
        TypeError: a field has no value.
    """
    try:
        return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    except AttributeError as error:
        raise TypeError(f"cannot pass {type(record).__name__!r} to Rust: {error}") from None


class Shape(Protocol):
    """The decisions of a value's declared type about it."""

    def decided(self, value: Any, context: Context) -> tuple[Any, int]:
        """Returns the value that is sent instead of this one, and its form: `BIG_INTEGER`, `NULL`, or 0 for others."""

    def taken_apart(self, value: Any) -> "tuple[int, Sequence[Any], Sequence[Shape | None] | None]":
        """Returns the form of a container, its parts, and their shapes where a declaration tells any."""


class Packed(Draft):
    """A container with everything inside of it.

    Args:
        value: the container, or another value whose declared type decides what it becomes.
        context: the context of the module that gets the data.
        convert: makes a JavaScript value or a draft of a leaf that is neither a number nor a text.
        shape: what the declared type says about the value.

    Raises:
        ValueError: the data is nested more than 1,000 levels deep, or a text in it is too long.
        UnicodeEncodeError: a text in the data holds half of a surrogate pair.
        TypeError: JavaScript has no place for a value in the data.
    """

    def __init__(self, value: Any, context: Context, convert: Callable[[Any], Any], shape: Shape | None = None) -> None:
        self._context = context
        self._convert = convert
        self._plan: list[int] = []
        self._leaves: list[Any] = []
        # The leaves that wait for the call, with their places: objects of the module, and other drafts.
        self._objects: list[tuple[int, Lent]] = []
        self._late: list[tuple[int, Draft]] = []
        # Every container once for each shape, with its depth.
        self._containers: list[tuple[Any, Shape | None, int]] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self._level = 0
        self._part(value, shape)
        for container, its_shape, level in self._containers:  # the list grows meanwhile
            self._level = level
            self._enter(container, its_shape)
        drafts: list[Draft] = [draft for _, draft in (*self._objects, *self._late)]
        self.objects = [handle for draft in drafts for handle in draft.objects]
        self.written = [written for _, draft in self._late for written in draft.written]

    def lower(self, call: str) -> Any:
        """Returns a parcel that the lane opens."""
        return self._context.driver.parcel(*self._pack(call, lends=True))

    def value(self, call: str) -> Any:
        """Returns the JavaScript value."""
        # It comes in a list, because Pyodide makes a future of an object with a function `then`.
        return self._context.driver.unpack(*self._pack(call, lends=False), call)[0]

    def _pack(self, call: str, *, lends: bool) -> tuple[Any, Any]:
        browser, leaves = self._context.browser, self._leaves
        for place, draft in self._late:
            leaves[place] = draft.value(call)
        for place, lent in self._objects:
            leaves[place : place + 2] = lent.packed(call, lends=lends)
        packed = browser.to_plain([len(self._plan), *self._plan, *leaves])
        return packed, browser.to_plain([place for place, _ in self._objects]) if self._objects else None

    # The walk.

    def _enter(self, value: Any, shape: Shape | None) -> None:
        """Adds a container to the plan."""
        form, parts, shapes = shape.taken_apart(value) if shape else _take_apart(value)
        if shapes is None and PLAIN_OR_TEXT.issuperset(types := set(map(type, parts))):
            if str in types:
                check_texts(parts, self._context.browser.longest_text)
            self._plan += (form + RUN, len(parts), len(self._leaves))
            self._leaves += parts
            return
        # Keys are among the parts. They have no shapes: a key is a text or a number, whatever the declared type.
        part_shapes = shapes or itertools.repeat(None)
        places = [self._part(part, part_shape) for part, part_shape in zip(parts, part_shapes)]  # noqa: B905
        self._plan += (form, len(places), *places)

    def _part(self, value: Any, shape: Shape | None) -> int:
        """Adds a part, and returns its place: the index of a leaf, or the complement of a container's index."""
        if isinstance(value, enum.Enum):
            value = value.value
        if shape is not None:
            value, special = shape.decided(value, self._context)
            if special:
                return self._special(special, value)
        if is_data(value):
            return self._container(value, shape)
        if isinstance(value, str):
            check_text(value, self._context.browser.longest_text)
        elif type(value) not in PLAIN:
            return self._other(value)
        return self._leaf(value)

    def _leaf(self, value: Any) -> int:
        self._leaves.append(value)
        return len(self._leaves) - 1

    def _special(self, form: int, value: Any) -> int:
        """Adds a value that cannot be a leaf: a `BigInt` that is small, or `null`."""
        self._containers.append((Special(form, value), None, self._level + 1))
        return ~(len(self._containers) - 1)

    def _container(self, value: Any, shape: Shape | None) -> int:
        key = id(value), id(shape)
        if key not in self._numbers:
            if self._level >= MOST_LEVELS:
                raise ValueError(f"nested more than {MOST_LEVELS:,} levels deep")
            self._numbers[key] = len(self._containers)
            self._containers.append((value, shape, self._level + 1))
        return ~self._numbers[key]

    def _other(self, value: Any) -> int:
        converted = value if isinstance(value, Draft) else self._convert(value)
        if not isinstance(converted, Draft):
            return self._leaf(converted)
        place = self._leaf(None)
        if isinstance(converted, Lent):
            self._objects.append((place, converted))
            self._leaf(None)  # for its class
        else:
            self._late.append((place, converted))
        return place


@dataclasses.dataclass(frozen=True)
class Special:
    """A value that stands in a plan like a container."""

    form: int
    value: Any


def pack_plain(value: Any, context: Context) -> Any:
    """Returns the JavaScript value of a container that holds only numbers, texts and the like; None for others.

    The container is a list, a tuple, a set, or a dict whose keys are texts. Nothing in it needs a plan of its own.
    """
    cls = type(value)
    if cls is dict and STRINGS.issuperset(map(type, value)):
        parts = list(itertools.chain.from_iterable(value.items()))
    elif cls is list or cls is tuple or cls is set:
        parts = value
    else:
        return None
    types = set(map(type, parts))
    if not PLAIN_OR_TEXT.issuperset(types):
        return None
    if str in types:
        check_texts(parts, context.browser.longest_text)
    if cls is dict:
        return context.driver.unpackPlain(context.browser.to_plain([3, OBJECT + RUN, len(parts), 0, *parts]))
    return context.browser.to_plain(parts)


def check_texts(parts: Iterable[Any], longest: Callable[[], int]) -> None:
    """Checks the texts among some values; see `check_text`."""
    for part in parts:
        if type(part) is str and not (part.isascii() and len(part) < SURELY_FITS):
            check_text(part, longest)


def _take_apart(value: Any) -> tuple[int, Sequence[Any], None]:
    """Returns the form and the parts of a container for which no declared type says otherwise."""
    if isinstance(value, dict):
        is_map = not all(isinstance(key, str) for key in value)
        return (MAP, pairs_of(value), None) if is_map else (OBJECT, pairs_of(value), None)
    if isinstance(value, list | tuple):
        return ARRAY, value if type(value) in (list, tuple) else list(value), None
    if isinstance(value, set | frozenset):
        return SET, list(value), None
    if isinstance(value, Special):
        return value.form, (value.value,), None
    return OBJECT, pairs_of(fields_of(value)), None


def pairs_of(value: Any) -> list[Any]:
    """Returns the keys and the values of a dict in turn.

    Raises:
        TypeError: a key is neither a text nor a number.
    """
    for key in value:
        if not isinstance(key, str | int | float | None):
            raise TypeError(f"cannot use a key of type {type(key).__name__!r} in JavaScript: only texts and numbers")
    return list(itertools.chain.from_iterable(value.items()))


def tidy(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Converts in place the values that Pyodide left unconverted in a container that it made.

    Args:
        value: the container.
        convert: converts one value.
    """
    seen = {id(value)}
    waiting = [value]
    while waiting:
        container = waiting.pop()
        if isinstance(container, list):
            for at, inner in enumerate(container):
                container[at] = _tidied(inner, convert, seen, waiting)
        elif isinstance(container, dict):
            for key, inner in list(container.items()):
                container[key] = _tidied(inner, convert, seen, waiting)
            if not all(type(key) is str and key.isascii() for key in container):
                items = [(_tidied(key, convert, seen, waiting), inner) for key, inner in container.items()]
                container.clear()
                container.update(items)
        else:
            items = [_tidied(inner, convert, seen, waiting) for inner in container]
            container.clear()
            container.update(items)
    return value


def _tidied(inner: Any, convert: Callable[[Any], Any], seen: set[int], waiting: list[Any]) -> Any:
    if type(inner) in (int, float, bool):
        return inner
    if isinstance(inner, list | dict | set):
        if id(inner) not in seen:
            seen.add(id(inner))
            waiting.append(inner)
        return inner
    return convert(inner)
