"""Builds the examples into dist/examples, each as a folder that any static host can serve.

An example is a folder of examples/. This script copies its files, and adds what it loads: the wheel of unpanic, and the
package `bank`, unless the example loads a package from npm by its name. If a tool builds the example, its `build.py`
has a function `build(out)`, which fills the folder.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from scripts.wheel import built as built_wheel

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "examples"
BUILT = ROOT / "dist" / "examples"
BANK = ROOT / "rust" / "fixtures" / "bank" / "pkg" / "abort"
# Examples that load a package by its name.
BY_NAME = ("pyscript",)
# Files that belong to the repository, but not to the example's page.
NOT_COPIED = ("README.md", "build.py", "node_modules", "__pycache__", "package*.json")


def main(names: list[str]) -> int:
    """Builds the examples with these names, or all examples."""
    for name in names or sorted(path.name for path in SOURCES.iterdir() if (path / "README.md").is_file()):
        print(build(name).relative_to(ROOT), flush=True)
    return 0


def build(name: str) -> Path:
    """Builds one example and returns its folder."""
    source, out = SOURCES / name, BUILT / name
    if not source.is_dir():
        raise SystemExit(f"examples/{name} is not there.")
    shutil.rmtree(out, ignore_errors=True)
    script = source / "build.py"
    if script.is_file():
        out.mkdir(parents=True)
        load(script).build(out)
    else:
        shutil.copytree(source, out, ignore=shutil.ignore_patterns(*NOT_COPIED))
        shutil.copy(built_wheel(), out)
        if name not in BY_NAME:
            shutil.copytree(BANK, out / "bank")
    return out


def load(script: Path):
    """Imports a script by its path."""
    spec = importlib.util.spec_from_file_location(f"examples.{script.parent.name}", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
