"""From what the runtime says of a crash to the exception that a user sees."""

from collections.abc import Sequence
from typing import Any

from .errors import Crash, ForeignException, Location, OutOfMemory, RustPanic, StackOverflow, Trap

__all__ = ["make_crash"]

KINDS: dict[str, type[Crash]] = {
    cls.kind: cls for cls in (RustPanic, Trap, StackOverflow, OutOfMemory, ForeignException)
}


def make_crash(diagnosis: Sequence[Any], **details: Any) -> Crash:
    """The exception for a crash.

    Args:
        diagnosis: kind, code, message, payload, file, line, column, stack and cause, as the
            runtime hands them over (`flatten` in js/src/python.js).
        details: what else the exception takes, see `Crash`.
    """
    kind, code, message, payload, file, line, column, stack, cause = diagnosis
    details["stack"] = stack
    if kind == "panic":
        details["location"] = Location(file, line, column) if file else None
        details["payload"] = payload or ""
    elif kind == "trap":
        details["code"] = code
    crash = KINDS[kind](message, **details)
    if isinstance(cause, BaseException):
        crash.__cause__ = cause
    return crash
