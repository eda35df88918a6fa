"""Deadlines: how long one call into a module may compute.

A module that was loaded with `timeout=` asks while it computes (js/src/instance/stopwatch.js). The answer is the
tightest of three: the module's own limit, the limit of the innermost `deadline` that is open in the context, and the
time that is left until the end of a request that the code answers.
"""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ContextDecorator
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Limits", "check_seconds", "current_limit", "deadline", "ends_at"]

# Nobody waits for so many seconds; an int beyond the range of a float is among them.
LONGEST = 1e300


@dataclass(slots=True)
class End:
    """A time of `time.monotonic` at which calls end; it can be lifted, also for those who have inherited it."""

    at: float = math.inf

    def lift(self) -> None:
        """From now on, calls can compute for longer."""
        self.at = math.inf


# How many seconds a call may compute, for each deadline that is open, the innermost last; and when it ends. No tokens
# are kept: an asynchronous generator may be closed in another context than the one in which it began.
_seconds: ContextVar[tuple[float, ...]] = ContextVar("unpanic_deadline", default=())
_end: ContextVar[End] = ContextVar("unpanic_end", default=End())  # noqa: B039 - nobody changes the default


def check_seconds(seconds: object, name: str) -> float:
    """Returns a time limit.

    Args:
        seconds: what the user passed.
        name: the name of the parameter, for messages.

    Raises:
        TypeError: it is not a number.
        ValueError: it is not positive.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {type(seconds).__name__}")
    if not seconds > 0:
        raise ValueError(f"{name}={seconds!r}: it must be a positive number of seconds; math.inf sets no limit.")
    return float(seconds) if seconds < LONGEST else math.inf


class Deadline(ContextDecorator, AbstractContextManager[None]):
    """An open deadline, as often as it is entered.

    Args:
        seconds: how long one call may compute.
    """

    def __init__(self, seconds: float) -> None:
        self._limit = seconds

    def __enter__(self) -> None:
        outer = _seconds.get()
        _seconds.set((*outer, min((self._limit, *outer[-1:]))))

    def __exit__(self, *_: object) -> None:
        _seconds.set(_seconds.get()[:-1])


def deadline(seconds: float) -> Deadline:
    """Ends calls that compute for longer, in all modules that were loaded with `timeout=`.

    It holds for the calls inside, each for itself; calls of other modules are not stopped. Deadlines nest, and the
    tightest wins; in async code a deadline belongs to the context, as a `contextvars.ContextVar` does. The time that a
    call waits does not count, and neither does the time of Python callbacks.

    Args:
        seconds: how long one call may compute.

    Returns:
        A context manager, which does nothing before `with` enters it, and can be entered again.

    Raises:
        TypeError: `seconds` is not a number.
        ValueError: `seconds` is not positive.
        CallTimeout: a call inside computed for longer; the call raises it.

    Example:
        >>> with unpanic.deadline(0.5):
        ...     bank.audit()
    """
    return Deadline(check_seconds(seconds, "seconds"))


def ends_at(end: float) -> Callable[[], None]:
    """Ends calls of this context that compute at a time of `time.monotonic`. Returns a function that lifts that."""
    _end.set(limit := End(end))
    return limit.lift


def current_limit(timeout: float | None) -> float:
    """Returns how long a call may compute that the current context makes.

    Args:
        timeout: the limit of the module itself; None sets none.
    """
    return Limits(timeout, is_interruptible=True).now()


class Limits:
    """The limits of one module.

    Attributes:
        timeout: the module's own, in seconds.
        is_interruptible: whether calls can be stopped at all.

    Args:
        timeout: the module's own, in seconds; None sets none.
        is_interruptible: whether the module's Wasm file was rewritten.
    """

    def __init__(self, timeout: float | None, *, is_interruptible: bool) -> None:
        self.timeout = math.inf if timeout is None else timeout
        self.is_interruptible = is_interruptible

    def now(self) -> float:
        """Returns the limit of a call that the current context makes, in seconds."""
        return self.capture()()

    def capture(self) -> Callable[[], float]:
        """Returns a function that gives the limit of the current context, also where another one is current then."""
        seconds, end = min((self.timeout, *_seconds.get()[-1:])), _end.get()
        return lambda: max(0.0, min(seconds, end.at - time.monotonic()))
