"""Policies: one class for each strategy decides what a crash leads to."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol

from .states import Event

if TYPE_CHECKING:
    from ..errors import Crash

__all__ = ["RECOVERIES", "Off", "Policy", "Reset", "Rollback", "Unwind", "choose_policy", "explain_obstacle"]


class Recoverable(Protocol):
    """A module whose generation has died, as a policy sees it."""

    def replace(self) -> None:
        """Makes the next generation."""

    def roll_back(self) -> bool:
        """Rolls the failed call back; tells whether that could be done."""

    def terminate(self, event: Event, reason: str, cause: "Crash | None") -> None:
        """Ends the module."""


class Policy(ABC):
    """A strategy.

    Attributes:
        name: what `unpanic.status(...).recovery` shows.
        replaces: whether another instance is made where no crash of a call asks for it: if an error that Rust threw
            skipped destructors, or if the start function of an instance crashed.
        why: why this strategy was chosen, in words.
    """

    name: ClassVar[str]
    replaces: ClassVar[bool] = True

    def __init__(self, why: str = "") -> None:
        self.why = why

    @abstractmethod
    def announce(self, crash: "Crash", following: int) -> None:
        """Writes on a crash what it will lead to.

        Args:
            crash: the crash that ended the generation.
            following: the number that the next generation would have.
        """

    @abstractmethod
    def recover(self, module: Recoverable, crash: "Crash | None") -> None:
        """Recovers from the death of a generation, when no frame of it is left on the stack.

        Args:
            module: the module.
            crash: the crash that ended the generation; None if it was reset.
        """

    def announce_unwinding(self, crash: "Crash") -> None:
        """Writes on a crash that Rust unwound its stack: the generation lives on, whatever the strategy."""
        crash.recovery, crash.state_kept, crash.outcome = "unwind", True, "unwound, state kept"


class Reset(Policy):
    """The next generation takes the place of the one that died."""

    name = "reset"

    def announce(self, crash: "Crash", following: int) -> None:
        """Says that the state is lost."""
        crash.recovery, crash.outcome = "reset", f"reset to generation {following}, state lost"

    def recover(self, module: Recoverable, crash: "Crash | None") -> None:  # noqa: ARG002 - resets after anything
        """Makes the next generation."""
        module.replace()


class Rollback(Reset):
    """Rolls back what crashes: a call, a poll of a future, a timer. Where that fails, the module is reset."""

    name = "rollback"

    def recover(self, module: Recoverable, crash: "Crash | None") -> None:
        """Brings back the state before the call, or makes the next generation."""
        if not module.roll_back():
            super().recover(module, crash)


class Unwind(Reset):
    """A build that unwinds: panics run destructors and end no generation. Other crashes reset."""

    name = "unwind"


class Off(Policy):
    """The first crash is the last one. The user may still reset the module."""

    name = "none"
    replaces = False

    def announce(self, crash: "Crash", following: int) -> None:  # noqa: ARG002 - none will follow
        """Says that the module has ended."""
        crash.recovery, crash.outcome = "none", "the module has ended: recovery is off"

    def recover(self, module: Recoverable, crash: "Crash | None") -> None:
        """Ends the module after a crash."""
        if crash is None:
            module.replace()
        else:
            module.terminate(Event.RECOVERY_OFF, "recovery is off", crash)


POLICIES: dict[str, type[Policy]] = {policy.name: policy for policy in (Reset, Rollback, Off)}
# The values that the user may pass to `load`.
RECOVERIES = ("auto", *POLICIES)


def choose_policy(recovery: str, *, unwinds: bool, rolls_back: bool = False, obstacle: str = "") -> Policy:
    """Chooses the policy for an option that a user passed to `load`.

    Args:
        recovery: one of `RECOVERIES`.
        unwinds: whether the build does.
        rolls_back: whether calls can be rolled back.
        obstacle: why they cannot, if that was wanted.
    """
    if recovery != "auto":
        return POLICIES[recovery](f'it was loaded with recovery="{recovery}"')
    if unwinds:
        return Unwind("it was built with panic=unwind, so a panic runs destructors")
    if rolls_back:
        return Rollback("its Wasm file was rewritten, so that a failed call can be undone")
    return Reset(explain_obstacle(obstacle) if obstacle else "nothing else was asked for")


def explain_obstacle(obstacle: str) -> str:
    """Says why a module resets that should be rolled back."""
    return f"its calls cannot be rolled back: {obstacle}"
