"""Which internals belong to which module of the user."""

import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from .._bridge.context import Context
from .._recovery.supervisor import Supervisor
from .description import Description

__all__ = ["LoadedModule", "find", "has_ended", "of", "register"]


@dataclass(frozen=True, eq=False)
class LoadedModule:
    """The parts behind a module that the user holds.

    Attributes:
        context: what everything that was made of the module shares.
        supervisor: decides what a crash means for it.
        description: what it exports.
        shown: the names that `dir` shows.
        twin: loads the same files once more, with an instance of its own.
    """

    context: Context
    supervisor: Supervisor
    description: Description
    shown: tuple[str, ...]
    twin: Callable[[], types.ModuleType]


_loaded: "weakref.WeakKeyDictionary[types.ModuleType, LoadedModule]" = weakref.WeakKeyDictionary()


def register(module: types.ModuleType, loaded: LoadedModule) -> None:
    """Remembers what stands behind a user's module."""
    _loaded[module] = loaded


def has_ended(value: object) -> bool:
    """Whether a value is a Rust module that can never be used again."""
    loaded = find(value) if isinstance(value, types.ModuleType) else None
    return loaded is not None and loaded.supervisor.phase in ("terminated", "unloaded")


def find(module: types.ModuleType) -> LoadedModule | None:
    """Returns the parts behind a user's module, or None if unpanic did not load it."""
    return _loaded.get(module)


def of(module: types.ModuleType) -> LoadedModule:
    """Returns the parts behind a user's module.

    Raises:
        TypeError: unpanic did not load it.
    """
    try:
        return _loaded[module]
    except (KeyError, TypeError):
        raise TypeError(f"{module!r} is not a module that unpanic.load returned") from None
