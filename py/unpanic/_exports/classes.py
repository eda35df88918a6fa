"""Exported structs as Python classes."""

from collections.abc import Callable
from typing import Any

from .functions import FunctionMaker
from .iteration import iteration
from .objects import ObjectTable, RustObject, RustType
from .structs import Struct

__all__ = ["make_class"]


def make_class(struct: Struct, objects: ObjectTable, functions: FunctionMaker) -> Any:
    """Makes the Python class of an exported struct."""
    driver, described, index = struct.context.driver, struct.described, struct.index
    name = struct.python_name
    members: dict[str, Any] = {
        "__module__": struct.context.name,
        "__qualname__": name,
        "__doc__": described.doc or None,
        "__rust_struct__": struct,
        "_rust_open": False,
    }
    if described.construct:
        lane = driver.constructorLane(index)
        members["__init__"] = functions.make(described.construct, lane, name, "constructor", objects.begin)
    for method in described.methods:
        lane = driver.member(index, method.name, "methods")
        members[method.name] = members[method.python] = functions.make(method, lane, name, "method")
    for static in described.statics:
        lane = driver.member(index, static.name, "statics")
        members[static.name] = members[static.python] = staticmethod(functions.make(static, lane, name))
    for member in {member.name: member for member in described.getters + described.setters}.values():
        members[member.name] = members[member.python] = _property(struct, member.name, functions)
    return RustType(name, (RustObject,), iteration(described) | members)


def _property(struct: Struct, name: str, functions: FunctionMaker) -> property:
    def accessor(role: str) -> Callable[..., Any] | None:
        for member in getattr(struct.described, role):
            if member.name == name:
                lane = struct.context.driver.member(struct.index, name, role)
                return functions.make(member, lane, struct.python_name, "method")
        return None

    get, set_ = accessor("getters"), accessor("setters")
    return property(get, set_, doc=(get and get.__doc__) or (set_ and set_.__doc__))
