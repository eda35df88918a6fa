"""Every Wasm file of the fixtures, rewritten: it stays valid, and its exports do the same (tests/fuzz/real.mjs)."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Node 20 does not know the newer exception handling.
NEWER = 2


def test_the_fixtures_stay_what_they_are():
    """In Node, with numbers as arguments and imports that do nothing."""
    files = sorted((ROOT / "rust/fixtures").glob("*/pkg/*/*.wasm"))
    assert files
    command = ["node", ROOT / "tests/fuzz/real.mjs", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    same = re.search(r"valid, and the same (\d+)", done.stdout)
    assert same and int(same[1]) >= len(files) - NEWER, done.stdout
