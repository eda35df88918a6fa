"""Points: states of a module to which it goes back, for transactions and checkpoints.

The runtime keeps a point and goes back to it (js/src/instance/points.js). Here is decided when that is possible. What a
state holds besides memory is known between two calls only, so no frame of Rust may be on the stack. And what JavaScript
does for a call in flight (a timer that ran, a response that came) does not come back, so a call that began before a
point must not have gone on since.
"""

import asyncio
import weakref
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from .._bridge.crashes import throw
from .._bridge.wire import GoBackAnswer, PackAnswer, StatisticsAnswer
from ..errors import CallInterrupted
from .parcels import STATE, Parcel
from .policy import Rollback

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocols import Restorable

__all__ = ["Checkpoint", "Points", "Transaction"]

# The attribute with the handle of an object of an exported struct (`_values/handles.py`).
HANDLE = "__rust_handle__"
# The transactions that are open in a context, the innermost last.
_open: "ContextVar[tuple[OpenTransaction, ...]]" = ContextVar("unpanic_transaction", default=())


class Points:
    """The points of one module.

    Attributes:
        transactions: those that are open, the innermost last.
    """

    def __init__(self, supervisor: "Restorable") -> None:
        self.transactions: list[OpenTransaction] = []
        self._supervisor = supervisor

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
        """The class of an object of this module, and where it lies in Rust's memory; None if it is something else."""
        context = self._supervisor.context
        handle: Any = getattr(value, HANDLE, None)
        if handle is None or handle.context is not context or not handle.class_name:
            return None
        return handle.class_name, context.driver.addressOf(handle.id)

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
                f"{purpose} while {_enumerate(names)} is in flight: Rust waits there for what does not come back with "
                "the state. Await it first."
            )

    def _ensure_clear(self, purpose: str) -> None:
        if not self.driver.isClear():
            raise RuntimeError(f"{purpose} in a callback that Rust calls: {self.module} is in the middle of a call.")

    # Calls while transactions are open.

    def opened(self, transaction: "OpenTransaction") -> None:
        """A transaction has begun."""
        self.transactions.append(transaction)
        self.guard()

    def closed(self, transaction: "OpenTransaction") -> None:
        """A transaction has ended. Twice is once."""
        self.transactions[:] = [each for each in self.transactions if each is not transaction]
        self.guard()

    def guard(self) -> None:
        """Has the runtime ask before Rust is entered, where that may be none of the transactions' business."""
        if not self._supervisor.has_ended:
            has_turned = any(each.has_turned for each in self.transactions)
            self.driver.guard(has_turned, any(each.earlier for each in self.transactions))

    def refuse(self, call: str) -> RuntimeError | None:
        """The exception for a call that would get into a transaction that is not its own; None if it would not."""
        mine = _open.get()
        for transaction in self.transactions:
            if transaction in mine and transaction.refusal:
                return RuntimeError(transaction.refusal)
        if all(transaction in mine or transaction.refusal for transaction in self.transactions):
            return None
        return RuntimeError(
            f"{self.module}.{call} was called while another task is in a transaction of {self.module} and waits: "
            "the call would be undone with it. Wait until that has ended (an asyncio.Lock around both does it)."
        )

    def entering(self, call: str) -> int:
        """A call begins after the event loop has turned in a transaction: may it?

        Args:
            call: its name; empty if the event loop enters Rust for a call in flight, which nobody refuses.
        """
        if not call:
            self.refuse_waiting()
            return 0
        error = self.refuse(call)
        return throw(error) if error else 0

    def refuse_waiting(self) -> None:
        """Undoes the transactions that wait while earlier calls are in flight: the innermost first."""
        for transaction in reversed(self.transactions):
            transaction.refuse_waiting()

    def check_async(self, call: str) -> None:
        """Refuses an async call in a transaction while earlier ones are in flight."""
        for transaction in self.transactions:
            if others := transaction.others():
                raise RuntimeError(
                    f"{self.module}.{call} was called in a transaction while {_enumerate(others)} is in flight: "
                    "what goes on there meanwhile could not be undone. Await it before the transaction begins."
                )


def _enumerate(names: list[str]) -> str:
    return ", ".join(names)


