"""The messages between Python and the JavaScript runtime, as js/src/types.d.ts states them too.

A message is the arguments of one function call: only plain values cross, and each message crosses once. The runtime
calls a handler (`HANDLERS`) with the fields of a message, one behind the other. A handler takes them as parameters of
these names, or as one row from which `of` makes the message. What the runtime answers is a row as well.

Python raises nothing through JavaScript: `throw` in crashes.py tells how an exception crosses.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, Self

__all__ = [
    "HANDLERS",
    "MEMORY",
    "PREPARING",
    "ROLLED_BACK",
    "START",
    "AbandonedMessage",
    "BurstFields",
    "BurstsAnswer",
    "CalledMessage",
    "CaughtPanicMessage",
    "DeathMessage",
    "DeclineMessage",
    "DetailsFields",
    "DiagnosisFields",
    "DroppedMessage",
    "EnteringMessage",
    "ErrorFields",
    "FailedMessage",
    "FailedUnattendedMessage",
    "GoBackAnswer",
    "GoneMessage",
    "InUseMessage",
    "InterruptedMessage",
    "LimitMessage",
    "PackAnswer",
    "PackageAnswer",
    "PreparedMessage",
    "RecoverMessage",
    "RenewAnswer",
    "RollBackAnswer",
    "SettledByErrorMessage",
    "SettledByRollbackMessage",
    "SettledByUnwindingMessage",
    "SettledMessage",
    "StaleMessage",
    "StatisticsAnswer",
    "UnavailableMessage",
    "UnloadedMessage",
    "UnwoundMessage",
]


# Groups of fields that several messages have.


class StackText(Protocol):
    """A stack, which stays in JavaScript until somebody asks for it."""

    def text(self) -> str: ...
    def functions(self) -> str: ...


class DiagnosisFields(NamedTuple):
    """A diagnosis. All fields are None if nothing went wrong: the generation was reset.

    Attributes:
        kind: the `kind` of a class of `Crash`.
        code: which trap; or `ON_PURPOSE`, of what Rust threw on purpose.
        message: what the panic, the engine or the thrown value says.
        payload: the type of a panic's payload.
        file: where the panic is in the Rust source.
        line: likewise.
        column: likewise.
        stack: the stack.
        cause: what a Python callback raised before, or a copy of the JavaScript error that was thrown; with
            `ON_PURPOSE` the `ErrorFields` of what Rust threw.
    """

    kind: str | None
    code: str | None
    message: str | None
    payload: str | None
    file: str | None
    line: int | None
    column: int | None
    stack: StackText | None
    cause: Any


class ErrorFields(NamedTuple):
    """A value that Rust or JavaScript threw.

    Attributes:
        value: the value; of a JavaScript `Error` its text.
        exception: the Python exception that it carries; or the name of one of unpanic's own.
        text: what JavaScript shows of it.
        details: of an `Error` its name; `DetailsFields` where it tells more.
    """

    value: Any
    exception: Any
    text: str
    details: Any


class DetailsFields(NamedTuple):
    """The facts that a JavaScript `Error` tells besides its text; `causes` holds its cause, if it has one."""

    name: str
    keys: Sequence[str]
    values: Sequence[Any]
    causes: Sequence[Any]


_DIAGNOSIS = len(DiagnosisFields._fields)
_ERROR = len(ErrorFields._fields)


# Messages of the runtime.


class DeathMessage(NamedTuple):
    """A generation died.

    Attributes:
        diagnosis: what crashed.
        call: the call that failed; empty if none did, or it is not certain.
        generation: its number.
        activation: the number of the call into Rust in which it happened, which raises; 0 if nobody called.
        clear: whether no frame of the module is left, so that the next generation can be made now.
        suspects: the numbers of the async calls that may be to blame; None for none of them.
        interrupted: those of all others in flight, likewise.
        is_certain: it is one of the suspects, and nothing else.
        can_roll_back: nothing has ended yet: the call can be rolled back, and its generation lives on.
    """

    diagnosis: DiagnosisFields
    call: str
    generation: int
    activation: int
    clear: bool
    suspects: Sequence[int] | None
    interrupted: Sequence[int] | None
    is_certain: bool
    can_roll_back: bool

    @classmethod
    def of(cls, fields: Sequence[Any]) -> Self:
        """Reads the row of fields."""
        return cls(DiagnosisFields(*fields[:_DIAGNOSIS]), *fields[_DIAGNOSIS:])


class InterruptedMessage(NamedTuple):
    """A call ends because its generation has died in another one; `clear` as of a death."""

    call: str
    clear: bool


class RecoverMessage(NamedTuple):
    """No frame of the dead generation is left; `attended`: somebody would get what is raised."""

    attended: bool


class LimitMessage(NamedTuple):
    """Code computes, and asks for how many seconds it may.

    `attended`: somebody called it. `polled`: if nobody did, the numbers of the async calls of which one may be what
    runs.
    """

    attended: bool
    polled: Sequence[int]


class EnteringMessage(NamedTuple):
    """A call begins while a transaction waits."""

    call: str


class PreparedMessage(NamedTuple):
    """The engine has made the next generation; or could not, then `obstacle` and `text` as of a `RenewAnswer`."""

    obstacle: str
    text: str


class UnavailableMessage(NamedTuple):
    """A call found no generation, and none could be made."""

    call: str


class UnwoundMessage(NamedTuple):
    """A panic or a foreign exception ran the destructors: the generation lives on."""

    diagnosis: DiagnosisFields
    call: str

    @classmethod
    def of(cls, fields: Sequence[Any]) -> Self:
        """Reads the row of fields."""
        return cls(DiagnosisFields(*fields[:_DIAGNOSIS]), *fields[_DIAGNOSIS:])


class FailedMessage(NamedTuple):
    """An `Err`, or what Rust threw on purpose. `reason`: what that left behind, if it cannot be mended."""

    error: ErrorFields
    call: str
    reason: str

    @classmethod
    def of(cls, fields: Sequence[Any]) -> Self:
        """Reads the row of fields."""
        return cls(ErrorFields(*fields[:_ERROR]), *fields[_ERROR:])


class FailedUnattendedMessage(NamedTuple):
    """The same where nobody called."""

    error: ErrorFields

    @classmethod
    def of(cls, fields: Sequence[Any]) -> Self:
        """Reads the row of fields."""
        return cls(ErrorFields(*fields))


class InUseMessage(NamedTuple):
    """An object was to be borrowed that the call `holder` has borrowed; `text` is what Rust says."""

    class_name: str
    holder: str
    call: str
    text: str
    reason: str


class GoneMessage(NamedTuple):
    """An object was used that is gone, which Rust alone could see."""

    call: str
    reason: str


class StaleMessage(NamedTuple):
    """An object was used that was moved into `consumer`, or freed if that is empty."""

    class_name: str
    consumer: str
    call: str


class SettledMessage(NamedTuple):
    """An async call returned."""

    id: int
    value: Any


class SettledByErrorMessage(NamedTuple):
    """An async call returned `Err`."""

    id: int
    error: ErrorFields
    call: str

    @classmethod
    def of(cls, fields: Sequence[Any]) -> Self:
        """Reads the row of fields."""
        return cls(fields[0], ErrorFields(*fields[1 : 1 + _ERROR]), *fields[1 + _ERROR :])


class SettledByUnwindingMessage(NamedTuple):
    """A panic unwound to the event loop: out of an async call, or out of a task that nobody waits for (`id` is 0)."""

    id: int
    diagnosis: DiagnosisFields
    call: str

    @classmethod
    def of(cls, fields: Sequence[Any]) -> Self:
        """Reads the row of fields."""
        return cls(fields[0], DiagnosisFields(*fields[1 : 1 + _DIAGNOSIS]), *fields[1 + _DIAGNOSIS :])


class SettledByRollbackMessage(NamedTuple):
    """What the event loop ran crashed and was undone: a poll of an async call, or of what nobody awaits (`id` is 0)."""

    id: int
    diagnosis: DiagnosisFields
    call: str

    @classmethod
    def of(cls, fields: Sequence[Any]) -> Self:
        """Reads the row of fields."""
        return cls(fields[0], DiagnosisFields(*fields[1 : 1 + _DIAGNOSIS]), *fields[1 + _DIAGNOSIS :])


class AbandonedMessage(NamedTuple):
    """A handler raised that should have ended an async call; 0 is no call."""

    id: int


class CaughtPanicMessage(NamedTuple):
    """Rust caught a panic itself."""

    diagnosis: DiagnosisFields
    generation: int

    @classmethod
    def of(cls, fields: Sequence[Any]) -> Self:
        """Reads the row of fields."""
        return cls(DiagnosisFields(*fields[:_DIAGNOSIS]), *fields[_DIAGNOSIS:])


class DeclineMessage(NamedTuple):
    """The numeric lane of the function at a place declined; `names`, with commas between, are of the last arguments."""

    place: int
    names: str
    args: tuple[Any, ...]


class CalledMessage(NamedTuple):
    """JavaScript calls a Python callable."""

    number: int
    args: tuple[Any, ...]


class DroppedMessage(NamedTuple):
    """JavaScript will not call it again."""

    number: int


class UnloadedMessage(NamedTuple):
    """A call into a module that was unloaded, or that was unloaded while the call ran."""

    module: str
    call: str
    was_running: bool


HANDLERS: dict[str, Any] = {
    "crashed": DeathMessage,
    "interrupted": InterruptedMessage,
    "retired": DeathMessage,
    "recover": RecoverMessage,
    "limit": LimitMessage,
    "entering": EnteringMessage,
    "prepared": PreparedMessage,
    "unavailable": UnavailableMessage,
    "unwound": UnwoundMessage,
    "failed": FailedMessage,
    "failedUnattended": FailedUnattendedMessage,
    "inUse": InUseMessage,
    "gone": GoneMessage,
    "stale": StaleMessage,
    "settled": SettledMessage,
    "settledByError": SettledByErrorMessage,
    "settledByUnwinding": SettledByUnwindingMessage,
    "settledByRollback": SettledByRollbackMessage,
    "abandoned": AbandonedMessage,
    "caughtPanic": CaughtPanicMessage,
    "decline": DeclineMessage,
    "called": CalledMessage,
    "dropped": DroppedMessage,
}


# Answers of the runtime.

# The obstacles in a `RenewAnswer` and a `PreparedMessage`; any other is `other`, and none is empty.
PREPARING = "preparing"
MEMORY = "memory"
START = "start"


class RenewAnswer(NamedTuple):
    """Why there is no next generation; where there is one, the answer is its number.

    Attributes:
        obstacle: `PREPARING`, while the engine makes its instance; `MEMORY`, if the browser has none for it; `START`,
            if its start function crashed; else `other`.
        text: the same in words.
    """

    obstacle: str
    text: str


class RollBackAnswer(NamedTuple):
    """What became of a call that was to be rolled back.

    Attributes:
        obstacle: why it was not; empty if it was.
        interrupted: the numbers of the calls in flight that end: those that the failed call had begun, or all of them
            if it could not be rolled back.
    """

    obstacle: str
    interrupted: Sequence[int]


# What the runtime answers with nothing: the call was rolled back, and no call in flight ends.
ROLLED_BACK = RollBackAnswer("", ())


class PackAnswer(NamedTuple):
    """A state that can go elsewhere.

    Attributes:
        obstacle: why it cannot; empty if it can.
        memory: the memory, as a typed array.
        rest: all else, as JSON.
    """

    obstacle: str
    memory: Any
    rest: str


class PackageAnswer(NamedTuple):
    """The files of a package that was named, as URLs.

    Attributes:
        wasm: empty if the file is where the glue looks for it.
        types: empty if there can be none; the file may be missing.
        name: the name of the module.
        version: the version that was found.
        pinned: what to write for this version; empty if the user wrote it.
    """

    glue: str
    wasm: str
    types: str
    name: str
    version: str
    pinned: str


class GoBackAnswer(NamedTuple):
    """What became of a module that was to go back to an earlier state.

    Attributes:
        obstacle: why it did not; empty if it did.
        interrupted: the numbers of the calls in flight that end, because they began later.
        objects: the numbers of the objects that the state has.
    """

    obstacle: str
    interrupted: Sequence[int]
    objects: Sequence[int]


class StatisticsAnswer(NamedTuple):
    """How the module has been used, and the instance made ahead of need.

    Attributes:
        obstacle: why the generation cannot be rolled back any more, though it could at first; empty if it can.
    """

    calls: int
    returned: int
    in_flight: int
    memory_bytes: int
    spare: str
    spare_bytes: int
    shadow_bytes: int
    gave_memory_away: bool
    obstacle: str


class BurstFields(NamedTuple):
    """Calls of one turn of the event loop, in milliseconds; `ended` is 0 while it lasts."""

    began: float
    ended: float
    calls: int
    generation: int


class BurstsAnswer(NamedTuple):
    """When calls ran: the time now, then the `BurstFields` of each burst, one behind the other."""

    now: float
    bursts: Sequence[float]

    @classmethod
    def of(cls, fields: Sequence[float]) -> Self:
        """Reads the row of fields."""
        now, *bursts = fields
        return cls(now, bursts)

    def each(self) -> Iterator[BurstFields]:
        """The bursts."""
        step = len(BurstFields._fields)
        for at in range(0, len(self.bursts), step):
            yield BurstFields(*self.bursts[at : at + step])  # type: ignore[arg-type]
