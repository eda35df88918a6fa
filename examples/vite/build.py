"""Puts the files of the project into their places, as its owner would do, and runs Vite."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from scripts import examples
from scripts.wheel import built as built_wheel

PROJECT = Path(__file__).parent
BANK = examples.ROOT / "rust" / "fixtures" / "bank" / "pkg" / "reset"


def build(out: Path) -> None:
    """Fills a folder with the production build."""
    shutil.copytree(BANK, PROJECT / "pkg", dirs_exist_ok=True)
    public = PROJECT / "public"
    shutil.rmtree(public, ignore_errors=True)
    public.mkdir()
    shutil.copy(built_wheel(), public)
    # Vite's warnings are about the parts of Pyodide that are for Node.
    vite = ["node_modules/.bin/vite", "build", "--outDir", str(out), "--emptyOutDir", "--logLevel", "error"]
    subprocess.run(vite, cwd=PROJECT, check=True)
