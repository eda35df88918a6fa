"""Values that cross between the host and Pyodide as copies. Both sides use this file."""

import base64
import io
import pickle
from typing import Any

__all__ = ["decode", "encode", "is_plain"]

PLAIN = (type(None), bool, int, float, complex, str, bytes)
CONTAINERS = (list, tuple, set, frozenset)
MOST_LEVELS = 20


def is_plain(value: Any, depth: int = MOST_LEVELS) -> bool:
    """Whether a value is made of numbers, texts, bytes and containers of these alone."""
    if depth == 0:
        return False
    if type(value) in PLAIN:
        return True
    if type(value) in CONTAINERS:
        return all(is_plain(item, depth - 1) for item in value)
    return type(value) is dict and all(is_plain(item, depth - 1) for pair in value.items() for item in pair)


def encode(value: Any) -> str:
    """Returns a plain value as text."""
    return base64.b64encode(pickle.dumps(value, protocol=4)).decode()


def decode(text: str) -> Any:
    """Returns a copy of the value.

    Raises:
        pickle.UnpicklingError: the text holds something that is not plain, and was not made by `encode`.
    """
    return _Plain(io.BytesIO(base64.b64decode(text))).load()


class _Plain(pickle.Unpickler):
    """Makes nothing but plain values, because a page may send anything."""

    def find_class(self, module: str, name: str) -> type[complex]:
        if (module, name) != ("builtins", "complex"):
            raise pickle.UnpicklingError(f"{module}.{name} is no plain value")
        return complex
