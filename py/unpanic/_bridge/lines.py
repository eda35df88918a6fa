"""The lines of source files in which Rust frames stand, from the table that the build hook of unpanic-tools writes."""

import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["SourceLines"]

# A Wasm frame as V8 and SpiderMonkey write it: the symbol, the number of the function, and the place in the file.
FRAME = re.compile(r"^\s*(?:at )?(.*?)(?: \(|@).*?wasm-function\[(\d+)\]:0x([0-9a-f]+)", re.MULTILINE)
# What the names of functions do not have (js/src/diagnosis/stack.js): the name of the Wasm file, and hashes.
DECORATION = re.compile(r"^[\w-]+\.wasm\.|::h[0-9a-f]{16}$|\[[0-9a-f]{8,16}\]")

# An option of the rewriter (js/src/wasm/rewriting.js).
DEADLINES = 1
CLOSURE = re.compile(r"(?:::\{(?:\{closure\}|closure#\d+)\})+$")

# A file and a line, if they are known.
type Place = tuple[str, int] | tuple[None, None]
# The places of one form of the file, by the number of the function and the offset as engines write them.
type Form = dict[tuple[str, str], tuple[str, int]]


def _is_called(symbol: str, name: str) -> bool:
    """Whether a symbol is that of a function that is shown. An export may be shown by its name in Python."""
    return name in (symbol, CLOSURE.sub("", symbol), f"{name.rpartition('.')[0]}.{symbol}")


def _read_rewriter() -> bytes:
    try:
        return resources.files("unpanic").joinpath("rewriter.wasm").read_bytes()
    except OSError:
        return b""


class SourceLines:
    """The table of one Wasm file, which is read when a crash asks for it.

    The build knows each form into which the file may be rewritten where it is loaded, and where the calls are in it.

    Args:
        path: the table.
        deadlines: whether the file that was loaded can be stopped.
        rewriter: reads the file of the rewriter that is installed.
    """

    def __init__(self, path: Path, *, deadlines: bool, rewriter: Callable[[], bytes] = _read_rewriter) -> None:
        self._path = path
        self._deadlines = deadlines
        self._rewriter = rewriter
        self._forms: list[Form] | None = None

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
        frames = [(DECORATION.sub("", symbol), (index, offset)) for symbol, index, offset in FRAME.findall(stack)]
        form = self._form_of([place for _, place in frames])
        places: list[Place] = []
        position = 0
        for name in names:
            at = next((at for at in range(position, len(frames)) if _is_called(frames[at][0], name)), None)
            if at is None:
                places.append((None, None))
                continue
            position = at + 1
            places.append(form.get(frames[at][1], (None, None)))
        return places

    def _form_of(self, frames: Sequence[tuple[str, str]]) -> Form:
        """Returns the form that runs: code that tracks what it writes, or code that does not, because it runs long.

        In the right one, all frames but the innermost are at a call.
        """
        if self._forms is None:
            self._forms = self._read()
        return max(self._forms, key=lambda form: sum(place in form for place in frames), default={})

    def _read(self) -> list[Form]:
        """Returns the forms that a file may have which can or cannot be stopped."""
        data = json.loads(self._path.read_text("utf-8"))
        is_same = zlib.crc32(self._rewriter()) == data["rewriter"]
        forms = []
        for options, form in data["forms"].items():
            is_made_here = len(data["forms"]) > 1 and int(options) != 0
            if bool(int(options) & DEADLINES) == self._deadlines and (is_same or not is_made_here):
                forms.append(dict(_places(form, data["lines"], data["files"])))
        return forms


def _places(form: dict[str, Any], lines: dict[str, list[tuple[int, int]]], files: list[str]) -> Iterator[Any]:
    """Yields each place of a form, as the engines write it, with its file and its line."""
    for function, calls in form["calls"].items():
        index = str(form["imported"] + int(function))
        for call, (file, line) in zip(calls, lines[function], strict=True):
            begin, size = divmod(call, 16)
            # Engines name the place of a call, or the one after it.
            for offset in (begin, begin + size):
                yield (index, f"{offset:x}"), (files[file], line)
