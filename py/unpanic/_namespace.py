"""The Python module that a user gets: exports are attributes of it, and nothing else is."""

import types

__all__ = ["RustModule"]


class RustModule(types.ModuleType):
    """A loaded Rust module.

    What stands on this class (how it looks, what `dir` shows) is found after the exports, which are
    attributes of the instance: no export can collide with it.
    """

    def __repr__(self) -> str:
        return f"<Rust module {self.__name__!r}>"
