"""Exported enums as Python enums: an `IntEnum` for one of numbers, a `StrEnum` for one of strings."""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from .._declarations.naming import class_name, enum_members, member_name

__all__ = ["integer_enum", "string_enum"]


def integer_enum(name: str, value: Any, doc: str, module: str) -> type[enum.Enum] | None:
    """Returns the Python enum for an exported object, or None if the object is no enum.

    Args:
        name: the name of the export.
        value: the object. wasm-bindgen writes an enum in both directions: `{"Red": 0, "0": "Red"}`.
        doc: its documentation.
        module: the name of the module that exports it.
    """
    if not isinstance(value, dict):
        return None
    members = {member_name(key): number for key, number in value.items() if str(key).isidentifier()}
    if not members or not all(type(number) is int for number in members.values()):
        return None
    return _make(enum.IntEnum, name, members, doc, module)


def string_enum(name: str, values: Sequence[str], doc: str, module: str) -> type[enum.Enum]:
    """Returns the Python enum of some strings. Each member is named like its value, in PascalCase."""
    cls = _make(enum.StrEnum, name, enum_members(values), doc, module)
    cls._missing_ = classmethod(_refuse)  # type: ignore[assignment]
    return cls


def _refuse(cls: type[enum.Enum], value: object) -> None:
    values = ", ".join(repr(member.value) for member in cls)
    raise ValueError(f"{value!r} is not a valid {cls.__qualname__}: it has {values}")


def _make(base: Any, name: str, members: Mapping[str, Any], doc: str, module: str) -> type[enum.Enum]:
    cls: type[enum.Enum] = base(class_name(name), members, module=module, qualname=class_name(name))
    cls.__doc__ = doc or None
    return cls
