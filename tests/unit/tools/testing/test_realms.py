"""Where tests run: what `--realm`, the setting `realms` and the mark choose together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
TESTS = """\
import pytest


def test_plain(): ...


@pytest.mark.in_browser
def test_usual(): ...


@pytest.mark.realms("page", "node")
def test_marked(pyodide): ...
"""
BOTH = ["test_usual[page]", "test_usual[worker]"]


@pytest.mark.parametrize(
    ("setting", "options", "collected"),
    [
        ("", [], ["test_usual", "test_marked[page]", "test_marked[node]"]),
        ("", ["worker"], ["test_usual"]),
        ("", ["page", "worker"], [*BOTH, "test_marked[page]"]),
        ("realms = page worker", [], [*BOTH, "test_marked[page]", "test_marked[node]"]),
        ("realms = page worker", ["worker", "shared"], ["test_usual[worker]"]),
        ("realms = page worker", ["node"], ["test_usual[node]", "test_marked[node]"]),
    ],
)
def test_what_is_collected(tmp_path: Path, setting: str, options: list[str], collected: list[str]):
    """A test runs in each realm that is named, a marked one only in those of its mark."""
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{setting}\n", "utf-8")
    (tmp_path / "test_it.py").write_text(TESTS, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "unpanic_tools.testing.entry", "--collect-only", "-q"]
    command += [f"--realm={name}" for name in options]
    environment = {"PYTHONPATH": str(ROOT / "py"), "PATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    names = [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]
    assert names == ["test_plain", *collected], done.stdout + done.stderr
