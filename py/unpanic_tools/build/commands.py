"""Runs other programs: cargo, rustc, wasm-bindgen, wasm-opt."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .failure import BuildError

__all__ = ["ask", "capture", "run", "say"]


def say(text: str) -> None:
    """Tells the user what the build does. It goes where cargo writes, because tools read the standard output."""
    print(f"unpanic: {text}", file=sys.stderr, flush=True)


def ask(command: Sequence[str | Path], folder: Path | None = None, environment: Mapping[str, str] = {}) -> str | None:
    """Returns the standard output of a command, or None if it cannot be run or fails."""
    try:
        done = _start(command, folder, environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def capture(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] = {}) -> str:
    """Returns the standard output of a command; what it says to the user is shown.

    Raises:
        BuildError: it failed.
    """
    return _checked(command, folder, environment, subprocess.PIPE)


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] = {}) -> None:
    """Runs a command and shows its output as what the build says.

    Raises:
        BuildError: it failed.
    """
    _checked(command, folder, environment, sys.stderr.fileno() if _has_file(sys.stderr) else subprocess.DEVNULL)


def _checked(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], stdout: int | None) -> str:
    try:
        done = _start(command, folder, environment, stdout=stdout, stderr=None)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed.") from None
    if done.returncode != 0:
        words = [Path(command[0]).name, *(str(word) for word in command[1:3])]
        raise BuildError(f"`{' '.join(words)}` failed with status {done.returncode}; its output is above.")
    return done.stdout or ""


def _start(
    command: Sequence[str | Path],
    folder: Path | None,
    environment: Mapping[str, str],
    *,
    stdout: int | None,
    stderr: int | None,
) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(
        words, cwd=folder, env={**os.environ, **environment}, text=True, check=False, stdout=stdout, stderr=stderr
    )


def _has_file(stream: object) -> bool:
    try:
        stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return False
    return True
