"""Which internals belong to which module of the user."""

import types
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .module import Module

__all__ = ["by_driver", "find", "has_ended", "of", "register", "register_driver"]

# By the numbers of their drivers.
_by_driver: "weakref.WeakValueDictionary[int, Module]" = weakref.WeakValueDictionary()


def register_driver(number: int, module: "Module") -> None:
    """Remembers what belongs to a driver."""
    _by_driver[number] = module


def by_driver(number: int) -> "Module | None":
    """The module whose driver has that number."""
    return _by_driver.get(number)


_modules: "weakref.WeakKeyDictionary[types.ModuleType, Module]" = weakref.WeakKeyDictionary()


def register(namespace: types.ModuleType, module: "Module") -> None:
    """Remembers what belongs to a user's module."""
    _modules[namespace] = module


def has_ended(value: object) -> bool:
    """Is that a Rust module that nothing can be done with any more?"""
    module = _modules.get(value) if isinstance(value, types.ModuleType) else None
    return module is not None and module.supervisor.phase in ("terminated", "unloaded")


def find(namespace: types.ModuleType) -> "Module | None":
    """What belongs to a user's module, if unpanic loaded it."""
    return _modules.get(namespace)


def of(namespace: types.ModuleType) -> "Module":
    """What belongs to a user's module.

    Raises:
        TypeError: unpanic did not load it.
    """
    try:
        return _modules[namespace]
    except (KeyError, TypeError):
        raise TypeError(f"{namespace!r} is not a module that unpanic.load returned") from None
