"""Lines that ran in Pyodide count in the coverage of the host, if it is measured: by pytest-cov or `coverage run`."""

import os
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from .sources import Sources

__all__ = ["note", "save", "wanted"]

# What has run: for each test and each file, lines or pairs of lines.
_ran: dict[str, dict[Path, set[Any]]] = {}
# The names of these files as modules.
_modules: dict[Path, str] = {}


def wanted(sources: Sources) -> dict[str, Any] | None:
    """Returns what Pyodide is to measure, see `measured` of `page/measuring.py`; None if nobody measures coverage."""
    measuring = _current()
    if measuring is None:
        return None
    return {"packages": sources.packages, "branch": bool(measuring.get_option("run:branch"))}


def note(measured: dict[str, list[Any]], sources: Sources) -> None:
    """Remembers what has run in Pyodide, by the files that are the project's."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    for name, lines in measured.items():
        path = sources.find(name)
        if path is not None:
            _modules[path] = sources.module(name)
            found = _ran.setdefault(test, {}).setdefault(path, set())
            found.update(tuple(line) if isinstance(line, list) else line for line in lines)


def _current() -> Any:
    """The coverage that is being measured."""
    module = sys.modules.get("coverage")
    return module.Coverage.current() if module else None


def save(config: pytest.Config) -> None:
    """Adds what has run to the data of the host."""
    measuring = _current()
    if _ran and measuring is not None:
        _add(measuring, config.getoption("cov_context", None) == "test")
    _ran.clear()


def _add(measuring: Any, by_test: bool) -> None:
    counted = {path: _key(measuring, path) for path in _modules if _is_counted(measuring, path)}
    for test, files in _ran.items():
        before = measuring.switch_context(f"{test}|run") if by_test else None
        with warnings.catch_warnings():
            # Nothing may have run here, but Pyodide's data follow.
            warnings.filterwarnings("ignore", "No data was collected")
            data = measuring.get_data()
        found = {counted[path]: lines for path, lines in files.items() if path in counted}
        (data.add_arcs if measuring.get_option("run:branch") else data.add_lines)(found)
        if by_test:
            measuring.switch_context(before or "")


# Coverage has no public functions for these two; without them all files count, by their whole paths.


def _is_counted(measuring: Any, path: Path) -> bool:
    """Whether `source`, `include` and `omit` leave a file in."""
    check = getattr(measuring, "_check_include_omit_etc", None)
    frame = SimpleNamespace(f_globals={"__name__": _modules[path]})
    return check is None or bool(check(str(path), frame))


def _key(measuring: Any, path: Path) -> str:
    """The name of a file in the data, which the setting `relative_files` changes."""
    return str(getattr(measuring, "_file_mapper", str)(str(path)))
