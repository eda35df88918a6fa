"""How names are spelt in annotations where something else has the same name."""

import builtins
import keyword
import re
from collections.abc import Collection

__all__ = ["OWN", "WORD", "Spelling"]

# In texts that are not finished, names of the module have this before them: a class may be called `Literal`.
OWN = "\x01"
WORD = re.compile(rf'"(?:[^"\\]|\\.)*"|({OWN})?([^\W\d]\w*)')


class Spelling:
    """Gives names of Python's own another spelling where the module has the same name, and the other way round.

    Args:
        taken: all names that the module has.
        hiding: names that hide others where annotations stand, such as those of methods.

    Attributes:
        hidden: the names of the module that methods hide: the stub needs `_Name = Name`.
    """

    def __init__(self, taken: Collection[str], hiding: Collection[str]) -> None:
        self.taken = frozenset((*taken, *hiding))
        self.hiding = frozenset(hiding)
        self.hidden: set[str] = set()

    def spell(self, name: str) -> str:
        """Returns the spelling of one of Python's own names, or of a name that is imported from its library."""
        if name not in self.taken or keyword.iskeyword(name):  # `None` means the same everywhere
            return name
        return f"builtins.{name}" if hasattr(builtins, name) else f"_{name}"

    def finish(self, text: str) -> str:
        """Returns a text with every name in the spelling that means what it should."""

        def spell(word: re.Match[str]) -> str:
            own, name = word[1], word[2]
            if name is None:
                return word[0]
            if not own:
                return self.spell(name)
            if name not in self.hiding:
                return name
            self.hidden.add(name)
            return f"_{name}"

        return WORD.sub(spell, text)
