"""A Wasm file with only those functions that some of its exports need; each other function traps.

What remains compiles in no time, and may be run where the rest could not: engines do not know every proposal that a
file uses, such as the older exceptions of builds that unwind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..wasm import Reader
from .instructions import UnknownInstruction, calls

__all__ = ["Functions", "exported_functions", "trim"]

IMPORTS, EXPORTS, CODE = 2, 7, 10
FUNCTION = 0
# The body of a function that traps: no locals, `unreachable`, `end`.
TRAP = b"\x00\x00\x0b"


def trim(wasm: bytes, is_needed: Callable[[str], bool]) -> bytes:
    """Returns the file with those functions alone that some exports need.

    Args:
        wasm: a Wasm file.
        is_needed: whether the export of this name is needed.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        return Functions(wasm).trim(is_needed)
    except (IndexError, UnicodeDecodeError):
        raise ValueError("this Wasm file is damaged") from None


def exported_functions(wasm: bytes) -> dict[str, int]:
    """Returns the number of each exported function. Two exports may be one function."""
    trimming = Functions(wasm)
    trimming.read()
    return trimming.exports


@dataclass
class Functions:
    """The functions of a Wasm file, once it was read.

    Attributes:
        wasm: the file.
        imported: how many functions are imported.
        exports: the number of each exported function.
        bodies: the bodies of the others.
        starts: where each of them is in the file.
        code: where the content of the code section begins.
    """

    wasm: bytes
    imported: int = 0
    exports: dict[str, int] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    code: int = 0

    def trim(self, is_needed: Callable[[str], bool]) -> bytes:
        """See the function `trim`."""
        self.read()
        needed = self._closure(index for name, index in self.exports.items() if is_needed(name))
        parts = [self.wasm[:8]]
        for section, start, end in self.sections():
            if section == CODE:
                bodies = [body if index in needed else TRAP for index, body in enumerate(self.bodies, self.imported)]
                content = _integer(len(bodies)) + b"".join(_integer(len(body)) + body for body in bodies)
                parts.append(bytes([CODE]) + _integer(len(content)) + content)
            elif section != 0:  # custom sections may be large, and describe what is gone
                parts.append(bytes([section]) + _integer(end - start) + self.wasm[start:end])
        return b"".join(parts)

    def sections(self) -> Iterator[tuple[int, int, int]]:
        """Yields the number of each section, and where its content begins and ends."""
        reader = Reader(self.wasm, 8)
        while reader.position < len(self.wasm):
            section, size = reader.byte(), reader.integer()
            if reader.position + size > len(self.wasm):
                raise IndexError(f"section {section} has no end")
            yield section, reader.position, reader.position + size
            reader.position += size

    def read(self) -> None:
        """Reads the file.

        Raises:
            IndexError: it is damaged.
            UnicodeDecodeError: likewise.
        """
        for section, start, _ in self.sections():
            reader = Reader(self.wasm, start)
            if section == IMPORTS:
                self.imported = sum(reader.imported() is not None for _ in range(reader.integer()))
            elif section == EXPORTS:
                for _ in range(reader.integer()):
                    name, kind, index = reader.name(), reader.byte(), reader.integer()
                    if kind == FUNCTION:
                        self.exports[name] = index
            elif section == CODE:
                self.code = start
                for _ in range(reader.integer()):
                    size = reader.integer()
                    self.starts.append(reader.position)
                    self.bodies.append(self.wasm[reader.position : reader.position + size])
                    reader.position += size

    def _closure(self, roots: Iterator[int]) -> set[int]:
        """Returns the functions that some need, with these; one whose calls cannot be told is left out."""
        needed: set[int] = set()
        todo = list(roots)
        while todo:
            index = todo.pop()
            if index < self.imported or index in needed:
                continue
            called = _calls(self.bodies[index - self.imported])
            if called is not None:
                needed.add(index)
                todo += called
        return needed


def _calls(body: bytes) -> list[int] | None:
    """Returns the functions that a function calls, or None if it has instructions that are not known."""
    try:
        return [target for _, _, target in calls(body, exceptions=False) if target is not None]
    except UnknownInstruction:
        return None


def _integer(value: int) -> bytes:
    """A number as LEB128."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
