"""Objects that are declared in parts: an interface with those that it extends, or `A & B`, as one object type."""

from collections.abc import Iterable

from .builtin_types import TRANSPARENT
from .model import ANY, Function, Interface, Intersection, Name, Object, Property, Type, substitute
from .reader import Declarations

__all__ = ["MOST_LEVELS", "ObjectTypes", "type_arguments"]

# Longer chains of types that stand for each other are not followed.
MOST_LEVELS = 60
PRIMITIVE = ("string", "number", "bigint", "boolean")


def type_arguments(params: tuple[str, ...], args: tuple[Type, ...]) -> dict[str, Type]:
    """Returns type parameters with their arguments; a parameter without an argument is `any`."""
    return dict(zip(params, [*args, *[ANY] * len(params)], strict=False))


class ObjectTypes:
    """Joins the parts of object types.

    Args:
        declarations: the interfaces and aliases that types refer to.
    """

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations

    def as_object(self, type_: Type, levels: int = MOST_LEVELS) -> Type:
        """Returns a type that is declared in parts as one object, and another type as it is.

        If the parts cannot be joined, the result is a dictionary of anything.
        """
        match type_:
            case Name(name, args) if name in self._declarations.interfaces and levels:
                interface = self._declarations.interfaces[name]
                types = type_arguments(interface.params, args)
                bases = [self.as_object(substitute(base, types), levels - 1) for base in interface.extends]
                return _joined([*bases, substitute(_members(interface), types)])
            case Name(name, args) if name in self._declarations.aliases and levels:
                alias = self._declarations.aliases[name]
                return self.as_object(substitute(alias.type, type_arguments(alias.params, args)), levels - 1)
            case Name("Record", (_, value)):
                return Object((), value)
            case Name("Partial", (whole,)):
                return _partial(self.as_object(whole, levels - 1))
            case Name(name, (same,)) if name in TRANSPARENT and levels:
                return self.as_object(same, levels - 1)
            case Intersection(items) if levels:
                for item in items:
                    if isinstance(item, Name) and item.name in PRIMITIVE:
                        return item  # `string & { brand }`
                return _joined([self.as_object(item, levels - 1) for item in items])
        return type_


def _joined(parts: list[Type]) -> Type:
    properties: dict[str, Property] = {}
    index: Type | None = None
    for part in parts:
        if not isinstance(part, Object):
            return Name("any") if part == Name("Error") or len(parts) == 1 else Object((), ANY)
        properties.update(_by_name(part.properties))
        index = index or part.index
    return Object((), ANY) if index and properties else Object(tuple(properties.values()), index)


def _by_name(properties: Iterable[Property]) -> dict[str, Property]:
    return {each.name: each for each in properties}


def _partial(whole: Type) -> Type:
    """Returns an object whose properties are optional."""
    if not isinstance(whole, Object):
        return Object((), ANY)
    optional = (Property(each.name, each.type, True, each.readonly, each.doc) for each in whole.properties)
    return Object(tuple(optional), whole.index)


def _members(interface: Interface) -> Object:
    """Returns the interface's own members as an object, in which methods are functions."""
    methods: dict[str, Property] = {}
    for method in interface.methods:
        function: Type = Function(method.params, method.result)
        if method.name in methods:  # overloads
            function = Name("Function")
        methods[method.name] = Property(method.name, function, False, True, method.doc)
    return Object((*interface.properties, *methods.values()), interface.index)
