"""What annotations mean: their texts as objects, when somebody asks for them."""

import builtins
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ._annotations import NAMES

__all__ = ["Scope"]

# The format that asks for the annotations' texts (`annotationlib.Format.STRING`).
STRING = 4


class Scope(dict[str, Any]):
    """The names that a module's annotations may use.

    Classes and enums of the module are put in; names of `typing`, and the declared types that `types_source` gives as
    Python, come when they are looked up.
    """

    def __init__(self, module: str, types_source: Callable[[], str]) -> None:
        super().__init__()
        self._module = module
        self._types_source = types_source
        self._types: dict[str, Any] | None = None

    def __missing__(self, name: str) -> Any:
        if name in NAMES:
            self[name] = getattr(importlib.import_module(NAMES[name]), name)
            return self[name]
        if hasattr(builtins, name):
            raise KeyError(name)
        return self.declared()[name]

    def declared(self) -> Mapping[str, Any]:
        """The types of the `.d.ts`, as `type` aliases and TypedDicts."""
        if self._types is None:
            self._types = {}  # an annotation in there may ask again
            names = _Globals(self, __name__=self._module)
            exec(self._types_source(), names)
            self._types = {name: found for name, found in names.items() if not name.startswith("__")}
        return self._types

    def evaluate(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Returns annotations as objects; what cannot be evaluated stays a text."""
        return {name: self._evaluated(text) for name, text in texts.items()}

    def _evaluated(self, text: str) -> Any:
        try:
            return eval(text, {}, self)
        except Exception:
            return text

    def annotate(self, function: Callable[..., Any], texts: Callable[[], Mapping[str, str]]) -> None:
        """Gives a function its annotations; where Python asks for them lazily, they wait until then."""
        if sys.version_info >= (3, 14):
            function.__annotate__ = lambda form: dict(texts()) if form == STRING else self.evaluate(texts())
        else:
            function.__annotations__ = self.evaluate(texts())


class _Globals(dict[str, Any]):
    """The globals of the declared types: what they do not define comes from the scope."""

    def __init__(self, scope: Scope, **names: Any) -> None:
        super().__init__(names)
        self._scope = scope

    def __missing__(self, name: str) -> Any:
        return self._scope[name]
