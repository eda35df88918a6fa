"""Tests that fail in a browser get one second try, and only one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scripts import tests as runner

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
import pathlib

def test_good():
    count("good")

def test_bad():
    assert count("bad") >= {passes_at}

def count(name):
    file = pathlib.Path({folder!r}, name)
    file.write_text(file.read_text() + "x" if file.exists() else "x")
    return len(file.read_text())
"""


@pytest.mark.parametrize(("passes_at", "code", "tries"), [(1, 0, 1), (2, 0, 2), (3, 1, 2)])
def test_only_failed_tests_run_again(tmp_path: Path, passes_at: int, code: int, tries: int):
    (tmp_path / "test_it.py").write_text(FILE.format(passes_at=passes_at, folder=str(tmp_path)))
    name = f"second-try-{tmp_path.name}"
    command = [sys.executable, "-m", "scripts.tests", name, str(tmp_path), "-q"]
    run = subprocess.run(command, cwd=runner.ROOT, capture_output=True, text=True, check=False)
    shutil.rmtree(runner.ROOT / ".cache" / "pytest" / name)
    assert run.returncode == code, run.stdout
    assert len((tmp_path / "bad").read_text()) == tries
    assert len((tmp_path / "good").read_text()) == 1
    assert ("SECOND TRY of 1 tests" in run.stdout) == (tries == 2)
