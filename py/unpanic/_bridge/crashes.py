"""The exception that a user sees, made from what the runtime says of a crash; and how it gets to the caller."""

import sys
from collections.abc import Sequence
from typing import Any, cast

from .._traceback import stand_in
from .._unseen import without_own_frames
from ..errors import (
    CallTimeout,
    Crash,
    ForeignException,
    Location,
    OutOfMemory,
    RustError,
    RustPanic,
    StackOverflow,
    StaleObjectError,
    Trap,
)
from .wire import DiagnosisFields

__all__ = [
    "INTERRUPTED",
    "ON_PURPOSE",
    "describe_suspects",
    "make_crash",
    "make_gone",
    "make_in_use",
    "make_stale",
    "moved_into",
    "throw",
]

FREED = "freed"
# A message names at most so many different calls that may be to blame.
NAMED_SUSPECTS = 5
# The `code` of a crash in which Rust threw something on purpose (js/src/diagnosis/diagnosis.js).
ON_PURPOSE = "on_purpose"
# The `code` of a call that ended because the user asked to interrupt it (js/src/instance/stopwatch.js).
INTERRUPTED = "interrupted"

KINDS: dict[str, type[Crash]] = {
    cls.kind: cls for cls in (RustPanic, Trap, StackOverflow, OutOfMemory, ForeignException, CallTimeout)
}

# When the exception that was in `sys.last_exc` ends, a finalizer may put another one there; at most so often.
MOST_FINALIZERS = 100


def throw(error: BaseException) -> int:
    """Hands an exception to the runtime, which raises it at the Python code that called Rust.

    This is how an exception crosses: Python raises nothing through JavaScript, because Pyodide would format the whole
    traceback on the way. A handler of the runtime's ends normally and gives the address of the exception; the runtime
    throws an error that holds this address, and Pyodide raises the exception of `sys.last_exc` if that has the same
    address. A handler whose result can be any value gives what `Driver.refuse` makes of the address. What a callback
    raises goes another way, because Rust gets it first: `Driver.raised` (js/src/hosts/python/raising.js has both).

    Returns:
        The address of the exception, which is `sys.last_exc`.
    """
    # The exception that was there ends, and so does all that it held: a finalizer may call Rust, fail, and come here.
    for _ in range(MOST_FINALIZERS):
        sys.last_exc = error
        if sys.last_exc is error:
            break
    return id(error)


def make_crash(diagnosis: DiagnosisFields, **details: Any) -> Crash:
    """The exception for a crash.

    Args:
        diagnosis: what the runtime says of it.
        details: further arguments of the exception's class, see `Crash`.
    """
    kind, code, message, payload, file, line, column, stack, cause = cast("tuple[Any, ...]", diagnosis)
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
    """Which calls may be to blame, in the words of messages.

    Args:
        module: the module's name.
        calls: the names of the calls.
        is_certain: whether one of them is to blame; else it may have been a timer or a task, too.

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


def make_stale(module: str, class_name: str, consumer: str, call: str) -> StaleObjectError:
    """The exception for an object that was freed, or moved into a call.

    Args:
        module: the module's name.
        class_name: the object's class.
        consumer: the call that the object was moved into; empty if it was freed.
        call: the call that it was used in.
    """
    fate = moved_into(consumer) if consumer else FREED
    return StaleObjectError(f"This {module}.{class_name} was {fate}; it cannot be used in {module}.{call}.")


def moved_into(consumer: str) -> str:
    """Says what became of an object, in the words of messages."""
    return f"moved into {consumer}, which consumed it"


def make_gone(module: str, call: str) -> StaleObjectError:
    """The exception for an object that was freed or moved, where only Rust could see that.

    Python looks at objects before Rust is entered. This one came twice in a call without types, or through a list.
    """
    return StaleObjectError(f"An object was used in {module}.{call} that had been freed, or moved into a Rust call.")


def make_in_use(module: str, class_name: str, holder: str, call: str, text: str) -> RustError:
    """The exception for an object that another call has borrowed.

    Args:
        module: the module's name.
        class_name: the object's class.
        holder: the call that has borrowed it; empty if that is not known.
        call: the call that it was used in.
        text: Rust's own message.
    """
    who = f"{module}.{holder}" if holder else "a call"
    return RustError(
        f"This {module}.{class_name} is in use by {who}, which has not ended; "
        f"it cannot be used in {module}.{call} meanwhile.",
        value=text,
    )
