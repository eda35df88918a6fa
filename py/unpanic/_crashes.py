"""From what the runtime says of a crash to the exception that a user sees."""

from collections.abc import Sequence
from typing import Any

from ._traceback import merge, stand_in
from .errors import Crash, ForeignException, Location, OutOfMemory, RustPanic, StackOverflow, StaleObjectError, Trap

__all__ = ["describe_suspects", "make_crash", "make_stale", "moved_into", "without_null_pointer", "without_own_frames"]

FREED = "freed"
# How many different calls a message names that may be to blame.
NAMED_SUSPECTS = 5
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


def describe_suspects(module: str, calls: Sequence[str], *, is_certain: bool) -> str:
    """Which calls may be to blame, as messages say it.

    Args:
        module: the module's name.
        calls: the names of the calls.
        is_certain: one of them is; else it may have been a timer or a task, too.

    Example:
        >>> describe_suspects("bank", ["slow", "slow", "slow"], is_certain=True)
        'in one of 3 calls of bank.slow'
    """
    names = [f"{module}.{call}" if call else module for call in dict.fromkeys(calls)]
    perhaps = "" if is_certain else "perhaps "
    if len(calls) < 2:
        return f"{perhaps}in {names[0]}" if names else ""
    shown = ", ".join(names[:NAMED_SUSPECTS]) + (", …" if len(names) > NAMED_SUSPECTS else "")
    return f"{perhaps}in one of {len(calls)} calls{' of' if len(names) == 1 else ':'} {shown}"


def without_own_frames(error: BaseException) -> BaseException:
    """What a callback raised, without the frames through which Rust called it."""
    error.__traceback__ = merge(error.__traceback__)
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
