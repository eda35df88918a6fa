"""Transactions: blocks of Python whose calls commit together, or none of them does.

A transaction goes back to a point (points.py). Whatever runs while its block waits would be undone with it, or could
not be told from it. So calls of other tasks are refused meanwhile, and a block that waits while earlier calls are in
flight is undone at once.
"""

import asyncio
import weakref
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from .._bridge.crashes import throw
from ..errors import CallInterrupted
from .points import Points

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OpenTransactions", "Transaction"]

# The transactions that are open in a context, the innermost last.
_open: "ContextVar[tuple[OpenTransaction, ...]]" = ContextVar("unpanic_transaction", default=())


class OpenTransactions:
    """The transactions of one module that are open, the innermost last.

    Attributes:
        points: the points of the module.
    """

    def __init__(self, points: Points) -> None:
        self.points = points
        self._all: list[OpenTransaction] = []

    def __contains__(self, transaction: object) -> bool:
        return transaction in self._all

    def __bool__(self) -> bool:
        return bool(self._all)

    def opened(self, transaction: "OpenTransaction") -> None:
        """A transaction has begun."""
        self._all.append(transaction)
        self.guard()

    def closed(self, transaction: "OpenTransaction") -> None:
        """A transaction has ended. Twice is once."""
        self._all[:] = [each for each in self._all if each is not transaction]
        self.guard()

    def guard(self) -> None:
        """Has the runtime ask before Rust is entered, where that may be none of the transactions' business."""
        if not self.points.has_ended:
            self.points.driver.guard(bool(self._all), any(each.earlier for each in self._all))

    def went_back(self, transaction: "OpenTransaction") -> None:
        """A transaction was undone, and with it those that began later and are still open."""
        if transaction in self._all:
            for later in self._all[self._all.index(transaction) + 1 :]:
                later.undo_with_outer()

    def ensure_mine(self, call: str) -> None:
        """Raises `RuntimeError` if another task is in a transaction."""
        if error := self.refuse(call):
            raise error

    def refuse(self, call: str) -> RuntimeError | None:
        """The exception for a call that would get into a transaction that is not its own; None if it would not."""
        mine, module = _open.get(), self.points.module
        for transaction in self._all:
            if transaction in mine and transaction.refusal:
                return RuntimeError(transaction.refusal)
        if all(transaction in mine or transaction.refusal for transaction in self._all):
            return None
        return RuntimeError(
            f"{module}.{call} was called while another task is in a transaction of {module} and waits: the call would "
            "be undone with it. Wait until that has ended (an asyncio.Lock around both does it)."
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
        for transaction in reversed(self._all):
            transaction.refuse_waiting()

    def check_async(self, call: str) -> None:
        """Refuses an async call in a transaction while earlier ones are in flight."""
        for transaction in self._all:
            if others := transaction.others():
                raise RuntimeError(
                    f"{self.points.module}.{call} was called in a transaction while {', '.join(others)} is in "
                    "flight: what goes on there meanwhile could not be undone. Await it before the transaction begins."
                )


class OpenTransaction:
    """A transaction between its begin and its end.

    Attributes:
        earlier: the calls that were in flight before, by their numbers.
        refusal: why it cannot go on, because it was undone before its end; empty if it can.
    """

    def __init__(self, others: OpenTransactions) -> None:
        self.refusal = ""
        self._all = others
        self._points = points = others.points
        self._generation = points.generation
        self.earlier: dict[int, str] = {}
        # What the `with` statement holds as long as it lasts.
        self.watch: weakref.ref[Callable[..., None]] | None = None
        self._task = _current_task()
        # The same, once it was cancelled.
        self._cancelled: asyncio.Task[Any] | None = None
        self._number = 0
        self._turning: asyncio.Handle | None = None

    def begin(self) -> None:
        """Takes the point to which it goes back.

        Raises:
            TypeError: calls of the module cannot be rolled back.
            RuntimeError: Rust is on the stack, or another task is in a transaction.
        """
        self._points.ensure_ready("transaction")  # which may wait, while others go on
        self._generation = self._points.generation
        self._all.ensure_mine("transaction")
        self.earlier = self._points.in_flight()
        self._number = self._points.take("a transaction")
        self._generation = self._points.generation
        self._turning = asyncio.get_event_loop().call_soon(self._all.refuse_waiting)
        _open.set((*_open.get(), self))
        self._all.opened(self)

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
        names = ", ".join(sorted(set(self.earlier.values())))
        try:
            self._go_back()
        except RuntimeError:
            return  # the module was reset, as `end` will say
        self.refusal = (
            f"A transaction of {points.module} waited while {names} was in flight: what goes on there meanwhile "
            "could not be undone, so the transaction was undone at its `await`. Await that call before the "
            "transaction begins, or await nothing inside."
        )
        if self._task is not None and self._task.cancel():
            self._cancelled = self._task

    def undo_with_outer(self) -> None:
        """The transaction around it was undone, and has ended before it."""
        self._points.drop(self._number)
        self.refusal = self.refusal or (
            f"A transaction of {self._points.module} was undone together with the one around it, which has ended "
            "before it."
        )

    def end(self, error: BaseException | None) -> None:
        """Commits, or rolls back after an exception. It can be called again, if it was interrupted."""
        points = self._points
        if self._turning is not None:
            self._turning.cancel()
        _open.set(tuple(each for each in _open.get() if each is not self))
        try:
            if points.generation != self._generation:
                self._lost(error)
            elif self.refusal:
                self._refuse(error)
            elif error is None:
                points.drop(self._number)
            elif points.has(self._number):
                self._go_back()
        finally:
            self._all.closed(self)

    def _go_back(self) -> None:
        points = self._points
        try:
            points.go_back(self._number, "A transaction cannot be rolled back")
        except Exception:
            points.drop(self._number)
            raise
        # Not if it was interrupted: then it is done again.
        points.drop(self._number)
        self._all.went_back(self)

    def is_watched(self) -> bool:
        """Whether a `with` statement will end it, or its end."""
        return self.watch is not None and self.watch() is not None

    def abandon(self, _watch: object) -> None:
        """Rolls back if its `with` statement is over and did not end it."""
        if self in self._all:
            self.end(KeyboardInterrupt())

    def _refuse(self, error: BaseException | None) -> None:
        """Raises why it did not go on, in place of the cancellation by which the `await` ended."""
        task, self._cancelled = self._cancelled, None
        # Somebody else may have cancelled the task too.
        is_own = task is not None and task.uncancel() == 0
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
        return Transaction.leave_innermost if transaction is None else transaction.prepare()


class Transaction:
    """Commits the calls inside together, or none of them. `unpanic.transaction` makes it."""

    __exit__ = _Exit()

    def __init__(self, others: OpenTransactions) -> None:
        self._all = others
        self._prepared: OpenTransaction | None = None
        self._entered: list[OpenTransaction] = []

    def prepare(self) -> "Callable[..., None]":
        """Gives the `__exit__` of a `with` statement, which asks for it before it enters.

        Whoever calls `__enter__` by hand asks for it afterwards, and gets one that ends that transaction.
        """
        if self._entered and not self._entered[-1].is_watched():
            return self.leave_innermost
        transaction = self._prepared = OpenTransaction(self._all)
        leave = partial(self._leave, transaction)
        transaction.watch = weakref.ref(leave, transaction.abandon)
        return leave

    def __enter__(self) -> None:
        transaction, self._prepared = self._prepared or OpenTransaction(self._all), None
        try:
            transaction.begin()
        except BaseException as error:
            transaction.end(error)
            raise
        self._entered.append(transaction)

    def leave_innermost(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Ends the transaction that began last."""
        self._leave(self._entered[-1], kind, error, traceback)

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
