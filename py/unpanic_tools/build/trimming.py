"""A Wasm file with only those functions that some of its exports need; each other function traps.

What remains compiles in no time, and may be run where the rest could not: engines do not know every proposal that a
file uses, such as the older exceptions of builds that unwind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..wasm import Reader

__all__ = ["exported_functions", "trim"]

IMPORTS, EXPORTS, CODE = 2, 7, 10
FUNCTION = 0
CALL = 0x10
# The body of a function that traps: no locals, `unreachable`, `end`.
TRAP = b"\x00\x00\x0b"
# The instructions that simple functions consist of, by what follows them: so many integers, or as many bytes.
INTEGERS = {
    **dict.fromkeys((0x00, 0x01, 0x05, 0x0B, 0x0F, 0x1A, 0x1B), 0),  # unreachable, nop, else, end, return, drop, select
    **dict.fromkeys((0x02, 0x03, 0x04), 1),  # block, loop, if: the type of the block
    **dict.fromkeys((0x0C, 0x0D, CALL), 1),  # br, br_if
    0x11: 2,  # call_indirect
    **dict.fromkeys(range(0x20, 0x27), 1),  # variables and tables
    **dict.fromkeys(range(0x28, 0x3F), 2),  # loads and stores: alignment, offset
    **dict.fromkeys((0x3F, 0x40), 1),  # memory.size, memory.grow
    **dict.fromkeys((0x41, 0x42), 1),  # constants
    **dict.fromkeys(range(0x45, 0xC5), 0),  # arithmetic
}
BYTES = {0x43: 4, 0x44: 8}  # constants of floats


def trim(wasm: bytes, is_needed: Callable[[str], bool]) -> bytes:
    """Returns the file with those functions alone that some exports need.

    Args:
        wasm: a Wasm file.
        is_needed: whether the export of this name is needed.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        return _Trimming(wasm).trim(is_needed)
    except (IndexError, UnicodeDecodeError):
        raise ValueError("this Wasm file is damaged") from None


def exported_functions(wasm: bytes) -> dict[str, int]:
    """Returns the number of each exported function. Two exports may be one function."""
    trimming = _Trimming(wasm)
    trimming.read()
    return trimming.exports


@dataclass
class _Trimming:
    wasm: bytes
    imported: int = 0
    exports: dict[str, int] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)

    def trim(self, is_needed: Callable[[str], bool]) -> bytes:
        self.read()
        needed = self._closure(index for name, index in self.exports.items() if is_needed(name))
        parts = [self.wasm[:8]]
        for section, start, end in self._sections():
            if section == CODE:
                bodies = [body if index in needed else TRAP for index, body in enumerate(self.bodies, self.imported)]
                content = _integer(len(bodies)) + b"".join(_integer(len(body)) + body for body in bodies)
                parts.append(bytes([CODE]) + _integer(len(content)) + content)
            elif section != 0:  # custom sections may be large, and describe what is gone
                parts.append(bytes([section]) + _integer(end - start) + self.wasm[start:end])
        return b"".join(parts)

    def _sections(self) -> Iterator[tuple[int, int, int]]:
        """Yields the number of each section, and where its content begins and ends."""
        reader = Reader(self.wasm, 8)
        while reader.position < len(self.wasm):
            section, size = reader.byte(), reader.integer()
            if reader.position + size > len(self.wasm):
                raise IndexError(f"section {section} has no end")
            yield section, reader.position, reader.position + size
            reader.position += size

    def read(self) -> None:
        for section, start, _ in self._sections():
            reader = Reader(self.wasm, start)
            if section == IMPORTS:
                self.imported = sum(reader.imported() is not None for _ in range(reader.integer()))
            elif section == EXPORTS:
                for _ in range(reader.integer()):
                    name, kind, index = reader.name(), reader.byte(), reader.integer()
                    if kind == FUNCTION:
                        self.exports[name] = index
            elif section == CODE:
                for _ in range(reader.integer()):
                    size = reader.integer()
                    self.bodies.append(self.wasm[reader.position : reader.position + size])
                    reader.position += size

    def _closure(self, roots: Iterator[int]) -> set[int]:
        """Returns the functions that some need, with these; a function that is not simple is needed by nobody."""
        needed: set[int] = set()
        todo = list(roots)
        while todo:
            index = todo.pop()
            if index < self.imported or index in needed:
                continue
            calls = _calls(self.bodies[index - self.imported])
            if calls is not None:
                needed.add(index)
                todo += calls
        return needed


def _calls(body: bytes) -> list[int] | None:
    """Returns the functions that a function calls, or None if it has instructions that simple functions do not have."""
    reader = Reader(body, 0)
    for _ in range(reader.integer()):
        reader.integer()
        reader.value_type()
    calls = []
    while reader.position < len(body):
        instruction = reader.byte()
        if instruction in BYTES:
            reader.position += BYTES[instruction]
            continue
        if instruction not in INTEGERS:
            return None
        numbers = [reader.integer() for _ in range(INTEGERS[instruction])]
        if instruction == CALL:
            calls.append(numbers[0])
    return calls


def _integer(value: int) -> bytes:
    """A number as LEB128."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
