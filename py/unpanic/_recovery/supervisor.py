"""The supervisor of a module: the handlers that JavaScript calls (handlers.py), and the functions that Python calls."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._bridge.wire import StatisticsAnswer
from .._unseen import unseen
from .handlers import Handlers
from .points import Points
from .policy import Reset, Rollback, explain_obstacle
from .reports import PanicHook, unloaded
from .states import Event, State
from .transactions import OpenTransactions

if TYPE_CHECKING:
    from .._bridge.futures import Call
    from ..errors import Crash
    from .in_flight import Starter
    from .protocols import Converter, Supervised

__all__ = ["Supervisor"]

# A call waits for so many instances, if other tasks let each crash before the call can run.
MOST_WAITS = 10


class Supervisor(Handlers):
    """Decides for one module what a crash means.

    It takes the arguments of `Handlers`, and has its attributes.

    Attributes:
        points: the states to which the module may go back.
        transactions: those that are open.
    """

    def __init__(self, context: "Supervised", **options: Any) -> None:
        super().__init__(context, **options)
        self.points = Points(self)
        self.transactions = OpenTransactions(self.points)

    def handlers(self) -> dict[str, Any]:
        """Gives the functions that the runtime calls."""
        return super().handlers() | {"entering": self.transactions.entering}

    @property
    def resets(self) -> int:
        """How often a generation followed another."""
        return self.last_generation

    @property
    def rollbacks(self) -> int:
        """How many calls were rolled back."""
        return self._renewal.rollbacks

    @property
    def crashes(self) -> Counter[str]:
        """How many crashes there were of each kind."""
        return self._reports.crashes

    @property
    def last_crash(self) -> "Crash | None":
        """The latest crash."""
        return self._reports.last_crash

    @property
    def recovery_ms(self) -> list[float]:
        """How many milliseconds the latest hundred recoveries took."""
        return self._renewal.durations

    def describe_recovery(self, used: StatisticsAnswer) -> tuple[str, str]:
        """Tells what a crash leads to now, and why: the browser may have no room to roll anything back.

        Args:
            used: what the runtime says of the module.
        """
        if used.obstacle and self.policy.name == Rollback.name:
            return Reset.name, explain_obstacle(used.obstacle)
        return self.policy.name, self.policy.why

    @property
    def panic_hook(self) -> PanicHook | None:
        """The user's function that hears of panics; None logs them."""
        return self._reports.panic_hook

    @panic_hook.setter
    def panic_hook(self, hook: PanicHook | None) -> None:
        self._reports.panic_hook = hook

    def reset(self) -> None:
        """Drops the current generation now."""
        self.ensure_not_ended("reset")
        try:
            clear = self.context.driver.end() and not self._filling.is_running
            self._aftermath.catch_up()
            if clear:
                self._renewal.recover()
        except BaseException:
            if self.has_died:
                self.context.driver.abandon()
            raise
        self.raise_remembered()
        if clear and not self.is_waiting:
            self.ensure_ready("reset")

    def unload(self) -> None:
        """Ends the module and lets go of everything. If this is interrupted, it can be done again."""
        if self.state is not State.UNLOADED:
            self.context.driver.end()
            self._aftermath.catch_up()
            self.cause = None
            self._renewal.terminate(Event.UNLOADED, "it was unloaded", None)
        self._aftermath.catch_up()
        self._renewal.finish_end()
        self._let_go()
        self.raise_remembered()

    def _let_go(self) -> None:
        """Leaves one function behind, for names of the module that live on, and for calls that are on the stack.

        All unloaded modules share it, and it holds nothing of any: no collector sees a circle through Python and
        JavaScript. Hooks and callbacks mostly name the module, which would be such a circle.
        """
        self.panic_hook = None
        self.reset_callbacks.clear()
        self.context.browser.leave(self.context.driver, unloaded)
        self.detach()
        self.detach = lambda: None

    def ensure_ready(self, call: str) -> None:
        """Recovers if a generation died without a call that could have done it.

        If the browser is making the next instance, this waits for it where Python can wait: other tasks may run.

        Raises:
            CallInterrupted: the dead generation is still on the stack; or nobody can wait here for the next one.
            ModuleTerminated: no generation will follow.
            OutOfMemory: the browser has no memory for the next one.
        """
        if self.has_died:
            self._recover_for(call)
            self._wait_for(call)
            if self.has_died:
                raise self._reports.refuse(call)
        self.ensure_not_ended(call)

    def _recover_for(self, call: str) -> None:
        if not self.context.driver.isClear():
            self._aftermath.catch_up()
            raise self._reports.interrupt(call, self.cause)
        self._renewal.recover()
        self.raise_remembered()

    def _wait_for(self, call: str) -> None:
        """Waits for the instance that the browser is making, and again if other tasks let the module crash meanwhile.

        Callbacks of `on_reset` do not wait: no other task shall see what they have filled only in part.
        """
        browser, arrival = self.context.browser, None
        last = self.last_generation + MOST_WAITS
        while self.is_waiting and self.last_generation < last:
            if self._filling.is_running or not browser.can_wait():
                return
            if arrival is None or arrival.done():
                arrival = self.in_flight.arrival()
            browser.wait(arrival)
            # The instance may be there without anybody having heard, or another task has crashed it since.
            if self.has_died and self.state is not State.STARVED:
                self._recover_for(call)

    def ensure_not_ended(self, call: str) -> None:
        """Raises `ModuleTerminated` once the module has ended."""
        if self.has_ended:
            raise self._reports.refuse(call)

    @unseen
    def when_ready(self, run: "Starter", name: str = "") -> "Call":
        """Begins an async call, as soon as there is a generation to run it.

        Args:
            run: converts the arguments, begins the call, and hands it to `started`.
            name: what is called.
        """
        if self.transactions:
            self.transactions.check_async(name)
        if (self.is_waiting or (self.has_died and self.context.waits)) and self.context.driver.isClear():
            self._renewal.recover()  # the instance may be there without anybody having heard
        return self.in_flight.begin_or_wait(run, name)

    def started(self, id_: int, call: str, receive: "Converter | None") -> "Call":
        """Takes over an async call that began, and gives the future that its caller awaits.

        Args:
            id_: the number that the runtime gave the call.
            call: what was called.
            receive: converts the result, if that is needed.
        """
        future = self.in_flight.take_future(call)
        if self.has_died:
            # The call itself asked for a reset.
            future.end(self._reports.interrupt(call, self.cause))
        else:
            fills = self._filling.runs_in(self.generation)
            self.in_flight.add(id_, future, call, receive, fills=fills, limit=self.limits.capture())
        return future

    def say(self, crash: "Crash | None", write: Callable[..., None], *record: Any) -> None:
        """Writes to the log, where handlers and filters of the user's may raise."""
        self._reports.say(crash, write, *record)

    def raise_remembered(self) -> None:
        """Raises the exception that was raised while a crash was handled, where Python asked for a recovery."""
        self._deferred.raise_now()
