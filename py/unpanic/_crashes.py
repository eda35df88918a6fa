"""From what the runtime says of a crash to the exception that a user sees."""

from collections.abc import Sequence
from typing import Any

from ._traceback import merge, stand_in
from .errors import (
    Crash,
    ForeignException,
    Location,
    OutOfMemory,
    RustPanic,
    StackOverflow,
    StaleObjectError,
    Trap,
    UnpanicError,
)

__all__ = ["make_crash", "make_stale", "moved_into", "without_null_pointer", "without_own_frames"]

FREED = "freed"
# The code of a crash in which Rust met an object that was freed or moved (js/src/diagnosis.js).
NULL_POINTER = "null_pointer"

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
        crash.__cause__ = without_own_frames(cause)
    crash.begin_traceback(stand_in(crash.module, crash.call, file, line))
    return crash


def without_own_frames(error: BaseException) -> BaseException:
    """What flies through unpanic, without the frames of that: what a callback raised, what a parameter refuses."""
    found: BaseException | None = error
    for _ in range(10):  # what led to it, as far as anybody reads
        if found is None:
            break
        if not isinstance(found, UnpanicError):  # which does it when it is looked at
            found.__traceback__ = merge(found.__traceback__)
        found = found.__cause__ or found.__context__
    return error


def make_stale(module: str, class_name: str, consumer: str, call: str) -> StaleObjectError:
    """The exception for an object that was freed, or moved into a call.

    Args:
        module: the module's name.
        class_name: the object's class.
        consumer: what the object was moved into; empty if it was freed.
        call: what it was used in.
    """
    fate = moved_into(consumer) if consumer else FREED
    return StaleObjectError(f"This {module}.{class_name} was {fate}; it cannot be used in {module}.{call}.")


def moved_into(consumer: str) -> str:
    """The fate of an object, as messages say it."""
    return f"moved into {consumer}, which consumed it"


def without_null_pointer(crash: Crash, code: str | None) -> Crash | StaleObjectError:
    """What the caller of a crashed call gets.

    Objects are looked at before Rust is entered. What Rust alone can see is one that comes twice in a call without
    types, or through a list: that is the caller's mistake all the same, and the crash its cause.
    """
    if code != NULL_POINTER:
        return crash
    error = StaleObjectError(f"An object was used that had been freed, or moved into a Rust call ({crash}).")
    error.__cause__ = crash
    return error
