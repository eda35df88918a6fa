"""Packages by their names on npm, as `unpanic.load` takes them: `npm:NAME`, with `@VERSION` and `/path` if need be."""

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

__all__ = ["PREFIX", "NotFetched", "fetch_package"]

PREFIX = "npm:"
SPEC = re.compile(r"npm:((?:@[\w.~-]+/)?[\w~][\w.~-]*)(?:@([\w.^~*+-]+))?(?:/(.+))?")
# Downloads may be large, and networks slow.
SECONDS = 300


class NotFetched(ValueError):
    """The package was not downloaded; the message says why."""


def fetch_package(name: str, folder: Path) -> Path:
    """Downloads a package by npm, which runs nothing of it, and returns its folder, or the named path in it.

    Args:
        name: `npm:` and the package's name, with or without a version and a path.
        folder: where the package goes.

    Raises:
        NotFetched: the name is none, npm is missing, or found no such package.
    """
    spec = SPEC.fullmatch(name)
    if spec is None:
        raise NotFetched(f"{name} is no name on npm: write npm:NAME, npm:NAME@VERSION or npm:NAME@VERSION/path.")
    npm = shutil.which("npm")
    if npm is None:
        raise NotFetched(f"{name} cannot be downloaded without npm: `apt install npm`, or name a folder instead.")
    wanted = f"{spec[1]}@{spec[2]}" if spec[2] else spec[1]
    command = [npm, "pack", "--loglevel=error", "--ignore-scripts", "--pack-destination", str(folder), wanted]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=SECONDS)
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    except subprocess.CalledProcessError as error:
        raise NotFetched(f"{name} cannot be downloaded: {_reason(error.stderr)}.") from None
    except (subprocess.TimeoutExpired, OSError, tarfile.TarError, ValueError) as error:
        raise NotFetched(f"{name} cannot be downloaded: {error}.") from None
    # Most archives hold one folder `package`; some have another name for it.
    (package,) = (each for each in folder.iterdir() if each.is_dir())
    found = package / (spec[3] or "")
    if not found.resolve().is_relative_to(package.resolve()) or not found.exists():
        raise NotFetched(f"{wanted} has no {spec[3]}: `unpanic inspect {PREFIX}{wanted}` looks for its Wasm files.")
    return found


def _reason(said: str) -> str:
    """Returns what npm says of its failure."""
    if "E404" in said:
        return "npm has no such package"
    if "ETARGET" in said:
        return "npm has no such version of it"
    lines = [line.removeprefix("npm error ").removeprefix("npm ERR! ") for line in said.splitlines() if line.strip()]
    return f"npm says: {lines[0]}" if lines else "npm failed without a word"
