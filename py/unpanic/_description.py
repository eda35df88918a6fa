"""What a module exports, as the JavaScript runtime read it from the glue (js/src/describe.js)."""

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["Class", "Description", "Function", "Parameter"]


@dataclass(frozen=True)
class Parameter:
    """One parameter; `kind` is one of the kinds in js/src/types.d.ts."""

    name: str
    kind: str
    optional: bool
    rest: bool


@dataclass(frozen=True)
class Function:
    """A function, a method, a getter or a setter."""

    name: str
    params: tuple[Parameter, ...]
    result: str
    is_async: bool

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Function":
        params = tuple(Parameter(**param) for param in data["params"])
        return cls(data["name"], params, data["result"], data["isAsync"])


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

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Class":
        members = {
            role: tuple(Function.read(member) for member in data[role])
            for role in ("methods", "statics", "getters", "setters")
        }
        construct = data["construct"]
        return cls(data["name"], data.get("hidden", False), Function.read(construct) if construct else None, **members)


@dataclass(frozen=True)
class Description:
    """All exports of a module."""

    name: str
    adapter: str
    unwinds: bool
    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    constants: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Description":
        data = json.loads(text)
        return cls(
            data["name"],
            data["adapter"],
            data["unwinds"],
            tuple(Function.read(function) for function in data["functions"]),
            tuple(Class.read(found) for found in data["classes"]),
            tuple(data["constants"]),
        )
