"""The records of the logger `unpanic`. Each has a dict `record.unpanic` with its event, and data of JSON types.

The events and their keys are documented in docs/logging.md, and do not change.
"""

import logging
from typing import Any

from .errors import Crash, RustPanic

__all__ = ["EVENTS", "log", "log_crash", "log_failure"]

logger = logging.getLogger("unpanic")

CRASH = ("module", "generation", "call", "kind", "message", "recovery", "state_kept", "file", "line")
EVENTS: dict[str, tuple[str, ...]] = {
    "load": ("module", "generation", "adapter", "milliseconds"),
    "version": ("module", "generation", "package", "version", "pinned"),
    "panic": CRASH,
    "crash": CRASH,
    "reset": ("module", "generation", "cause", "milliseconds"),
    "rollback": ("module", "generation", "cause", "milliseconds"),
    "no rollback": ("module", "generation", "reason"),
    "rebuild": ("module", "generation", "class", "call"),
    "throw": ("module", "generation", "call", "message"),
    "hook failure": ("module", "generation", "hook"),
    "terminate": ("module", "generation", "reason"),
    "unload": ("module", "generation"),
}


def log(level: int, event: str, text: str, *data: Any) -> None:
    """Writes a record.

    Args:
        level: one of `logging`.
        event: a key of `EVENTS`.
        text: the message, with places for the event's keys.
        data: the values for the event's keys, in their order.
    """
    if logger.isEnabledFor(level):
        facts = dict(zip(EVENTS[event], data, strict=True))
        logger.log(level, text, facts, extra={"unpanic": {"event": event, **facts}})


def log_crash(level: int, event: str, crash: Crash) -> None:
    """Writes a record whose message is that of the crash."""
    if logger.isEnabledFor(level):
        location = crash.location if isinstance(crash, RustPanic) else None
        file, line = (location.file, location.line) if location else (None, None)
        data = (crash.module, crash.generation, crash.call, crash.kind, crash.message, crash.recovery, crash.state_kept)
        facts = dict(zip(CRASH, (*data, file, line), strict=True))
        logger.log(level, "%s", crash, extra={"unpanic": {"event": event, **facts}})


def log_failure(hook: str, module: str, generation: int, error: BaseException) -> None:
    """Writes a record with the traceback of an exception that a function of the user's raised."""
    facts = {"event": "hook failure", "module": module, "generation": generation, "hook": hook}
    logger.error("The %s of %s failed.", hook, module, exc_info=error, extra={"unpanic": facts})
