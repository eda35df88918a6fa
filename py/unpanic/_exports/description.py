"""What a module exports, first as the JavaScript runtime read it from the glue, then as Python has it.

What only Python knows (names, annotations, documentation) comes from `_declared.declare`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._bridge import kinds
from .._bridge.kinds import RANGES, Kind
from .._declarations.model import Type
from .._declarations.signatures import Argument

__all__ = ["Class", "Description", "Function", "Parameter"]

NEVER_DRAFTS = frozenset({
    *RANGES, kinds.BIGINT, kinds.FLOAT, kinds.NUMBER, kinds.WORD, kinds.BOOL, kinds.STRING, kinds.CHAR, kinds.OBJECT,
    kinds.ENUM,
})  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    An `optional` one takes None. `python` is its name in Python, and
    `has_default` whether it may be left out there. Rust writes into a `mutable` array; it gets a `shared` one as it
    is, and may write into it. `declared` gives the declared type, where it may decide what a value becomes; it is read
    when somebody asks.
    """

    name: str
    kind: Kind
    optional: bool
    rest: bool
    mutable: bool = False
    shared: bool = False
    python: str = ""
    has_default: bool = False
    declared: Callable[[], Type | None] = field(default=lambda: None, compare=False)

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Parameter":
        """Makes one from the runtime's JSON."""
        name, kind = data["name"], Kind.read(data["kind"])
        is_mutable, is_shared = data.get("mutable", False), data.get("shared", False)
        return cls(name, kind, data["optional"], data["rest"], is_mutable, is_shared, name)

    @property
    def argument(self) -> Argument:
        """The parameter as a `def` has it."""
        return Argument(self.python, self.has_default, self.rest)

    @property
    def may_be_draft(self) -> bool:
        """Whether its converter may make a draft of an argument (_drafts.py)."""
        if self.kind.name == kinds.ARRAY:
            return self.mutable or self.shared
        if self.kind.name == kinds.LIST:
            return self.kind.element == kinds.OBJECT
        return self.kind.name not in NEVER_DRAFTS


@dataclass(frozen=True)
class Function:
    """A function, a method, a getter or a setter.

    `doc` is the glue's comment at first, then Python's. `annotations` gives the texts of annotations, by the Python
    names of the parameters. `overloads` are the ways to call it, where their parameters have different names.
    """

    name: str
    params: tuple[Parameter, ...]
    result: Kind
    is_async: bool
    doc: str = ""
    python: str = ""
    annotations: Callable[[], Mapping[str, str]] = dict
    overloads: tuple[tuple[Argument, ...], ...] = ()

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Function":
        """Makes one from the runtime's JSON."""
        params = tuple(map(Parameter.read, data["params"]))
        result = Kind.read(data["result"])
        return cls(data["name"], params, result, data["isAsync"], data.get("doc", ""), data["name"])


@dataclass(frozen=True)
class Class:
    """An exported struct, or a hidden one: its objects are handed out, but the glue does not export it."""

    name: str
    hidden: bool
    construct: Function | None
    methods: tuple[Function, ...]
    statics: tuple[Function, ...]
    getters: tuple[Function, ...]
    setters: tuple[Function, ...]
    doc: str = ""

    @classmethod
    def read(cls, data: dict[str, Any], doc: str) -> "Class":
        """Makes one from the runtime's JSON."""
        members = {
            role: tuple(Function.read(member) for member in data[role])
            for role in ("methods", "statics", "getters", "setters")
        }
        construct = data["construct"]
        return cls(
            data["name"], data.get("hidden", False), Function.read(construct) if construct else None, **members, doc=doc
        )

    def every_member(self) -> Iterator[Function]:
        """Its constructor, methods, static methods, getters and setters."""
        if self.construct:
            yield self.construct
        yield from (*self.methods, *self.statics, *self.getters, *self.setters)


@dataclass(frozen=True)
class Description:
    """All exports of a module.

    `enums` are those of strings, with their values, `warnings` what the user has to know.
    """

    name: str
    adapter: str
    unwinds: bool
    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    constants: tuple[str, ...]
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    docs: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Description":
        """Makes one from the runtime's JSON."""
        data = json.loads(text)
        docs = data.get("docs", {})
        return cls(
            data["name"],
            data["adapter"],
            data["unwinds"],
            tuple(Function.read(function) for function in data["functions"]),
            tuple(Class.read(found, docs.get(found["name"], "")) for found in data["classes"]),
            tuple(data["constants"]),
            {name: tuple(values) for name, values in data.get("enums", {}).items()},
            docs,
            tuple(data.get("warnings", ())),
        )

    def every_function(self) -> Iterator[Function]:
        """All functions and members."""
        yield from self.functions
        for cls in self.classes:
            yield from cls.every_member()
