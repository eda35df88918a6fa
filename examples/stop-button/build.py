"""Copies the page, with the package whose loops it ends."""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.examples import NOT_COPIED, ROOT
from scripts.wheel import built as built_wheel

HERE = Path(__file__).parent
LOOPS = ROOT / "rust" / "fixtures" / "loops" / "pkg" / "abort"


def build(out: Path) -> None:
    """Fills a folder with the example."""
    shutil.copytree(HERE, out, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
    shutil.copytree(LOOPS, out / "loops")
    shutil.copy(built_wheel(), out)
