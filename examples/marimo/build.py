"""Exports the notebook as the README says, and gives the page a Pyodide of its own, so that it needs no CDN."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from scripts.examples import ROOT, add_common_files
from scripts.pyodide_distribution import TOOLS, make

HERE = Path(__file__).parent
ELEMENT = '<marimo-wasm hidden=""'
OFFLINE = (
    f'{ELEMENT} data-pyodide-index-url="./pyodide/" data-pyodide-lockfile-url="./pyodide/pyodide-lock.json" '
    'data-pypi-index-url="./packages/"'
)


# To find modules beside a notebook marimo has uv fetch ruff, and here are none.
EXPORT = """
import sys
from marimo._cli.export import commands
commands.resolve_notebook_local_modules = lambda *_, **__: ()
commands.html_wasm(sys.argv[1:])
"""


def build(out: Path) -> None:
    """Fills a folder with the page."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "notebook.py"
        shutil.copy(HERE / "notebook.py", notebook)
        (notebook.parent / "public").mkdir()
        add_common_files(notebook.parent / "public")
        options = ["--output", out, "--show-code", "--no-sandbox", "--force"]
        subprocess.run([TOOLS / "python", "-c", EXPORT, notebook, *options], check=True)
    # The version of Pyodide that this version of marimo was made for.
    make(ROOT / "examples" / "node_modules" / "pyodide-marimo", out / "pyodide")
    page = out / "index.html"
    text = page.read_text()
    if ELEMENT not in text:
        raise SystemExit(f"{page} has no {ELEMENT}: marimo has another way to say where Pyodide is.")
    page.write_text(text.replace(ELEMENT, OFFLINE))
