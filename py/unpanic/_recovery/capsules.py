"""Capsules: a crash as bytes, with the state before its call, the call and its arguments."""

import array
import weakref
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from ..errors import Crash
from .parcels import CAPSULE, Parcel

if TYPE_CHECKING:
    from .points import Points

__all__ = ["CapsuleSource", "decode_call"]


class CapsuleSource:
    """Makes the capsule of one crash, until the module is called again.

    Args:
        points: those of the module.
        crash: the crash.
    """

    def __init__(self, points: "Points", crash: Crash) -> None:
        self._points = weakref.ref(points)
        self._calls = points.calls()
        self._place = f"{crash.module}.{crash.call}"
        self._module = crash.module
        self._name = crash.call

    def make(self) -> bytes:
        """Makes the capsule.

        Raises:
            LookupError: the state or the arguments are gone.
            TypeError: an argument, or something in the state, cannot travel.
            RuntimeError: async calls are in flight.
        """
        points = self._points()
        if points is None or points.calls() != self._calls:
            raise LookupError(
                f"The state before {self._place} is gone, because {self._module} went on. Ask for the capsule before "
                "the next call, or load the module with capsules=True, which keeps it at each crash."
            )
        arguments = points.failed_arguments()
        if arguments is None:
            raise LookupError(f"The arguments of {self._place} are not known, because no function of Python called it.")
        encoded = [_encode(value, f"{self._place}: argument {at + 1}") for at, value in enumerate(arguments)]
        return bytes(points.pack(CAPSULE, [self._name, encoded]))


def _encode(value: Any, place: str) -> list[Any]:
    """A plain value as JSON has it, with its kind before it."""
    if value is None or type(value) in (bool, int, float, str):
        return ["", value]
    if isinstance(value, bytes | bytearray):
        return ["bytes", b64encode(value).decode()]
    if isinstance(value, array.array):
        return ["array", [value.typecode, value.tolist()]]
    if type(value) in (list, tuple):
        return ["list", [_encode(item, f"{place}[{at}]") for at, item in enumerate(value)]]
    if type(value) is dict:
        return ["dict", [[_encode(key, place), _encode(item, f"{place}[{key!r}]")] for key, item in value.items()]]
    raise TypeError(
        f"{place} is of type {type(value).__name__}, which a capsule cannot hold: it holds numbers, "
        "texts, bytes, booleans, None, and lists and dicts of these."
    )


def _decode(encoded: list[Any]) -> Any:
    kind, content = encoded
    if kind == "bytes":
        return b64decode(content)
    if kind == "array":
        return array.array(*content)
    if kind == "list":
        return [_decode(item) for item in content]
    if kind == "dict":
        return {_decode(key): _decode(item) for key, item in content}
    return content


def decode_call(parcel: Parcel) -> tuple[str, list[Any]]:
    """The name of the function in a capsule, and its arguments."""
    name, arguments = parcel.call or ("", [])
    return name, [_decode(argument) for argument in arguments]
