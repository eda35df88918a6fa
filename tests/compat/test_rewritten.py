"""Every Wasm file of the packages, rewritten: it stays valid, and its exports do the same (tests/fuzz/real.mjs)."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.compat.catalogue import LOADERS, PACKAGES
from tests.compat.package import NODE_MODULES

ROOT = Path(__file__).parents[2]
# The largest file takes seconds on an idle machine.
TIMEOUT = 280


def find_files() -> list[Path]:
    """Returns the files of the installed packages. Copies of a file are left out."""
    files = {hashlib.sha256(path.read_bytes()).digest(): path for path in sorted(NODE_MODULES.rglob("*.wasm"))}
    return list(files.values())


FILES = find_files()
SLOW = [package.root for package in (*PACKAGES, *LOADERS) if package.takes_long]


def marks(file: Path) -> list[pytest.MarkDecorator]:
    return [pytest.mark.long] if any(file.is_relative_to(folder) for folder in SLOW) else []


def test_the_packages_are_installed():
    """Otherwise the test below tries nothing."""
    assert FILES, "the packages are not installed: run `python3 scripts/setup.py compat` first."


@pytest.mark.parametrize(
    "file", [pytest.param(file, marks=marks(file), id=str(file.relative_to(NODE_MODULES))) for file in FILES]
)
def test_a_package_stays_what_it_is(file: Path):
    """In Node, with numbers as arguments and imports that do nothing."""
    command = ["node", ROOT / "tests/fuzz/real.mjs", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    [outcome] = re.findall("^1 files: (.*) 1$", done.stdout, re.MULTILINE)
    is_threaded = file.parent.name == "pkg-parallel"
    assert outcome == ("refused, with threads" if is_threaded else "valid, and the same")
