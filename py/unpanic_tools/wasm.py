"""The signatures of a Wasm file's exports, and which of their numbers a parameter is.

TypeScript's `number` is an integer or a float in Rust; the Wasm type tells which, once it
is known at which places of the signature wasm-bindgen passes the parameter.

Section layout: https://webassembly.github.io/spec/core/binary/modules.html
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from unpanic._bridge import kinds
from unpanic._bridge.kinds import Kind
from unpanic._declarations.model import Array, Literal, Name, Other, Parameter, Type, Union
from unpanic._declarations.resolve import is_optional, may_be_absent

__all__ = ["Signatures", "WasmSignature", "parameter_kinds", "result_kind"]

VALUES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128", 0x70: "funcref", 0x6F: "ref"}
MOST_CHOICES = 4_000


@dataclass(frozen=True)
class WasmSignature:
    """The type of a Wasm function, as names of value types."""

    params: tuple[str, ...]
    results: tuple[str, ...]


class Signatures(dict[str, WasmSignature]):
    """The signatures of the exported functions of a Wasm file, by name."""

    @classmethod
    def of(cls, path: Path) -> "Signatures":
        """Reads them from a file; of one that is damaged, what comes before the damage."""
        found = cls()
        with suppress(IndexError, UnicodeDecodeError):
            found._read(path.read_bytes())
        return found

    def _read(self, data: bytes) -> None:
        if data[:4] != b"\0asm":
            return
        types: list[WasmSignature] = []
        functions: list[int] = []  # the type of each, imported ones first
        position = 8
        while position < len(data):
            section = data[position]
            reader = Reader(data, position + 1)
            size = reader.integer()
            position = reader.position + size
            if section == 1:
                types = [reader.function_type() for _ in range(reader.integer())]
            elif section == 2:
                functions += [index for _ in range(reader.integer()) if (index := reader.imported()) is not None]
            elif section == 3:
                functions += [reader.integer() for _ in range(reader.integer())]
            elif section == 7:
                for _ in range(reader.integer()):
                    name, kind, index = reader.name(), reader.byte(), reader.integer()
                    if kind == 0:
                        self[name] = types[functions[index]]
                return


class Reader:
    """Reads on from a place in a Wasm file."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position

    def byte(self) -> int:
        self.position += 1
        return self.data[self.position - 1]

    def integer(self) -> int:
        """An unsigned LEB128 number."""
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    def name(self) -> str:
        length = self.integer()
        self.position += length
        return self.data[self.position - length : self.position].decode()

    def value_type(self) -> str:
        code = self.byte()
        if code in (0x63, 0x64):  # a reference to a heap type, which follows
            self.integer()
            return "ref"
        return VALUES.get(code, "other")

    def function_type(self) -> WasmSignature:
        self.byte()
        params = tuple(self.value_type() for _ in range(self.integer()))
        return WasmSignature(params, tuple(self.value_type() for _ in range(self.integer())))

    def limits(self) -> None:
        flags = self.byte()
        self.integer()
        if flags & 1:
            self.integer()

    def imported(self) -> int | None:
        """The type of an imported function; None for what is no function."""
        self.name()
        self.name()
        kind = self.byte()
        if kind == 0:
            return self.integer()
        if kind == 1:
            self.value_type()
            self.limits()
        elif kind == 2:
            self.limits()
        elif kind == 3:
            self.value_type()
            self.byte()
        else:
            self.byte()
            self.integer()
        return None


