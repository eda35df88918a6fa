"""What a module is doing, as a value."""

import html
from dataclasses import dataclass, field, fields

from .errors import Crash

__all__ = ["Status"]


@dataclass(frozen=True)
class Status:
    """The state of a module at one moment.

    Attributes:
        name: the module's name.
        generation: number of the current instance, 0 for the first.
        phase: `ready`, `recovering`, `terminated` or `unloaded`.
        recovery: what a panic leads to: `reset`, `unwind` or `none`.
        adapter: how the package is supervised: `factory` or `native`.
        calls: calls begun since the module was loaded.
        crashes: a count for each kind of crash that happened.
        resets: how often a new generation was made.
        rollbacks: how often a state was brought back.
        in_flight: async calls that have not ended.
        memory_bytes: size of the current instance's memory.
        spare: the instance made ahead of need: `off`, `preparing` or `ready`.
        spare_bytes: size of its memory, which comes on top.
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

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{shown.name}</th>"
            f"<td style='text-align:left'>{html.escape(self._shown(shown.name))}</td></tr>"
            for shown in fields(self)
            if shown.name != "name"
        )
        return f"<table><caption><b>{html.escape(self.name)}</b></caption>{rows}</table>"

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        if isinstance(value, dict):
            return ", ".join(f"{key}: {number:g}" for key, number in value.items()) or "none"
        return "none" if value is None else str(value)
