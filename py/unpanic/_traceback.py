"""One traceback from the user's code into Rust.

A crash begins its traceback with one entry that stands for Rust and has the place of the panic. Python puts the entries
of its own frames before that one while the exception flies. A reader of `__traceback__` gets all Rust frames instead of
the one entry: to read the stack text at once would make every crash a sixth slower. An entry needs a frame, and a frame
needs a code object. Both are made from a template, carry the Rust function's name, file and line, and never run.
"""

import functools
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["GENERATED", "OWN_FILES", "make_entries", "merge", "render_for_ipython", "show_everywhere", "stand_in"]

# The stack at the end of a deep recursion is too long to read: this many frames are shown at each end.
INNERMOST = 40
OUTERMOST = 10

# A function that unpanic makes from source text says that it is in a file whose name begins like this.
GENERATED = "<unpanic "
# How the file names of unpanic's own frames begin: its files, and the code that it generates.
OWN_FILES = (f"{Path(__file__).parent}/", GENERATED)
# Pyodide's frames below a user's script: `runPythonAsync` has two.
PYODIDE_FILES = re.compile(r"/python3[\d.]+(?:\.zip)?/_?pyodide/")
# IPython's text for frames whose source it does not find.
NO_SOURCE = "'Could not get source,"
NO_LINE = re.compile(r"(<(?:Rust module|unpanic) [^>]*>)(?::|, line )0")


# It is on one line, so that every place in its code is at its first line.
def _template() -> Iterator[None]: yield  # fmt: skip


type Frame = tuple[str, str | None, int | None]


@functools.lru_cache(maxsize=200)
def stand_in(module: str, call: str, file: str | None, line: int | None) -> types.TracebackType:
    """Returns the entry of a call, with the place where it panicked if that is known."""
    return _make_entry(None, (f"{module}.{call}" if call else module, file, line), module)


@functools.lru_cache(maxsize=200)
def make_entries(frames: tuple[Frame, ...], module: str) -> types.TracebackType | None:
    """Returns the traceback entries of Rust frames, which are the same objects for the same frames.

    Args:
        frames: the function, the file and the line of each frame, innermost first.
        module: the module's name, which stands for a file that is not known.

    Returns:
        The outermost entry, with which a traceback begins.
    """
    entry = None
    for frame in _readable(frames):
        entry = _make_entry(entry, frame, module)
    return entry


def _readable(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    left_out = len(frames) - INNERMOST - OUTERMOST
    if left_out <= 1:
        return frames
    return (*frames[:INNERMOST], (f"[{left_out} more frames]", None, None), *frames[-OUTERMOST:])


def _make_entry(following: types.TracebackType | None, frame: Frame, module: str) -> types.TracebackType:
    function, file, line = frame
    python_frame = _make_frame(function, file or f"<Rust module {module}>", line or 0)
    return types.TracebackType(following, python_frame, -1, line or 0)


def _make_frame(function: str, file: str, line: int) -> types.FrameType:
    """Returns the frame of a generator: unlike the frame of a function it has no caller that it would keep alive."""
    code = _template.__code__.replace(co_name=function, co_qualname=function, co_filename=file, co_firstlineno=line)
    frame: types.FrameType = types.FunctionType(code, {"__name__": "rust"})().gi_frame
    return frame


def merge(
    entry: types.TracebackType | None,
    stand_in: types.TracebackType | None = None,
    rust: types.TracebackType | None = None,
) -> types.TracebackType | None:
    """Takes the entries of unpanic's own frames out of a traceback, and puts those of Rust frames in.

    Args:
        entry: the outermost entry.
        stand_in: the one entry that stands for Rust.
        rust: the entries that take its place; if it is not there, they come last.

    Returns:
        The outermost entry that is left. The entries after it were changed in place.
    """

    def shown(entry: types.TracebackType | None) -> types.TracebackType | None:
        while entry is not None and entry.tb_frame.f_code.co_filename.startswith(OWN_FILES):
            entry = entry.tb_next
        # A future that is awaited once more has lost the traceback, and with it the entry that stands for Rust.
        return rust if entry is None or entry is stand_in else entry

    outermost = entry = shown(entry)
    while entry is not rust and entry is not None:
        following = shown(entry.tb_next)
        if following is not entry.tb_next:
            entry.tb_next = following
        entry = following
    return outermost


def show_everywhere(base: type[BaseException], whole: Callable[[Any, types.TracebackType], Any]) -> None:
    """Has Python show the whole traceback of errors also where it does not read their `__traceback__`.

    Pyodide takes the traceback of an uncaught exception from the interpreter, and so do `logging`, `sys.excepthook` and
    asyncio. All of them print through one class of the standard library.

    Args:
        base: the class of the errors.
        whole: returns the traceback to show for an error, given the interpreter's.
    """
    formatter: Any = traceback.TracebackException
    begin = formatter.__init__

    @functools.wraps(begin)
    def begin_whole(self: Any, exc_type: Any, exc_value: Any, exc_traceback: Any, **options: Any) -> None:
        if exc_traceback is not None and isinstance(exc_value, base):
            exc_traceback = _without_pyodide(whole(exc_value, exc_traceback))
        begin(self, exc_type, exc_value, exc_traceback, **options)

    formatter.__init__ = begin_whole


def _without_pyodide(entry: types.TracebackType | None) -> types.TracebackType | None:
    while entry is not None and PYODIDE_FILES.search(entry.tb_frame.f_code.co_filename):
        entry = entry.tb_next
    return entry


def render_for_ipython(error: BaseException) -> list[str]:
    """Returns the lines that IPython shows for an error, without its remarks about the source of Rust frames."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return traceback.format_exception(error)
    shown = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
    lines = "\n".join(shown).split("\n")
    return [NO_LINE.sub(r"\1", line) for line in lines if NO_SOURCE not in line]
