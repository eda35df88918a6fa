"""The options of a load, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._bridge.protocols import Progress
from .._recovery.deadlines import check_seconds
from .._recovery.policy import RECOVERIES
from .._recovery.reports import PanicHook
from .._unseen import unseen
from .._views.progress import choose_progress
from .imports import check_imports

__all__ = ["LoadOptions"]

OBJECTS = ("recreate", "stale")


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """What the user passed to `load` or `load_sync`; their docstrings say what each option means.

    Raises:
        ValueError: an option has a value that does not exist.
        TypeError: an option is of the wrong type.
    """

    glue: Any
    wasm: Any = None
    types: str | Path | None = None
    imports: Mapping[str, Mapping[str, Any]] | None = None
    recovery: str = "auto"
    objects: str = "recreate"
    panic_hook: PanicHook | None = None
    restart_budget: int = 20
    timeout: float | None = None
    name: str | None = None
    integrity: str | None = None
    progress: Progress | bool | None = None
    spare: bool | None = None
    capsules: bool = False
    cache: bool = True

    def __post_init__(self) -> None:
        if self.recovery not in RECOVERIES:
            raise ValueError(f"recovery={self.recovery!r}: it must be 'auto', 'reset', 'rollback' or 'none'.")
        if self.objects not in OBJECTS:
            raise ValueError(f"objects={self.objects!r}: it must be 'recreate' or 'stale'.")
        if not isinstance(self.restart_budget, int) or self.restart_budget < 1:
            raise ValueError(f"restart_budget={self.restart_budget!r}: it must be a positive integer.")
        if self.timeout is not None:
            check_seconds(self.timeout, "timeout")
        if self.types is not None and not isinstance(self.types, str | Path):
            raise TypeError(f"types must be a URL or a path, not {type(self.types).__name__}")
        check_imports(self.imports)
        if self.name is not None and not isinstance(self.name, str):
            raise TypeError(f"name must be str, not {type(self.name).__name__}")
        if self.integrity is not None and not isinstance(self.integrity, str):
            raise TypeError(f"integrity must be a str such as 'sha384-…', not {type(self.integrity).__name__}")
        if self.integrity is not None and not self.integrity.strip():
            raise ValueError("integrity is empty: pass hashes such as 'sha384-…', or None to check nothing.")
        if self.spare is not None and not isinstance(self.spare, bool):
            raise TypeError(f"spare must be True, False or None, not {type(self.spare).__name__}")
        if not isinstance(self.capsules, bool):
            raise TypeError(f"capsules must be True or False, not {type(self.capsules).__name__}")
        if not isinstance(self.cache, bool):
            raise TypeError(f"cache must be True or False, not {type(self.cache).__name__}")
        if self.progress is not None:
            self.reporter()  # which checks its type

    def reporter(self) -> Progress | None:
        """Returns the function that hears of the download, or None if nobody does."""
        return choose_progress(self.progress, self.name or str(self.glue))


# It is generated and in no file, so nothing in a traceback would tell that its line is one of unpanic's.
unseen(vars(LoadOptions)["__init__"])
