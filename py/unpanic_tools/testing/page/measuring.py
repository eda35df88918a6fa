"""Which lines run in Pyodide, for the host's coverage. `unpanic_tools/testing/coverage.py` asks for it.

It stands on `sys.monitoring`: what `sys.settrace` sets is lost in Pyodide at each `await`.
"""

import contextlib
import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

__all__ = ["measured"]

SITE_PACKAGES = "/site-packages/"
monitoring: Any = sys.monitoring
events: Any = monitoring.events
TOOL = monitoring.COVERAGE_ID


@contextlib.contextmanager
def measured(packages: list[str], branch: bool) -> Iterator[dict[str, list[Any]]]:
    """Collects until the block ends; the dict that it yields is filled then.

    Args:
        packages: installed packages that are measured; all files of the project that came as source are.
        branch: whether to collect pairs of lines that ran one after the other, instead of lines.
    """
    result: dict[str, list[Any]] = {}
    collector = (_Arcs if branch else _Lines)(frozenset(packages))
    collector.start()
    try:
        yield result
    finally:
        collector.stop()
        result |= {file: sorted(lines) for file, lines in collector.found.items()}


def _is_wanted(code: types.CodeType, packages: frozenset[str]) -> bool:
    """Whether a code is the project's. What files of tests do when they are imported, the host has measured."""
    return _is_ours(code.co_filename, packages) and (code.co_name != "<module>" or code.co_filename[0] == "/")


@functools.cache
def _is_ours(file: str, packages: frozenset[str]) -> bool:
    _, installed, name = file.rpartition(SITE_PACKAGES)
    if installed:
        return name.partition("/")[0].removesuffix(".py") in packages
    return file.endswith(".py") and file[0] != "/"


class _Lines:
    """Collects lines. Each line is told once, so it costs little.

    Attributes:
        found: what ran, by the names of the files.
    """

    everywhere = events.PY_START
    in_wanted = events.LINE

    def __init__(self, packages: frozenset[str]) -> None:
        self.found: dict[str, set[Any]] = {}
        self._packages = packages
        self._codes: set[types.CodeType] = set()

    def start(self) -> None:
        """Begins to collect."""
        monitoring.use_tool_id(TOOL, "unpanic")
        for event, callback in self.callbacks().items():
            monitoring.register_callback(TOOL, event, callback)
        monitoring.set_events(TOOL, self.everywhere)
        monitoring.restart_events()

    def stop(self) -> None:
        """Ends it."""
        monitoring.set_events(TOOL, 0)
        for code in self._codes:
            monitoring.set_local_events(TOOL, code, 0)
        for event in self.callbacks():
            monitoring.register_callback(TOOL, event, None)
        monitoring.free_tool_id(TOOL)

    def callbacks(self) -> dict[int, Any]:
        """What is called at each kind of event."""
        return {events.PY_START: self.note_start, events.LINE: self.note_line}

    def note_start(self, code: types.CodeType, _: int) -> Any:
        """A function begins; of one that is wanted more is told from now on."""
        if _is_wanted(code, self._packages):
            self.found.setdefault(code.co_filename, set())
            self._codes.add(code)
            monitoring.set_local_events(TOOL, code, self.in_wanted)
        return monitoring.DISABLE

    def note_line(self, code: types.CodeType, line: int) -> Any:
        """A line begins."""
        self.found[code.co_filename].add(line)
        return monitoring.DISABLE


class _Arcs(_Lines):
    """Collects pairs of lines, with the negative first line of a function for its entry and its end."""

    everywhere = events.PY_START | events.PY_UNWIND
    in_wanted = events.PY_START | events.LINE | events.PY_RETURN

    def __init__(self, packages: frozenset[str]) -> None:
        super().__init__(packages)
        # The last line of each frame that runs or waits, by the frame's id. A generator goes on after its last line.
        self._last: dict[int, int] = {}

    def callbacks(self) -> dict[int, Any]:
        return super().callbacks() | {events.PY_RETURN: self._note_end, events.PY_UNWIND: self._note_end}

    def note_start(self, code: types.CodeType, offset: int) -> Any:
        if not _is_wanted(code, self._packages):
            return monitoring.DISABLE
        if code not in self._codes:
            super().note_start(code, offset)
        self._last[id(sys._getframe(1))] = -code.co_firstlineno
        return None

    def note_line(self, code: types.CodeType, line: int) -> Any:
        frame = id(sys._getframe(1))
        if frame in self._last:
            self.found[code.co_filename].add((self._last[frame], line))
        self._last[frame] = line

    def _note_end(self, code: types.CodeType, _offset: int, _value: Any) -> None:
        last = self._last.pop(id(sys._getframe(1)), None)
        if last is not None:
            self.found[code.co_filename].add((last, -code.co_firstlineno))
