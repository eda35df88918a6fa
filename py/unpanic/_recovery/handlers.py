"""The handlers that the JavaScript runtime calls: at a crash, when a call fails, when an async call ends.

The JavaScript runtime sees every crash, tells the supervisor once, and does what the supervisor says: it makes the next
generation, or ends the module. Handlers that end a call return the address of the exception to raise, which
`sys.last_exc` keeps alive until it arrives (js/src/hosts/python/raising.js says why).

A crash is handled to its end, whatever is raised meanwhile. Before the runtime calls a handler, it writes that the
generation is gone (`Lifecycle.generation`), for which no line of Python runs. The work that a death causes is a row of
steps (aftermath.py). Each step can be done again, and whoever comes next goes on: the runtime at once, if a handler
raised (`ask` in js/src/hosts/python/host.js), and any later call. Python asks for a death that it never heard of
(`Driver.death`).
An exception that is raised meanwhile reaches the caller in the end (deferred.py).
"""

import logging
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .._bridge.crashes import make_gone, make_in_use, make_stale, throw
from .._bridge.wire import (
    CaughtPanicMessage,
    DeathMessage,
    ErrorFields,
    FailedMessage,
    FailedUnattendedMessage,
    SettledByErrorMessage,
    SettledByRollbackMessage,
    SettledByUnwindingMessage,
    UnwoundMessage,
)
from .._log import log_crash
from .._unseen import without_own_frames
from ..errors import Crash, RustError, RustPanic
from .aftermath import Aftermath
from .budget import Budget
from .deadlines import Limits
from .deferred import Deferred
from .filling import Filling, ResetCallback
from .history import History
from .in_flight import InFlight
from .observers import Observers
from .renewal import Renewal
from .reports import PanicHook, Reports
from .states import NONE, Lifecycle

if TYPE_CHECKING:
    from .policy import Policy
    from .protocols import RustErrorMaker, Supervised

__all__ = ["Handlers"]


