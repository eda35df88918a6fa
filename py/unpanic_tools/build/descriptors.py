"""The exact Rust types of exports, from the descriptors that a Wasm file holds before wasm-bindgen has seen it.

For each export `add` there is an export `__wbindgen_describe_add`, which tells the type as numbers: it calls an import
with one after the other. wasm-bindgen calls these functions, and removes them. The numbers stand for words, which are
listed in the sources of each version.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Descriptor", "Signature", "decode", "read_words"]

# The words for types that have no parts, as Rust writes the types.
PLAIN = {
    "I8": "i8", "U8": "u8", "I16": "i16", "U16": "u16", "I32": "i32", "U32": "u32", "I64": "i64", "U64": "u64",
    "I128": "i128", "U128": "u128", "F32": "f32", "F64": "f64", "BOOLEAN": "bool", "CHAR": "char", "STRING": "String",
    "CACHED_STRING": "String", "EXTERNREF": "JsValue", "UNIT": "()", "NONNULL": "NonNull", "RAW_POINTER": "*const",
    "I64_AS_F64": "isize", "U64_AS_F64": "usize",
}  # fmt: skip
# The words before another type.
AROUND = {
    "REF": "&", "REFMUT": "&mut", "LONGREF": "&", "SLICE": "[]", "VECTOR": "Vec", "OPTIONAL": "Option",
    "NULLABLE": "Option", "RESULT": "Result", "CLAMPED": "Clamped",
}  # fmt: skip
# What follows the words that have a name, in the newest version of wasm-bindgen first: s is a text, n a number.
LAYOUTS = {
    "ENUM": ("snsn", "sn", "sn", "n"),
    "STRING_ENUM": ("snsn", "sn", "sn", "sn"),
    "RUST_STRUCT": ("ss", "s", "s", "s"),
    "NAMED_EXTERNREF": ("s", "s", "s", "s"),
    "CLOSURE": ("nn", "nn", "nnn", "nnn"),
}
VERSIONS = 4
WORDS = re.compile(r"^\s*tys!\s*\{\s*([A-Z0-9_\s]+)\}", re.MULTILINE)
# Places of that list in the sources of wasm-bindgen and of its crate wasm-bindgen-shared.
PLACES = ("src/tys.rs", "src/describe.rs")


@dataclass(frozen=True)
class Descriptor:
    """A Rust type.

    Attributes:
        name: `u8`, `Option`, `Vec`, `enum`, …
        parts: the types inside of it.
        called: the name of an enum or a struct.
    """

    name: str
    parts: "tuple[Descriptor, ...]" = ()
    called: str = ""

    def __str__(self) -> str:
        """The type as Rust writes it, or nearly so."""
        inside = ", ".join(map(str, self.parts))
        if self.name in ("&", "&mut"):
            return f"{self.name} {inside}".replace("& ", "&", 1)
        if self.name == "[]":
            return f"[{inside}]"
        return self.called or (f"{self.name}<{inside}>" if inside else self.name)


@dataclass(frozen=True)
class Signature:
    """What an export takes and gives. A field of a struct is described by its type alone: then `is_field`."""

    params: tuple[Descriptor, ...]
    result: Descriptor
    is_field: bool = False


class Undescribed(Exception):
    """The numbers are in no layout that is known."""


def read_words(*sources: Path) -> tuple[str, ...]:
    """Returns the words of a version of wasm-bindgen, each at the place of its number; empty if they are not found.

    Args:
        sources: the folders of that version's crates.
    """
    for source in sources:
        for place in PLACES:
            try:
                found = WORDS.search((source / place).read_text("utf-8"))
            except OSError:
                continue
            if found:
                return tuple(found[1].split())
    return ()


def decode(numbers: Sequence[int], words: Sequence[str]) -> Signature | None:
    """Returns the signature that an export's numbers stand for, or None if no known layout fits them.

    Args:
        numbers: what the descriptor has told.
        words: those of the version of wasm-bindgen.

    Example:
        >>> decode([15, 0, 1, 1, 33, 33], words)  # FUNCTION, its place, one parameter: U8, and UNIT twice
        Signature(params=(Descriptor('u8'),), result=Descriptor('()'))
    """
    for version in range(VERSIONS):
        reader = _Reader(numbers, words, version)
        try:
            signature = reader.signature()
        except (Undescribed, IndexError, ValueError, OverflowError):
            continue
        if reader.position == len(numbers):
            return signature
    return None


@dataclass
class _Reader:
    numbers: Sequence[int]
    words: Sequence[str]
    version: int
    position: int = field(default=0)

    def number(self) -> int:
        self.position += 1
        return self.numbers[self.position - 1]

    def text(self) -> str:
        return "".join([chr(self.number()) for _ in range(self.number())])

    def signature(self) -> Signature:
        if self.words[self.numbers[0]] == "FUNCTION":
            self.position = 1
            return self.function()
        return Signature((), self.type_(), is_field=True)

    def function(self) -> Signature:
        self.number()  # the place of a closure's code
        params = tuple([self.type_() for _ in range(self.number())])
        self.type_()  # the result as it crosses; that of an async function is a promise in both
        return Signature(params, self.type_())

    def type_(self) -> Descriptor:
        word = self.words[self.number()]
        if word in PLAIN:
            return Descriptor(PLAIN[word])
        if word in AROUND:
            return Descriptor(AROUND[word], (self.type_(),))
        if word == "SEQ_MODE":
            self.number()
            return self.type_()
        if word == "DYNAMIC_UNION":
            called, *_ = self.fields("ssn")
            return Descriptor("enum", tuple([self.type_() for _ in range(self.number())]), str(called))
        if word not in LAYOUTS:
            raise Undescribed(word)
        names = [each for each in self.fields(LAYOUTS[word][self.version]) if isinstance(each, str)]
        if word == "CLOSURE":
            if self.words[self.number()] != "FUNCTION":
                raise Undescribed(word)
            inner = self.function()
            return Descriptor("Fn", (*inner.params, inner.result))
        name = {"RUST_STRUCT": "struct", "NAMED_EXTERNREF": "JsValue"}.get(word, "enum")
        return Descriptor(name, called=names[0] if names else "")

    def fields(self, layout: str) -> list[str | int]:
        return [self.text() if each == "s" else self.number() for each in layout]
