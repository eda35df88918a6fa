"""`pytest --pdb` after a failure in Pyodide: a traceback of frames that never ran here.

They have the files and the lines of those in Pyodide, so that `where` and `list` show them, and their variables:
copies of what is plain, and of anything else a stand-in that looks like it and has its attributes.
"""

from types import FrameType, TracebackType
from typing import Any, NoReturn

from .page.plain import decode
from .sources import Sources

__all__ = ["Absent", "make_traceback", "value_of"]


class Absent:
    """Stands for an object that is in Pyodide alone, and looks like it."""

    def __init__(self, shown: str, attributes: dict[str, Any]) -> None:
        vars(self).update(attributes)
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self._shown} was in Pyodide, and only its repr is here: there is no {name!r}.")


def make_traceback(frames: list[dict[str, Any]], sources: Sources) -> TracebackType | None:
    """Returns the traceback of an exception in Pyodide.

    Args:
        frames: from `frames` of `page/frames.py`, the outermost first.
        sources: know the files here.
    """
    entry = None
    for frame in reversed(frames):
        entry = _entry(frame, entry, sources)
    return entry


def _entry(frame: dict[str, Any], following: TracebackType | None, sources: Sources) -> TracebackType:
    path = sources.find(frame["file"])
    first = min(frame["first"], frame["line"])
    # It raises at its line, which is counted from that of `def`.
    code = compile("\n" * (frame["line"] - first) + "raise StopIteration", str(path or frame["file"]), "exec")
    code = code.replace(co_name=frame["name"], co_qualname=frame["name"], co_firstlineno=first)
    known = {name: value_of(value) for name, value in frame["globals"].items()}
    variables = {name: value_of(value) for name, value in frame["locals"].items()}
    if not frame["file"].endswith(".py"):
        variables["__tracebackhide__"] = True  # the debugger begins in a frame of Python, not of Rust
    made, lasti = _run(code, known, variables)
    return TracebackType(following, made, lasti, frame["line"])


def _run(code: Any, known: dict[str, Any], variables: dict[str, Any]) -> tuple[FrameType, int]:
    """Returns the frame of a code that raises, and the place in it."""
    try:
        exec(code, known, variables)
    except StopIteration as error:
        entry = error.__traceback__
        assert entry is not None and entry.tb_next is not None
        return entry.tb_next.tb_frame, entry.tb_next.tb_lasti
    raise AssertionError("the code did not raise")


def value_of(value: dict[str, Any]) -> Any:
    """Returns what `packed` of `page/frames.py` has packed: a copy, or a stand-in."""
    if "copy" in value:
        return decode(value["copy"])
    if "list" in value:
        return [value_of(each) for each in value["list"]]
    if "dict" in value:
        return {name: value_of(each) for name, each in value["dict"].items()}
    return Absent(value["repr"], {name: value_of(each) for name, each in value["attributes"].items()})
