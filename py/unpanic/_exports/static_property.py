"""Static getters and setters: attributes of an exported class itself, which Rust computes."""

from collections.abc import Callable
from typing import Any

from .._unseen import unseen

__all__ = ["StaticProperty", "member_of"]


class StaticProperty:
    """An attribute of a class that a function gives. It is found through subclasses and objects, too.

    A descriptor can give an attribute of its class, but Python does not ask it when such an attribute is set: there
    `RustType` asks.

    Args:
        owner: the name of the class, for messages.
        name: its own, likewise.
        get: takes nothing.
        set_: takes the value.
    """

    def __init__(self, owner: str, name: str, get: Callable[[], Any] | None, set_: Callable[[Any], Any] | None) -> None:
        self._name = f"property {name!r} of {owner!r}"
        self._get = get
        self._set = set_
        self.__doc__ = (get and get.__doc__) or (set_ and set_.__doc__)

    @unseen
    def __get__(self, obj: object, owner: Any = None) -> Any:
        if self._get is None:
            raise AttributeError(f"{self._name} has no getter")
        return self._get()

    @unseen
    def __set__(self, obj: object, value: Any) -> None:
        if self._set is None:
            raise AttributeError(f"{self._name} has no setter")
        self._set(value)


def member_of(cls: type, name: str) -> Any:
    """The member of a class with a name, or None. No getter is called for it."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None
