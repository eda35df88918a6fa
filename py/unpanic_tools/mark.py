"""The mark of a rewritten Wasm file: a custom section that says what was done to it.

The rewriter writes it (rust/rewriter/src/mark.rs): a byte for the format, a byte for the options, and the SHA-256 of
the original file.
"""

from dataclasses import dataclass

from .wasm import Reader

__all__ = ["SECTION", "Mark"]

SECTION = "unpanic.rewritten"
CUSTOM = 0
DEADLINES = 1
HASH_BYTES = 32


@dataclass(frozen=True)
class Mark:
    """What the section holds.

    Attributes:
        version: the format of the rewritten code.
        deadlines: whether loops and recursion can be stopped.
        original: the SHA-256 of the file before it was rewritten.
    """

    version: int
    deadlines: bool
    original: bytes

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
        if len(content) != 2 + HASH_BYTES:
            raise ValueError(f"the section {SECTION} has {len(content)} bytes, and should have {2 + HASH_BYTES}")
        version, flags, *_ = content
        return cls(version, bool(flags & DEADLINES), content[2:])
