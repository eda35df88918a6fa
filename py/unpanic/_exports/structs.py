"""The facts about one exported struct, for its Python class and for the handles of its objects."""

from collections.abc import Iterator

from .._bridge import kinds
from .._bridge.context import Context
from .._declarations.naming import class_name
from .._declarations.resolve import UNTOLD
from .description import Class, Function

__all__ = ["Struct"]


class Struct:
    """One exported struct.

    Attributes:
        context: that of the module.
        described: its members, as the glue and the declarations tell them.
        index: its place among the structs of the module.
        python_name: what its Python class is called.
        path: that name with the module's, for messages: `bank.Account`.
        hidden: the names of members that Python shows under another name.
        getters: those of the constructor's parameters first, as people write them; without a wrapper's private ones.
        text_method: the method that gives an object as a text; empty if there is none.
        crashing_getters: the names of getters that crashed. `repr` does not read them again.
    """

    def __init__(self, context: Context, described: Class, index: int) -> None:
        self.context = context
        self.described = described
        self.index = index
        self.python_name = class_name(described.name)
        self.path = f"{context.name}.{described.name}"
        self.hidden = frozenset(_hidden(described))
        self.getters = tuple(_in_order(described))
        self.text_method = _text_method(described)
        self.crashing_getters: set[str] = set()


def _in_order(described: Class) -> list[Function]:
    first = [param.python for param in described.construct.params] if described.construct else []
    places = {name: place for place, name in enumerate(first)}
    public = [getter for getter in described.getters if not (getter.is_wrapper and getter.name.startswith("_"))]
    return sorted(public, key=lambda getter: places.get(getter.python, len(first)))


def _text_method(described: Class) -> str:
    """The name of the method `toString`, if it can be called without arguments."""
    for method in described.methods:
        if (
            method.python == "to_string"
            and method.result.name in (kinds.STRING, *UNTOLD)
            and all(param.has_default or param.rest for param in method.params)
        ):
            return method.name
    return ""


def _hidden(described: Class) -> Iterator[str]:
    for member in described.named_members():
        if member.python != member.name:
            yield member.name
