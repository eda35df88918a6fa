"""The status of a module, as a value."""

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._bridge.wire import StatisticsAnswer
from ..errors import Crash
from .card import one_line, to_html, to_text

if TYPE_CHECKING:
    from .._recovery.supervisor import Supervisor

__all__ = ["Status", "read_status"]

# What costs more than it has to, in a module that can be rolled back.
GIVEN_AWAY = "; it has given JavaScript a view of its memory, so each call copies all of it"


@dataclass(frozen=True)
class Status:
    """The state of a module at one moment.

    Attributes:
        name: the module's name.
        generation: number of the current instance, 0 for the first.
        phase: `ready`, `recovering`, `terminated` or `unloaded`.
        recovery: what a panic leads to: `rollback`, `unwind`, `reset` or `none`.
        why: why that is so, in words.
        adapter: how the package is supervised: `factory` or `native`; `raw` if it has no glue.
        target: the target that wasm-bindgen wrote the package for: `web`, `bundler`, `nodejs`...; empty if
            it has no glue.
        interruptible: whether calls can be stopped: the module was loaded with `timeout`, or its
            Wasm file was rewritten before.
        calls: calls begun since the module was loaded.
        crashes: a count for each kind of crash that happened.
        resets: how often another generation was made.
        rollbacks: how many calls were rolled back.
        in_flight: async calls that have not ended.
        memory_bytes: size of the current instance's memory.
        spare: the instance made ahead of need: `off`, `preparing` or `ready`.
        spare_bytes: size of its memory, which comes on top.
        shadow_bytes: size of the copy of memory that a failed call is rolled back to, which comes on top too.
        last_crash: the latest crash, or None.
        timings: milliseconds: `load`, and `recovery` as the median of the latest hundred.
    """

    name: str
    generation: int
    phase: str
    recovery: str
    adapter: str
    calls: int
    crashes: dict[str, int]
    resets: int
    rollbacks: int
    in_flight: int
    memory_bytes: int
    spare: str
    spare_bytes: int
    last_crash: Crash | None
    timings: dict[str, float] = field(default_factory=dict)
    interruptible: bool = False
    why: str = ""
    shadow_bytes: int = 0
    target: str = "web"

    def __str__(self) -> str:
        return to_text(self)

    def _repr_html_(self) -> str:
        return to_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Prints the card for IPython in a terminal; inside of another value, one line."""
        printer.text(one_line(self) if cycle or len(printer.stack) > 1 else to_text(self))


def read_status(supervisor: "Supervisor", adapter: str, target: str) -> Status:
    """Reads the state of a module; it can be read after `unload` too.

    Args:
        supervisor: the module's.
        adapter: how the package is supervised.
        target: the target that it was written for.
    """
    used = StatisticsAnswer(*supervisor.context.driver.statistics())
    timings = {"load": supervisor.load_ms}
    if supervisor.recovery_ms:
        timings["recovery"] = statistics.median(supervisor.recovery_ms)
    recovery, why = supervisor.describe_recovery(used)
    return Status(
        name=supervisor.context.name,
        generation=supervisor.last_generation,
        phase=supervisor.phase,
        recovery=recovery,
        why=why + GIVEN_AWAY * used.gave_memory_away,
        adapter=adapter,
        target=target,
        interruptible=supervisor.limits.is_interruptible,
        calls=used.calls,
        crashes=dict(supervisor.crashes),
        resets=supervisor.resets,
        rollbacks=supervisor.rollbacks,
        in_flight=used.in_flight,
        memory_bytes=used.memory_bytes,
        spare=used.spare,
        spare_bytes=used.spare_bytes,
        shadow_bytes=used.shadow_bytes,
        last_crash=supervisor.last_crash,
        timings=timings,
    )
