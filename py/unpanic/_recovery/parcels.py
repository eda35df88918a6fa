"""States as bytes, which can be kept in a file and come back in another page load.

The bytes are a magic word, a version, the SHA-256 of what follows, and, compressed, a header as JSON and the memory.
The header names the Wasm file by the hash of the original and how it was rewritten: a state means nothing to another
file.
"""

import hashlib
import json
import struct
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["CAPSULE", "STATE", "Parcel"]

# What the bytes hold: a state; or a state and the call that crashed in it.
STATE, CAPSULE = "state", "capsule"
MAGIC = b"unpanic\0"
VERSION = 1
HASH = hashlib.sha256().digest_size
START = len(MAGIC) + 1 + HASH
LENGTH = struct.Struct("<I")
NAMES = {STATE: "a checkpoint", CAPSULE: "a capsule"}


@dataclass(frozen=True)
class Parcel:
    """A state that travels.

    Attributes:
        kind: `STATE` or `CAPSULE`.
        module: the name of the module.
        fingerprint: says which Wasm file it is a state of, and how that was rewritten.
        rest: all but the memory, as the runtime writes it.
        memory: the memory.
        call: of a capsule the name of the function and its arguments.
    """

    kind: str
    module: str
    fingerprint: str
    rest: str
    memory: bytes = field(repr=False)
    call: list[Any] | None = None

    def __bytes__(self) -> bytes:
        header = asdict(self)
        del header["memory"]
        text = json.dumps(header).encode()
        content = zlib.compress(LENGTH.pack(len(text)) + text + self.memory)
        return MAGIC + bytes((VERSION,)) + hashlib.sha256(content).digest() + content

    @classmethod
    def of(cls, data: bytes, kind: str) -> "Parcel":
        """Reads a parcel.

        Raises:
            ValueError: the bytes are something else, or damaged.
        """
        if data[: len(MAGIC)] != MAGIC:
            raise ValueError(f"These {len(data)} bytes are not {NAMES[kind]} of unpanic: they begin with {data[:8]!r}.")
        if data[len(MAGIC)] != VERSION if len(data) > len(MAGIC) else True:
            raise ValueError(f"These bytes are of another version of unpanic; this one reads only format {VERSION}.")
        content = data[START:]
        if hashlib.sha256(content).digest() != data[len(MAGIC) + 1 : START]:
            raise ValueError("These bytes are damaged: their hash is not the one that they carry.")
        unpacked = zlib.decompress(content)
        (length,) = LENGTH.unpack_from(unpacked)
        header = json.loads(unpacked[LENGTH.size : LENGTH.size + length])
        if header["kind"] != kind:
            raise ValueError(f"These bytes are {NAMES[header['kind']]}, not {NAMES[kind]}.")
        return cls(**header, memory=unpacked[LENGTH.size + length :])

    def ensure_fits(self, module: str, fingerprint: str) -> None:
        """Raises `ValueError` if it is a state of another Wasm file."""
        if self.fingerprint != fingerprint:
            raise ValueError(
                f"This is a state of {self.module} as of another Wasm file, or as rewritten by another version or "
                f"for other options, which means nothing to {module}."
            )
