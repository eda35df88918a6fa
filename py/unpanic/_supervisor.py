"""The policy of recovery, in one place.

The JavaScript runtime sees every crash, tells this supervisor once, and does what it
says: make the next generation, or end the module. Each handler below is called from
JavaScript; those that end a call return the address of the exception to raise, which
`sys.last_exc` keeps alive until it arrives (js/src/python.js says why).
"""

import asyncio
import logging
import math
import re
import sys
import time
import types
import weakref
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._calls import Call, make_call
from ._crashes import make_crash, make_stale, without_null_pointer, without_own_frames
from ._history import History
from ._log import log, log_crash, log_failure
from ._values import Converter, rust_error
from .errors import CallInterrupted, Crash, ModuleTerminated, OutOfMemory, RustPanic, UnpanicError

if TYPE_CHECKING:
    from ._module import Module

__all__ = ["Supervisor", "crash_listeners"]

type PanicHook = Callable[[RustPanic], object]
type ResetCallback = Callable[[types.ModuleType, Crash | None], object]
type CrashListener = Callable[[types.ModuleType | None, Crash, list[Call]], object]

# Who hears of every crash that ends a generation, before calls in flight settle: with the module, and with the async
# calls that may be to blame. They must not raise.
crash_listeners: set[CrashListener] = set()

# What engines say when they cannot make an instance: Chromium allows about 125 live Wasm memories.
NO_MEMORY = re.compile("out of memory|could not allocate memory", re.IGNORECASE)

# What the runtime answers while an engine that makes no instance of that size at once is making one.
PREPARING = "preparing"

# No generation has this number: while one is being replaced, every object is stale.
NONE = -1


@dataclass
class Pending:
    """An async call in flight."""

    future: Call
    receive: Converter | None
    call: str
    began: float


def log_panic(panic: RustPanic) -> None:
    """The default panic hook: one line at ERROR."""
    log_crash(logging.ERROR, "panic", panic)


def _throw(error: BaseException) -> int:
    """Hands an exception to the runtime, which raises it at the Python caller."""
    sys.last_exc = error
    return id(error)


def _ended(module: str, call: str, reason: str, cause: Crash | None = None) -> ModuleTerminated:
    error = ModuleTerminated(f"{module}.{call} cannot run: the module has ended ({reason}). Load it again.")
    error.__cause__ = cause
    return error


