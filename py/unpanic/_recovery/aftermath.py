"""The steps that follow the death of a generation, before the next one is made."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._bridge.crashes import ON_PURPOSE
from .._bridge.wire import DeathMessage, ErrorFields, RollBackAnswer
from .._log import log_crash
from ..errors import RustPanic
from .deaths import Death, Deaths
from .states import NONE

if TYPE_CHECKING:
    from .budget import Budget
    from .deferred import Deferred
    from .filling import Filling
    from .history import History
    from .in_flight import InFlight
    from .observers import Observers
    from .protocols import Supervised
    from .reports import Reports
    from .states import Lifecycle

__all__ = ["Aftermath"]


class Aftermath:
    """Handles the deaths of one module.

    Each step can be done again, except for the lines after `death.next_step += 1`: they run code of the user's, or
    count something.
    """

    def __init__(
        self,
        context: "Supervised",
        life: "Lifecycle",
        *,
        make_rust_error: Callable[[ErrorFields], BaseException],
        deferred: "Deferred",
        history: "History",
        reports: "Reports",
        in_flight: "InFlight",
        filling: "Filling",
        budget: "Budget",
        observers: "Observers",
    ) -> None:
        self._context = context
        self._life = life
        self._make_rust_error = make_rust_error
        self._deferred = deferred
        self._history = history
        self._reports = reports
        self._in_flight = in_flight
        self._filling = filling
        self._budget = budget
        self._observers = observers
        self._deaths = Deaths(len(STEPS))

    def note(self, message: DeathMessage, raised: BaseException | None = None) -> Death:
        """Notes a death that the runtime reports; to hear of it twice does no harm.

        Args:
            message: what the runtime reports.
            raised: the exception that Python raised last: if the user interrupted a call, it is that.
        """
        death = self._deaths.add(Death.of(message))
        if death.is_interrupted and death.interrupt is None:
            death.interrupt = raised or KeyboardInterrupt()
        return death

    def catch_up(self) -> None:
        """Does the steps that are left of all deaths, also of one that Python never heard of.

        Python does not hear of a death if the handler which the runtime called was interrupted before it began.
        """
        life = self._life
        if life.generation == NONE and not life.has_ended and not self._deaths.ended(life.last_generation):
            fields = self._context.driver.death()
            if fields:
                self.note(DeathMessage.of(tuple(fields)))
        self.work()

    def work(self) -> None:
        """Does the steps that are left of the deaths that are known."""
        for death in self._deaths:
            while death.next_step < len(STEPS):
                place = death.next_step
                step = STEPS[place]
                try:
                    step(self, death)
                except BaseException as error:
                    self._deferred.keep(error, death.crash)
                    if death.next_step == place:
                        step(self, death)
                death.next_step = max(death.next_step, place + 1)

    def identify(self, death: Death) -> None:
        """Makes the exception, and notes what ended the generation."""
        life = self._life
        if death.generation < life.last_generation:
            return  # while this was interrupted, somebody else went on
        life.end()
        if not death.can_roll_back:
            self._context.callbacks.clear()
        if death.diagnosis is None:
            # The next generation is filled for the same reason as this one would have been.
            life.cause = None if life.filled == death.generation else life.cause
            return
        if death.diagnosis.code == ON_PURPOSE and death.thrown is None:
            death.thrown = self._make_rust_error(ErrorFields(*death.diagnosis.cause))
            death.diagnosis = death.diagnosis._replace(cause=death.thrown)
        if death.is_of_caller:
            return  # but its task is stuck, and others with it
        if death.crash is None:
            suspicion = self._suspicion(death)
            death.crash = self._reports.make_crash(
                death.diagnosis, death.call, death.generation, suspicion, can_roll_back=death.can_roll_back
            )
        life.cause = self._reports.last_crash = death.crash

    def _suspicion(self, death: Death) -> str:
        """Says which calls in flight may be to blame; empty if it is certain that one is, or that none is."""
        if death.call or not death.suspects:
            return ""
        names = [call.name for call in self._in_flight.find(death.suspects)]
        return self._reports.suspect(names, is_certain=death.is_certain)

    def count(self, death: Death) -> None:
        """Counts the crash, also against the restart budget if nobody called for it."""
        death.next_step += 1
        crash = death.crash
        if crash is not None:
            self._reports.record(crash)
        if not death.can_roll_back:
            self._history.died()
        if crash is None:
            if self._filling.is_running and death.generation != self._filling.dropped:
                self._budget.add("a reset in on_reset")
        elif (fills := self._is_filling(death)) or not death.has_caller:
            place = "in on_reset, " if fills else ""
            self._budget.add(f"{place}{crash.kind}: {crash.message}")

    def _is_filling(self, death: Death) -> bool:
        """Tells whether the crash came from filling: a callback of `on_reset`, its task, or an async call of one."""
        if self._filling.is_running or (death.attended and self._filling.is_inherited(death.generation)):
            return True
        calls = self._in_flight.find(death.suspects)
        return bool(calls) and all(call.fills for call in calls)

    def log(self, death: Death) -> None:
        """Logs the crash at DEBUG."""
        death.next_step += 1
        if death.crash is not None:
            log_crash(logging.DEBUG, "crash", death.crash)

    def tell(self, death: Death) -> None:
        """Tells the observers, unless the call is to be rolled back: then nothing but that call ends."""
        if not death.can_roll_back:
            self._notify(death)

    def _notify(self, death: Death) -> None:
        if self._observers and death.crash is not None:
            suspects = [call.future for call in self._in_flight.find(death.suspects)]
            self._observers.notify(self._life.user_module(), death.crash, suspects)

    def settle(self, death: Death) -> None:
        """Ends the calls that were in flight."""
        crash = death.crash
        for number in death.suspects:
            error = crash or death.thrown or death.interrupt or self._reports.interrupt(death.call, None)
            self._in_flight.end(number, "failed", error)
        self._interrupt(death, death.interrupted)

    def _interrupt(self, death: Death, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        # Once for all: there may be thousands.
        why = "the user stopped another call" if death.interrupt else self._reports.explain(death.crash)
        for number in numbers:
            for call in self._in_flight.find((number,)):
                self._in_flight.end(number, "interrupted", self._reports.interrupt(call.name, death.crash, why))

    # Rolling back.

    @property
    def rolling_back(self) -> Death | None:
        """The death whose call is to be rolled back now."""
        return self._deaths.open

    def finish_rollback(self, death: Death, answer: RollBackAnswer) -> None:
        """Notes what became of the call; this can be done again."""
        if answer.obstacle:
            self._notify(death)
        self._interrupt(death, answer.interrupted)
        if not answer.obstacle:
            death.is_rolled_back = True
            self._life.begin(death.generation)
            return
        self._context.callbacks.clear()
        self._history.died()
        if death.crash is not None:
            self._reports.describe_failed_rollback(death.crash, answer.obstacle)
        death.can_roll_back = False

    def report(self, death: Death) -> None:
        """Runs the panic hook, and logs a crash that is nobody's exception."""
        death.next_step += 1
        crash = death.crash
        if isinstance(crash, RustPanic):
            self._reports.report_panic(crash, has_caller=death.has_caller)
        elif crash is not None and not death.has_caller:
            log_crash(logging.ERROR, "crash", crash)
        elif death.interrupt is not None and not death.has_caller:
            self._deferred.keep(death.interrupt, None)


# The steps, in this order.
STEPS: tuple[Callable[[Aftermath, Death], None], ...] = (
    Aftermath.identify,
    Aftermath.count,
    Aftermath.log,
    Aftermath.tell,
    Aftermath.settle,
    Aftermath.report,
)
