"""Exports the notebook as the README says, and gives the page its own Pyodide, so that it needs no CDN."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from scripts.examples import ROOT
from scripts.pyodide_distribution import TOOLS, make
from scripts.wheel import built as built_wheel

HERE = Path(__file__).parent
ELEMENT = '<marimo-wasm hidden=""'
OFFLINE = (
    f'{ELEMENT} data-pyodide-index-url="./pyodide/" data-pyodide-lockfile-url="./pyodide/pyodide-lock.json" '
    'data-pypi-index-url="./packages/"'
)


def build(out: Path) -> None:
    """Fills a folder with the page."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "notebook.py"
        shutil.copy(HERE / "notebook.py", notebook)
        (notebook.parent / "public").mkdir()
        shutil.copy(built_wheel(), notebook.parent / "public")
        options = ["--output", out, "--show-code", "--no-sandbox", "--force"]
        # marimo runs uv, which is in the same folder.
        path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
        command = [TOOLS / "marimo", "export", "html-wasm", notebook, *options]
        subprocess.run(command, check=True, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL)
    own_pyodide(out)


def own_pyodide(out: Path) -> None:
    """Gives an exported page the version of Pyodide for which this version of marimo was made."""
    make(ROOT / "examples" / "node_modules" / "pyodide-marimo", out / "pyodide")
    page = out / "index.html"
    text = page.read_text()
    if ELEMENT not in text:
        raise SystemExit(f"{page} has no {ELEMENT}: marimo has another way to say where Pyodide is.")
    page.write_text(text.replace(ELEMENT, OFFLINE))
