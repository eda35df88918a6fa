"""The kind of a value: what a parameter takes and what a result is, as both sides name it.

The runtime describes each kind as data (`Kind` in js/src/types.d.ts), and Python reads that data once, when the
description of a module arrives. Kinds are looked at when functions are made, never when they are called.
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ARRAYS", "RANGES", "TYPED_ARRAYS", "Kind", "array_of", "enum_of", "list_of", "object_of"]

# Kinds that their names describe fully. Where the glue does not tell one integer type from another, one name stands for
# all that it may be: `RANGES` says which.
I32, INT16, INT64, INT128 = "i32", "int16", "int64", "int128"
I8, U8, I16, U16, S32, U32 = "i8", "u8", "i16", "u16", "s32", "u32"
I64, U64, I128, U128 = "i64", "u64", "i128", "u128"
BIGINT = "bigint"  # an integer of any size
FLOAT = "float"
F32 = "f32"  # a float that an f32 can hold, rounded
NUMBER = "number"  # an integer or a float
BOOL = "bool"
STRING = "string"
CHAR = "char"
FUNCTION = "function"
STREAM = "stream"
VOID = "void"
ANY = "any"
UNKNOWN = "unknown"  # the glue does not tell
WORD = "word"  # the glue does not tell, but the value crosses as an i32

# Kinds that need a field besides their names.
ARRAY = "array"  # a typed array of numbers: `element` is a key of `ARRAYS`
LIST = "list"  # an array of strings, objects or enums: `element` is the name of that kind
OBJECT = "object"  # an object of the exported struct `class_name`
ENUM = "enum"  # a member of the exported enum `class_name`


class Kind(NamedTuple):
    """Which kind of value a parameter takes or a result is.

    Attributes:
        name: one of the names above.
        element: what an array or a list holds; empty for other kinds.
        class_name: the struct or the enum of the value, or of each item of a list; empty for other kinds.
    """

    name: str
    element: str = ""
    class_name: str = ""

    @classmethod
    def read(cls, data: Mapping[str, str]) -> "Kind":
        """Makes a kind from the runtime's JSON."""
        return cls(data["name"], data.get("element", ""), data.get("className", ""))

    def to_data(self) -> dict[str, str]:
        """The kind as the runtime's JSON has it: without the fields that are empty."""
        fields = {"name": self.name, "element": self.element, "className": self.class_name}
        return {name: value for name, value in fields.items() if value}

    def is_list_of(self, element: str) -> bool:
        """Whether the value is a list whose items are of the kind with this name."""
        return self.name == LIST and self.element == element


def array_of(element: str) -> Kind:
    """The kind of a typed array; `element` is a key of `ARRAYS`."""
    return Kind(ARRAY, element)


def object_of(class_name: str) -> Kind:
    """The kind of an object of an exported struct."""
    return Kind(OBJECT, class_name=class_name)


def enum_of(name: str) -> Kind:
    """The kind of a member of an exported enum."""
    return Kind(ENUM, class_name=name)


def list_of(item: Kind) -> Kind:
    """The kind of a list whose items are strings, objects or members of an enum."""
    return Kind(LIST, item.name, item.class_name)


# The elements of JavaScript's typed arrays: the array module's name for them, and the typed array.
ARRAYS = {
    "i8": ("b", "Int8Array"), "u8": ("B", "Uint8Array"), "i16": ("h", "Int16Array"), "u16": ("H", "Uint16Array"),
    "i32": ("i", "Int32Array"), "u32": ("I", "Uint32Array"), "i64": ("q", "BigInt64Array"),
    "u64": ("Q", "BigUint64Array"), "f32": ("f", "Float32Array"), "f64": ("d", "Float64Array"),
}  # fmt: skip
# The elements of typed arrays by the names of the arrays.
TYPED_ARRAYS = {name: element for element, (_, name) in ARRAYS.items()} | {"Uint8ClampedArray": U8}
# Which integers each kind takes: the lowest, the highest, and the words for them in messages. Where the declaration
# names no Rust type, the glue does not tell u32 from i32, nor a byte from either.
RANGES = {
    I32: (-(2**31), 2**32 - 1, "a 32-bit integer"),
    INT16: (-(2**15), 2**16 - 1, "a 16-bit integer"),
    INT64: (-(2**63), 2**64 - 1, "a 64-bit integer"),
    INT128: (-(2**127), 2**128 - 1, "a 128-bit integer"),
    I8: (-(2**7), 2**7 - 1, "an i8"),
    U8: (0, 2**8 - 1, "a u8"),
    I16: (-(2**15), 2**15 - 1, "an i16"),
    U16: (0, 2**16 - 1, "a u16"),
    S32: (-(2**31), 2**31 - 1, "an i32"),
    U32: (0, 2**32 - 1, "a u32"),
    I64: (-(2**63), 2**63 - 1, "an i64"),
    U64: (0, 2**64 - 1, "a u64"),
    I128: (-(2**127), 2**127 - 1, "an i128"),
    U128: (0, 2**128 - 1, "a u128"),
}
