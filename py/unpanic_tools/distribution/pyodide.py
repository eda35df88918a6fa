"""Where Pyodide's own files come from: a folder, npm, or its CDN."""

import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from ..caching import cache_folder
from ..machine import find_up

__all__ = ["PYODIDE_VERSION", "PyodideMissing", "cdn_url", "find_pyodide", "runtime_files"]

# The version with which unpanic is tested.
PYODIDE_VERSION = "314.0.7"
LOCK = "pyodide-lock.json"
NEEDED = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", LOCK)
# What belongs to Pyodide at run time; older versions have `pyodide.asm.js`.
RUNTIME = ("pyodide.mjs", "pyodide.js", "pyodide.asm.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
SECONDS = 60


class PyodideMissing(Exception):
    """Pyodide was not found, and could not be downloaded; the message says what was tried."""


def cdn_url(version: str) -> str:
    """Returns the folder on Pyodide's CDN with this version and all packages that belong to it."""
    return f"https://cdn.jsdelivr.net/pyodide/v{version}/full/"


def find_pyodide(named: Path | None, folder: Path, say: Callable[[str], None]) -> Path:
    """Returns a folder with Pyodide.

    Args:
        named: the folder that the user named; None: the nearest `node_modules/pyodide`, or one that is downloaded once.
        folder: where to begin to look for `node_modules`.
        say: hears of a download.

    Raises:
        PyodideMissing: there is none.
    """
    if named is not None:
        _check(named)
        return named
    modules = find_up(folder, "node_modules/pyodide")
    if modules is not None and (modules / LOCK).is_file():
        return modules
    kept = cache_folder() / f"pyodide-{PYODIDE_VERSION}"
    if not (kept / LOCK).is_file():
        say(f"Pyodide {PYODIDE_VERSION} is downloaded, once on this machine ...")
        _download(kept)
    return kept


def runtime_files(pyodide: Path) -> list[Path]:
    """Returns the files that a page needs, without the lock file."""
    return [pyodide / name for name in RUNTIME if (pyodide / name).is_file()]


def _check(folder: Path) -> None:
    if not (folder / LOCK).is_file() or not (folder / "pyodide.asm.wasm").is_file():
        raise PyodideMissing(
            f"{folder} has no Pyodide: name a folder with pyodide.mjs, pyodide.asm.wasm and {LOCK}, as the npm package "
            "and Pyodide's releases have them."
        )


def _download(target: Path) -> None:
    """Fills a folder in one step, so that an interrupted download leaves none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as draft:
        problems = []
        for way in (_by_npm, _by_cdn):
            folder = Path(draft) / way.__name__
            folder.mkdir()
            try:
                way(folder)
            except (OSError, subprocess.SubprocessError, tarfile.TarError) as error:
                problems.append(f"{way.__name__.removeprefix('_by_')}: {_first_line(error)}")
            else:
                folder.rename(target)
                return
    raise PyodideMissing(
        f"Pyodide {PYODIDE_VERSION} could not be downloaded ({'; '.join(problems)}). "
        f"Get it in another way (`npm install pyodide@{PYODIDE_VERSION}`), and name its folder with --pyodide."
    )


def _by_npm(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("it is not installed")
    command = [npm, "pack", "--silent", f"pyodide@{PYODIDE_VERSION}"]
    subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=10 * SECONDS)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        for name in {*RUNTIME, LOCK}:
            with_prefix = f"package/{name}"
            if with_prefix in packed.getnames():
                member = packed.extractfile(with_prefix)
                assert member is not None
                (folder / name).write_bytes(member.read())
    archive.unlink()


def _by_cdn(folder: Path) -> None:
    for name in NEEDED:
        with urllib.request.urlopen(cdn_url(PYODIDE_VERSION) + name, timeout=SECONDS) as response:
            (folder / name).write_bytes(response.read())


def _first_line(error: BaseException) -> str:
    text = error.stderr if isinstance(error, subprocess.CalledProcessError) and error.stderr else str(error)
    return text.strip().partition("\n")[0]