class OpenTransaction:
    """A transaction between its begin and its end.

    Attributes:
        has_turned: whether the event loop has turned since, so that others may have run.
        earlier: the calls that were in flight before, by their numbers.
        refusal: why it cannot go on, once it has waited while such a call was in flight.
    """

    def __init__(self, points: Points) -> None:
        self.has_turned = False
        self.refusal = ""
        self._points = points
        self._generation = points.generation
        self.earlier = points.in_flight()
        # What the `with` statement holds as long as it lasts.
        self.watch: weakref.ref[Callable[..., None]] | None = None
        self._task = _current_task()
        self._number = 0
        self._turning: asyncio.Handle | None = None

    def begin(self) -> None:
        """Takes the point to which it goes back.

        Raises:
            TypeError: calls of the module cannot be rolled back.
            RuntimeError: Rust is on the stack.
        """
        self._number = self._points.take("a transaction")
        self._generation = self._points.generation
        self._turning = asyncio.get_event_loop().call_soon(self._turned)
        _open.set((*_open.get(), self))
        self._points.opened(self)

    def _turned(self) -> None:
        self.has_turned = True
        self._points.guard()
        self._points.refuse_waiting()

    def others(self) -> list[str]:
        """The names of the calls that were in flight when it began, and are still."""
        return sorted({name for number, name in self._points.in_flight().items() if number in self.earlier})

    def refuse_waiting(self) -> None:
        """Goes back to the beginning, if it waits while earlier calls are in flight: before any of them goes on.

        What goes on there afterwards could not be told from what the transaction does.
        """
        points = self._points
        if not self.earlier or self.refusal or points.generation != self._generation:
            return
        names = _enumerate(sorted(set(self.earlier.values())))
        try:
            self._go_back()
        except RuntimeError:
            return  # the module was reset, as `end` will say
        self.refusal = (
            f"A transaction of {points.module} waited while {names} was in flight: what goes on there meanwhile "
            "could not be undone, so the transaction was undone at its `await`. Await that call before the "
            "transaction begins, or await nothing inside."
        )
        if self._task is not None:
            self._task.cancel()

    def end(self, error: BaseException | None) -> None:
        """Commits, or rolls back after an exception. It can be called again, if it was interrupted."""
        points = self._points
        if self._turning is not None:
            self._turning.cancel()
        _open.set(tuple(each for each in _open.get() if each is not self))
        points.closed(self)
        if points.generation != self._generation:
            self._lost(error)
        elif self.refusal:
            self._refuse(error)
        elif error is None:
            points.drop(self._number)
        elif points.has(self._number):
            self._go_back()

    def _go_back(self) -> None:
        points = self._points
        try:
            points.go_back(self._number, "A transaction cannot be rolled back")
        except Exception:
            points.drop(self._number)
            raise
        # Not if it was interrupted: then it is done again.
        points.drop(self._number)

    def abandon(self, _watch: object) -> None:
        """Rolls back if its `with` statement is over and did not end it."""
        if self in self._points.transactions:
            self.end(KeyboardInterrupt())

    def _refuse(self, error: BaseException | None) -> None:
        """Raises why it did not go on, in place of the cancellation by which the `await` ended."""
        task, self._task = self._task, None
        # Somebody else may have cancelled the task too.
        is_own = task is None or task.uncancel() == 0
        if error is None or (is_own and isinstance(error, asyncio.CancelledError)):
            raise RuntimeError(self.refusal) from None

    def _lost(self, error: BaseException | None) -> None:
        text = (
            f"{self._points.module} was reset or unloaded in a transaction: what the transaction had done before "
            "is lost, and the state before it too."
        )
        if error is not None:
            error.add_note(text)
        else:
            raise CallInterrupted(text)


def _current_task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs: nothing can be awaited either
        return None


class _Exit:
    """The `__exit__` of `Transaction`.

    A stop button can raise `KeyboardInterrupt` before the first line of any function, `__exit__` too. Then the
    transaction would stay open for ever. So each `with` statement gets an `__exit__` of its own, which nothing else
    holds: when the statement has dropped it, the transaction is over, whether it was called or not.
    """

    def __get__(self, transaction: "Transaction | None", _owner: type) -> "Callable[..., None]":
        # `contextlib.ExitStack` looks it up in the class.
        return _leave_innermost if transaction is None else transaction.prepare()


class Transaction:
    """Commits the calls inside together, or none of them. `unpanic.transaction` makes it."""

    __exit__ = _Exit()

    def __init__(self, points: Points) -> None:
        self._points = points
        self._prepared: OpenTransaction | None = None
        self._entered: list[OpenTransaction] = []

    def prepare(self) -> "Callable[..., None]":
        """Gives the `__exit__` of a `with` statement, which asks for it before it enters."""
        transaction = self._prepared = OpenTransaction(self._points)
        leave = partial(self._leave, transaction)
        transaction.watch = weakref.ref(leave, transaction.abandon)
        return leave

    def __enter__(self) -> None:
        transaction, self._prepared = self._prepared or OpenTransaction(self._points), None
        try:
            transaction.begin()
        except BaseException as error:
            transaction.end(error)
            raise
        self._entered.append(transaction)

    def leave_innermost(self, error: BaseException | None) -> None:
        """Ends the transaction that began last."""
        self._leave(self._entered[-1], None, error, None)

    def _leave(
        self, transaction: OpenTransaction, _kind: object, error: BaseException | None, _traceback: object
    ) -> None:
        try:
            transaction.end(error)
        except Exception:
            raise
        except BaseException as stop:
            transaction.end(stop)
            raise
        finally:
            self._entered[:] = [each for each in self._entered if each is not transaction]


def _leave_innermost(transaction: Transaction, _kind: object, error: BaseException | None, _traceback: object) -> None:
    transaction.leave_innermost(error)


class Checkpoint:
    """A state of a module, to which `unpanic.restore` brings it back. `unpanic.checkpoint` makes it.

    Attributes:
        generation: the number of the generation that has the state.
    """

    def __init__(self, points: Points) -> None:
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
