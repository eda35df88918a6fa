"""The progress of a download: the user's callback hears of it, or by default a line in the notebook shows it."""

import html
import sys
import time
from collections.abc import Callable
from typing import Any

from .._bridge.protocols import Progress

__all__ = ["choose_progress"]

# A download that is over before that is not shown.
SECONDS_BEFORE_SHOWN = 0.5
SECONDS_BETWEEN_UPDATES = 0.1


def choose_progress(option: "Progress | bool | None", name: str) -> Progress | None:
    """Chooses who hears of a download.

    Args:
        option: what the user passed to `load`.
        name: what is being loaded.

    Raises:
        TypeError: the option is neither a function, nor True, False or None.
    """
    if callable(option):
        return option
    if option is False:
        return None
    if option is not None and option is not True:
        raise TypeError(f"progress must be callable, False or None, not {type(option).__name__}")
    display = _notebook_display()
    return NotebookLine(name, display) if display else None


def _notebook_display() -> Callable[..., Any] | None:
    """Gives IPython's `display`, if Python runs in a kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return ipython.display.display if shell is not None and ipython else None


class NotebookLine:
    """One line of output that is updated until the download is complete.

    Args:
        name: what is being loaded.
        display: IPython's function; it returns a handle with `update`.
        clock: gives seconds.
    """

    def __init__(self, name: str, display: Callable[..., Any], clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._display = display
        self._clock = clock
        self._next = clock() + SECONDS_BEFORE_SHOWN
        self._handle: Any = None

    def __call__(self, loaded: int, total: int | None) -> None:
        if self._clock() < self._next and not (self._handle and loaded == total):
            return
        self._next = self._clock() + SECONDS_BETWEEN_UPDATES
        line = Line(self.name, loaded, total)
        if self._handle is None:
            self._handle = self._display(line, display_id=True)
        else:
            self._handle.update(line)


class Line:
    """One state of a download, as a notebook shows it."""

    def __init__(self, name: str, loaded: int, total: int | None) -> None:
        self.name, self.loaded, self.total = name, loaded, total

    def __repr__(self) -> str:
        amount = f"{self.loaded / 1e6:.1f} MB"
        if self.total:
            amount = f"{amount} of {self.total / 1e6:.1f} MB ({self.loaded / self.total:.0%})"
        return f"Loading {self.name}: {amount}"

    def _repr_html_(self) -> str:
        value = f" value='{self.loaded}' max='{self.total}'" if self.total else ""
        return f"<label>{html.escape(repr(self))} <progress{value}></progress></label>"
