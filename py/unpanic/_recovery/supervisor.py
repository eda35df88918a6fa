"""The policy of recovery, in one place.

The JavaScript runtime sees every crash, tells this supervisor once, and does what it
says: make the next generation, or end the module. Each handler below is called from
JavaScript; those that end a call return the address of the exception to raise, which
`sys.last_exc` keeps alive until it arrives (js/src/hosts/python/raising.js says why).

Whatever is raised while a crash is handled, it is handled to its end. Before the runtime
calls a handler it writes that the generation is gone (`Supervisor.generation`), for which
no line of Python runs. What there is to do about a death is done step by step, each step
can be done again, and who comes next goes on: the runtime at once, when a handler raised
(`ask` in js/src/hosts/python/host.js), and any later call. What Python never heard of it asks for
(`Driver.death`). What was raised meanwhile reaches the caller in the end.
"""

import asyncio
import logging
import math
import sys
import time
import traceback
import types
import weakref
from collections import Counter, deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._bridge.crashes import ON_PURPOSE, describe_suspects, make_crash, make_gone, make_in_use, make_stale, throw
from .._bridge.futures import Call, make_call
from .._bridge.wire import (
    MEMORY,
    PREPARING,
    START,
    CaughtPanicMessage,
    DeathMessage,
    DiagnosisFields,
    ErrorFields,
    FailedMessage,
    FailedUnattendedMessage,
    RenewAnswer,
    SettledByErrorMessage,
    SettledByUnwindingMessage,
    UnwoundMessage,
)
from .._log import log, log_crash, log_failure
from .._unseen import unseen, without_own_frames
from .._values.convert import Converter, rust_error
from ..errors import CallInterrupted, Crash, ModuleTerminated, OutOfMemory, RustError, RustPanic, UnpanicError
from .deaths import Death, Uncalled, attempt, shown
from .history import History

if TYPE_CHECKING:
    from .._exports.module import Module

__all__ = ["Supervisor", "crash_listeners"]

type PanicHook = Callable[[RustPanic], object]
type ResetCallback = Callable[[types.ModuleType, Crash | None], object]
type Starter = Callable[[], Call]
type CrashListener = Callable[[types.ModuleType | None, Crash, list[Call]], object]

# Who hears of every crash that ends a generation, before calls in flight settle: with the module, and with the async
# calls that may be to blame. They must not raise, and may hear of a crash twice.
crash_listeners: set[CrashListener] = set()

# So many deaths are remembered although somebody may have lost interest in them.
MOST_DEATHS = 50

# No generation has this number: while one is being replaced, every object is stale. The runtime writes it too.
NONE = -1


@dataclass
class Pending:
    """An async call in flight."""

    future: Call
    receive: Converter | None
    call: str
    began: float
    # A callback of `on_reset` began it, or a task that was started there.
    fills: bool = False


# The supervisor and the generation that a callback of `on_reset` fills. Tasks that it starts inherit it: what crashes
# in them while that generation lives could begin again with the next one, for ever.
_filled_now: ContextVar[tuple[int, int] | None] = ContextVar("filled_now", default=None)

# What Rust throws on purpose skips destructors. Why the instance is replaced after it, by what the runtime found.
LEFT_BEHIND = {
    "borrowed": "the objects of the call stay borrowed",
    "stack": "half of the module's stack was in use",
}


def _raise(error: BaseException) -> None:
    raise error


def _ended(module: str, call: str, reason: str, cause: Crash | None = None) -> ModuleTerminated:
    error = ModuleTerminated(f"{module}.{call} cannot run: the module has ended ({reason}). Load it again.")
    error.__cause__ = cause
    return error


def unloaded(module: str, call: str, was_running: bool) -> int:
    """What a call into an unloaded module ends in, or one that ran meanwhile."""
    if was_running:
        return throw(CallInterrupted(f"{module}.{call} was interrupted: the module was unloaded"))
    return throw(_ended(module, call, "it was unloaded"))


