"""The Python module that a user gets: exports are attributes of it, and nothing else is."""

import types
from typing import Any

from .._views.card import one_line, to_html
from .._views.status import Status, read_status
from . import registry

__all__ = ["RustModule"]


class RustModule(types.ModuleType):
    """A loaded Rust module.

    The exports are attributes of the instance, and Python looks for these before it looks at the class. So no export
    can collide with what is on the class: how a module looks, and what `dir` shows. The class has no `__getattr__`,
    which would make `bank.add` seven times as slow; each module has its own, as PEP 562 describes it.
    """

    def __repr__(self) -> str:
        status = _status_of(self)
        return one_line(status) if status else f"<Rust module {vars(self).get('__name__')!r}>"

    def _repr_html_(self) -> str | None:
        status = _status_of(self)
        return to_html(status) if status else None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        status = _status_of(self)
        if status is None:
            printer.text(repr(self))
        else:
            status._repr_pretty_(printer, cycle)

    def __dir__(self) -> list[str]:
        loaded = registry.find(self)
        own = [name for name in vars(self) if name.startswith("__")]
        return sorted([*own, *(loaded.shown if loaded else ())])

    @property
    def __all__(self) -> list[str]:
        """The names that `from bank import *` takes and `help` lists."""
        return [name for name in dir(self) if not name.startswith("__")]


def _status_of(module: RustModule) -> Status | None:
    """The status, or None where nothing is known: of a module half built, or one whose runtime does not answer."""
    try:
        known = registry.of(module)
        return read_status(known.supervisor, known.description.adapter, known.description.target)
    except Exception:
        return None
