"""The meaning of annotations: their texts become objects when somebody asks for them."""

import __future__

import ast
import builtins
import contextlib
import importlib
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .._declarations.annotations import NAMES
from .._traceback import GENERATED

__all__ = ["Scope"]

# The format that asks for the annotations' texts (`annotationlib.Format.STRING`).
STRING = 4
WORD = re.compile(r"[^\W\d]\w*")


def _in_python(name: str) -> str:
    """The name in `NAMES` that is meant. It has an underscore where the module has a class of the same name."""
    plain = name.removeprefix("_")
    return plain if plain in NAMES or name == "builtins" else ""


class Scope(dict[str, Any]):
    """The names that a module's annotations may use.

    Whoever makes classes and enums of the module puts them in. The scope itself adds two more when they are looked up:
    names of `typing`, and declared types, whose Python source `types_source` gives.
    """

    def __init__(self, module: str, types_source: Callable[[], str]) -> None:
        super().__init__()
        self._module = module
        self._types_source = types_source
        self._types: dict[str, Any] | None = None
        self._waiting: list[tuple[Callable[..., Any], Callable[[], Mapping[str, str]]]] = []

    def __missing__(self, name: str) -> Any:
        if plain := _in_python(name):
            self[name] = builtins if plain == "builtins" else getattr(importlib.import_module(NAMES[plain]), plain)
            return self[name]
        if hasattr(builtins, name):
            raise KeyError(name)
        return self.declared()[name]

    def declared(self) -> Mapping[str, Any]:
        """The types of the `.d.ts`, as `type` aliases and TypedDicts."""
        if self._types is None:
            self._types = {}  # an annotation in there may ask again
            # Types are an aid: the module works, whatever is wrong with them.
            with contextlib.suppress(Exception):
                self._types = self._executed(self._types_source())
        return self._types

    def _executed(self, source: str) -> dict[str, Any]:
        names = {"__name__": self._module, **self}
        names |= {name: self[name] for name in WORD.findall(source) if name not in names and _in_python(name)}
        known = {*names, "__builtins__"}
        _execute(source, names)
        return {name: type_ for name, type_ in names.items() if name not in known}

    def evaluate(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Returns annotations as objects. One that cannot be evaluated stays a text."""
        return {name: self._evaluated(text) for name, text in texts.items()}

    def _evaluated(self, text: str) -> Any:
        try:
            return eval(text, {}, self)
        except Exception:
            return text

    def annotate(self, function: Callable[..., Any], texts: Callable[[], Mapping[str, str]]) -> None:
        """Gives a function its annotations: when Python asks for them, or in `settle` where Python asks too early."""
        if sys.version_info >= (3, 14):
            function.__annotate__ = lambda form: dict(texts()) if form == STRING else self.evaluate(texts())
        else:
            self._waiting.append((function, texts))

    def settle(self) -> None:
        """Gives the functions their annotations that have waited until all classes and enums are there."""
        for function, texts in self._waiting:
            function.__annotations__ = self.evaluate(texts())
        self._waiting.clear()


def _execute(source: str, names: dict[str, Any]) -> None:
    """Executes declarations in an order in which each can be: one may use another that comes later."""
    pending = ast.parse(source).body
    flags = 0
    while pending:
        failed = []
        for statement in pending:
            code = compile(ast.Module([statement], []), GENERATED + "types>", "exec", flags, dont_inherit=True)
            try:
                exec(code, names)
            except NameError:
                failed.append(statement)
        if len(failed) == len(pending):
            if flags:
                return
            flags = __future__.annotations.compiler_flag  # those left use each other, as texts before Python 3.14
        pending = failed
