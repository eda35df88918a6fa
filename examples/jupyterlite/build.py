"""Builds the site with everything that the README names, and with its own Pyodide, so that it needs no CDN."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from scripts.examples import ROOT
from scripts.pyodide_distribution import TOOLS, make
from scripts.wheel import built as built_wheel

HERE = Path(__file__).parent
# These settings avoid any package index, and load all packages of the kernel at once instead of one after the other.
KERNEL = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": ["comm", "ipython", "jedi", "micropip"]}}
SETTINGS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {"litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": KERNEL}},
}
SMALLER = ["--apps", "lab", "--apps", "notebooks", "--no-sourcemaps", "--no-unused-shared-packages"]


def build(out: Path) -> None:
    """Fills a folder with the site."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        shutil.copytree(HERE / "files", site / "files")
        # JupyterLite looks for Pyodide in this folder, and otherwise uses the CDN.
        make(ROOT / "js" / "node_modules" / "pyodide", site / "static" / "pyodide")
        (site / "jupyter-lite.json").write_text(json.dumps(SETTINGS))
        command = [TOOLS / "jupyter", "lite", "build", "--contents", "files", "--piplite-wheels", built_wheel()]
        subprocess.run([*command, "--output-dir", out, *SMALLER], cwd=site, check=True)
