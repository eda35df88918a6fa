"""Capsules: a crash as bytes, with the state before its call, the call and its arguments."""

import array
import operator
import weakref
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from ..errors import Crash
from .parcels import CAPSULE, Parcel

if TYPE_CHECKING:
    from .points import Points

__all__ = ["CapsuleSource", "call_again"]


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
            raise LookupError(
                f"The state before {self._place} and its arguments are not known: either no function of Python called "
                f"it, or another call did, which is undone as a whole, or {self._module} went on since: in a timer or "
                "a task, or to another state. Ask for the capsule at once, or load the module with capsules=True."
            )
        encoded = [_encode(value, f"{self._place}: argument {at + 1}", points) for at, value in enumerate(arguments)]
        return bytes(points.pack(CAPSULE, [self._name, encoded]))


def _encode(value: Any, place: str, points: "Points") -> list[Any]:
    """A plain value, or an object of the module, as JSON has it, with its kind before it."""
    if value is None or type(value) in (bool, int, float, str):
        return ["", value]
    if isinstance(value, bytes | bytearray):
        return ["bytes", b64encode(value).decode()]
    if isinstance(value, array.array):
        return ["array", [value.typecode, value.tolist()]]
    if type(value) in (list, tuple):
        return ["list", [_encode(item, f"{place}[{at}]", points) for at, item in enumerate(value)]]
    if type(value) is dict:
        pairs = [(key, f"{place}[{key!r}]", item) for key, item in value.items()]
        return ["dict", [[_encode(key, place, points), _encode(item, inner, points)] for key, inner, item in pairs]]
    if where := points.address_of(value):
        return ["object", list(where)]
    raise TypeError(
        f"{place} is of type {type(value).__name__}, which a capsule cannot hold: it holds numbers, "
        f"texts, bytes, booleans, None, objects of {points.module}, and lists and dicts of these."
    )


class _Decoder:
    """Makes the arguments of a call again; those that were one object are one object."""

    def __init__(self, points: "Points") -> None:
        self._points = points
        self._objects: dict[tuple[str, int], Any] = {}

    def decode(self, encoded: list[Any]) -> Any:
        kind, content = encoded
        if kind == "bytes":
            return b64decode(content)
        if kind == "array":
            return array.array(*content)
        if kind == "list":
            return [self.decode(item) for item in content]
        if kind == "dict":
            return {self.decode(key): self.decode(item) for key, item in content}
        if kind == "object":
            return self._adopt(*content)
        return content

    def _adopt(self, class_name: str, address: int) -> Any:
        place = (class_name, address)
        if place not in self._objects:
            self._objects[place] = self._points.adopt(*place)
        return self._objects[place]


def call_again(parcel: Parcel, module: Any, points: "Points") -> Any:
    """Makes the call in a capsule.

    Args:
        parcel: the capsule.
        module: the Python module, which has the state of the capsule.
        points: those of the module.
    """
    name, encoded = parcel.call or ("", [])
    decode = _Decoder(points).decode
    arguments = [decode(argument) for argument in encoded]
    function = operator.attrgetter(name)(module)
    if isinstance(function, property):
        accessor: Any = function.fget if len(arguments) == 1 else function.fset
        return accessor(*arguments)
    return function(*arguments)
