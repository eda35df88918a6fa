"""The lines of source files in which Rust frames stand, from the table that the build hook of unpanic-tools writes."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ["SourceLines"]

# A Wasm frame as V8 and SpiderMonkey write it: the symbol, the number of the function, and the place in the file.
FRAME = re.compile(r"^\s*(?:at )?(.*?)(?: \(|@).*?wasm-function\[(\d+)\]:0x([0-9a-f]+)", re.MULTILINE)
# What the names of functions do not have (js/src/diagnosis/stack.js): the name of the Wasm file, and hashes.
DECORATION = re.compile(r"^[\w-]+\.wasm\.|::h[0-9a-f]{16}$|\[[0-9a-f]{8,16}\]")

CLOSURE = re.compile(r"(?:::\{(?:\{closure\}|closure#\d+)\})+$")

# A file and a line, if they are known.
type Place = tuple[str, int] | tuple[None, None]


def _is_called(symbol: str, name: str) -> bool:
    """Whether a symbol is that of a function that is shown. An export may be shown by its name in Python."""
    return name in (symbol, CLOSURE.sub("", symbol), f"{name.rpartition('.')[0]}.{symbol}")


class SourceLines:
    """The table of one Wasm file, which is read when a crash asks for it.

    Args:
        path: the table.
        deadlines: whether the file that was loaded can be stopped. A table is for the file as it was built, and this
            tells whether it was rewritten since.
    """

    def __init__(self, path: Path, *, deadlines: bool) -> None:
        self._path = path
        self._deadlines = deadlines
        self._files: list[str] = []
        self._functions: dict[str, dict[str, tuple[int, int]]] | None = None

    @classmethod
    def beside(cls, glue: Path | None, *, deadlines: bool) -> "SourceLines | None":
        """Returns the table beside the glue, or None if there is none."""
        path = glue.with_suffix(".lines.json") if glue else None
        return cls(path, deadlines=deadlines) if path and path.is_file() else None

    def places(self, stack: str, names: Sequence[str]) -> list[Place]:
        """Returns where each function stands, innermost first.

        Args:
            stack: the engine's text.
            names: the functions that are shown, which are some of those in the text.
        """
        table = self._read()
        frames = [(DECORATION.sub("", symbol), index, offset) for symbol, index, offset in FRAME.findall(stack)]
        places: list[Place] = []
        position = 0
        for name in names:
            at = next((at for at in range(position, len(frames)) if _is_called(frames[at][0], name)), None)
            if at is None:
                places.append((None, None))
                continue
            position = at + 1
            found = table.get(frames[at][1], {}).get(str(int(frames[at][2], 16)))
            places.append((self._files[found[0]], found[1]) if found else (None, None))
        return places

    def _read(self) -> dict[str, dict[str, tuple[int, int]]]:
        if self._functions is None:
            data = json.loads(self._path.read_text("utf-8"))
            self._files = data["files"]
            self._functions = data["functions"] if data["deadlines"] == self._deadlines else {}
        return self._functions
