"""Builds the site with what the README names, and with a Pyodide of its own, so that it needs no CDN."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from scripts.examples import BANK, ROOT, wheel
from scripts.pyodide_distribution import TOOLS, make

HERE = Path(__file__).parent


def build(out: Path) -> None:
    """Fills a folder with the site."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        shutil.copytree(HERE / "files", site / "files")
        shutil.copytree(BANK, site / "files" / "bank")
        # JupyterLite takes a Pyodide from there, and from the CDN if there is none.
        make(ROOT / "js" / "node_modules" / "pyodide", site / "static" / "pyodide")
        command = [TOOLS / "jupyter", "lite", "build", "--contents", "files", "--piplite-wheels", wheel()]
        subprocess.run([*command, "--output-dir", out], cwd=site, check=True)
