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


def find_files() -> dict[bytes, Path]:
    """Returns the files of the installed packages, by their hashes. Copies of a file are left out."""
    return {hash_of(path): path for path in sorted(NODE_MODULES.rglob("*.wasm"))}


def hash_of(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


FILES = find_files()
# A package has builds for several targets, which differ little. Short runs have the one that the table of packages has.
SHORT = {
    hash_of(package.root / package.wasm)
    for package in (*PACKAGES, *LOADERS)
    if not package.takes_long and package.root.is_dir()
}


# Some of its functions compute for half a minute with the numbers that they get.
TAKES_LONG = NODE_MODULES / "@automerge"


def is_threaded(file: Path) -> bool:
    return file.parent.name == "pkg-parallel"


def marks(hashed: bytes, file: Path) -> list[pytest.MarkDecorator]:
    is_short = hashed in SHORT and not file.is_relative_to(TAKES_LONG)
    return [] if is_short or is_threaded(file) else [pytest.mark.long]


def test_the_packages_are_installed():
    """Otherwise the test below tries nothing."""
    assert FILES, "the packages are not installed: run `python3 scripts/setup.py compat` first."


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=marks(key, file), id=str(file.relative_to(NODE_MODULES))) for key, file in FILES.items()],
)
def test_a_package_stays_what_it_is(file: Path):
    """In Node, with numbers as arguments and imports that do nothing."""
    command = ["node", ROOT / "tests/fuzz/real.mjs", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    [outcome] = re.findall("^1 files: (.*) 1$", done.stdout, re.MULTILINE)
    assert outcome == ("refused, with threads" if is_threaded(file) else "valid, and the same")
