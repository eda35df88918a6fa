"""The exports of a module: as the JavaScript runtime read them from the glue, and then as Python has them.

`declared.declare` adds what only Python knows: names, annotations and documentation.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._bridge import kinds
from .._bridge.kinds import RANGES, Kind
from .._bridge.parameters import GlueParameter
from .._declarations.model import Type
from .._declarations.signatures import Argument

__all__ = ["ROLES", "Class", "Description", "Function", "Parameter"]

# The roles of a class's members, as the runtime names them, and the attributes of `Class` that hold those members.
ROLES = {
    "methods": "methods",
    "statics": "statics",
    "getters": "getters",
    "setters": "setters",
    "staticGetters": "static_getters",
    "staticSetters": "static_setters",
}

NEVER_DRAFTS = frozenset({
    *RANGES, kinds.BIGINT, kinds.FLOAT, kinds.F32, kinds.NUMBER, kinds.WORD, kinds.BOOL, kinds.STRING, kinds.CHAR,
    kinds.OBJECT, kinds.ENUM,
})  # fmt: skip


@dataclass(frozen=True)
class Parameter(GlueParameter):
    """One parameter.

    `python` is its name in Python, and `has_default` tells whether it may be left out there. `declared` gives the
    declared type, where it may decide what a value becomes. It is read when somebody asks.
    """

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
        """Whether the converter of the parameter may return a draft (`_values/drafts.py`)."""
        if self.kind.name == kinds.ARRAY:
            return self.mutable or self.shared
        if self.kind.name == kinds.LIST:
            return self.kind.element == kinds.OBJECT
        return self.kind.name not in NEVER_DRAFTS


@dataclass(frozen=True)
class Function:
    """A function, a method, a getter or a setter.

    Attributes:
        name: its name as exported.
        params: its parameters.
        result: the kind of its result; of an async function, of what the promise brings.
        is_async: whether it returns a promise.
        doc: the glue's comment at first, then Python's docstring.
        python: its name in Python.
        annotations: gives the texts of annotations, by the Python names of the parameters.
        overloads: the ways to call it, where their parameters have different names.
        is_wrapper: whether it is the package's own JavaScript, around what wasm-bindgen wrote.
    """

    name: str
    params: tuple[Parameter, ...]
    result: Kind
    is_async: bool
    doc: str = ""
    python: str = ""
    annotations: Callable[[], Mapping[str, str]] = dict
    overloads: tuple[tuple[Argument, ...], ...] = ()
    is_wrapper: bool = False

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Function":
        """Makes one from the runtime's JSON."""
        params = tuple(map(Parameter.read, data["params"]))
        result = Kind.read(data["result"])
        is_wrapper = data.get("isWrapper", False)
        return cls(
            data["name"], params, result, data["isAsync"], data.get("doc", ""), data["name"], is_wrapper=is_wrapper
        )


@dataclass(frozen=True)
class Class:
    """An exported struct.

    A `hidden` struct is one that the glue does not export, although functions return its objects. The static getters
    and setters are those of the class itself. A class that `is_wrapper` is the package's own JavaScript: no struct, but
    described like one.
    """

    name: str
    hidden: bool
    construct: Function | None
    methods: tuple[Function, ...]
    statics: tuple[Function, ...]
    getters: tuple[Function, ...]
    setters: tuple[Function, ...]
    static_getters: tuple[Function, ...] = ()
    static_setters: tuple[Function, ...] = ()
    doc: str = ""
    is_wrapper: bool = False

    @classmethod
    def read(cls, data: dict[str, Any], doc: str) -> "Class":
        """Makes one from the runtime's JSON."""
        members = {
            attribute: tuple(Function.read(member) for member in data[role]) for role, attribute in ROLES.items()
        }
        construct = data["construct"]
        return cls(
            data["name"],
            data.get("hidden", False),
            Function.read(construct) if construct else None,
            **members,
            doc=doc,
            is_wrapper=data.get("isWrapper", False),
        )

    def named_members(self) -> Iterator[Function]:
        """Its methods, static methods, getters and setters."""
        for attribute in ROLES.values():
            yield from getattr(self, attribute)

    def every_member(self) -> Iterator[Function]:
        """These, after its constructor."""
        if self.construct:
            yield self.construct
        yield from self.named_members()


@dataclass(frozen=True)
class Description:
    """All exports of a module.

    Attributes:
        name: the module's name.
        adapter: how the module is supervised: `factory` or `native`; `raw` if it has no glue.
        unwinds: whether a panic unwinds in this build.
        functions: the exported functions.
        classes: the structs, with those that are hidden.
        constants: the names of other exports, such as enums of numbers.
        enums: the values of enums of strings, by their names.
        docs: the documentation of classes and enums, by their names.
        warnings: what the user has to know.
        is_interruptible: whether calls can be stopped, because the Wasm file was rewritten.
        rolls_back: whether calls can be rolled back, likewise.
        why_no_rollback: why they cannot, if that was wanted.
        target: the target of wasm-bindgen that the glue was written for.
        memories: the names of memories, of a Wasm file without glue.
        globals: its globals: the type of each, and whether it can be set.
        imports: the types of the arguments and results of the functions that it imports, by module and name.
        waits: whether the next instance may be on its way when a call comes.
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
    is_interruptible: bool = False
    rolls_back: bool = False
    why_no_rollback: str = ""
    target: str = "web"
    memories: tuple[str, ...] = ()
    globals: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    imports: Mapping[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    waits: bool = False

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
            tuple(Class.read(described, docs.get(described["name"], "")) for described in data["classes"]),
            tuple(data["constants"]),
            {name: tuple(values) for name, values in data.get("enums", {}).items()},
            docs,
            tuple(data.get("warnings", ())),
            data.get("isInterruptible", False),
            data.get("rollsBack", False),
            data.get("whyNoRollback", ""),
            data.get("target", "web"),
            tuple(data.get("memories", ())),
            {one["name"]: (one["type"], one["mutable"]) for one in data.get("globals", ())},
            {
                (one["module"], one["name"]): (tuple(one["params"]), tuple(one["results"]))
                for one in data.get("imports", ())
            },
            bool(data.get("waits")),
        )

    def every_function(self) -> Iterator[Function]:
        """All functions and members."""
        yield from self.functions
        for cls in self.classes:
            yield from cls.every_member()

    def has_wrappers(self) -> bool:
        """Whether the package has JavaScript of its own, which may keep what it gets and gives."""
        return any(function.is_wrapper for function in self.every_function())
