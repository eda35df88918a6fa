"""What counts as covered in Pyodide is what coverage.py counts."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from unpanic_tools.testing.site import PAGES

from tests.unit.tools.testing import flow

FLOW = Path(flow.__file__)
RUN = """
import asyncio, json, sys, coverage
measuring = coverage.Coverage(data_file=None, branch={branch}, include=[{flow!r}], messages=False)
sys.path.insert(0, {folder!r})
import flow
with measuring.collect():
    asyncio.run(flow.exercise())
data = measuring.get_data()
print(json.dumps(sorted((data.arcs if {branch} else data.lines)({flow!r}))))
"""


@pytest.fixture
def measuring() -> Any:
    """What runs in Pyodide."""
    spec = importlib.util.spec_from_file_location("unpanic_measuring", PAGES / "measuring.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def counted(branch: bool) -> set[Any]:
    """What coverage.py counts, in a Python of its own, by the core that knows every arc."""
    command = RUN.format(branch=branch, flow=str(FLOW), folder=str(FLOW.parent))
    environment = {**os.environ, "COVERAGE_CORE": "ctrace"}
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True)
    return {tuple(line) if branch else line for line in json.loads(done.stdout)}


@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
def test_the_same_as_coverage(measuring: Any, branch: bool, monkeypatch: pytest.MonkeyPatch):
    """Lines and arcs of loops, exceptions, generators, coroutines and blocks are those that coverage.py has."""
    monkeypatch.setattr(measuring, "_is_wanted", lambda code, _: code.co_filename == str(FLOW))
    for _ in range(2):  # what was told once is told again
        with measuring.measured([], branch) as found:
            asyncio.run(flow.exercise())
        assert list(found) == [str(FLOW)]
        expected = counted(branch)
        assert told(expected) == told(found[str(FLOW)])


def told(lines: Iterable[Any]) -> set[Any]:
    """What the report makes use of: a loop in one line is no branch."""
    return {line for line in lines if not isinstance(line, tuple) or line[0] != line[1]}


def test_only_what_is_the_projects(measuring: Any):
    """Files of the project, and the wheels' packages that were asked for; no imports of tests."""

    def is_wanted(file: str, name: str = "function") -> bool:
        return measuring._is_wanted(compile("", file, "exec").replace(co_name=name), frozenset(["bank"]))

    assert is_wanted("tests/test_it.py")
    assert not is_wanted("tests/test_it.py", "<module>")
    assert is_wanted("/lib/python3.14/site-packages/bank/money.py")
    assert is_wanted("/lib/python3.14/site-packages/bank/__init__.py", "<module>")
    assert not is_wanted("/lib/python3.14/site-packages/banker/__init__.py")
    assert not is_wanted("/lib/python314.zip/json/__init__.py")
    assert not is_wanted("<string>")


def test_nothing_is_left_behind(measuring: Any, monkeypatch: pytest.MonkeyPatch):
    """The next one that measures finds nobody."""
    monkeypatch.setattr(measuring, "_is_wanted", lambda code, _: code.co_filename == str(FLOW))
    for branch in (False, True):
        with measuring.measured([], branch):
            flow.branches(1)
        assert sys.monitoring.get_tool(sys.monitoring.COVERAGE_ID) is None
        sys.monitoring.use_tool_id(sys.monitoring.COVERAGE_ID, "test")
        try:
            assert sys.monitoring.get_events(sys.monitoring.COVERAGE_ID) == 0
            assert sys.monitoring.get_local_events(sys.monitoring.COVERAGE_ID, flow.branches.__code__) == 0
        finally:
            sys.monitoring.free_tool_id(sys.monitoring.COVERAGE_ID)