class Supervisor:
    """Decides for one module what a crash means."""

    def __init__(self, module: "Module", *, recovery: str, restart_budget: int, panic_hook: PanicHook | None) -> None:
        self.module = module
        self.recovery = recovery
        self.restart_budget = restart_budget
        self.panic_hook: PanicHook = panic_hook or log_panic
        self.history = History(module.name, module.host)
        self.reset_callbacks: list[ResetCallback] = []
        self.namespace: weakref.ref[types.ModuleType] = lambda: None  # type: ignore[assignment]
        self.generation = 0
        self.last_generation = 0
        self.phase = "ready"
        self.crashes: Counter[str] = Counter()
        self.resets = 0
        self.last_crash: Crash | None = None
        self.end_cause: Crash | None = None
        self.end_reason = ""
        self.pending: dict[int, Pending] = {}
        self.load_ms = 0.0
        self.recovery_ms: list[float] = []
        self.preparing = False
        self._waiting: deque[tuple[Call, Callable[[], Awaitable[Any]]]] = deque()
        self._renewing_since = 0.0
        self._refilling = False
        self._shortage = ""
        self._restarts = 0
        self._returned_at_restart = NONE
        self._cause: Crash | None = None
        self.detach: Callable[[], None] = lambda: None

    def handlers(self) -> dict[str, Callable[..., Any]]:
        """The functions that the runtime calls, by the names of `Host` in js/src/types.d.ts."""
        return {
            "crashed": self.crashed,
            "interrupted": self.interrupted,
            "retired": self.retired,
            "recover": self.recover,
            "prepared": self.prepared,
            "unavailable": self.unavailable,
            "unwound": self.unwound,
            "failed": self.failed,
            "stale": self.stale,
            "settled": self.settled,
            "settledByError": self.settled_by_error,
            "settledByUnwinding": self.settled_by_unwinding,
            "caughtPanic": self.caught_panic,
            "decline": self.module.decline,
            "called": self.module.callbacks.called,
            "dropped": self.module.callbacks.dropped,
        }

    # Crashes.

    def crashed(self, *event: Any) -> int:
        """A generation died: settle what was in flight, report, and recover if the stack is clear."""
        *diagnosis, call, generation, returned, clear, suspects, interrupted = event
        suspects = [*(suspects or ())]
        crash = self._crash(diagnosis, call, generation)
        self._begin_recovery(crash)
        self._count_restart(returned)
        self._describe_recovery(crash)
        log_crash(logging.DEBUG, "crash", crash)
        if crash_listeners:
            self._tell(crash, suspects)
        for id_ in suspects:
            self._fail(id_, crash)
        self._interrupt(interrupted)
        self._report_panic(crash)
        if clear:
            self.recover()
        if not suspects and not call:
            self._report_unattended(crash)
        return _throw(without_null_pointer(crash, diagnosis[1]))

    def _crash(self, diagnosis: list[Any], call: str, generation: int) -> Crash:
        crash = make_crash(diagnosis, call=call, module=self.module.name, generation=generation)
        self.crashes[crash.kind] += 1
        self.last_crash = crash
        self.history.crashed(crash)
        return crash

    def _begin_recovery(self, crash: Crash | None) -> None:
        self._cause = crash
        self.generation = NONE
        self.module.callbacks.clear()
        self.history.died()
        if self.phase == "ready":
            self.phase = "recovering"

    def _tell(self, crash: Crash, suspects: list[int]) -> None:
        calls = [self.pending[id_].future for id_ in suspects if id_ in self.pending]
        for listener in tuple(crash_listeners):
            listener(self.namespace(), crash, calls)

    def _describe_recovery(self, crash: Crash) -> None:
        if self.recovery == "none":
            crash.recovery, crash.outcome = "none", "the module has ended: recovery is off"
        else:
            crash.recovery, crash.outcome = "reset", f"reset to generation {self.last_generation + 1}, state lost"

    def recover(self, *_: Any) -> None:
        """No frame of the dead generation is left: make the next one, or end the module."""
        if self.phase != "recovering":
            return
        crash = self._cause
        if crash is not None and self.recovery == "none":
            self.terminate("recovery is off", crash)
            return
        if self._restarts > self.restart_budget:
            self.terminate(f"{self.restart_budget} resets in a row without one call that returned", crash)
            return
        self._renewing_since = self._renewing_since or time.perf_counter()
        failure = self.module.driver.renew()
        if failure == PREPARING:
            self._await_instance(crash)
            return
        if NO_MEMORY.search(failure):
            # The browser's limit for all pages of this process, not the module's fault: the next call tries again.
            self._shortage = failure
            if crash is not None:
                crash.outcome = "not reset yet: the browser has no memory for the next instance"
            return
        if failure:
            self.terminate(f"the next generation did not start: {failure}", crash)
            return
        took = (time.perf_counter() - self._renewing_since) * 1000
        self.recovery_ms.append(took)
        self._renewing_since = 0.0
        del self.recovery_ms[:-100]
        self.last_generation += 1
        self.generation = self.last_generation
        self.history.recovered(self.generation)
        self.resets += 1
        self.phase = "ready"
        self._cause = None
        log(
            logging.INFO,
            "reset",
            "%(module)s was reset to generation %(generation)d.",
            self.module.name,
            self.generation,
            crash.kind if crash else None,
            took,
        )
        self._refill(crash)

    def _await_instance(self, crash: Crash | None) -> None:
        if self.preparing:
            return
        self.preparing = True
        if crash is not None:
            crash.outcome = (
                f"resetting to generation {self.last_generation + 1}, which {self._expectation()}; "
                "async calls wait for it; state lost"
            )

    def _expectation(self) -> str:
        return f"will be there in about {max(1, math.ceil(self.module.driver.waitMs()))} ms"

    def prepared(self, failure: str) -> None:
        """The engine has made the next generation, or could not: then `failure` says why."""
        if self.phase == "recovering" and self.preparing:
            self.preparing = False
            if NO_MEMORY.search(failure):
                self._shortage = failure
            elif failure:
                self.terminate(f"the next generation could not be made: {failure}", self._cause)
            elif self.module.driver.isClear():
                self.recover()
        self._wake()

    def _wake(self) -> None:
        """Lets async calls go on that wait for a generation, when the loop turns."""
        if self._waiting:
            asyncio.get_event_loop().call_soon(self._begin_waiting)

    def _begin_waiting(self) -> None:
        while self._waiting and not self.preparing:
            call, run = self._waiting.popleft()
            call.begin(run)

    def when_ready(self, run: Callable[[], Awaitable[Any]], name: str = "") -> Awaitable[Any]:
        """Begins an async call, as soon as there is a generation to run it."""
        if not self.preparing:
            return run()
        call = self._make_call(name)
        self._waiting.append((call, run))
        return call

    def _make_call(self, name: str) -> Call:
        return make_call(f"{self.module.name}.{name}" if name else self.module.name)

    def _count_restart(self, returned: int) -> None:
        """Counts crashes in a row: `returned` calls have returned since the module was loaded."""
        self._restarts = self._restarts + 1 if returned == self._returned_at_restart else 1
        self._returned_at_restart = returned

    def _refill(self, crash: Crash | None) -> None:
        if self._refilling:
            return  # a callback crashed the new generation: to call it again would do so again
        namespace = self.namespace()
        self._refilling = True
        for callback in self.reset_callbacks:
            try:
                callback(namespace, crash)  # type: ignore[arg-type]
            except Exception as error:
                # The module itself has recovered: whoever made the failed call learns of both.
                log_failure("callback of on_reset", self.module.name, self.last_generation)
                if crash is not None:
                    crash.add_note(f"on_reset: {callback!r} failed: {error!r}")
        self._refilling = False

    def terminate(self, reason: str, cause: Crash | None, phase: str = "terminated") -> None:
        """No generation will follow."""
        self.phase = phase
        self.generation = NONE
        self.module.callbacks.clear()
        self.history.died()
        self.end_reason, self.end_cause = reason, cause
        if cause is not None:
            cause.recovery, cause.outcome = "none", f"the module has ended: {reason}"
        self.module.driver.close()
        if phase == "terminated":
            text = "%(module)s has ended: %(reason)s."
            log(logging.INFO, "terminate", text, self.module.name, self.last_generation, reason)
        else:
            log(logging.DEBUG, "unload", "%(module)s was unloaded.", self.module.name, self.last_generation)
        self.preparing = False
        self._wake()

    def reset(self) -> None:
        """Drops the current generation now."""
        self.ensure_not_ended("reset")
        clear, interrupted = self.module.driver.end()
        if self.phase == "ready":
            self._begin_recovery(None)
        self._interrupt(interrupted)
        if clear:
            self.recover()
        if clear and not self.preparing:
            self.ensure_ready("reset")

    def unload(self) -> None:
        """Ends the module and lets go of everything."""
        if self.phase == "unloaded":
            return
        clear, interrupted = self.module.driver.end()
        self._cause = None
        self._interrupt(interrupted)
        self.terminate("it was unloaded", None, "unloaded")
        if clear:
            self._let_go()

    def _let_go(self) -> None:
        """Leaves one handler behind, for names of the module that live on.

        It holds nothing but the module's name: no collector sees a circle through Python and JavaScript.
        """
        name, detach = self.module.name, self.detach

        def unavailable(call: str) -> int:
            return _throw(_ended(name, call, "it was unloaded"))

        self.detach = self.module.host.attach(self.module.driver, {"unavailable": unavailable})
        detach()

    # Other ways for a call to end.

    def interrupted(self, call: str, clear: bool) -> int:
        """An outer call, or one that came while a dead generation is on the stack."""
        error = self._interruption(call)
        if clear:
            self.recover()
        return _throw(error)

    def retired(self, interrupted: Any) -> None:
        """Rust asked for a reset (`schedule_reinit`): its call has ended well, the next generation is still to come."""
        self._begin_recovery(None)
        self._interrupt(interrupted)

    def _interruption(self, call: str) -> CallInterrupted:
        crash = self._cause or self.end_cause
        why = f"another call crashed: {crash}" if crash else "the module was reset"
        return CallInterrupted(f"{self.module.name}.{call} was interrupted: {why}", crash=crash)

    def unavailable(self, call: str) -> int:
        """A call into a module that has ended."""
        return _throw(self._why_unavailable(call))

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

    def unwound(self, *event: Any) -> int:
        """A panic or a foreign exception that ran the destructors: the generation lives on."""
        *diagnosis, call = event
        crash = self._unwound_crash(diagnosis, call)
        self._report_panic(crash)
        return _throw(without_null_pointer(crash, diagnosis[1]))

    def _unwound_crash(self, diagnosis: list[Any], call: str) -> Crash:
        crash = self._crash(diagnosis, call, self.last_generation)
        crash.recovery, crash.state_kept, crash.outcome = "unwind", True, "unwound, state kept"
        log_crash(logging.DEBUG, "crash", crash)
        return crash

    def failed(self, value: Any, exception: Any, text: str, _call: str) -> int:
        """A Rust `Err`, or a Python exception that comes back as one."""
        return _throw(self._rust_error(value, exception, text))

    def _rust_error(self, value: Any, exception: Any, text: str) -> BaseException:
        if isinstance(exception, BaseException):
            return without_own_frames(exception)
        return rust_error(value, text, self.module)

    def stale(self, class_name: str, consumer: str, call: str) -> int:
        """An object that was freed or moved."""
        return _throw(make_stale(self.module.name, class_name, consumer, call))

    # Calls in flight.

    def started(self, id_: int, call: str, receive: Converter | None) -> Call:
        """An async call began: what the caller awaits."""
        future = self._make_call(call)
        if self.phase == "recovering":
            # The call itself asked for a reset.
            future.fail(self._interruption(call))
            return future
        self.pending[id_] = Pending(future, receive, call, self.history.clock())
        return future

    def settled(self, id_: int, value: Any) -> None:
        """An async call returned."""
        pending = self._take(id_, "returned")
        if pending is None:
            return
        try:
            # Also where the call was given up: an object that nobody takes is freed.
            result = value if pending.receive is None else pending.receive(value)
        except Exception as error:
            if not pending.future.done():
                pending.future.set_exception(error)
        else:
            if not pending.future.done():
                pending.future.set_result(result)

    def _take(self, id_: int, how: str) -> Pending | None:
        """The call in flight that ends now; its caller may have given it up."""
        pending = self.pending.pop(id_, None)
        if pending is not None:
            how = "cancelled" if pending.future.done() else how
            self.history.call_ended(pending.call, pending.began, how)
        return pending

    def settled_by_error(self, id_: int, value: Any, exception: Any, text: str, _call: str) -> None:
        """An async call returned `Err`."""
        self._fail(id_, self._rust_error(value, exception, text))

    def settled_by_unwinding(self, id_: int, *event: Any) -> None:
        """A panic unwound to the event loop: out of an async call, or out of a task that nobody waits for."""
        *diagnosis, call = event
        crash = self._unwound_crash(diagnosis, call)
        self._report_panic(crash)
        if id_:
            self._fail(id_, crash)
        else:
            self._report_unattended(crash)

    def caught_panic(self, *event: Any) -> None:
        """A panic that Rust caught itself: only the hook hears of it."""
        *diagnosis, _generation = event
        crash = self._unwound_crash(diagnosis, "")
        self._report_panic(crash)

    def _fail(self, id_: int, error: BaseException) -> None:
        pending = self._take(id_, "failed")
        if pending is not None and not pending.future.done():
            pending.future.set_exception(error)

    def _interrupt(self, ids: Any) -> None:
        for id_ in ids or ():
            pending = self._take(id_, "interrupted")
            if pending is None or pending.future.done():
                continue
            pending.future.fail(self._interruption(pending.call))

    # Reports.

    def _report_panic(self, crash: Crash) -> None:
        if not isinstance(crash, RustPanic):
            return
        try:
            self.panic_hook(crash)
        except Exception as error:
            log_failure("panic hook", self.module.name, crash.generation)
            crash.add_note(f"the panic hook failed: {error!r}")

    def _report_unattended(self, crash: Crash) -> None:
        """A crash in a timer or a task has no caller to tell; a panic has been logged by the hook."""
        if not isinstance(crash, RustPanic):
            log_crash(logging.ERROR, "crash", crash)

    # Questions before a call.

    def ensure_ready(self, call: str) -> None:
        """Recovers if a generation died without a call that could have done it.

        Raises:
            CallInterrupted: the dead generation is still on the stack.
            ModuleTerminated: no generation will follow.
        """
        if self.phase == "recovering":
            if not self.module.driver.isClear():
                raise self._interruption(call)
            self.recover()
            if self.phase == "recovering":
                raise self._why_unavailable(call)
        self.ensure_not_ended(call)

    def ensure_not_ended(self, call: str) -> None:
        """Raises `ModuleTerminated` once the module has ended."""
        if self.phase in ("terminated", "unloaded"):
            raise _ended(self.module.name, call, self.end_reason, self.end_cause)
