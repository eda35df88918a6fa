"""What happened to a module, as the timeline and the Performance panel of developer tools show it.

Only text and numbers are kept, the newest thousand of each. Plain calls are not noted here, they would cost too
much: the runtime counts them in bursts (js/src/activity.js).
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._host import Host
    from .errors import Crash

__all__ = ["CrashMark", "History", "Span"]

MOST = 1000
LONGEST_MESSAGE = 200
# What developer tools are told waits for so long, so that a crash costs its caller nothing.
SECONDS_BEFORE_MEASURED = 0.05

type Properties = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Span:
    """Something that lasted; `ended` is None while it does, `how` says how it ended."""

    name: str
    began: float
    ended: float | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class CrashMark:
    """What is kept of a crash."""

    at: float
    kind: str
    message: str
    call: str
    generation: int


class History:
    """The past of one module.

    Args:
        module: its name.
        host: where developer tools are.
        clock: seconds, for tests.
    """

    def __init__(self, module: str, host: "Host", clock: Callable[[], float] = time.perf_counter) -> None:
        self.module = module
        self.clock = clock
        self.began = clock()
        self.generations: deque[Span] = deque([Span("0", self.began)], MOST)
        self.crashes: deque[CrashMark] = deque(maxlen=MOST)
        self.calls: deque[Span] = deque(maxlen=MOST)
        self._host = host
        self._unmeasured: deque[tuple[str, float, float, str, Properties]] = deque(maxlen=MOST)
        self._is_waiting = False

    def loaded(self, seconds: float) -> None:
        """The load that ends now took so long."""
        self._measure("load", self.began - seconds, self.began, "primary", ())

    def crashed(self, crash: "Crash") -> None:
        """An error left Rust."""
        now = self.clock()
        mark = CrashMark(now, crash.kind, crash.message[:LONGEST_MESSAGE], crash.call, crash.generation)
        self.crashes.append(mark)
        self._measure("crash", now, now, "error", (("kind", mark.kind), ("call", mark.call), ("message", mark.message)))

    def died(self) -> None:
        """The current generation ended."""
        generation = self.generations[-1]
        if generation.ended is None:
            generation.ended = self.clock()

    def recovered(self, generation: int) -> None:
        """The next generation is there."""
        self.died()
        died, now = self.generations[-1].ended, self.clock()
        self.generations.append(Span(str(generation), now))
        self._measure("recovery", died or now, now, "secondary", (("generation", str(generation)),))

    def call_ended(self, call: str, began: float, how: str) -> None:
        """An async call was `returned`, `failed`, `interrupted` or `cancelled`."""
        self.calls.append(Span(call, began, self.clock(), how))

    def _measure(self, what: str, began: float, ended: float, color: str, properties: Properties) -> None:
        self._unmeasured.append((f"{self.module}: {what}", began, ended, color, properties))
        if not self._is_waiting:
            self._is_waiting = self._host.later(SECONDS_BEFORE_MEASURED, self.measure)

    def measure(self) -> None:
        """Tells developer tools what they have not heard."""
        self._is_waiting = False
        now = self.clock()
        while self._unmeasured:
            name, began, ended, color, properties = self._unmeasured.popleft()
            self._host.measure(name, now - began, now - ended, color, (("module", self.module), *properties))
