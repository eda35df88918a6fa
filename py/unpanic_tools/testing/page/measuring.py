"""Which lines run in Pyodide, for the host's coverage. `unpanic_tools/testing/coverage.py` asks for it."""

import contextlib
import functools
import sys
import types
from collections.abc import Iterator
from opcode import opmap
from typing import Any

__all__ = ["measured"]

SITE_PACKAGES = "/site-packages/"
RESUME = opmap["RESUME"]
monitoring: Any = sys.monitoring


@contextlib.contextmanager
def measured(packages: list[str], branch: bool) -> Iterator[dict[str, list[Any]]]:
    """Collects until the block ends; the dict that it yields is filled then.

    Args:
        packages: installed packages that are measured; all files of the project that came as source are.
        branch: whether to collect pairs of lines that ran one after the other, instead of lines.
    """
    result: dict[str, list[Any]] = {}
    collector: Any = (_Arcs if branch else _Lines)(frozenset(packages))
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
    """Collects lines. Each line is told once, so it costs little."""

    def __init__(self, packages: frozenset[str]) -> None:
        self.found: dict[str, set[int]] = {}
        self._packages = packages
        self._tool = monitoring.COVERAGE_ID

    def start(self) -> None:
        monitoring.use_tool_id(self._tool, "unpanic")
        events = monitoring.events
        monitoring.register_callback(self._tool, events.PY_START, self._note_start)
        monitoring.register_callback(self._tool, events.LINE, self._note_line)
        monitoring.set_events(self._tool, events.PY_START)
        monitoring.restart_events()

    def stop(self) -> None:
        monitoring.set_events(self._tool, 0)
        monitoring.free_tool_id(self._tool)

    def _note_start(self, code: types.CodeType, _: int) -> Any:
        if _is_wanted(code, self._packages):
            monitoring.set_local_events(self._tool, code, monitoring.events.LINE)
        return monitoring.DISABLE

    def _note_line(self, code: types.CodeType, line: int) -> Any:
        self.found.setdefault(code.co_filename, set()).add(line)
        return monitoring.DISABLE


class _Arcs:
    """Collects pairs of lines, with the negative first line of a function for its entry and its end."""

    def __init__(self, packages: frozenset[str]) -> None:
        self.found: dict[str, set[tuple[int, int]]] = {}
        self._packages = packages

    def start(self) -> None:
        sys.settrace(self._trace)

    def stop(self) -> None:
        sys.settrace(None)

    def _trace(self, frame: types.FrameType, _event: str, _value: Any) -> Any:
        code = frame.f_code
        if not _is_wanted(code, self._packages):
            return None
        found = self.found.setdefault(code.co_filename, set())
        first, instructions = code.co_firstlineno, code.co_code
        # A generator that goes on is entered too.
        is_begun = instructions[frame.f_lasti + 1] != 0
        last = frame.f_lineno if is_begun else -first

        def trace(frame: types.FrameType, event: str, _value: Any) -> Any:
            nonlocal last
            if event == "line":
                found.add((last, frame.f_lineno))
                last = frame.f_lineno
            elif event == "return" and not _goes_on(instructions, frame.f_lasti):
                found.add((last, -first))
            return trace

        return trace


def _goes_on(instructions: bytes, at: int) -> bool:
    """Whether what looks like a return is a `yield` or an `await`."""
    return len(instructions) > at + 2 and instructions[at + 2] == RESUME
