"""Which kind of value a TypeScript type is, where the glue does not tell (the kinds of js/src/types.d.ts)."""

from collections.abc import Collection

from .._bridge.kinds import ARRAYS
from .model import Array, Function, Literal, Name, Parameter, Type, Union

__all__ = ["UNTOLD", "VAGUE", "declared_kind", "element", "is_optional", "may_be_absent", "strings", "without_absence"]

# What the glue does not tell: `word` crosses as an i32, `unknown` somehow.
UNTOLD = ("unknown", "word")
# What a declaration tells less of than the way in which a value crosses.
VAGUE = ("number", "bigint", "any", "unknown")
KINDS = {
    "string": "string", "boolean": "bool", "bigint": "bigint", "void": "void", "undefined": "void",
    "Uint8Array": "bytes", "Uint8ClampedArray": "bytes", "Function": "function",
    "ReadableStream": "stream",
    "i8": "i8", "u8": "u8", "i16": "i16", "u16": "u16", "i32": "s32", "u32": "u32", "isize": "s32", "usize": "u32",
    "i64": "i64", "u64": "u64", "i128": "i128", "u128": "u128",
}  # fmt: skip
ELEMENTS = {name: element for element, (_, name) in ARRAYS.items()}
# Which kinds the arguments of a rest parameter have: what else there is crosses as part of a list.
ELEMENT_KINDS = ("float", "number", "string", "bool", "i8", "u8", "i16", "u16", "s32", "u32")
ABSENT = ("undefined", "null")


def declared_kind(type_: Type | None, *, word: bool, classes: Collection[str], enums: Collection[str]) -> str:
    """Returns the kind of a type.

    Args:
        type_: the type, or None where nothing declares it.
        word: whether the value crosses as an i32.
        classes: the classes that the module exports.
        enums: the enums that it has.
    """
    match without_absence(type_):
        case None:
            return "unknown"
        case Name("number"):
            return "i32" if word else "number"
        case Name(name) if name in KINDS:
            return KINDS[name]
        case Name(name) if name in ELEMENTS:
            return f"array:{ELEMENTS[name]}"
        case Name(name) if name in classes:
            return f"object:{name}"
        case Name(name) if name in enums:
            return f"enum:{name}"
        case Array(Name("string")):
            return "array:string"
        case Array(Name(name)) if name in classes:
            return f"array:object:{name}"
        case Array(Name(name)) if name in enums:
            return f"array:enum:{name}"
        case Function():
            return "function"
    return "any"


def element(type_: Type | None, classes: Collection[str]) -> tuple[Type | None, str]:
    """Returns what each argument of a rest parameter is: its type, and its kind, where it crosses by itself."""
    match without_absence(type_):
        case Array(Name(name) as item):
            kind = f"object:{name}" if name in classes else KINDS.get(name, "number" if name == "number" else "any")
            return item, kind if kind.startswith("object:") or kind in ELEMENT_KINDS else "any"
        case Array(item):
            return item, "any"
        case Name(name) if name in ELEMENTS:
            kind = "float" if name.startswith("Float") else ELEMENTS[name].replace("i32", "s32")
            return Name("bigint" if name.startswith("Big") else "number"), kind if kind in ELEMENT_KINDS else "any"
    return None, "any"


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
