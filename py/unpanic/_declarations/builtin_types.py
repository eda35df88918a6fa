"""The types that TypeScript, its library and the browser bring along, as Python's types.

Each function returns the text of an annotation, or None for a name that it does not know.
"""

import re

from .source import Direction, alternatives, dictionary_of, list_of

__all__ = ["RUST_NUMBERS", "TRANSPARENT", "foreign_type", "generic_type", "is_integer_array", "plain_type"]

# In types that an author wrote, a number by its name in Rust.
RUST_NUMBERS = {
    **dict.fromkeys(("i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"), "int"),
    **dict.fromkeys(("f32", "f64"), "float"),
}
SIMPLE = {
    "string": "str", "String": "str", "number": "float", "Number": "float", "boolean": "bool", "Boolean": "bool",
    "bigint": "int", "BigInt": "int", "void": "None", "undefined": "None", "null": "None", "never": "Never",
    "Date": "datetime", "any": "Any", "unknown": "Any", "symbol": "Any", "Function": "Callable[..., Any]",
}  # fmt: skip
BYTES = frozenset((
    "Uint8Array", "Uint8ClampedArray", "UInt8Array", "ArrayBuffer", "ArrayBufferLike", "ArrayBufferView",
    "BufferSource",
))  # fmt: skip
TYPED_ARRAY = re.compile(r"(Big)?(Int|Uint|Float)(8|16|32|64)Array")
# Types of a browser, whose values Python holds as they are.
FOREIGN = frozenset((
    "AbortController", "AbortSignal", "Blob", "CanvasRenderingContext2D", "CryptoKey", "Document", "Element", "Error",
    "Event", "File", "FileSystemSyncAccessHandle", "FormData", "HTMLCanvasElement", "HTMLElement", "Headers",
    "ImageBitmap", "ImageData", "MessagePort", "Node", "OffscreenCanvas", "RegExp", "Request", "RequestInfo",
    "Response", "TextDecoder", "TextEncoder", "URL", "WeakMap", "WeakRef", "WeakSet", "Worker", "WritableStream",
    "ReadableStreamDefaultReader",
))  # fmt: skip
STREAMS = ("ReadableStream", "AsyncIterable", "AsyncIterator", "AsyncIterableIterator", "AsyncGenerator")
# Generics that are the same as their argument, as far as Python's types can tell.
TRANSPARENT = ("Readonly", "Required", "NonNullable", "Exclude", "Extract", "NoInfer", "Awaited")


def is_integer_array(name: str) -> bool:
    """Whether it is the name of a typed array that holds integers."""
    array = TYPED_ARRAY.fullmatch(name)
    return name == "Uint8ClampedArray" or (array is not None and array[2] != "Float")


def plain_type(name: str, way: Direction) -> str | None:
    """Returns the annotation of a type that takes no arguments."""
    if name in SIMPLE:
        return SIMPLE[name]
    if name in BYTES:
        return "Buffer" if way == "in" else "bytes"
    if array := TYPED_ARRAY.fullmatch(name):
        item = "float" if array[2] == "Float" else "int"
        return f"Buffer | Sequence[{item}]" if way == "in" else f"array[{item}]"
    return dictionary_of(way, "str", "Any") if name in ("object", "Object") else None


def foreign_type(name: str, way: Direction) -> str | None:
    """Returns the annotation of a type of the browser, or of a stream whose items are not declared."""
    if name in STREAMS:
        return "Any" if way == "in" else "AsyncIterator[Any]"
    if name in FOREIGN or name.startswith(("WebAssembly.", "Intl.", "Iterable", "globalThis.")):
        return "Any"
    return None


def generic_type(name: str, way: Direction, first: str, second: str) -> str | None:
    """Returns the annotation of a generic type.

    Args:
        name: the generic type, such as `Map`.
        way: into Rust or out of it.
        first: the annotation of its first argument; `Any` if there is none.
        second: the annotation of its second argument.
    """
    match name:
        case "Map" | "ReadonlyMap":
            return dictionary_of(way, first, second)
        case "Record":
            return dictionary_of(way, "str", second)
        case "Set" | "ReadonlySet":
            return f"AbstractSet[{first}]" if way == "in" else f"set[{first}]"
        case "Array" | "ReadonlyArray" | "ArrayLike":
            return list_of(way, first)
        case "Promise" | "PromiseLike":
            return f"Awaitable[{first}]"
        case "Iterable":
            return f"Sequence[{first}]" if way == "in" else f"Iterable[{first}]"
        case "Iterator" | "IterableIterator" | "Generator" | "IteratorObject":
            return "Any" if way == "in" else f"Iterator[{first}]"
        case "NonNullable" | "Exclude":
            return " | ".join(text for text in alternatives(first) if text != "None") or "Never"
        case "Uppercase" | "Lowercase" | "Capitalize" | "Uncapitalize":
            return "str"
    if name in STREAMS:
        return "Any" if way == "in" else f"AsyncIterator[{first}]"
    if name in TRANSPARENT:
        return first
    return "Any" if name in FOREIGN else None