def parameter_kinds(
    params: Sequence[Parameter], signature: WasmSignature | None, *, method: bool, own: frozenset[str] = frozenset()
) -> list[Kind | None]:
    """Returns the kind of each parameter: `i32` or `float` for a number, None where nothing tells.

    Args:
        params: what TypeScript declares.
        signature: what the Wasm file exports for it.
        method: the object comes first.
        own: the classes and enums of the module, which cross as one integer.
    """
    names: list[set[str]] = [set() for _ in params]
    slots = signature.params if signature else ()
    # A place for the result may come before everything else.
    fits: list[tuple[int, list[Slots]]] = []
    for first in (int(method), int(method) + 1):
        if not fits and slots[:first] == ("i32",) * first:
            fits = list(_fits(params, slots[first:], own, [MOST_CHOICES]))
    least = min((rare for rare, _ in fits), default=0)
    for choice in (choice for rare, choice in fits if rare == least):
        for possible, param, taken in zip(names, params, choice, strict=True):
            possible.add(_number_kind(param, taken))
    return [
        Kind(*possible) if len(possible) == 1 and _is_number(param.type) else None
        for param, possible in zip(params, names, strict=True)
    ]


def _number_kind(param: Parameter, taken: tuple[str, ...]) -> str:
    if taken == ("f64",) and is_optional(param):
        return kinds.I32  # one that is left out is a float that no 32-bit integer is
    return kinds.FLOAT if taken[-1] in ("f32", "f64") else kinds.I32


def result_kind(result: Type, signature: WasmSignature | None) -> Kind | None:
    """Returns `i32` or `float` for a number, None where nothing tells."""
    if signature is None or not signature.results or not _is_number(result):
        return None
    results = signature.results
    if may_be_absent(result):
        # An absent 32-bit integer is a float that none is; of an absent float, a flag tells.
        if results[0] == "f64":
            return Kind(kinds.I32)
        return Kind(kinds.FLOAT) if len(results) > 1 and results[1] in ("f32", "f64") else None
    return Kind(kinds.FLOAT if results[0] in ("f32", "f64") else kinds.I32)


type Slots = tuple[str, ...]


def _fits(
    params: Sequence[Parameter], slots: Slots, own: frozenset[str], budget: list[int]
) -> Iterator[tuple[int, list[Slots]]]:
    """The ways to spread all slots over the parameters, each with how many of them are rare."""
    if not params:
        if not slots:
            yield 0, []
        return
    usual, rare = _patterns(params[0], own)
    for pattern in (*usual, *rare):
        budget[0] -= 1
        if budget[0] < 0:
            return
        if slots[: len(pattern)] == pattern:
            for count, rest in _fits(params[1:], slots[len(pattern) :], own, budget):
                yield count + (pattern in rare), [pattern, *rest]


def _patterns(param: Parameter, own: frozenset[str]) -> tuple[list[Slots], list[Slots]]:
    """The Wasm types by which a parameter crosses, and those by which it rarely does."""
    optional = is_optional(param)
    one, two, ref = ("i32",), ("i32", "i32"), ("ref",)
    flag: Slots = one if optional else ()
    match _plain(param.type):
        case Name("number"):
            plain: list[Slots] = [(*flag, "i32"), (*flag, "f64"), (*flag, "f32")]
            return ([*plain, ("f64",)] if optional else plain), []
        case Name("bigint"):
            return [(*flag, "i64"), (*flag, "i64", "i64")], [(*flag, *two)]
        case Name("boolean") | Literal(bool()):
            return [one], []
        case Name("string"):
            return [two], [one, ref]  # a char, a JavaScript string
        case Name(name) if name in own:
            return [one], []
        case Name(name) if name.endswith("Array"):
            return [two], [(*two, "i32"), (*two, "ref"), one, ref]  # a mutable slice, a JavaScript array
        case Array():
            return [two], [one, ref]
        case _:
            return [ref, one], [two]  # a JavaScript value; a string with a type of its own


def _plain(found: Type) -> Type:
    """A type without undefined and null."""
    if isinstance(found, Union):
        items = [item for item in found.items if item not in (Name("undefined"), Name("null"))]
        return items[0] if len(items) == 1 else Union(tuple(items))
    if isinstance(found, Other) and len(found.among) == 1:
        return found.among[0]
    return found


def _is_number(found: Type) -> bool:
    return _plain(found) == Name("number")
