"""Problems that end the command with one line, and reading and writing files so that each has such a line."""

import sys
from importlib import resources
from pathlib import Path

__all__ = ["REWRITER", "WASM", "CommandError", "read_asset", "read_wasm", "write_file"]

WASM = b"\0asm"
# The rewriter's name in the wheel.
REWRITER = "rewriter.wasm"


class CommandError(Exception):
    """The command cannot go on; the message says why and what to do.

    Attributes:
        is_told: whether the user has read the message already, as the last line of a build.
        output: what led to it, such as the errors of a compiler.
    """

    def __init__(self, message: str, *, is_told: bool = False, output: str = "") -> None:
        super().__init__(message)
        self.is_told = is_told
        self.output = output

    def tell(self) -> None:
        """Prints the message, unless the user has read it."""
        if not self.is_told:
            print(f"unpanic: {self}", file=sys.stderr, flush=True)


def read_asset(name: str) -> bytes:
    """Reads a built file of the wheel `unpanic`."""
    asset = resources.files("unpanic").joinpath(name)
    if not asset.is_file():
        raise CommandError(f"this unpanic has no {name}: install the wheel that `make dist` builds.")
    return asset.read_bytes()


def read_wasm(path: Path) -> bytes:
    """Reads a Wasm file."""
    try:
        wasm = path.read_bytes()
    except FileNotFoundError:
        raise CommandError(f"{path} is not there.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from None
    if wasm[:4] != WASM:
        raise CommandError(f"{path} is not a Wasm file. wasm-bindgen writes one beside the glue: bank_bg.wasm.")
    return wasm


def write_file(path: Path, content: bytes | str, remedy: str = "") -> None:
    """Writes a file.

    Args:
        path: where.
        content: bytes, or text that is written as UTF-8.
        remedy: what to do if that fails, as a sentence.
    """
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}. {remedy}".rstrip()) from None
