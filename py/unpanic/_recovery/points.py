"""Points: states of a module to which it goes back, for transactions (transactions.py) and checkpoints.

The runtime keeps a point and goes back to it (js/src/instance/points.js). Here is decided when that is possible. What a
state holds besides memory is known between two calls only, so no frame of Rust may be on the stack. And what JavaScript
does for a call in flight (a timer that ran, a response that came) does not come back, so a call that began before a
point must not have gone on since.
"""

import weakref
from typing import TYPE_CHECKING, Any

from .._bridge.wire import GoBackAnswer, PackAnswer, StatisticsAnswer
from ..errors import CallInterrupted
from .parcels import STATE, Parcel
from .policy import Rollback

if TYPE_CHECKING:
    from .protocols import Restorable

__all__ = ["Checkpoint", "Points"]

# The attribute with the handle of an object of an exported struct (`_values/handles.py`).
HANDLE = "__rust_handle__"


class Points:
    """The points of one module."""

    def __init__(self, supervisor: "Restorable") -> None:
        self._supervisor = supervisor

    @property
    def has_ended(self) -> bool:
        """Whether the module was unloaded."""
        return self._supervisor.has_ended

    @property
    def generation(self) -> int:
        """The number of the generation that lives."""
        return self._supervisor.generation

    @property
    def module(self) -> str:
        """The module's name."""
        return str(self._supervisor.context.name)

    @property
    def driver(self) -> Any:
        """The runtime's side of the module."""
        return self._supervisor.context.driver

    def ensure_ready(self, purpose: str) -> None:
        """Has the module recover, if its generation has died."""
        self._supervisor.ensure_ready(purpose)

    def take(self, purpose: str) -> int:
        """Takes a point, and gives its number.

        Args:
            purpose: `a transaction` or `a checkpoint`, for messages.

        Raises:
            TypeError: calls of the module cannot be rolled back.
            RuntimeError: Rust is on the stack.
        """
        supervisor = self._supervisor
        supervisor.ensure_ready(purpose.split()[-1])
        self._ensure_clear(f"{purpose} cannot begin")
        number: int = supervisor.context.driver.takePoint()
        if not number:
            recovery, why = supervisor.describe_recovery(self._statistics())
            way = "" if supervisor.policy.name == Rollback.name else ' Load it with recovery="rollback".'
            raise TypeError(
                f"{self.module} takes no {purpose.split()[-1]}, because nothing in it can be rolled back: it "
                f"recovers by {recovery!r} ({why}).{way}"
            )
        return number

    def go_back(self, number: int, purpose: str) -> None:
        """Goes back to a point.

        Raises:
            RuntimeError: Rust is on the stack, or the browser has no memory for the state: then the module is reset.
        """
        self._ensure_clear(purpose)
        self._arrive(GoBackAnswer(*self.driver.goBack(number)), purpose)

    def _arrive(self, answer: GoBackAnswer, purpose: str) -> None:
        """Takes over the state to which the runtime went back."""
        supervisor = self._supervisor
        if answer.obstacle:
            outcome = f"{self.module} was reset instead" if supervisor.has_died else "Nothing has changed"
            supervisor.ensure_ready(purpose)
            raise RuntimeError(f"{purpose}: {answer.obstacle}. {outcome}.")
        for id_ in supervisor.context.objects.go_back(answer.objects):
            supervisor.context.driver.forget(id_)
        for begun in answer.interrupted:
            text = f"A call of {self.module} was undone: the module went back to the state before it."
            supervisor.in_flight.end(begun, "interrupted", CallInterrupted(text))

    # States as bytes.

    def pack_point(self, number: int, kind: str, call: list[Any] | None = None) -> Parcel:
        """Makes a parcel of a point.

        Raises:
            TypeError: something in the state cannot travel.
        """
        context = self._supervisor.context
        answer = PackAnswer(*context.driver.packPoint(number))
        if answer.obstacle:
            raise TypeError(f"This state of {self.module} cannot leave the page: {answer.obstacle}.")
        memory = context.browser.from_typed_array(answer.memory)
        return Parcel(kind, self.module, context.driver.fingerprint(), answer.rest, bytes(memory), call)

    def pack(self, kind: str, call: list[Any]) -> Parcel:
        """Makes a parcel of the present state."""
        self.ensure_ready("capsule")
        self.ensure_quiet(f"{self.module} cannot be kept")
        number = self.take("a capsule")
        try:
            return self.pack_point(number, kind, call)
        finally:
            self.drop(number)

    def restore_packed(self, parcel: Parcel) -> None:
        """Brings back a state that came from elsewhere.

        Raises:
            ValueError: it is of another Wasm file.
            RuntimeError: Rust is on the stack, or a call is in flight.
        """
        context = self._supervisor.context
        self.drop(self.take("a checkpoint"))  # which raises where nothing can be restored
        parcel.ensure_fits(self.module, context.driver.fingerprint())
        self.ensure_quiet(f"{self.module} cannot go back")
        memory = context.browser.to_typed_array(parcel.memory)
        self._arrive(GoBackAnswer(*context.driver.goToPacked(memory, parcel.rest)), "A checkpoint cannot be restored")

    def calls(self) -> int:
        """How many calls the module has had."""
        return self._statistics().calls

    def _statistics(self) -> StatisticsAnswer:
        return StatisticsAnswer(*self.driver.statistics())

    def failed_arguments(self) -> list[Any] | None:
        """The arguments of the call that failed, until the next one begins; None if they are not known."""
        context = self._supervisor.context
        arguments = context.driver.failedArguments()
        return None if context.browser.is_null(arguments) else [context.untyped.receive(value) for value in arguments]

    def address_of(self, value: Any) -> tuple[str, int] | None:
        """The class of an object of this module, and where it lies in Rust's memory; None if it does not."""
        context = self._supervisor.context
        handle: Any = getattr(value, HANDLE, None)
        if handle is None or handle.context is not context or not handle.class_name:
            return None
        address = context.driver.addressOf(handle.id)
        return (handle.class_name, address) if isinstance(address, int) else None

    def adopt(self, class_name: str, address: int) -> Any:
        """Makes the Python object for what lies at an address."""
        context = self._supervisor.context
        return context.objects.receive(class_name, context.driver.adopt(class_name, address))

    def measure(self, number: int) -> tuple[int, int]:
        """How many bytes a point takes, and how large the memory was."""
        taken, size = (0, 0) if self._supervisor.has_ended else self.driver.measurePoint(number)
        return taken, size

    def drop(self, number: int) -> None:
        """Forgets a point."""
        if not self._supervisor.has_ended:
            self.driver.dropPoint(number)

    def has(self, number: int) -> bool:
        """Tells whether a point is kept."""
        return bool(self.driver.hasPoint(number))

    def in_flight(self) -> dict[int, str]:
        """The names of the calls in flight, by their numbers."""
        return {number: call.name for number, call in self._supervisor.in_flight.calls.items()}

    def ensure_quiet(self, purpose: str) -> None:
        """Raises `RuntimeError` if calls are in flight."""
        if names := sorted(set(self.in_flight().values())):
            raise RuntimeError(
                f"{purpose} while {', '.join(names)} is in flight: Rust waits there for what does not come back "
                "with the state. Await it first."
            )

    def _ensure_clear(self, purpose: str) -> None:
        if not self.driver.isClear():
            raise RuntimeError(f"{purpose} in a callback that Rust calls: {self.module} is in the middle of a call.")


