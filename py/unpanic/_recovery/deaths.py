"""Deaths of generations as records: how each generation ended, and which steps are left to do.

Any exception may be raised while a crash is handled: by a panic hook or a log handler, by a stop button, by a finalizer
that happens to run, or because the recursion limit is five frames away. All the work has to be done nevertheless. So
it is a row of steps (`STEPS` in aftermath.py). A death knows which step is next, and whoever comes next goes on from
there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .._bridge.crashes import INTERRUPTED
from .._bridge.wire import DeathMessage, DiagnosisFields
from ..errors import Crash

__all__ = ["Death", "Deaths"]

# At most so many deaths are remembered that the runtime may not ask about any more.
MOST_DEATHS = 50


@dataclass(eq=False)
class Death:
    """How one generation ended.

    Attributes:
        generation: its number.
        diagnosis: the runtime's facts about the crash, as `make_crash` takes them; None if it was reset.
        call: the call that failed; empty if none did, or if it is not certain.
        attended: whether somebody called Rust, and gets what is raised.
        suspects: the numbers of the async calls that may be to blame.
        interrupted: the numbers of all others in flight.
        is_certain: whether one of the suspects is to blame, and nothing else can be.
        next_step: the place of the next step.
        crash: the exception, once it was made.
        thrown: the exception for a value that Rust threw on purpose, if that was the end.
        is_interrupted: whether the user asked to interrupt the call.
        interrupt: the exception that the user's request has become.
        is_answered: whether the handler that first heard of it has given its caller the exception.
    """

    generation: int
    diagnosis: DiagnosisFields | None
    call: str
    attended: bool
    suspects: tuple[int, ...]
    interrupted: tuple[int, ...]
    is_certain: bool
    next_step: int = 0
    crash: Crash | None = None
    thrown: BaseException | None = None
    is_answered: bool = False
    is_interrupted: bool = False
    interrupt: BaseException | None = None

    @classmethod
    def of(cls, message: DeathMessage) -> "Death":
        """Makes the record of a death that the runtime reports."""
        return cls(
            message.generation,
            # An interrupt is no crash: the generation is replaced as by `reset`.
            message.diagnosis if message.diagnosis.kind and message.diagnosis.code != INTERRUPTED else None,
            message.call,
            bool(message.attended),
            tuple(message.suspects or ()),
            tuple(message.interrupted or ()),
            bool(message.is_certain),
            is_interrupted=message.diagnosis.code == INTERRUPTED,
        )

    @property
    def has_caller(self) -> bool:
        """Whether somebody gets the crash as an exception."""
        return self.attended or bool(self.suspects)

    @property
    def is_of_caller(self) -> bool:
        """Whether Rust threw on purpose in one async call: that is its caller's error, and no crash."""
        return self.thrown is not None and self.is_certain and len(self.suspects) == 1


class Deaths:
    """The deaths of one module that have steps left, and the newest.

    Args:
        steps: how many steps a death has.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._deaths: dict[int, Death] = {}

    def __contains__(self, generation: int) -> bool:
        return generation in self._deaths

    def __iter__(self) -> Iterator[Death]:
        return iter(tuple(self._deaths.values()))

    def add(self, death: Death) -> Death:
        """Adds a death, and forgets those that are over; gives the one that was known if it was heard of before."""
        known = self._deaths.get(death.generation)
        if known is not None:
            return known
        self._deaths[death.generation] = death
        for other in self:
            is_done = other.is_answered or other.diagnosis is None or len(self._deaths) > MOST_DEATHS
            if is_done and other.next_step >= self._steps and other is not death:
                self._deaths.pop(other.generation, None)
        return death
