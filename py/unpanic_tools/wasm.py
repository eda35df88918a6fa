"""The signatures of a Wasm file's exports.

Section layout: https://webassembly.github.io/spec/core/binary/modules.html
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Signatures", "WasmSignature"]

VALUES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128", 0x70: "funcref", 0x6F: "ref"}


@dataclass(frozen=True)
class WasmSignature:
    """The type of a Wasm function, as names of value types."""

    params: tuple[str, ...]
    results: tuple[str, ...]


class Signatures(dict[str, WasmSignature]):
    """The signatures of the exported functions of a Wasm file, by name."""

    @classmethod
    def of(cls, path: Path) -> "Signatures":
        """Reads the signatures of a file; from a damaged file, those before the damage."""
        signatures = cls()
        with suppress(IndexError, UnicodeDecodeError):
            signatures._read(path.read_bytes())
        return signatures

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
    """Reads a Wasm file from a place on."""

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
        """The type of an imported function; None for an import of another kind."""
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