class Checkpoint:
    """A state of a module, to which `unpanic.restore` brings it back. `unpanic.checkpoint` makes it.

    Attributes:
        generation: the number of the generation that has the state.
    """

    def __init__(self, points: Points) -> None:
        points.ensure_ready("checkpoint")  # which may wait, while others go on
        points.ensure_quiet(f"A checkpoint of {points.module} cannot be taken")
        self._points = points
        self._number = points.take("a checkpoint")
        self.generation = points.generation
        self._drop = weakref.finalize(self, _drop, weakref.ref(points), self._number)

    def restore(self, points: Points) -> None:
        """Brings the state back.

        Raises:
            ValueError: it is of another module, or of a generation that is gone.
            RuntimeError: Rust is on the stack, or a call is in flight.
        """
        if points is not self._points:
            raise ValueError(f"{self!r} is a state of {self._points.module}, not of {points.module}.")
        self._ensure_current("restore")
        points.ensure_quiet(f"{points.module} cannot go back")
        points.go_back(self._number, "A checkpoint cannot be restored")

    def __bytes__(self) -> bytes:
        """The state for another page load of the same module.

        Raises:
            TypeError: something in it cannot travel; it says what.
            ValueError: its generation is gone.
        """
        self._ensure_current("checkpoint")
        return bytes(self._points.pack_point(self._number, STATE))

    def _ensure_current(self, purpose: str) -> None:
        points = self._points
        points.ensure_ready(purpose)
        if points.generation != self.generation:
            raise ValueError(
                f"{self!r} went with its generation, because {points.module} was reset since (now generation "
                f"{points.generation}). bytes(checkpoint) outlives a reset."
            )

    def __repr__(self) -> str:
        taken, size = self._points.measure(self._number)
        return (
            f"<checkpoint of {self._points.module}, generation {self.generation}: {taken / 1024:.0f} kB have changed "
            f"of {size / 1024:.0f} kB>"
        )


def _drop(points: "weakref.ref[Points]", number: int) -> None:
    known = points()
    if known is not None:
        known.drop(number)
