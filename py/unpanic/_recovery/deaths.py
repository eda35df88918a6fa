"""How generations ended, and what is still to be done about it.

Anything may be raised while a crash is handled: by a panic hook or a log handler, by a stop button, by a finalizer that
happens to run, because the recursion limit is five frames away. Nothing may be left undone by that. So what there is to
do about a death is a row of steps (`STEPS` in _supervisor.py), a death knows which one is next, and whoever comes next
goes on from there.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .._bridge.wire import DeathMessage, DiagnosisFields
from ..errors import TRACEBACK, Crash

__all__ = ["Death", "Uncalled", "attempt", "shown"]

# Crashes that nobody called for are counted over so many seconds.
WINDOW = 10.0
LONGEST_NAME = 80


@dataclass(eq=False)
class Death:
    """How one generation ended.

    Attributes:
        generation: its number.
        diagnosis: what the runtime says of the crash, as `make_crash` takes it; None if it was reset.
        call: the call that failed; empty if none did, or it is not certain.
        attended: whether somebody called Rust: what he calls raises.
        suspects: the numbers of the async calls that may be to blame.
        interrupted: those of all others in flight.
        is_certain: it is one of the suspects, and nothing else.
        at: which step is next.
        crash: the exception, once it was made.
        thrown: what Rust threw on purpose, if that was it.
        is_told: whether who was told of it first has given its caller the exception.
    """

    generation: int
    diagnosis: DiagnosisFields | None
    call: str
    attended: bool
    suspects: tuple[int, ...]
    interrupted: tuple[int, ...]
    is_certain: bool
    at: int = 0
    crash: Crash | None = None
    thrown: BaseException | None = None
    is_told: bool = False

    @classmethod
    def of(cls, message: DeathMessage) -> "Death":
        """A death as the runtime tells of it."""
        return cls(
            message.generation,
            message.diagnosis if message.diagnosis.kind else None,
            message.call,
            bool(message.attended),
            tuple(message.suspects or ()),
            tuple(message.interrupted or ()),
            bool(message.is_certain),
        )

    @property
    def has_caller(self) -> bool:
        """Whether somebody gets the crash as an exception."""
        return self.attended or bool(self.suspects)


def attempt(function: Callable[..., object], *args: Any) -> BaseException | None:
    """Calls a function of the user's, or one that ends in one, and returns what it raises.

    It is called once, and once more if the first call was interrupted before the function began.
    """
    raised: BaseException | None = None
    try:
        for _ in range(2):
            try:
                function(*args)
            except BaseException as error:
                raised = raised or error
                if has_begun(function, error):
                    break
            else:
                break
        return raised
    finally:
        del raised  # its traceback holds this frame


def has_begun(function: Callable[..., object], error: BaseException) -> bool:
    """Was an error raised in a function, and not on the way into it? Of one not written in Python nobody can tell."""
    code = getattr(function, "__code__", None)
    entry = TRACEBACK.__get__(error)  # with unpanic's own frames, which the attribute leaves out
    inner = entry and entry.tb_next
    return code is None or (inner is not None and inner.tb_frame.f_code is code)


def shown(error: BaseException) -> str:
    """An exception as notes have it."""
    try:
        return repr(error)
    except Exception:
        return type(error).__name__


class Uncalled:
    """Crashes that nobody called for: those of timers, tasks, listeners, start functions and callbacks of `on_reset`.

    One that a caller asked for is his exception, however many follow each other; these here could go on for ever.

    Args:
        budget: how many there may be within ten seconds.
        clock: seconds.
    """

    def __init__(self, budget: int, clock: Callable[[], float]) -> None:
        self._budget = budget
        self._clock = clock
        self._latest: deque[tuple[float, str]] = deque(maxlen=budget + 1)

    def add(self, name: str) -> None:
        """Counts one."""
        self._latest.append((self._clock(), name))

    @property
    def excess(self) -> str:
        """Why the module has to end; empty as long as it need not."""
        latest = self._latest
        if len(latest) <= self._budget or latest[-1][0] - latest[0][0] > WINDOW:
            return ""
        names = ", ".join(self._names(Counter(name for _, name in latest)))
        return f"{len(latest)} crashes that nobody called for within {WINDOW:g} seconds: {names}"

    def _names(self, counts: Counter[str]) -> Iterator[str]:
        for name, count in counts.most_common(3):
            short = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
            yield f"{short} ({count} times)" if count > 1 else short
        if len(counts) > 3:
            yield "…"
