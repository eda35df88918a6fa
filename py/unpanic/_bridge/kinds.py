"""The kinds of values that cross, as both sides name them (js/src/types.d.ts)."""

__all__ = ["ARRAYS", "RANGES"]

# The elements of JavaScript's typed arrays: the array module's name for them, and the typed array.
ARRAYS = {
    "i8": ("b", "Int8Array"), "u8": ("B", "Uint8Array"), "i16": ("h", "Int16Array"), "u16": ("H", "Uint16Array"),
    "i32": ("i", "Int32Array"), "u32": ("I", "Uint32Array"), "i64": ("q", "BigInt64Array"),
    "u64": ("Q", "BigUint64Array"), "f32": ("f", "Float32Array"), "f64": ("d", "Float64Array"),
}  # fmt: skip
# Where the declaration names no Rust type, the glue does not tell u32 from i32, nor a byte from either.
RANGES = {
    "i32": (-(2**31), 2**32 - 1, "a 32-bit integer"),
    "int16": (-(2**15), 2**16 - 1, "a 16-bit integer"),
    "int64": (-(2**63), 2**64 - 1, "a 64-bit integer"),
    "int128": (-(2**127), 2**128 - 1, "a 128-bit integer"),
    "i8": (-(2**7), 2**7 - 1, "an i8"),
    "u8": (0, 2**8 - 1, "a u8"),
    "i16": (-(2**15), 2**15 - 1, "an i16"),
    "u16": (0, 2**16 - 1, "a u16"),
    "s32": (-(2**31), 2**31 - 1, "an i32"),
    "u32": (0, 2**32 - 1, "a u32"),
    "i64": (-(2**63), 2**63 - 1, "an i64"),
    "u64": (0, 2**64 - 1, "a u64"),
    "i128": (-(2**127), 2**127 - 1, "an i128"),
    "u128": (0, 2**128 - 1, "a u128"),
}
