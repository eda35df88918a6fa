"""What happened to a module, as the timeline and the Performance panel of developer tools show it.

Only text and numbers are kept, the newest thousand of each, in plain tuples: the collector need not look at those.
Plain calls are not noted here, they would cost too much: the runtime counts them in bursts (js/src/module/activity.js).
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._bridge.protocols import Browser
    from ..errors import Crash

__all__ = ["CrashMark", "History", "Span"]

MOST = 1000
LONGEST_MESSAGE = 200
# What developer tools are told waits for so long, so that a crash costs its caller nothing.
SECONDS_BEFORE_MEASURED = 0.05

type Properties = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Span:
    """Something that lasted; `ended` is None while it does, `how` says how it ended."""

    name: str
    began: float
    ended: float | None = None
    how: str = ""


@dataclass(frozen=True)
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
        browser: where developer tools are.
        clock: seconds, for tests.
    """

    def __init__(self, module: str, browser: "Browser", clock: Callable[[], float] = time.perf_counter) -> None:
        self.module = module
        self.clock = clock
        self.began = clock()
        self._generation: tuple[str, float] | None = ("0", self.began)
        self._generations: deque[tuple[str, float, float]] = deque(maxlen=MOST)
        self._crashes: deque[tuple[float, str, str, str, int]] = deque(maxlen=MOST)
        self._calls: deque[tuple[str, float, float, str]] = deque(maxlen=MOST)
        self._browser = browser
        self._unmeasured: deque[tuple[str, float, float, str, Properties]] = deque(maxlen=MOST)
        self._is_waiting = False

    def loaded(self, seconds: float) -> None:
        """The load that ends now took so long."""
        self._measure("load", self.began - seconds, self.began, "primary", ())

    def crashed(self, crash: "Crash") -> None:
        """An error left Rust."""
        now = self.clock()
        kind, message, call = crash.kind, crash.message[:LONGEST_MESSAGE], crash.call
        self._crashes.append((now, kind, message, call, crash.generation))
        self._measure("crash", now, now, "error", (("kind", kind), ("call", call), ("message", message)))

    def died(self) -> None:
        """The current generation ended."""
        if self._generation is not None:
            self._generations.append((*self._generation, self.clock()))
            self._generation = None

    def recovered(self, generation: int) -> None:
        """The next generation is there."""
        self.died()
        now, name = self.clock(), str(generation)
        self._generation = name, now
        self._measure("recovery", self._generations[-1][2], now, "secondary", (("generation", name),))

    def call_ended(self, call: str, began: float, how: str) -> None:
        """An async call was `returned`, `failed`, `interrupted` or `cancelled`."""
        self._calls.append((call, began, self.clock(), how))

    @property
    def generations(self) -> list[Span]:
        """All that are remembered, the current one last."""
        current = [Span(*self._generation)] if self._generation else []
        return [Span(*span) for span in self._generations] + current

    @property
    def crashes(self) -> list[CrashMark]:
        """All that are remembered."""
        return [CrashMark(*crash) for crash in self._crashes]

    @property
    def calls(self) -> list[Span]:
        """Async calls that have ended."""
        return [Span(*call) for call in self._calls]

    def _measure(self, what: str, began: float, ended: float, color: str, properties: Properties) -> None:
        self._unmeasured.append((f"{self.module}: {what}", began, ended, color, properties))
        if not self._is_waiting:
            self._is_waiting = self._browser.later(SECONDS_BEFORE_MEASURED, self.measure)

    def measure(self) -> None:
        """Tells developer tools what they have not heard."""
        self._is_waiting = False
        now = self.clock()
        while self._unmeasured:
            name, began, ended, color, properties = self._unmeasured.popleft()
            self._browser.measure(name, now - began, now - ended, color, (("module", self.module), *properties))
