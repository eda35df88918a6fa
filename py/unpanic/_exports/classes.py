"""Exported structs as Python classes."""

from collections.abc import Callable
from typing import Any

from .description import ROLES
from .functions import FunctionMaker
from .iteration import iteration
from .objects import ObjectTable, RustObject, RustType
from .static_property import StaticProperty
from .structs import Struct
from .wrapper_source import Form

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
    for member in (*described.getters, *described.setters):
        get, set_ = _accessors(struct, member.name, functions, ("getters", "setters"))
        doc = (get and get.__doc__) or (set_ and set_.__doc__)
        members[member.name] = members[member.python] = property(get, set_, doc=doc)
    for member in (*described.static_getters, *described.static_setters):
        get, set_ = _accessors(struct, member.name, functions, ("staticGetters", "staticSetters"))
        members[member.name] = members[member.python] = StaticProperty(name, member.python, get, set_)
    return RustType(name, (RustObject,), iteration(described) | members)


def _accessors(
    struct: Struct, name: str, functions: FunctionMaker, roles: tuple[str, str]
) -> list[Callable[..., Any] | None]:
    """Returns the getter and the setter of one name; None for one that is missing.

    Args:
        struct: the class.
        name: the name as exported.
        functions: makes them.
        roles: the role of the getter and that of the setter.
    """
    form: Form = "function" if roles[0] == "staticGetters" else "method"

    def accessor(role: str) -> Callable[..., Any] | None:
        for member in getattr(struct.described, ROLES[role]):
            if member.name == name:
                lane = struct.context.driver.member(struct.index, name, role)
                return functions.make(member, lane, struct.python_name, form, assigns=role == roles[1])
        return None

    return [accessor(role) for role in roles]
