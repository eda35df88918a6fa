"""The mark of a rewritten Wasm file: a custom section that says what was done to it.

The rewriter writes it (rust/rewriter/src/mark.rs): a byte for the format, a byte for the options, and the SHA-256 of
the original file. A file that can roll back has three numbers of four bytes more: the global that is the stack pointer,
the size of the table of cards, and the pages of memory that a new instance of the original has.
"""

import struct
from dataclasses import dataclass

from .wasm import Reader

__all__ = ["SECTION", "Mark", "Tracked"]

SECTION = "unpanic.rewritten"
CUSTOM = 0
DEADLINES = 1
ROLLBACK = 2
HASH_BYTES = 32
NO_GLOBAL = 0xFFFF_FFFF


@dataclass(frozen=True)
class Tracked:
    """What a runtime has to know of a file that tracks what it writes.

    Attributes:
        stack_pointer: the number of the global that points to the end of the Rust stack; None if that is not sure.
        table_bytes: the size of the table of cards.
        pages: the pages of memory that a new instance of the original has; the table comes after them.
    """

    stack_pointer: int | None
    table_bytes: int
    pages: int

    @classmethod
    def parse(cls, content: bytes) -> "Tracked":
        """Reads the three numbers."""
        stack_pointer, table_bytes, pages = struct.unpack("<3I", content)
        return cls(None if stack_pointer == NO_GLOBAL else stack_pointer, table_bytes, pages)


TRACKED_BYTES = 3 * 4


@dataclass(frozen=True)
class Mark:
    """What the section holds.

    Attributes:
        version: the format of the rewritten code.
        deadlines: whether loops and recursion can be stopped.
        original: the SHA-256 of the file before it was rewritten.
        tracked: what a runtime has to know to undo calls; None if the file does not track what it writes.
    """

    version: int
    deadlines: bool
    original: bytes
    tracked: Tracked | None = None

    @classmethod
    def of(cls, wasm: bytes) -> "Mark | None":
        """Returns the mark of a file, or None if the file has none.

        Raises:
            ValueError: the file is not Wasm, or is damaged before a mark was found, or its mark cannot be read.
        """
        if wasm[:4] != b"\0asm":
            raise ValueError("this is not a Wasm file")
        reader = Reader(wasm, 8)
        try:
            while reader.position < len(wasm):
                section, size = reader.byte(), reader.integer()
                end = reader.position + size
                if section == CUSTOM and reader.name() == SECTION:
                    return cls._parse(wasm[reader.position : end])
                reader.position = end
        except (IndexError, UnicodeDecodeError):
            raise ValueError("this Wasm file is damaged") from None
        return None

    @classmethod
    def _parse(cls, content: bytes) -> "Mark":
        rollback = bool(content[1:2] and content[1] & ROLLBACK)
        size = 2 + HASH_BYTES + (TRACKED_BYTES if rollback else 0)
        if len(content) != size:
            raise ValueError(f"the section {SECTION} has {len(content)} bytes, and should have {size}")
        version, flags, *_ = content
        original, rest = content[2 : 2 + HASH_BYTES], content[2 + HASH_BYTES :]
        return cls(version, bool(flags & DEADLINES), original, Tracked.parse(rest) if rollback else None)