class Supervisor:
    """Decides for one module what a crash means.

    Attributes:
        generation: the number of the one that lives, or `NONE`. The runtime writes it when one dies.
        last_generation: the number of the newest.
        filled: the number of the newest that callbacks of `on_reset` have filled.
        ended: `terminated` or `unloaded`, once no generation will follow.
    """

    def __init__(self, module: "Module", *, recovery: str, restart_budget: int, panic_hook: PanicHook | None) -> None:
        self.module = module
        self.recovery = recovery
        self.panic_hook = panic_hook
        self.history = History(module.name, module.browser)
        self.reset_callbacks: list[ResetCallback] = []
        self.namespace: weakref.ref[types.ModuleType] = lambda: None  # type: ignore[assignment]
        self.generation = 0
        self.last_generation = 0
        self.filled = 0
        self.ended = ""
        self.crashes: Counter[str] = Counter()
        self.last_crash: Crash | None = None
        self.end_cause: Crash | None = None
        self.end_reason = ""
        self.pending: dict[int, Pending] = {}
        self.load_ms = 0.0
        self.recovery_ms: list[float] = []
        self.preparing = False
        # By the numbers of their generations: those with steps that are still to be done, and the newest.
        self._deaths: dict[int, Death] = {}
        self._uncalled = Uncalled(restart_budget, lambda: self.history.clock())
        self._waiting: deque[tuple[Call, Starter]] = deque()
        # The one of them that begins now.
        self._beginning: Call | None = None
        self._renewing_since = 0.0
        self._filling = False
        self._dropped = NONE
        self._shortage = ""
        # What ended the latest generation.
        self._cause: Crash | None = None
        # What was raised while something was handled, and is no `Exception`: it is the caller's.
        self._raised: BaseException | None = None
        self.detach: Callable[[], None] = lambda: None

    @property
    def phase(self) -> str:
        """`ready`, `recovering`, `terminated` or `unloaded`."""
        return self.ended or ("recovering" if self.generation == NONE else "ready")

    @property
    def resets(self) -> int:
        """How often a generation followed another."""
        return self.last_generation

    def handlers(self) -> dict[str, Any]:
        """What the runtime calls, by the names of `Host` in js/src/types.d.ts, and what it writes to."""
        return {
            "supervisor": self,
            "crashed": self.crashed,
            "interrupted": self.interrupted,
            "retired": self.retired,
            "recover": self.recover,
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
            "abandoned": self.abandoned,
            "caughtPanic": self.caught_panic,
            "decline": self.module.decline,
            "called": self.module.callbacks.called,
            "dropped": self.module.callbacks.dropped,
        }

    # Crashes.

    def crashed(self, *fields: Any) -> int:
        """A generation died: settle what was in flight, report, and recover if the stack is clear."""
        message = DeathMessage.of(fields)
        death = self._note(message)
        self._work()
        if message.clear and not self._filling:
            self._recover()
        has_caller = death.attended and death.crash is not None
        address = self._answer(death.crash) if has_caller else self._deliver()
        death.is_told = True
        return address

    def retired(self, *fields: Any) -> int:
        """Rust asked for a reset (`schedule_reinit`): its call has ended well, the next generation is still to come."""
        self._note(DeathMessage.of(fields))
        self._work()
        return self._answer(None)

    def recover(self, attended: bool = True) -> int:
        """No frame of the dead generation is left: make the next one, or end the module."""
        self._recover()
        return self._answer(None) if attended else self._deliver()

    def raised(self) -> None:
        """A handler raised. The runtime calls it again now, so that it goes on from where it was."""
        error = sys.last_exc
        if isinstance(error, BaseException):
            self._remember(error, self.last_crash)

    def _remember(self, error: BaseException, crash: Crash | None) -> None:
        """Keeps what was raised while a crash was handled for the caller: as a note, or to raise it."""
        if not isinstance(error, Exception):
            self._raised = self._raised or error
        elif crash is not None:
            crash.add_note(f"while it was handled: {shown(error)}")
        else:
            traceback.print_exception(error)  # as logging does with what its handlers raise

    def _answer(self, error: BaseException | None) -> int:
        """What the runtime throws at the caller: what was raised meanwhile, or else `error`; 0 is nothing."""
        raised = self._raised
        if raised is not None:
            if error is not None and error is not raised and raised.__context__ is None:
                raised.__context__ = error
            error = raised
        address = 0 if error is None else throw(error)
        self._raised = None
        return address

    def _deliver(self) -> int:
        """There is no caller: what was raised meanwhile is raised in the event loop, as if by one of its callbacks."""
        raised = self._raised
        if raised is not None:
            asyncio.get_event_loop().call_soon(_raise, raised)
            self._raised = None
        return 0

    def _note(self, message: DeathMessage) -> Death:
        """Takes over what the runtime tells of a death; hearing of it twice does no harm."""
        death = Death.of(message)
        known = self._deaths.get(death.generation)
        if known is not None:
            return known
        self._deaths[death.generation] = death
        for number, other in tuple(self._deaths.items()):
            is_done = other.is_told or other.diagnosis is None or len(self._deaths) > MOST_DEATHS
            if is_done and other.at >= len(STEPS) and other is not death:
                self._deaths.pop(number, None)
        return death

    def _catch_up(self) -> None:
        """Asks for the death of which this has not heard, because its handler was interrupted; does what is left."""
        if self.generation == NONE and not self.ended and self.last_generation not in self._deaths:
            fields = self.module.driver.death()
            if fields:
                self._note(DeathMessage.of(tuple(fields)))
        self._work()

    def _work(self) -> None:
        """Does what there is left to do about deaths."""
        for death in tuple(self._deaths.values()):
            while death.at < len(STEPS):
                at = death.at
                step = STEPS[at]
                try:
                    step(self, death)
                except BaseException as error:
                    self._remember(error, death.crash)
                    if death.at == at:
                        step(self, death)
                death.at = max(death.at, at + 1)

    # Steps that are done about a death. Each may be done again, except for what follows `death.at += 1`.

    def _identify(self, death: Death) -> None:
        if death.generation < self.last_generation:
            return  # while this was interrupted, somebody else went on
        self.generation = NONE
        self.module.callbacks.clear()
        if death.diagnosis is None:
            # The next one is filled for the same reason as this one would have been.
            self._cause = None if self.filled == death.generation else self._cause
            return
        if death.diagnosis.code == ON_PURPOSE and death.thrown is None:
            death.thrown = self._rust_error(ErrorFields(*death.diagnosis.cause))
            death.diagnosis = death.diagnosis._replace(cause=death.thrown)
        if death.thrown is not None and death.is_certain and len(death.suspects) == 1:
            return  # its caller's matter; but its task is stuck, and others with it
        if death.crash is None:
            details = {"call": death.call, "module": self.module.name, "generation": death.generation}
            crash = make_crash(death.diagnosis, **details)
            crash.suspicion = self._suspicion(death)
            self._describe_recovery(crash)
            death.crash = crash
        self._cause = self.last_crash = death.crash

    def _suspicion(self, death: Death) -> str:
        """Which calls in flight may be to blame, in words; empty if it is certain that one is, or that none is."""
        if death.call or not death.suspects:
            return ""
        names = [self.pending[id_].call for id_ in death.suspects if id_ in self.pending]
        return describe_suspects(self.module.name, names, is_certain=death.is_certain)

    def _count(self, death: Death) -> None:
        death.at += 1
        crash = death.crash
        if crash is not None:
            self._record(crash)
        self.history.died()
        if crash is None:
            if self._filling and death.generation != self._dropped:
                self._uncalled.add("a reset in on_reset")
        elif (fills := self._is_filling(death)) or not death.has_caller:
            place = "in on_reset, " if fills else ""
            self._uncalled.add(f"{place}{crash.kind}: {crash.message}")

    def _is_filling(self, death: Death) -> bool:
        """Did what filled the generation crash: a callback of `on_reset`, a task that it started, or their call?"""
        if self._filling or (death.attended and _filled_now.get() == (id(self), death.generation)):
            return True
        calls = [self.pending[id_] for id_ in death.suspects if id_ in self.pending]
        return bool(calls) and all(call.fills for call in calls)

    def _record(self, crash: Crash) -> None:
        self.last_crash = crash
        self.crashes[crash.kind] += 1
        self.history.crashed(crash)

    def _log(self, death: Death) -> None:
        death.at += 1
        if death.crash is not None:
            log_crash(logging.DEBUG, "crash", death.crash)

    def _tell(self, death: Death) -> None:
        if crash_listeners and death.crash is not None:
            calls = [self.pending[id_].future for id_ in death.suspects if id_ in self.pending]
            for listener in tuple(crash_listeners):
                listener(self.namespace(), death.crash, calls)

    def _settle(self, death: Death) -> None:
        crash = death.crash
        for id_ in death.suspects:
            self._end_call(id_, "failed", crash or death.thrown or self._interruption(death.call, None))
        if death.interrupted:
            why = self._reason(crash)  # once for all: there may be thousands
            for id_ in death.interrupted:
                pending = self.pending.get(id_)
                if pending is not None:
                    self._end_call(id_, "interrupted", self._interruption(pending.call, crash, why))

    def _report(self, death: Death) -> None:
        death.at += 1
        crash = death.crash
        if isinstance(crash, RustPanic):
            self._report_panic(crash, has_caller=death.has_caller)
        elif crash is not None and not death.has_caller:
            log_crash(logging.ERROR, "crash", crash)

    def _describe_recovery(self, crash: Crash) -> None:
        if self.recovery == "none":
            crash.recovery, crash.outcome = "none", "the module has ended: recovery is off"
        else:
            crash.recovery, crash.outcome = "reset", f"reset to generation {self.last_generation + 1}, state lost"

    # The next generation.

    def _recover(self) -> None:
        """Does all that is left to do. A generation that could not be filled is not left to anybody: it is dropped."""
        try:
            self._catch_up()
            if self.phase == "recovering":
                self._renew()
            self._fill()
            self._wake()
        except BaseException:
            if not self.ended and not self._filling and self.generation != self.filled:
                self.module.driver.abandon()
            raise

    def _renew(self) -> None:
        """Makes the next generation, or ends the module."""
        crash = self._cause
        if crash is not None and self.recovery == "none":
            self.terminate("recovery is off", crash)
            return
        self._renewing_since = self._renewing_since or time.perf_counter()
        answer = self._make_generation()
        if isinstance(answer, int):
            self._begin(answer)
        elif answer.obstacle == PREPARING:
            self._await_instance(crash)
        elif answer.obstacle == MEMORY:
            # The browser's limit for all pages of this process, not the module's fault: the next call tries again.
            self._shortage = answer.text
            if crash is not None:
                crash.outcome = "not reset yet: the browser has no memory for the next instance"
        else:
            self.terminate(answer.text, crash)

    def _make_generation(self) -> int | RenewAnswer:
        """The number of the next generation, which the runtime has made; or why there is none."""
        while not (excess := self._uncalled.excess):
            fields = self.module.driver.renew()
            if isinstance(fields, int):
                return fields
            answer = RenewAnswer(*fields)
            if answer.obstacle in (PREPARING, MEMORY):
                return answer
            if answer.obstacle != START or self.recovery == "none":
                return answer._replace(text=f"the next generation did not start: {answer.text}")
            self._uncalled.add(answer.text.rstrip("."))
        return RenewAnswer(START, excess)

    def _begin(self, number: int) -> None:
        """The runtime has made a generation, maybe while nobody listened."""
        took = (time.perf_counter() - self._renewing_since) * 1000
        self._renewing_since = 0.0
        self.recovery_ms = [*self.recovery_ms[-99:], took]
        self.preparing = False
        self.last_generation = number
        self.history.recovered(number)
        self.generation = number
        crash = self._cause
        kind = crash.kind if crash else None
        text = "%(module)s was reset to generation %(generation)d."
        self.say(crash, log, logging.INFO, "reset", text, self.module.name, number, kind, took)

    def say(self, crash: Crash | None, write: Callable[..., None], *record: Any) -> None:
        """Writes to the log, where handlers and filters of the user's may raise."""
        error = attempt(write, *record)
        if error is not None:
            self._remember(error, crash)

    def _fill(self) -> None:
        """Has the callbacks of `on_reset` fill the generation, from the first to the last.

        One that died while it was filled, or was left by a callback that reset the module, is followed by another.
        """
        if self._filling or self.filled == self.generation or self.generation == NONE:
            return
        first = self._cause
        try:
            self._filling = True
            while self.generation not in (NONE, self.filled):
                if self._call_back(self.generation, first):
                    self.filled = self.generation
                elif not self.ended:
                    self._replace_half_filled()
            if self.ended and first is not None:
                self._describe_end(first)
            self._filling = False
        except BaseException:
            self._filling = False
            raise
        if self.phase == "ready":
            self._cause = None

    def _call_back(self, number: int, first: Crash | None) -> bool:
        """Runs the callbacks; says whether the generation has lived through all of them."""
        for callback in tuple(self.reset_callbacks):
            around = _filled_now.get()
            try:
                _filled_now.set((id(self), number))
                error = attempt(callback, self.namespace(), self._cause)
            finally:
                _filled_now.set(around)
            if isinstance(error, Exception):
                # The module itself has recovered: whoever made the failed call learns of both.
                details = "callback of on_reset", self.module.name, number, error
                self.say(first, log_failure, *details)
                if first is not None:
                    first.add_note(f"on_reset: {callback!r} failed: {shown(error)}")
            elif error is not None:
                self._remember(error, first)
            if self.generation != number:
                return False
        return True

    def _replace_half_filled(self) -> None:
        """Makes the next generation to fill. One that a callback has used after the crash in it is dropped."""
        driver = self.module.driver
        if self.generation != NONE:
            self._dropped = self.generation
            driver.end()
        self._catch_up()
        if self.phase == "recovering" and driver.isClear():
            self._renew()

    def _await_instance(self, crash: Crash | None) -> None:
        if self.preparing:
            return
        if crash is not None:
            crash.outcome = (
                f"resetting to generation {self.last_generation + 1}, which {self._expectation()}; "
                "async calls wait for it; state lost"
            )
        self.preparing = True

    def _expectation(self) -> str:
        return f"will be there in about {max(1, math.ceil(self.module.driver.waitMs()))} ms"

    def prepared(self, obstacle: str, text: str) -> int:
        """The engine has made the next generation, or could not: then there is an `obstacle`."""
        if self.phase == "recovering":
            if not obstacle:
                if self.module.driver.isClear():
                    self._recover()
            elif self.preparing:
                self.preparing = False
                if obstacle == MEMORY:
                    self._shortage = text
                else:
                    self.terminate(f"the next generation could not be made: {text}", self._cause)
        self._wake()
        return self._deliver()

    def _wake(self) -> None:
        """Lets async calls go on that wait for a generation, when the loop turns."""
        if self._waiting:
            asyncio.get_event_loop().call_soon(self._begin_waiting)

    def _begin_waiting(self) -> None:
        while self._waiting and not self.preparing:
            call, run = self._waiting[0]
            try:
                self._beginning = call
                call.begin(run)
                self._beginning = None
                if self._waiting and self._waiting[0][0] is call:
                    self._waiting.popleft()
            except BaseException:
                self._beginning = None
                self._wake()  # one that has begun does not begin again
                raise

    @unseen
    def when_ready(self, run: Starter, name: str = "") -> Call:
        """Begins an async call, as soon as there is a generation to run it.

        Args:
            run: converts the arguments, begins the call, and hands it to `started`.
            name: what is called.
        """
        if self.preparing and self.module.driver.isClear():
            self._recover()  # it may be there without anybody having heard
        if not self.preparing:
            # What converts the arguments of a call that waited may call something else.
            waited, self._beginning = self._beginning, None
            if waited is None:
                return run()
            try:
                return run()
            finally:
                self._beginning = waited
        call = self._make_call(name)
        self._waiting.append((call, run))
        return call

    def _make_call(self, name: str) -> Call:
        return make_call(f"{self.module.name}.{name}" if name else self.module.name)

    def terminate(self, reason: str, cause: Crash | None, phase: str = "terminated") -> None:
        """No generation will follow."""
        self.end_reason, self.end_cause = reason, cause
        self.ended = phase
        self.generation = NONE
        self.module.callbacks.clear()
        self.history.died()
        if cause is not None:
            self._describe_end(cause)
        self.module.driver.close()
        if phase == "terminated":
            text = "%(module)s has ended: %(reason)s."
            self.say(cause, log, logging.INFO, "terminate", text, self.module.name, self.last_generation, reason)
        else:
            text = "%(module)s was unloaded."
            self.say(cause, log, logging.DEBUG, "unload", text, self.module.name, self.last_generation)
        self.preparing = False
        self._wake()

    def _describe_end(self, crash: Crash) -> None:
        crash.recovery, crash.outcome = "none", f"the module has ended: {self.end_reason}"

    def reset(self) -> None:
        """Drops the current generation now."""
        self.ensure_not_ended("reset")
        try:
            clear = self.module.driver.end() and not self._filling
            self._catch_up()
            if clear:
                self._recover()
        except BaseException:
            if self.phase == "recovering":
                self.module.driver.abandon()
            raise
        self.raise_remembered()
        if clear and not self.preparing:
            self.ensure_ready("reset")

    def raise_remembered(self) -> None:
        """Raises what was raised meanwhile, where Python asked for a recovery."""
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised

    def unload(self) -> None:
        """Ends the module and lets go of everything."""
        if self.ended == "unloaded":
            return
        self.module.driver.end()
        self._catch_up()
        self._cause = None
        self.terminate("it was unloaded", None, "unloaded")
        self._let_go()

    def _let_go(self) -> None:
        """Leaves one function behind, for names of the module that live on, and for calls that are on the stack.

        All unloaded modules share it, and it holds nothing of any: no collector sees a circle through Python and
        JavaScript. Hooks and callbacks mostly name the module, which would be such a circle.
        """
        self.panic_hook = None
        self.reset_callbacks.clear()
        self.module.browser.leave(self.module.driver, unloaded)
        self.detach()
        self.detach = lambda: None

    # Other ways for a call to end.

    def interrupted(self, call: str, clear: bool) -> int:
        """An outer call, or one that came while a dead generation is on the stack."""
        self._catch_up()
        error = self._interruption(call, self._cause or self.end_cause)
        if clear:
            self._recover()
        return self._answer(error)

    def _interruption(self, call: str, crash: Crash | None, why: str = "") -> CallInterrupted:
        return CallInterrupted(f"{self.module.name}.{call} was interrupted: {why or self._reason(crash)}", crash=crash)

    def _reason(self, crash: Crash | None) -> str:
        if crash is None:
            return "the module was reset"
        what = "another call" if crash.call or crash.suspicion else "a timer or a task"
        return f"{what} crashed: {crash}"

    def unavailable(self, call: str) -> int:
        """A call into a module that has ended."""
        return throw(self._why_unavailable(call))

    def _why_unavailable(self, call: str) -> UnpanicError:
        if self.preparing:
            return CallInterrupted(
                f"{self.module.name}.{call} cannot run yet: the next instance {self._expectation()}, because "
                "this browser makes none of that size at once. Async calls wait for it, and on_reset tells when "
                "it is there.",
                crash=self._cause,
            )
        if self.phase == "recovering":
            return OutOfMemory(
                f"the browser has no memory for the next instance ({self._shortage}); unload modules, or try again",
                call=call,
                module=self.module.name,
                generation=self.last_generation,
            )
        return _ended(self.module.name, call, self.end_reason, self.end_cause)

    def unwound(self, *fields: Any) -> int:
        """A panic or a foreign exception that ran the destructors: the generation lives on."""
        message = UnwoundMessage.of(fields)
        crash = self._unwound_crash(message.diagnosis, message.call)
        self._report_panic(crash, has_caller=True)
        return self._answer(crash)

    def _unwound_crash(self, diagnosis: DiagnosisFields, call: str) -> Crash:
        crash = make_crash(diagnosis, call=call, module=self.module.name, generation=self.last_generation)
        self._record(crash)
        crash.recovery, crash.state_kept, crash.outcome = "unwind", True, "unwound, state kept"
        self.say(crash, log_crash, logging.DEBUG, "crash", crash)
        return crash

    def failed(self, *fields: Any) -> int:
        """A Rust `Err`, what Rust threw on purpose, or a Python exception that comes back as one of these."""
        message = FailedMessage.of(fields)
        self._leave(message.call, message.reason)
        return self._answer(self._rust_error(message.error))

    def failed_unattended(self, *fields: Any) -> None:
        """The same where no call is to blame: a timer called a closure that is gone, or a task threw."""
        error = self._rust_error(FailedUnattendedMessage.of(fields).error)
        said = "A timer or a task of %(module)s threw an error: %(message)s"
        self.say(None, log, logging.ERROR, "throw", said, self.module.name, self.last_generation, "", str(error))
        self._deliver()

    def _leave(self, call: str, reason: str) -> None:
        """Has the instance replaced when the call has ended, unless recovery is off: then it goes on as it is."""
        if reason and self.recovery != "none":
            self.module.driver.retire()
            said = f"%(module)s is replaced after an error that %(call)s threw: {LEFT_BEHIND[reason]}."
            self.say(None, log, logging.INFO, "throw", said, self.module.name, self.last_generation, call, reason)

    def in_use(self, class_name: str, holder: str, call: str, text: str, reason: str) -> int:
        """An object was to be borrowed that another call has borrowed."""
        self._leave(call, reason)
        return self._answer(make_in_use(self.module.name, class_name, holder, call, text))

    def gone(self, call: str, reason: str) -> int:
        """An object was used that had been freed or moved, which only Rust could see."""
        self._leave(call, reason)
        return self._answer(make_gone(self.module.name, call))

    def _rust_error(self, error: ErrorFields) -> BaseException:
        made = rust_error(self.module, *error)
        return made if isinstance(made, RustError) else without_own_frames(made)

    def stale(self, class_name: str, consumer: str, call: str) -> int:
        """An object that was freed or moved."""
        return throw(make_stale(self.module.name, class_name, consumer, call))

    # Calls in flight.

    def started(self, id_: int, call: str, receive: Converter | None) -> Call:
        """An async call began: what the caller awaits, maybe since before there was a generation."""
        waited, self._beginning = self._beginning, None
        future = waited or self._make_call(call)
        if self.phase == "recovering":
            # The call itself asked for a reset.
            future.end(self._interruption(call, self._cause))
            return future
        self.pending[id_] = Pending(future, receive, call, self.history.clock(), self._fills_now())
        return future

    def _fills_now(self) -> bool:
        return self._filling or _filled_now.get() == (id(self), self.generation)

    def settled(self, id_: int, value: Any) -> None:
        """An async call returned."""
        pending = self.pending.get(id_)
        if pending is None:
            return
        try:
            # Also where the call was given up: an object that nobody takes is freed.
            result = value if pending.receive is None else pending.receive(value)
        except BaseException as error:
            self._end_call(id_, "returned", error)
        else:
            self._end_call(id_, "returned", None, result)

    def settled_by_error(self, *fields: Any) -> None:
        """An async call returned `Err`."""
        message = SettledByErrorMessage.of(fields)
        self._end_call(message.id, "failed", self._rust_error(message.error))

    def settled_by_unwinding(self, *fields: Any) -> None:
        """A panic unwound to the event loop: out of an async call, or out of a task that nobody waits for."""
        id_, diagnosis, call = SettledByUnwindingMessage.of(fields)
        crash = self._unwound_crash(diagnosis, call)
        self._report_panic(crash, has_caller=id_ > 0)
        if id_:
            self._end_call(id_, "failed", crash)
        elif not isinstance(crash, RustPanic):
            self.say(crash, log_crash, logging.ERROR, "crash", crash)
        self._deliver()

    def abandoned(self, id_: int) -> None:
        """A handler that should have ended an async call raised: whoever awaits it gets that; 0 is no call."""
        error = sys.last_exc
        if id_ in self.pending:
            self._end_call(id_, "failed", error)
        elif error is not None:
            self._remember(error, None)
            self._deliver()

    def caught_panic(self, *fields: Any) -> None:
        """A panic that Rust caught itself: only the hook hears of it."""
        crash = self._unwound_crash(CaughtPanicMessage.of(fields).diagnosis, "")
        self._report_panic(crash, has_caller=False)
        self._deliver()

    def _end_call(self, id_: int, how: str, error: BaseException | None, result: Any = None) -> None:
        """Ends a call in flight; its caller may have given it up. If this is interrupted, it is done again."""
        pending = self.pending.get(id_)
        if pending is not None:
            how = "cancelled" if pending.future.cancelled() else how
            pending.future.end(error, result)
            self.pending.pop(id_, None)
            self.history.call_ended(pending.call, pending.began, how)

    # Reports.

    def _report_panic(self, crash: Crash, *, has_caller: bool) -> None:
        """Runs the panic hook. The default one logs: what somebody gets as an exception is not printed as well."""
        if not isinstance(crash, RustPanic):
            return
        if self.panic_hook is None:
            self.say(crash, log_crash, logging.DEBUG if has_caller else logging.ERROR, "panic", crash)
            return
        error = attempt(self.panic_hook, crash)
        if isinstance(error, Exception):
            self.say(crash, log_failure, "panic hook", self.module.name, crash.generation, error)
            crash.add_note(f"the panic hook failed: {shown(error)}")
        elif error is not None:
            self._remember(error, crash)

    # Questions before a call.

    def ensure_ready(self, call: str) -> None:
        """Recovers if a generation died without a call that could have done it.

        Raises:
            CallInterrupted: the dead generation is still on the stack.
            ModuleTerminated: no generation will follow.
        """
        if self.phase == "recovering":
            if not self.module.driver.isClear():
                self._catch_up()
                raise self._interruption(call, self._cause)
            self._recover()
            self.raise_remembered()
            if self.phase == "recovering":
                raise self._why_unavailable(call)
        self.ensure_not_ended(call)

    def ensure_not_ended(self, call: str) -> None:
        """Raises `ModuleTerminated` once the module has ended."""
        if self.ended:
            raise _ended(self.module.name, call, self.end_reason, self.end_cause)


# What is done about a death, in this order.
STEPS: tuple[Callable[[Supervisor, Death], None], ...] = (
    Supervisor._identify,
    Supervisor._count,
    Supervisor._log,
    Supervisor._tell,
    Supervisor._settle,
    Supervisor._report,
)
