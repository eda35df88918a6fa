"""Call Rust modules from Python in the browser, and survive their panics.

>>> import unpanic
>>> prql = await unpanic.load("npm:prql-js@0.12.1")  # a package on npm, by its name
>>> bank = await unpanic.load("/pkg/bank.js")  # your own package
>>> bank.add(2, 3)
5

A panic, a trap, a stack overflow, an out-of-memory costs the caller one exception (see
`unpanic.errors`). What the failed call had changed in Rust is undone, and every name and object stays right.
"""

from ._api import (
    checkpoint,
    on_reset,
    replay,
    reset,
    restore,
    set_panic_hook,
    status,
    timeline,
    track,
    transaction,
    unload,
)
from ._load.load import load, load_sync
from ._load.npm import npm
from ._recovery.deadlines import deadline
from ._recovery.points import Checkpoint
from ._version import __version__ as __version__
from ._views.status import Status
from ._views.timeline import Timeline
from .errors import (
    CallInterrupted,
    CallTimeout,
    CompileError,
    Crash,
    FetchError,
    ForeignException,
    Frame,
    GlueError,
    LoadError,
    Location,
    ModuleTerminated,
    OutOfMemory,
    RustError,
    RustPanic,
    StackOverflow,
    StaleObjectError,
    StartError,
    StateLostWarning,
    Trap,
    UnpanicError,
)

__all__ = [
    "CallInterrupted",
    "CallTimeout",
    "Checkpoint",
    "CompileError",
    "Crash",
    "FetchError",
    "ForeignException",
    "Frame",
    "GlueError",
    "LoadError",
    "Location",
    "ModuleTerminated",
    "OutOfMemory",
    "RustError",
    "RustPanic",
    "StackOverflow",
    "StaleObjectError",
    "StartError",
    "StateLostWarning",
    "Status",
    "Timeline",
    "Trap",
    "UnpanicError",
    "checkpoint",
    "deadline",
    "load",
    "load_sync",
    "npm",
    "on_reset",
    "replay",
    "reset",
    "restore",
    "set_panic_hook",
    "status",
    "timeline",
    "track",
    "transaction",
    "unload",
]
