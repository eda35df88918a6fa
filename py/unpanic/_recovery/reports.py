"""Reports of deaths and of calls that cannot run: exceptions, messages, log records, the panic hook."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .._bridge.crashes import describe_suspects, make_crash, throw
from .._bridge.wire import DiagnosisFields
from .._log import log, log_crash, log_failure
from ..errors import CallInterrupted, Crash, ModuleTerminated, OutOfMemory, RustPanic, UnpanicError
from .deferred import Deferred, attempt, show
from .states import Lifecycle, State

if TYPE_CHECKING:
    from .history import History
    from .policy import Policy
    from .protocols import Supervised

__all__ = ["PanicHook", "Reports", "unloaded"]

type PanicHook = Callable[[RustPanic], object]

# An error that Rust throws on purpose skips destructors. Why the instance is replaced then, by the runtime's codes.
LEFT_BEHIND = {
    "borrowed": "the objects of the call stay borrowed",
    "stack": "half of the module's stack was in use",
}


class Reports:
    """Makes the exceptions of one module, writes its log records, and calls its panic hook.

    Attributes:
        panic_hook: the user's function that hears of panics; None logs them.
        crashes: how many crashes there were of each kind.
        last_crash: the latest crash.
    """

    def __init__(
        self,
        context: "Supervised",
        life: Lifecycle,
        policy: "Policy",
        deferred: Deferred,
        history: "History",
        panic_hook: PanicHook | None,
    ) -> None:
        self.panic_hook = panic_hook
        self.crashes: Counter[str] = Counter()
        self.last_crash: Crash | None = None
        self._context = context
        self._life = life
        self._policy = policy
        self._deferred = deferred
        self._history = history

    # Crashes.

    def make_crash(
        self, diagnosis: DiagnosisFields, call: str, generation: int, suspicion: str, *, can_roll_back: bool
    ) -> Crash:
        """Makes the exception for a crash that ended a generation.

        Args:
            diagnosis: the runtime's facts, as `make_crash` of `_bridge/crashes.py` takes them.
            call: the call that failed; empty if none did, or if it is not certain.
            generation: the number of the generation.
            suspicion: which calls may be to blame, in words.
            can_roll_back: whether the generation can go on from the state before the call.
        """
        crash = self._begin(diagnosis, call, generation)
        crash.suspicion = suspicion
        if can_roll_back:
            _announce_rollback(crash)
        else:
            self._policy.announce(crash, self._life.last_generation + 1)
        return crash

    def describe_failed_rollback(self, crash: Crash, obstacle: str) -> None:
        """Writes on a crash that its call could not be rolled back."""
        crash.state_kept = False
        self._policy.announce(crash, self._life.last_generation + 1)
        self._say(crash, logging.WARNING, "no rollback", "%(module)s cannot be rolled back: %(reason)s.", obstacle)

    def make_unwound(self, diagnosis: DiagnosisFields, call: str) -> Crash:
        """Makes the exception for a crash that ran the destructors: the generation lives on."""
        crash = self._begin(diagnosis, call, self._life.last_generation)
        self.record(crash)
        self._policy.announce_unwinding(crash)
        self.say(crash, log_crash, logging.DEBUG, "crash", crash)
        return crash

    def make_undone(self, diagnosis: DiagnosisFields, call: str) -> Crash:
        """Makes the exception for a crash that was undone already: the generation lives on."""
        crash = self._begin(diagnosis, call, self._life.last_generation)
        self.record(crash)
        _announce_rollback(crash)
        self.say(crash, log_crash, logging.DEBUG, "crash", crash)
        return crash

    def _begin(self, diagnosis: DiagnosisFields, call: str, generation: int) -> Crash:
        crash = make_crash(diagnosis, call=call, module=self._context.name, generation=generation)
        if self._context.lines:
            crash.line_source = self._context.lines.places
        return crash

    def suspect(self, calls: Sequence[str], *, is_certain: bool) -> str:
        """Says which calls may be to blame; see `describe_suspects`."""
        return describe_suspects(self._context.name, calls, is_certain=is_certain)

    def record(self, crash: Crash) -> None:
        """Counts a crash."""
        self.last_crash = crash
        self.crashes[crash.kind] += 1
        self._history.crashed(crash)

    def describe_shortage(self, crash: Crash | None) -> None:
        """Writes on a crash that the next generation has to wait for memory."""
        if crash is not None:
            crash.outcome = "not reset yet: the browser has no memory for the next instance"

    def describe_wait(self, crash: Crash | None) -> None:
        """Writes on a crash that the next generation is on its way."""
        if crash is not None:
            crash.outcome = (
                f"resetting to generation {self._life.last_generation + 1}, which {self._expectation()}; "
                "calls wait for it where they can; state lost"
            )

    def describe_end(self, crash: Crash | None) -> None:
        """Writes on a crash that the module has ended."""
        if crash is not None:
            crash.recovery, crash.outcome = "none", f"the module has ended: {self._life.end_reason}"

    # Calls that cannot run, or not to their end.

    def interrupt(self, call: str, crash: Crash | None, why: str = "") -> CallInterrupted:
        """Makes the exception for a call whose generation died under it.

        Args:
            call: the call.
            crash: the crash that ended the generation; None if it was reset.
            why: the same in words, if they were made already; see `explain`.
        """
        return CallInterrupted(
            f"{self._context.name}.{call} was interrupted: {why or self.explain(crash)}", crash=crash
        )

    def explain(self, crash: Crash | None) -> str:
        """Says why a generation ended."""
        if crash is None:
            return "the module was reset"
        culprit = "another call" if crash.call or crash.suspicion else "a timer or a task"
        return f"{culprit} crashed: {crash}"

    def refuse(self, call: str) -> UnpanicError:
        """Makes the exception for a call while no generation is there to run it."""
        if self._life.state is State.WAITING:
            return CallInterrupted(
                f"{self._context.name}.{call} cannot run yet: the next instance {self._expectation()}, because "
                "this browser makes none of that size at once. A call waits for it where Python can be suspended: in "
                "code of `runPythonAsync` or of a task, not below JavaScript or Rust. Elsewhere await something first; "
                "async calls always wait, and on_reset tells when it is there.",
                crash=self._life.cause,
            )
        if self._life.has_ended:
            return _ended(self._context.name, call, self._life.end_reason, self._life.end_cause)
        return OutOfMemory(
            f"the browser has no memory for the next instance ({self._life.shortage}); unload modules, or try again",
            call=call,
            module=self._context.name,
            generation=self._life.last_generation,
        )

    def _expectation(self) -> str:
        return f"will be there in about {max(1, math.ceil(self._context.driver.waitMs()))} ms"

    # The panic hook and the log.

    def report_panic(self, crash: Crash, *, has_caller: bool) -> None:
        """Runs the panic hook, if it was a panic.

        The default hook logs. It logs at DEBUG what somebody gets as an exception, so that it is not printed twice.
        """
        if not isinstance(crash, RustPanic):
            return
        if self.panic_hook is None:
            self.say(crash, log_crash, logging.DEBUG if has_caller else logging.ERROR, "panic", crash)
            return
        error = attempt(self.panic_hook, crash)
        if isinstance(error, Exception):
            self.say(crash, log_failure, "panic hook", self._context.name, crash.generation, error)
            crash.add_note(f"the panic hook failed: {show(error)}")
        elif error is not None:
            self._deferred.keep(error, crash)

    def report_failed_callback(self, crash: Crash | None, callback: object, generation: int, error: Exception) -> None:
        """Logs the exception of a callback of `on_reset`, and notes it on the crash, whose caller so learns of both."""
        self.say(crash, log_failure, "callback of on_reset", self._context.name, generation, error)
        if crash is not None:
            crash.add_note(f"on_reset: {callback!r} failed: {show(error)}")

    def report_reset(self, crash: Crash | None, milliseconds: float) -> None:
        """Logs that the next generation is there."""
        text = "%(module)s was reset to generation %(generation)d."
        kind = crash.kind if crash else None
        self._say(crash, logging.INFO, "reset", text, kind, milliseconds)

    def report_rollback(self, crash: Crash | None, milliseconds: float) -> None:
        """Logs that a call was rolled back."""
        kind = crash.kind if crash else None
        self._say(crash, logging.DEBUG, "rollback", "%(module)s was rolled back.", kind, milliseconds)

    def report_end(self, cause: Crash | None) -> None:
        """Logs that no generation will follow."""
        if self._life.state is State.UNLOADED:
            self._say(cause, logging.DEBUG, "unload", "%(module)s was unloaded.")
        else:
            self._say(cause, logging.INFO, "terminate", "%(module)s has ended: %(reason)s.", self._life.end_reason)

    def report_replacement(self, call: str, left: str) -> None:
        """Logs why an instance is replaced though nothing crashed.

        Args:
            call: the call that threw.
            left: a key of `LEFT_BEHIND`.
        """
        text = f"%(module)s is replaced after an error that %(call)s threw: {LEFT_BEHIND[left]}."
        self._say(None, logging.INFO, "throw", text, call, left)

    def report_throw(self, error: BaseException) -> None:
        """Logs an error that a timer or a task threw, for which nobody called."""
        text = "A timer or a task of %(module)s threw an error: %(message)s"
        self._say(None, logging.ERROR, "throw", text, "", str(error))

    def _say(self, crash: Crash | None, level: int, event: str, text: str, *data: Any) -> None:
        self.say(crash, log, level, event, text, self._context.name, self._life.last_generation, *data)

    def say(self, crash: Crash | None, write: Callable[..., None], *record: Any) -> None:
        """Writes to the log, where handlers and filters of the user's may raise."""
        self._deferred.attempt(crash, write, *record)


def _announce_rollback(crash: Crash) -> None:
    crash.recovery, crash.state_kept, crash.outcome = "rollback", True, "rolled back, state kept"


def _ended(module: str, call: str, reason: str, cause: Crash | None = None) -> ModuleTerminated:
    error = ModuleTerminated(f"{module}.{call} cannot run: the module has ended ({reason}). Load it again.")
    error.__cause__ = cause
    return error


def unloaded(module: str, call: str, was_running: bool) -> int:
    """Throws the exception of a call into an unloaded module, or of one that ran while it was unloaded."""
    if was_running:
        return throw(CallInterrupted(f"{module}.{call} was interrupted: the module was unloaded"))
    return throw(_ended(module, call, "it was unloaded"))
