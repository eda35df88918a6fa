"""TypeScript declarations as data: `reader` makes it from text, and `annotations` writes it as Python."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

__all__ = [
    "ANY", "UNKNOWN", "VOID", "Alias", "Array", "Class", "Enum", "Function", "Interface", "Intersection", "Literal",
    "Name", "Object", "Other", "Parameter", "PlainParameters", "Property", "Signature", "Tuple", "Type", "Union",
    "substitute", "substitute_parameters",
]  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A type by its name: a keyword such as `string`, something built in, or something declared."""

    name: str
    args: "tuple[Type, ...]" = ()


@dataclass(frozen=True)
class Literal:
    """A type of one value."""

    value: str | int | float | bool


@dataclass(frozen=True)
class Array:
    """A list of items."""

    item: "Type"


@dataclass(frozen=True)
class Tuple:
    """A list in which each place has a type of its own."""

    items: "tuple[Type, ...]"


@dataclass(frozen=True)
class Union:
    """A value of any of these types."""

    items: "tuple[Type, ...]"


@dataclass(frozen=True)
class Intersection:
    """A value of all of these types at once."""

    items: "tuple[Type, ...]"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function."""

    name: str
    type: "Type"
    optional: bool
    rest: bool


# The name of each parameter, whether it may be left out, and whether it takes the rest.
type PlainParameters = tuple[tuple[str, bool, bool], ...]


@dataclass(frozen=True)
class Property:
    """A property of a class, an interface or an object; `readonly` says that it has no setter."""

    name: str
    type: "Type"
    optional: bool
    readonly: bool
    doc: str = ""
    static: bool = False


@dataclass(frozen=True)
class Object:
    """An object by its properties; `index` is the type of further ones without a known name, as in a dictionary."""

    properties: tuple[Property, ...]
    index: "Type | None" = None


@dataclass(frozen=True)
class Function:
    """A function as a value."""

    params: tuple[Parameter, ...]
    result: "Type"


@dataclass(frozen=True)
class Other:
    """A type that Python does not have, as it is written; if `among` has types, its values are of one of them."""

    text: str
    among: "tuple[Type, ...]" = ()


type Type = Name | Literal | Array | Tuple | Union | Intersection | Object | Function | Other

ANY = Name("any")
UNKNOWN = Name("unknown")
VOID = Name("void")


@dataclass(frozen=True)
class Signature:
    """One way to call a function, a method or a constructor; `doc` is its comment without the stars."""

    name: str
    params: tuple[Parameter, ...]
    result: Type
    doc: str = ""
    static: bool = False


@dataclass(frozen=True)
class Class:
    """A class. If it has no public constructors, only Rust makes its objects."""

    name: str
    doc: str
    base: str | None
    constructors: tuple[Signature, ...]
    methods: tuple[Signature, ...]
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Interface:
    """An interface: the shape of an object."""

    name: str
    params: tuple[str, ...]
    extends: tuple[Type, ...]
    properties: tuple[Property, ...]
    methods: tuple[Signature, ...]
    index: Type | None
    doc: str


@dataclass(frozen=True)
class Alias:
    """Another name for a type."""

    name: str
    params: tuple[str, ...]
    type: Type
    doc: str


@dataclass(frozen=True)
class Enum:
    """An enum: the name, the value and the comment of each member."""

    name: str
    members: tuple[tuple[str, int | str, str], ...]
    doc: str


def substitute(type_: Type, types: Mapping[str, Type]) -> Type:
    """Returns a type with others in place of some names, as generics are filled in."""
    if not types:
        return type_

    def every(items: tuple[Type, ...]) -> tuple[Type, ...]:
        return tuple(substitute(item, types) for item in items)

    match type_:
        case Name(name, args):
            return types[name] if name in types else Name(name, every(args))
        case Array(item):
            return Array(substitute(item, types))
        case Tuple(items) | Union(items) | Intersection(items):
            return type(type_)(every(items))
        case Object(properties, index):
            filled = tuple(replace(each, type=substitute(each.type, types)) for each in properties)
            return Object(filled, substitute(index, types) if index else None)
        case Function(params, result):
            return Function(substitute_parameters(params, types), substitute(result, types))
        case Other(text, among):
            return Other(text, every(among))
        case _:
            return type_


def substitute_parameters(params: tuple[Parameter, ...], types: Mapping[str, Type]) -> tuple[Parameter, ...]:
    """Returns parameters with other types in place of some names."""
    return tuple(replace(param, type=substitute(param.type, types)) for param in params)
