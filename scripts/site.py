"""Builds the demo site into dist/site: a folder that any static host can serve, under any path.

    python -m scripts.site        needs the wheel in dist/, and the npm packages of web/ and js/

web/build.mjs bundles the scripts of web/. This script copies the other files of web/ and the files that the pages load.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from scripts.wheel import built as built_wheel

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
BUILT = ROOT / "dist" / "site"
BANK = ROOT / "rust" / "fixtures" / "bank"
LOOPS = ROOT / "rust" / "fixtures" / "loops"
NPM = WEB / "node_modules"
MKDOCS = ROOT / ".cache" / "docs" / "bin" / "mkdocs"

COPIED = ("*.html", "*.py", "style.css", "icon.svg")
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
# For each package of the second page: its folder, glue, Wasm file and types.
PACKAGES = {
    "sql": ("@guanmingchiu/sqlparser-ts/wasm", "sqlparser_rs_wasm"),
    "svg": ("@resvg/resvg-wasm", "index"),
    "python": ("@astral-sh/ruff-wasm-web", "ruff_wasm"),
}
PRQL = (ROOT / "js" / "node_modules" / "prql-js" / "dist" / "web", "prql_js")
# Passes requests to Python. The wheel contains it, and the site's own worker imports it.
SERVICE_WORKER = "unpanic/service-worker.js"
# The folder of addresses that Python answers, relative to the site.
REQUESTS = "requests/"


def main() -> int:
    """Builds the site and prints where it is."""
    build()
    size = sum(path.stat().st_size for path in files(BUILT))
    print(f"{BUILT.relative_to(ROOT)}: {len(files(BUILT))} files, {size / 1e6:.1f} MB")
    return 0


def build(out: Path = BUILT) -> Path:
    """Builds the site and returns its folder.

    Raises:
        SystemExit: a file that the build needs is missing; the message says how to get it.
    """
    wheel = built_wheel()
    if not NPM.is_dir():
        raise SystemExit("web/node_modules is not there: run `python3 scripts/setup.py site`.")
    if not MKDOCS.is_file():
        raise SystemExit("mkdocs is not there: run `python3 scripts/setup.py docs`.")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    subprocess.run(["node", WEB / "build.mjs", out], check=True)
    for pattern in COPIED:
        for path in WEB.glob(pattern):
            shutil.copy(path, out)
    for name in PYODIDE:
        copy(NPM / "pyodide" / name, out / "pyodide" / name)
    copy(wheel, out / wheel.name)
    for mode in ("abort", "unwind"):
        shutil.copytree(BANK / "pkg" / mode, out / "bank" / mode)
    copy(BANK / "src" / "lib.rs", out / "bank" / "lib.rs")
    shutil.copytree(LOOPS / "pkg" / "abort", out / "loops")
    copy(LOOPS / "src" / "shapes.rs", out / "loops" / "shapes.rs")
    places: dict[str, Any] = {
        "pyodide": "pyodide/pyodide.mjs",
        "wheel": wheel.name,
        "bank": {"abort": "bank/abort/bank.js", "unwind": "bank/unwind/bank.js"},
        "loops": "loops/loops.js",
        "rust": {"bank": "bank/lib.rs", "loops": "loops/shapes.rs"},
        "prql": copy_package("prql", *PRQL, out)["glue"],
        "packages": {name: copy_package(name, NPM / folder, stem, out) for name, (folder, stem) in PACKAGES.items()},
    }
    (out / "files.json").write_text(json.dumps(places), "utf-8")
    build_docs(out / "docs")
    (out / "offline.js").write_text(make_worker(out, wheel), "utf-8")
    return out


def build_docs(out: Path) -> None:
    """Builds the documentation into a folder of the site, with a link back to the site."""
    environment = {**os.environ, "UNPANIC_SITE": "../index.html", "NO_MKDOCS_2_WARNING": "1"}
    command = [MKDOCS, "build", "--quiet", "--site-dir", out]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def copy_package(name: str, folder: Path, stem: str, out: Path) -> dict[str, Any]:
    """Copies a package's glue, Wasm file, types and licence, and returns where they are."""
    glue = next(path for path in (folder / f"{stem}.mjs", folder / f"{stem}.js") if path.is_file())
    wasm = folder / f"{stem}_bg.wasm"
    for path in (glue, wasm, folder / f"{stem}.d.ts", *folder.glob("LICENSE*")):
        copy(path, out / "npm" / name / path.name)
    at = f"npm/{name}"
    return {
        "glue": f"{at}/{glue.name}",
        "wasm": f"{at}/{wasm.name}",
        "types": f"{at}/{stem}.d.ts",
        "bytes": wasm.stat().st_size,
    }


def make_worker(out: Path, wheel: Path) -> str:
    """Returns the service worker. Its first lines state the version of the site and the files that each page needs."""
    (out / "service-worker.js").write_bytes(zipfile.ZipFile(wheel).read(SERVICE_WORKER))
    imported = (
        f"self.UNPANIC_PREFIXES = [new URL({json.dumps(REQUESTS)}, location).pathname];\n"
        'importScripts("service-worker.js");\n'
    )
    version = hashlib.sha256((WEB / "offline.js").read_bytes())
    needed: dict[str, list[str]] = {"bank": [], "packages": [], "transcript": []}
    for path in files(out):
        name = path.relative_to(out).as_posix()
        if name.startswith("docs/"):
            continue  # the documentation needs a network
        version.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
        # The npm packages are large, and each belongs to one page. A visit of any page keeps everything else.
        page = "bank" if not name.startswith("npm/") else "transcript" if name.startswith("npm/prql/") else "packages"
        needed[page].append(name)
    site = json.dumps({"version": version.hexdigest()[:16], "files": needed})
    return f"{imported}const site = {site};\n\n{(WEB / 'offline.js').read_text('utf-8')}"


def files(folder: Path) -> list[Path]:
    """Returns all files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    sys.exit(main())