class Handlers(Lifecycle):
    """Decides what events in the JavaScript runtime mean for one module.

    It is the base of `Supervisor`, and not a part, because the runtime writes to the object that Python asks.

    Args:
        context: the module, as far as its supervisor has to know it.
        policy: the strategy.
        restart_budget: how many crashes there may be within ten seconds that nobody called for.
        panic_hook: the user's function that hears of panics; None logs them.
        make_rust_error: makes the exception for a Rust `Err`.
        observers: who else hears of crashes.
        limits: how long calls may compute.

    Attributes:
        context: the module, as far as its supervisor has to know it.
        policy: the strategy.
        history: the module's past.
        in_flight: the async calls.
        reset_callbacks: the callbacks of `on_reset`, in the order in which they were given.
        limits: how long calls may compute.
        load_ms: how many milliseconds the load took.
        detach: lets go of the runtime; what attached the supervisor puts it here.
    """

    def __init__(
        self,
        context: "Supervised",
        *,
        policy: "Policy",
        restart_budget: int,
        panic_hook: PanicHook | None,
        make_rust_error: "RustErrorMaker",
        observers: Observers,
        limits: Limits,
    ) -> None:
        super().__init__()
        self.context = context
        self.policy = policy
        self.history = History(context.name, context.browser)
        self.load_ms = 0.0
        self.detach: Callable[[], None] = lambda: None
        self.in_flight = InFlight(context.name, self.history, lambda: self.is_waiting)
        self.limits = limits
        self._make_rust_error = make_rust_error
        self._deferred = Deferred()
        self._reports = Reports(context, self, policy, self._deferred, self.history, panic_hook)
        self._filling = Filling(self, self._reports, self._deferred)
        self.reset_callbacks: list[ResetCallback] = self._filling.callbacks
        budget = Budget(restart_budget, lambda: self.history.clock())
        self._aftermath = Aftermath(
            context,
            self,
            make_rust_error=self._rust_error,
            deferred=self._deferred,
            history=self.history,
            reports=self._reports,
            in_flight=self.in_flight,
            filling=self._filling,
            budget=budget,
            observers=observers,
        )
        self._renewal = Renewal(
            context,
            self,
            policy=policy,
            history=self.history,
            reports=self._reports,
            in_flight=self.in_flight,
            filling=self._filling,
            budget=budget,
            aftermath=self._aftermath,
        )

    def handlers(self) -> dict[str, Any]:
        """Gives the functions that the runtime calls, and the object that it writes to, by their names in JavaScript.

        They are those of `PythonHandlers` in js/src/types.d.ts, but for the ones that belong to the module's exports.
        """
        return {
            "supervisor": self,
            "crashed": self.crashed,
            "interrupted": self.interrupted,
            "retired": self.retired,
            "recover": self.recover,
            "limit": self.limit,
            "raised": self.raised,
            "prepared": self.prepared,
            "unavailable": self.unavailable,
            "unwound": self.unwound,
            "failed": self.failed,
            "failedUnattended": self.failed_unattended,
            "inUse": self.in_use,
            "gone": self.gone,
            "stale": self.stale,
            "settled": self.settled,
            "settledByError": self.settled_by_error,
            "settledByUnwinding": self.settled_by_unwinding,
            "settledByRollback": self.settled_by_rollback,
            "abandoned": self.abandoned,
            "caughtPanic": self.caught_panic,
        }

    def crashed(self, *fields: Any) -> int:
        """A generation died: settles what was in flight, reports, and recovers if the stack is clear."""
        message = DeathMessage.of(fields)
        death = self._aftermath.note(message, getattr(sys, "last_exc", None))
        self._aftermath.work()
        if message.clear and not self._filling.is_running:
            self._renewal.recover()
        error = death.crash or death.interrupt
        has_caller = death.attended and error is not None
        address = self._deferred.answer(error) if has_caller else self._deferred.deliver()
        death.is_answered = True
        return address

    def retired(self, *fields: Any) -> int:
        """Rust asked for a reset (`schedule_reinit`): its call has ended well, the next generation is still to come."""
        self._aftermath.note(DeathMessage.of(fields))
        self._aftermath.work()
        self.context.detour()
        return self._deferred.answer(None)

    def recover(self, attended: bool = True) -> int:
        """No frame of the dead generation is left: makes the next one, or ends the module."""
        self._renewal.recover()
        return self._deferred.answer(None) if attended else self._deferred.deliver()

    def limit(self, attended: bool, polled: Iterable[int]) -> float:
        """Code computes: gives the number of seconds that it may."""
        # JavaScript that Python has called may have called Rust, with nobody to get an exception.
        limit = self.limits.now()
        return limit if attended else min(limit, self.in_flight.limit(polled))

    def raised(self) -> None:
        """A handler raised. The runtime calls it again now, so that it goes on from where it was."""
        error = sys.last_exc
        if isinstance(error, BaseException):
            self._deferred.keep(error, self._reports.last_crash)

    def escaped(self, error: BaseException) -> None:
        """A callback raised an exception that ends programs. If its call has to end anyway, the caller gets that."""
        if self.generation == NONE and not self.has_ended:
            self._deferred.keep(error, None)

    def prepared(self, obstacle: str, text: str) -> int:
        """The browser has made the next generation, or could not: then there is an `obstacle`."""
        self._renewal.receive_instance(obstacle, text)
        return self._deferred.deliver()

    def interrupted(self, call: str, clear: bool) -> int:
        """A call ends because its generation died: an outer call, or one that came while that was on the stack."""
        self._aftermath.catch_up()
        error = self._reports.interrupt(call, self.cause or self.end_cause)
        if clear:
            self._renewal.recover()
        return self._deferred.answer(error)

    def unavailable(self, call: str) -> int:
        """A call came, and there is no generation to run it."""
        return throw(self._reports.refuse(call))

    def unwound(self, *fields: Any) -> int:
        """A panic or a foreign exception ran the destructors: the generation lives on."""
        message = UnwoundMessage.of(fields)
        crash = self._reports.make_unwound(message.diagnosis, message.call)
        self._reports.report_panic(crash, has_caller=True)
        return self._deferred.answer(crash)

    def failed(self, *fields: Any) -> int:
        """A call ends in a Rust `Err`, in what Rust threw on purpose, or in a Python exception that comes back."""
        message = FailedMessage.of(fields)
        self._retire(message.call, message.reason)
        return self._deferred.answer(self._rust_error(message.error))

    def failed_unattended(self, *fields: Any) -> None:
        """An error like these is no call's: a timer called a closure that is gone, or a task threw."""
        self._reports.report_throw(self._rust_error(FailedUnattendedMessage.of(fields).error))
        self._deferred.deliver()

    def in_use(self, class_name: str, holder: str, call: str, text: str, reason: str) -> int:
        """An object was to be borrowed that another call has borrowed."""
        self._retire(call, reason)
        return self._deferred.answer(make_in_use(self.context.name, class_name, holder, call, text))

    def gone(self, call: str, reason: str) -> int:
        """An object was used that had been freed or moved, which only Rust could see."""
        self._retire(call, reason)
        return self._deferred.answer(make_gone(self.context.name, call))

    def stale(self, class_name: str, consumer: str, call: str) -> int:
        """An object was used that had been freed or moved."""
        return throw(make_stale(self.context.name, class_name, consumer, call))

    def settled(self, id_: int, value: Any) -> None:
        """An async call returned."""
        self.in_flight.end_with(id_, value)

    def settled_by_error(self, *fields: Any) -> None:
        """An async call returned `Err`."""
        message = SettledByErrorMessage.of(fields)
        self.in_flight.end(message.id, "failed", self._rust_error(message.error))

    def settled_by_unwinding(self, *fields: Any) -> None:
        """A panic unwound to the event loop: out of an async call, or out of a task that nobody waits for."""
        id_, diagnosis, call = SettledByUnwindingMessage.of(fields)
        self._settle(id_, self._reports.make_unwound(diagnosis, call))

    def settled_by_rollback(self, *fields: Any) -> None:
        """What the event loop ran crashed and was undone: a poll of an async call, or what nobody waits for."""
        id_, diagnosis, call = SettledByRollbackMessage.of(fields)
        self._renewal.rollbacks += 1
        self._settle(id_, self._reports.make_undone(diagnosis, call))

    def _settle(self, id_: int, crash: Crash) -> None:
        """Ends an async call with a crash after which the generation lives on; 0 is no call."""
        self._reports.report_panic(crash, has_caller=id_ > 0)
        if id_:
            self.in_flight.end(id_, "failed", crash)
        elif not isinstance(crash, RustPanic):
            self._reports.say(crash, log_crash, logging.ERROR, "crash", crash)
        self._deferred.deliver()

    def abandoned(self, id_: int) -> None:
        """A handler that should have ended an async call raised: whoever awaits it gets that; 0 is no call."""
        error = sys.last_exc
        if self.in_flight.find((id_,)):
            self.in_flight.end(id_, "failed", error)
        elif error is not None:
            self._deferred.keep(error, None)
            self._deferred.deliver()

    def caught_panic(self, *fields: Any) -> None:
        """Rust caught a panic itself: only the hook hears of it."""
        crash = self._reports.make_unwound(CaughtPanicMessage.of(fields).diagnosis, "")
        self._reports.report_panic(crash, has_caller=False)
        self._deferred.deliver()

    def _retire(self, call: str, reason: str) -> None:
        """Has the instance replaced when the call has ended, if the policy says so. Otherwise it goes on as it is."""
        if reason and self.policy.replaces:
            self.context.driver.retire()
            self._reports.report_replacement(call, reason)

    def _rust_error(self, fields: ErrorFields) -> BaseException:
        error = self._make_rust_error(*fields)
        return error if isinstance(error, RustError) else without_own_frames(error)
