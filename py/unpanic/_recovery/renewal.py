"""Renewal: the next generation is made and filled by callbacks of `on_reset`, or the module ends."""

import time
from typing import TYPE_CHECKING

from .._bridge.wire import MEMORY, PREPARING, ROLLED_BACK, START, RenewAnswer, RollBackAnswer
from .capsules import CapsuleSource
from .states import NONE, Event, State

if TYPE_CHECKING:
    from ..errors import Crash
    from .aftermath import Aftermath
    from .budget import Budget
    from .filling import Filling
    from .history import History
    from .in_flight import InFlight
    from .policy import Policy
    from .protocols import Supervised
    from .reports import Reports
    from .states import Lifecycle

__all__ = ["Renewal"]


class Renewal:
    """Makes the generations of one module.

    Attributes:
        durations: how many milliseconds the latest hundred recoveries took.
        rollbacks: how many calls were rolled back.
    """

    def __init__(
        self,
        context: "Supervised",
        life: "Lifecycle",
        *,
        policy: "Policy",
        history: "History",
        reports: "Reports",
        in_flight: "InFlight",
        filling: "Filling",
        budget: "Budget",
        aftermath: "Aftermath",
    ) -> None:
        self.durations: list[float] = []
        self.rollbacks = 0
        self._context = context
        self._life = life
        self._policy = policy
        self._history = history
        self._reports = reports
        self._in_flight = in_flight
        self._filling = filling
        self._budget = budget
        self._aftermath = aftermath
        # When the generation died that is being replaced; 0 if none is.
        self._began = 0.0
        # Whether `finish_end` has been done.
        self._is_over = False

    def recover(self) -> None:
        """Does all that is left to do. A generation that could not be filled is dropped, so that nobody gets it."""
        life = self._life
        try:
            self._aftermath.catch_up()
            # A call may have been rolled back already, and its generation live, but the rest of it is left to do.
            if life.has_died or self._aftermath.rolling_back:
                self._policy.recover(self, life.cause)
            self.finish_end()
            self._fill()
            self._in_flight.wake()
        except BaseException:
            if not life.has_ended and not self._filling.is_running and life.generation != life.filled:
                self._context.driver.abandon()
            raise

    # Going on with the one that is there.

    def roll_back(self) -> bool:
        """Rolls the failed call back; tells whether that could be done. If this is interrupted, it can be done again.

        While callbacks of `on_reset` fill a generation, no call in it is rolled back: what they have filled may be
        what crashes.
        """
        life = self._life
        death = self._aftermath.rolling_back
        if death is None:
            return False
        began = time.perf_counter()
        is_wanted = life.filled == life.last_generation
        fields = self._context.driver.rollBack(is_wanted)
        answer = RollBackAnswer(*fields) if fields else ROLLED_BACK
        self._aftermath.finish_rollback(death, answer)
        if answer.obstacle:
            return False
        life.cause = None
        milliseconds = (time.perf_counter() - began) * 1000
        self.durations = [*self.durations[-99:], milliseconds]
        self.rollbacks += 1
        self._reports.report_rollback(death.crash, milliseconds)
        if death.crash is not None:
            self._keep(death.crash)
        return True

    def _keep(self, crash: "Crash") -> None:
        """Lets the user ask for a capsule of the crash, or makes it now."""
        crash.capsule_source = CapsuleSource(self._context.supervisor.points, crash)
        if self._context.keeps_capsules:
            try:
                crash.kept_capsule = crash.capsule_source.make()
            except (TypeError, LookupError, RuntimeError) as error:
                crash.kept_capsule = error

    # Making one.

    def replace(self) -> None:
        """Makes the next generation; ends the module if there can be none."""
        life = self._life
        self._began = self._began or time.perf_counter()
        while not (excess := self._budget.excess):
            fields = self._context.driver.renew()
            if life.has_ended:
                return  # code that ran when the instance started has unloaded the module
            if isinstance(fields, int):
                self._begin(fields)
                return
            obstacle, text = RenewAnswer(*fields)
            if obstacle == PREPARING:
                self._wait()
                return
            if obstacle == MEMORY:
                # The browser's limit for all pages of this process, not the module's fault: the next call tries again.
                self._starve(text)
                self._reports.describe_shortage(life.cause)
                return
            if obstacle != START or not self._policy.replaces:
                self.terminate(Event.NOT_STARTED, f"the next generation did not start: {text}", life.cause)
                return
            self._budget.add(text.rstrip("."))
        self.terminate(Event.BUDGET_SPENT, excess, life.cause)

    def _begin(self, number: int) -> None:
        """Takes over a generation that the runtime has made, maybe while nobody listened."""
        life = self._life
        milliseconds = (time.perf_counter() - self._began) * 1000
        self._began = 0.0
        self.durations = [*self.durations[-99:], milliseconds]
        life.last_generation = number
        self._history.recovered(number)
        life.begin(number)
        self._reports.report_reset(life.cause, milliseconds)

    def _wait(self) -> None:
        if self._life.state is not State.WAITING:
            self._reports.describe_wait(self._life.cause)
        self._life.advance(Event.AWAITED)
        self._context.detour()

    def _starve(self, failure: str) -> None:
        self._life.shortage = failure
        self._life.advance(Event.NO_MEMORY)

    def receive_instance(self, obstacle: str, text: str) -> None:
        """Takes over an instance that the browser has made at its leisure.

        Args:
            obstacle: what kept it from being made, as in a `RenewAnswer`; empty if it was made.
            text: the same in words.
        """
        life = self._life
        if life.has_died and not obstacle:
            if self._context.driver.isClear():
                self.recover()
        elif life.state is State.WAITING:
            if obstacle == MEMORY:
                self._starve(text)
            else:
                self.terminate(Event.NOT_STARTED, f"the next generation could not be made: {text}", life.cause)
        self._in_flight.wake()

    # Filling it.

    def _fill(self) -> None:
        """Has callbacks fill the generation.

        One that died while it was filled, or was left by a callback that reset the module, is followed by another.
        """
        life, filling = self._life, self._filling
        if filling.is_running or not filling.is_needed():
            return
        first = life.cause
        try:
            filling.is_running = True
            while filling.is_needed():
                number = life.generation
                if filling.run(first):
                    life.fill(number)
                elif not life.has_ended:
                    self._replace_half_filled()
            if life.has_ended:
                self._reports.describe_end(first)
            filling.is_running = False
        except BaseException:
            filling.is_running = False
            raise
        if life.state is State.READY:
            life.cause = None

    def _replace_half_filled(self) -> None:
        """Makes the next generation to fill. One that a callback has used after the crash in it is dropped."""
        life, driver = self._life, self._context.driver
        if life.generation != NONE:
            self._filling.dropped = life.generation
            driver.end()
        self._aftermath.catch_up()
        if life.has_died and driver.isClear():
            self._policy.recover(self, life.cause)

    # The end.

    def terminate(self, event: Event, reason: str, cause: "Crash | None") -> None:
        """Ends the module: no generation will follow.

        Args:
            event: what ends it, for the table of states.
            reason: the same in words.
            cause: the crash that ended it, if one did.
        """
        life = self._life
        life.end_reason, life.end_cause = reason, cause
        self._is_over = False
        life.end()
        life.advance(event)
        self.finish_end()

    def finish_end(self) -> None:
        """Lets go of what a module that has ended needs no more. If this is interrupted, it is done again."""
        life = self._life
        if self._is_over or not life.has_ended:
            return
        self._context.callbacks.clear()
        self._history.died()
        self._reports.describe_end(life.end_cause)
        self._in_flight.wake()
        self._context.driver.close()
        self._is_over = True
        self._reports.report_end(life.end_cause)
