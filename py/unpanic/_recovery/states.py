"""The states of a module's life, the events that change them, and the table that says which event leads where.

The table is data: `Lifecycle` advances through it, and `scripts/states.py` writes docs/recovery.md from it.
"""

import types
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..errors import Crash

__all__ = ["NONE", "TRANSITIONS", "Event", "Lifecycle", "State", "UndefinedTransition", "follow"]

# No generation has this number: while one is being replaced, every object is stale. The runtime writes it too.
NONE = -1


class State(Enum):
    """Where a module is in its life.

    Attributes:
        phase: what `unpanic.status(...).phase` is in this state.
        meaning: what is there, and what is not, as the documentation says it.
        call: what a call does, likewise.
    """

    READY = "ready", "a generation is there", "runs"
    FILLING = "ready", "a new generation is there, and callbacks of `on_reset` fill it", "runs"
    RECOVERING = (
        "recovering",
        "a call has crashed; when no frame of Rust is left on the stack, it is rolled back, or the next generation is "
        "made",
        "recovers first, or raises `CallInterrupted` if Rust is still on the stack",
    )
    WAITING = (
        "recovering",
        "the browser is making the next instance",
        "waits for the instance; where Python cannot be suspended, only async functions wait, and others raise "
        "`CallInterrupted`",
    )
    STARVED = (
        "recovering",
        "the browser has no memory for the next instance",
        "tries again, or raises `OutOfMemory`",
    )
    TERMINATED = "terminated", "no generation will follow", "raises `ModuleTerminated`, whose cause is the crash"
    UNLOADED = "unloaded", "you ended it", "raises `ModuleTerminated`"

    def __init__(self, phase: str, meaning: str, call: str) -> None:
        self.phase = phase
        self.meaning = meaning
        self.call = call

    # The hash of `Enum` is a function of Python, and each crash looks members up.
    __hash__ = object.__hash__

    @property
    def title(self) -> str:
        """The name of the state, as the documentation writes it."""
        return self.name.lower()


class Event(Enum):
    """An event that changes the state of a module; its value is the text in the documentation."""

    DIED = "a crash, `reset`, or Rust asks for a reset"
    ROLLED_BACK = "the failed call is rolled back"
    MADE = "the next generation is made"
    FILLED = "all callbacks of `on_reset` have run"
    AWAITED = "the browser makes no instance of that size at once"
    NO_MEMORY = "the browser has no memory for an instance"
    RECOVERY_OFF = 'it was a crash, and `recovery` is `"none"`'
    BUDGET_SPENT = "the restart budget is spent"
    NOT_STARTED = "the next instance cannot be made, or does not start"
    UNLOADED = "`unload`"

    __hash__ = object.__hash__


# In these states a generation is there; in the next ones it has to be made; in the last ones none will follow.
ALIVE = (State.READY, State.FILLING)
BETWEEN = (State.RECOVERING, State.WAITING, State.STARVED)
ENDED = (State.TERMINATED, State.UNLOADED)

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.READY, Event.DIED): State.RECOVERING,
    (State.FILLING, Event.DIED): State.RECOVERING,
    (State.RECOVERING, Event.ROLLED_BACK): State.READY,
    (State.FILLING, Event.FILLED): State.READY,
    **{(state, Event.MADE): State.FILLING for state in BETWEEN},
    **{(state, Event.AWAITED): State.WAITING for state in BETWEEN},
    **{(state, Event.NO_MEMORY): State.STARVED for state in BETWEEN},
    (State.RECOVERING, Event.RECOVERY_OFF): State.TERMINATED,
    **{(state, Event.BUDGET_SPENT): State.TERMINATED for state in BETWEEN},
    **{(state, Event.NOT_STARTED): State.TERMINATED for state in BETWEEN},
    # `unload` ends the generation first, so it finds none.
    **{(state, Event.UNLOADED): State.UNLOADED for state in (*BETWEEN, State.TERMINATED)},
}


class UndefinedTransition(RuntimeError):
    """An event came in a state in which the table does not have it: a mistake in unpanic."""


def follow(state: State, event: Event) -> State:
    """Gives the state that an event leads to.

    Raises:
        UndefinedTransition: the table does not have the event in that state.
    """
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise UndefinedTransition(f"a module that is {state.title} cannot take the event {event.name}: {event.value}")
    return following


class Lifecycle:
    """The state of one module, with what is known about its generations.

    Three events are read from numbers. Each number is written in one instruction, so that nothing can interrupt
    between an event and its state. The runtime writes `NONE` to `generation` when a generation dies, for which no line
    of Python runs. Python writes the number of a generation that was made, and later that of one that was filled. If
    the failed call was rolled back, Python writes the same number again.

    Attributes:
        generation: the number of the generation that lives, or `NONE`.
        last_generation: the number of the newest generation.
        filled: the number of the newest generation that callbacks of `on_reset` have filled.
        cause: the crash that ended the latest generation, until the next one is filled; None if it was reset.
        shortage: the browser's message when it had no memory for an instance.
        end_reason: why no generation will follow, once that is so.
        end_cause: the crash that ended the module, if one did.
        user_module: gives the Python module that the user holds, or None if nobody holds it any more.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.last_generation = 0
        self.filled = 0
        self.cause: Crash | None = None
        self.shortage = ""
        self.end_reason = ""
        self.end_cause: Crash | None = None
        self.user_module: Callable[[], types.ModuleType | None] = lambda: None
        self._state = State.READY

    @property
    def state(self) -> State:
        """Where the module is in its life."""
        self._follow_numbers()
        return self._state

    def _follow_numbers(self) -> None:
        if self.generation == NONE:
            if self._state in ALIVE:
                self._state = follow(self._state, Event.DIED)
        elif self._state in BETWEEN:
            # A generation that was filled before has gone on; any other one is new.
            has_gone_on = self._state is State.RECOVERING and self.filled == self.generation
            self._state = follow(self._state, Event.ROLLED_BACK if has_gone_on else Event.MADE)
        if self._state is State.FILLING and self.filled == self.generation:
            self._state = follow(self._state, Event.FILLED)

    def begin(self, number: int) -> None:
        """Takes over a generation that was made."""
        self.generation = number
        self._follow_numbers()

    def fill(self, number: int) -> None:
        """Notes that callbacks have filled a generation."""
        self.filled = number
        self._follow_numbers()

    def end(self) -> None:
        """Notes that the generation has died."""
        self.generation = NONE
        self._follow_numbers()

    def advance(self, event: Event) -> None:
        """Goes to the state that an event leads to."""
        self._state = follow(self.state, event)

    @property
    def phase(self) -> str:
        """`ready`, `recovering`, `terminated` or `unloaded`."""
        return self.state.phase

    @property
    def has_died(self) -> bool:
        """Whether a generation has died and the next one is still to be made."""
        return self.state in BETWEEN

    @property
    def is_waiting(self) -> bool:
        """Whether the browser is making the next instance."""
        return self.state is State.WAITING

    @property
    def has_ended(self) -> bool:
        """Whether no generation will follow; no number changes that."""
        return self._state in ENDED
