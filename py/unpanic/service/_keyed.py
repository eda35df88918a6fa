"""`Keyed`: one object of an exported class for each key, as a handler needs it for each account or document."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from .._api import track
from .._exports.objects import RustObject

__all__ = ["Keyed"]


class Keyed[Key: Hashable]:
    """Objects of an exported class by key: each is made at its first use, and made again after a reset.

    `accounts["ada"]` is the same Python object until it is deleted, which frees the object. Its state is kept if a
    crash is rolled back, or if the build unwinds. After a reset its next use makes the Rust object behind it anew,
    without a `StateLostWarning`. `in`, `len` and iteration know the keys that were used.

    Args:
        cls: the exported class.
        make: makes the object of a key; by default the class is called with it.

    Raises:
        TypeError: `cls` is not an exported class, or, at first use, `make` returned something else.

    Example:
        >>> accounts = service.Keyed(bank.Account, lambda name: bank.Account(name, 100))
        >>> accounts["ada"].deposit(50)
    """

    def __init__(self, cls: type[RustObject], make: Callable[[Key], Any] | None = None) -> None:
        if not (isinstance(cls, type) and issubclass(cls, RustObject)):
            raise TypeError(f"Keyed takes an exported class, not {cls!r}.")
        self._class = cls
        self._make: Callable[[Key], Any] = make or cls
        self._objects: dict[Key, RustObject] = {}

    def __getitem__(self, key: Key) -> Any:
        """Returns the object of a key, which is made if there is none or if it was freed."""
        obj = self._objects.get(key)
        if obj is None or obj.__rust_handle__.fate:
            make = self._make
            obj = make(key)
            if not isinstance(obj, self._class):
                raise TypeError(f"make({key!r}) returned {obj!r}, not a {self._class.__name__}.")
            self._objects[key] = track(obj, lambda: make(key))
            obj.__rust_handle__.has_warned = True  # a state that begins anew is what the user of `Keyed` expects
        return obj

    def __delitem__(self, key: Key) -> None:
        """Frees the object of a key."""
        self._objects.pop(key).free()

    def __iter__(self) -> Iterator[Key]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, key: object) -> bool:
        return key in self._objects

    def __repr__(self) -> str:
        return f"<Keyed {self._class.__name__}: {', '.join(map(repr, self._objects)) or 'no keys yet'}>"
