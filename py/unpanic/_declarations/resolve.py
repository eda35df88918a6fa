"""The kinds of values that TypeScript types stand for, where the glue does not tell."""

from collections.abc import Collection

from .._bridge import kinds
from .._bridge.kinds import TYPED_ARRAYS, Kind, array_of, enum_of, list_of, object_of
from .model import Array, Function, Literal, Name, Parameter, Type, Union

__all__ = ["UNTOLD", "VAGUE", "declared_kind", "element", "is_optional", "may_be_absent", "strings", "without_absence"]

# The glue does not tell these kinds: a `word` crosses as an i32, an `unknown` in some way.
UNTOLD = (kinds.UNKNOWN, kinds.WORD)
# Kinds of which a declaration tells less than the way in which a value crosses.
VAGUE = (kinds.NUMBER, kinds.BIGINT, kinds.ANY, kinds.UNKNOWN)
# The kinds of types that have one name, in TypeScript or, as authors write them, in Rust.
NAMED = {
    "string": kinds.STRING, "boolean": kinds.BOOL, "bigint": kinds.BIGINT, "void": kinds.VOID, "undefined": kinds.VOID,
    "Function": kinds.FUNCTION, "ReadableStream": kinds.STREAM,
    "i8": kinds.I8, "u8": kinds.U8, "i16": kinds.I16, "u16": kinds.U16, "i32": kinds.S32, "u32": kinds.U32,
    "isize": kinds.S32, "usize": kinds.U32,
    "i64": kinds.I64, "u64": kinds.U64, "i128": kinds.I128, "u128": kinds.U128, "f32": kinds.F32, "f64": kinds.FLOAT,
}  # fmt: skip
# The kinds whose values cross as arguments of a rest parameter by themselves; every other value crosses in a list.
ITEM_KINDS = (
    kinds.FLOAT, kinds.F32, kinds.NUMBER, kinds.STRING, kinds.BOOL, kinds.I8, kinds.U8, kinds.I16, kinds.U16,
    kinds.S32, kinds.U32,
)  # fmt: skip
ABSENT = ("undefined", "null")


def declared_kind(type_: Type | None, *, word: bool, classes: Collection[str], enums: Collection[str]) -> Kind:
    """Returns the kind of a type.

    Args:
        type_: the type, or None where nothing declares it.
        word: whether the value crosses as an i32.
        classes: the classes that the module exports.
        enums: the enums that it has.
    """
    match without_absence(type_):
        case None:
            return Kind(kinds.UNKNOWN)
        case Name("number"):
            return Kind(kinds.I32 if word else kinds.NUMBER)
        case Name(name) if name in NAMED:
            return Kind(NAMED[name])
        case Name(name) if name in TYPED_ARRAYS:
            return array_of(TYPED_ARRAYS[name])
        case Name(name) if name in classes:
            return object_of(name)
        case Name(name) if name in enums:
            return enum_of(name)
        case Array(Name("string")):
            return list_of(Kind(kinds.STRING))
        case Array(Name(name)) if name in classes:
            return list_of(object_of(name))
        case Array(Name(name)) if name in enums:
            return list_of(enum_of(name))
        case Function():
            return Kind(kinds.FUNCTION)
    return Kind(kinds.ANY)


def element(type_: Type | None, classes: Collection[str]) -> tuple[Type | None, Kind]:
    """Returns what each argument of a rest parameter is: its type, and its kind, where it crosses by itself."""
    match without_absence(type_):
        case Array(Name(name) as item) if name in classes:
            return item, object_of(name)
        case Array(Name("number") as item):
            return item, Kind(kinds.NUMBER)
        case Array(Name(name) as item):
            return item, _item_kind(NAMED.get(name, kinds.ANY))
        case Array(item):
            return item, Kind(kinds.ANY)
        case Name(name) if name in TYPED_ARRAYS:
            number = kinds.FLOAT if name.startswith("Float") else NAMED[TYPED_ARRAYS[name]]
            return Name("bigint" if name.startswith("Big") else "number"), _item_kind(number)
    return None, Kind(kinds.ANY)


def _item_kind(name: str) -> Kind:
    return Kind(name if name in ITEM_KINDS else kinds.ANY)


def strings(type_: Type) -> tuple[str, ...]:
    """Returns the values of a type that is a union of strings; an empty tuple for another type."""
    items = type_.items if isinstance(type_, Union) else (type_,)
    values = tuple(item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str))
    return values if len(values) == len(items) else ()


def is_optional(declared: Parameter) -> bool:
    """Whether an argument may be left out, or be `null` or `undefined`."""
    return declared.optional or may_be_absent(declared.type)


def may_be_absent(type_: Type) -> bool:
    """Whether `null` or `undefined` is among the values of a type."""
    return isinstance(type_, Union) and any(map(_is_absence, type_.items))


def without_absence(type_: Type | None) -> Type | None:
    """Returns a type without `null` and `undefined`, and without the lists of numbers in a union with typed arrays."""
    if not isinstance(type_, Union):
        return type_
    items = [item for item in type_.items if not _is_absence(item)]
    if len(items) > 1:
        items = [item for item in items if item not in (Array(Name("number")), Array(Name("bigint")))]
    return items[0] if len(items) == 1 else Union(tuple(items))


def _is_absence(type_: Type) -> bool:
    return isinstance(type_, Name) and type_.name in ABSENT
