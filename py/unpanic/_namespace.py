"""The Python module that a user gets: exports are attributes of it, and nothing else is."""

import types
from typing import Any

__all__ = ["RustModule"]


class RustModule(types.ModuleType):
    """A loaded Rust module.

    What stands on this class (how it looks, what `dir` shows) is found after the exports, which are
    attributes of the instance: no export can collide with it.
    """

    def __repr__(self) -> str:
        return f"<Rust module {self.__name__!r}>"

    def __dir__(self) -> list[str]:
        from ._module import find

        found = find(self)
        own = [name for name in vars(self) if name.startswith("__")]
        return sorted([*own, *(found.shown if found else ())])

    @property
    def __all__(self) -> list[str]:
        """What `from bank import *` takes and `help` lists."""
        return [name for name in dir(self) if not name.startswith("__")]

    def __getattr__(self, name: str) -> Any:
        """A type that the `.d.ts` declares: for annotations, so it shows nowhere else."""
        from ._module import find

        found = None if name.startswith("__") else find(self)
        declared = found.scope.declared() if found else {}
        if name in declared:
            return declared[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
