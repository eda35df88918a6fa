"""Data without a type: what is in it, and how deep it goes.

Pyodide converts what is nested by itself, quickly and by recursion. It is looked at before,
because some of it Pyodide would convert to something else, and too deep a nesting ends the interpreter.
"""

import dataclasses
from array import array
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from ._numbers import refuse_surrogates

__all__ = ["Survey", "fields_of", "is_data", "is_record", "tidy"]

# At 6,000 levels the interpreter ends on a page.
MOST_LEVELS = 1_000
CONTAINERS = (list, tuple, dict, set, frozenset)
# Nothing to look at, and Pyodide converts it exactly.
PLAIN = frozenset({int, float, bool, type(None), bytes, bytearray, array})


def is_record(value: Any) -> bool:
    """Whether a value is an instance of a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def is_data(value: Any) -> bool:
    """Whether a value becomes an array, an object, a map or a set."""
    return isinstance(value, CONTAINERS) or is_record(value)


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass's instance, not those inside of their values.

    Raises:
        TypeError: one has no value.
    """
    try:
        return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    except AttributeError as error:
        raise TypeError(f"cannot pass {type(record).__name__!r} to Rust: {error}") from None


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return chain(value, value.values())
    return value if isinstance(value, CONTAINERS) else fields_of(value).values()


class Survey:
    """What is in a container, at any depth.

    Args:
        value: a container.

    Raises:
        ValueError: it is nested more than 1,000 levels deep.
        UnicodeEncodeError: a text in it holds half of a surrogate pair.
        TypeError: a buffer in it would arrive as something else.
    """

    def __init__(self, value: Any) -> None:
        self.containers: list[Any] = []
        self.is_cyclic = False
        self.has_others = False
        # Dicts with other keys than texts.
        self.has_maps = False
        seen: set[int] = set()
        path: list[tuple[int, Any]] = []
        self._enter(value, seen, path)
        on_path = {id(value)}
        while path:
            at, items = path[-1]
            for inner in items:
                kind = type(inner)
                if kind in PLAIN:
                    continue
                if isinstance(inner, str):
                    refuse_surrogates(inner)
                elif not is_data(inner):
                    self._look_at(inner)
                elif id(inner) not in seen:
                    self._enter(inner, seen, path)
                    on_path.add(id(inner))
                    break
                elif id(inner) in on_path:
                    self.is_cyclic = True
            else:
                path.pop()
                on_path.discard(at)
            if len(path) > MOST_LEVELS:
                raise ValueError(f"nested more than {MOST_LEVELS:,} levels deep")

    def _enter(self, value: Any, seen: set[int], path: list[tuple[int, Any]]) -> None:
        seen.add(id(value))
        self.containers.append(value)
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    self.has_maps = True
                    _check_key(key)
        elif not isinstance(value, list | tuple | set):
            self.has_others = True
        path.append((id(value), iter(_inside(value))))

    def _look_at(self, inner: Any) -> None:
        self.has_others = True
        if type(type(inner)).__name__ == "PyCArrayType" or (
            isinstance(inner, memoryview) and not (inner.ndim == 1 and inner.c_contiguous)
        ):
            raise TypeError(
                f"cannot pass {type(inner).__name__!r} inside of a container: take its tobytes() or tolist()"
            )


def _check_key(key: Any) -> None:
    if not isinstance(key, int | float | None):
        raise TypeError(f"cannot use a key of type {type(key).__name__!r} in JavaScript: only texts and numbers")


def tidy(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Converts in place what Pyodide left as it is in a container that it made.

    Args:
        value: the container.
        convert: converts one value.
    """
    seen = {id(value)}
    rest = [value]
    while rest:
        container = rest.pop()
        if isinstance(container, list):
            for at, inner in enumerate(container):
                container[at] = _tidied(inner, convert, seen, rest)
        elif isinstance(container, dict):
            for key, inner in list(container.items()):
                container[key] = _tidied(inner, convert, seen, rest)
            if not all(type(key) is str and key.isascii() for key in container):
                items = [(_tidied(key, convert, seen, rest), inner) for key, inner in container.items()]
                container.clear()
                container.update(items)
        else:
            items = [_tidied(inner, convert, seen, rest) for inner in container]
            container.clear()
            container.update(items)
    return value


def _tidied(inner: Any, convert: Callable[[Any], Any], seen: set[int], rest: list[Any]) -> Any:
    if type(inner) in (int, float, bool):
        return inner
    if isinstance(inner, list | dict | set):
        if id(inner) not in seen:
            seen.add(id(inner))
            rest.append(inner)
        return inner
    return convert(inner)
