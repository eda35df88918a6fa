"""The history of a module, for the timeline and for the Performance panel of developer tools.

Only text and numbers are kept, the newest thousand of each kind, in plain tuples: the garbage collector need not look
at those. Plain calls are not noted here, because that would cost too much: the runtime counts them in bursts
(js/src/module/activity.js).
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
# Developer tools are told so much later, so that a crash costs its caller nothing.
SECONDS_BEFORE_MEASURED = 0.05

type Properties = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Span:
    """Something that lasted, or still lasts: then `ended` is None. `how` says how it ended."""

    name: str
    began: float
    ended: float | None = None
    how: str = ""


@dataclass(frozen=True)
class CrashMark:
    """The facts that are kept of a crash."""

    at: float
    kind: str
    message: str
    call: str
    generation: int


class History:
    """The past of one module.

    Args:
        module: its name.
        browser: has the developer tools.
        clock: gives seconds.
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
        """Notes a load that ends now, and how long it took."""
        self._measure("load", self.began - seconds, self.began, "primary", ())

    def crashed(self, crash: "Crash") -> None:
        """Notes a crash."""
        now = self.clock()
        kind, message, call = crash.kind, crash.message[:LONGEST_MESSAGE], crash.call
        self._crashes.append((now, kind, message, call, crash.generation))
        self._measure("crash", now, now, "error", (("kind", kind), ("call", call), ("message", message)))

    def died(self) -> None:
        """Notes that the current generation ended."""
        if self._generation is not None:
            self._generations.append((*self._generation, self.clock()))
            self._generation = None

    def recovered(self, generation: int) -> None:
        """Notes that the next generation is there."""
        self.died()
        now, name = self.clock(), str(generation)
        self._generation = name, now
        self._measure("recovery", self._generations[-1][2], now, "secondary", (("generation", name),))

    def call_ended(self, call: str, began: float, how: str) -> None:
        """Notes how an async call ended: it `returned`, `failed`, or was `interrupted` or `cancelled`."""
        self._calls.append((call, began, self.clock(), how))

    @property
    def generations(self) -> list[Span]:
        """The generations that are remembered, the current one last."""
        current = [Span(*self._generation)] if self._generation else []
        return [Span(*span) for span in self._generations] + current

    @property
    def crashes(self) -> list[CrashMark]:
        """The crashes that are remembered."""
        return [CrashMark(*crash) for crash in self._crashes]

    @property
    def calls(self) -> list[Span]:
        """The async calls that are remembered and have ended."""
        return [Span(*call) for call in self._calls]

    def _measure(self, name: str, began: float, ended: float, color: str, properties: Properties) -> None:
        self._unmeasured.append((f"{self.module}: {name}", began, ended, color, properties))
        if not self._is_waiting:
            self._is_waiting = self._browser.later(SECONDS_BEFORE_MEASURED, self.measure)

    def measure(self) -> None:
        """Tells developer tools what they have not heard yet."""
        self._is_waiting = False
        now = self.clock()
        while self._unmeasured:
            name, began, ended, color, properties = self._unmeasured.popleft()
            self._browser.measure(name, now - began, now - ended, color, (("module", self.module), *properties))
