"""Memories and globals that a Wasm file without glue exports.

Each stands for the export of the generation that lives when it is used, as functions do. After a reset it shows the
memory of the new instance. What it gives are copies, so nothing that the user holds becomes stale.
"""

import operator
from collections.abc import Iterator
from typing import Any

from .._bridge.context import Context
from .._values.imports import FLOATS, VALUE_KINDS
from .._values.numbers import SENDERS

__all__ = ["WasmGlobal", "WasmMemory"]

MOST_PAGES = 2**16


class WasmMemory:
    """The memory of a module, byte by byte, as a writable `memoryview` of format `B` has it.

    `memory[8:12]` is a copy as `bytes`, `memory[8:12] = b"..."` writes, and `len(memory)` is its size now. What is
    written while a call runs is undone with the call, if that is rolled back.

    Args:
        context: that of the module.
        name: the name of the export.
    """

    __slots__ = ("_context", "_name")

    format = "B"
    itemsize = 1
    readonly = False

    def __init__(self, context: Context, name: str) -> None:
        self._context = context
        self._name = name

    def __len__(self) -> int:
        return self._context.driver.memoryLength(self._name)

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return len(self)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, slice):
            at = self._index(key)
            return self._read(at, at + 1)[0]
        places = range(*key.indices(len(self)))
        lowest, highest = _bounds(places)
        part = self._read(lowest, highest)
        return part[:: places.step] if places.step != 1 else part

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, slice):
            self._write(self._index(key), bytes([_byte(value)]))
            return
        data = memoryview(value).tobytes()
        places = range(*key.indices(len(self)))
        if len(data) != len(places):
            raise ValueError(f"a part of {len(places):,} bytes cannot be set to {len(data):,} bytes")
        lowest, highest = _bounds(places)
        if places.step != 1:
            part = bytearray(self._read(lowest, highest))
            part[:: places.step] = data
            data = bytes(part)
        self._write(lowest, data)

    def __iter__(self) -> Iterator[int]:
        return iter(bytes(self))

    def __bytes__(self) -> bytes:
        return self._read(0, len(self))

    def tobytes(self) -> bytes:
        """A copy of all of it."""
        return bytes(self)

    def grow(self, pages: int) -> int:
        """Makes it larger by so many pages of 64 KiB. Returns the number of the first new page.

        Raises:
            MemoryError: it cannot become that large.
        """
        pages = operator.index(pages)
        if pages < 0:
            raise ValueError(f"a memory cannot shrink, so grow takes no {pages}")
        before = self._context.driver.growMemory(self._name, min(pages, MOST_PAGES + 1))
        if before < 0:
            raise MemoryError(f"{self._path} cannot grow by {pages:,} pages of 64 KiB")
        return before

    def __repr__(self) -> str:
        return f"<Wasm memory {self._path}>"

    @property
    def _path(self) -> str:
        return f"{self._context.name}.{self._name}"

    def _index(self, key: Any) -> int:
        at, length = operator.index(key), len(self)
        if not -length <= at < length:
            raise IndexError(f"{self._path} has {length:,} bytes, so there is none at {at:,}")
        return at % length

    def _read(self, start: int, stop: int) -> bytes:
        if stop <= start:
            return b""
        part = self._context.driver.readMemory(self._name, start, stop)
        return bytes(self._context.browser.from_typed_array(part, "Uint8Array"))

    def _write(self, at: int, data: bytes) -> None:
        if not data:
            return
        if not self._context.driver.writeMemory(self._name, at, self._context.browser.to_typed_array(data)):
            raise IndexError(
                f"{self._path} cannot be written at {at:,} to {at + len(data):,}: unpanic keeps there what rollback "
                "needs. Write to memory that the module has allocated."
            )


def _bounds(places: range) -> tuple[int, int]:
    """The lowest place, and the one after the highest."""
    return (min(places[0], places[-1]), max(places[0], places[-1]) + 1) if places else (0, 0)


def _byte(value: Any) -> int:
    number = operator.index(value)
    if not 0 <= number <= 255:
        raise ValueError(f"{number} is no byte (0 to 255)")
    return number


class WasmGlobal:
    """A global of a module; `value` is what it holds now, and can be set if the module has made it mutable.

    Attributes:
        type: its type in Wasm, such as `i32`.
        mutable: whether it can be set.

    Args:
        context: that of the module.
        name: the name of the export.
        type_: its type in Wasm.
        is_mutable: whether it can be set.
    """

    __slots__ = ("_context", "_name", "mutable", "type")

    def __init__(self, context: Context, name: str, type_: str, *, is_mutable: bool) -> None:
        self._context = context
        self._name = name
        self.type = type_
        self.mutable = is_mutable

    @property
    def value(self) -> int | float:
        """What it holds in the generation that lives."""
        value = self._context.driver.readGlobal(self._name)
        return float(value) if self.type in FLOATS else int(value)

    @value.setter
    def value(self, value: Any) -> None:
        path = f"{self._context.name}.{self._name}"
        if not self.mutable:
            raise AttributeError(f"{path} is a constant of the module: it cannot be set")
        try:
            number = SENDERS[VALUE_KINDS[self.type]](value)
        except (TypeError, OverflowError) as error:
            error.add_note(f"for {path}, a global of type {self.type}")
            raise
        self._context.driver.writeGlobal(self._name, number)

    def __repr__(self) -> str:
        return f"<Wasm global {self._context.name}.{self._name} of type {self.type}>"
