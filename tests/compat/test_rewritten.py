"""Every Wasm file of the packages, rewritten: it stays valid, and its exports do the same (tests/fuzz/real.mjs)."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

from tests.compat.package import NODE_MODULES

ROOT = Path(__file__).parents[2]


def test_the_packages_stay_what_they_are():
    """In Node, with numbers as arguments and imports that do nothing. Copies of a file are left out."""
    files = {hashlib.sha256(path.read_bytes()).digest(): path for path in sorted(NODE_MODULES.rglob("*.wasm"))}
    assert files, "the packages are not installed: run `python3 scripts/setup.py compat` first."
    command = ["node", ROOT / "tests/fuzz/real.mjs", *files.values()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = dict(re.findall(r"(?:: |, (?=\w+,))(valid, and the same|refused, with threads) (\d+)", done.stdout))
    assert outcomes == {"valid, and the same": str(len(files) - 1), "refused, with threads": "1"}, done.stdout
