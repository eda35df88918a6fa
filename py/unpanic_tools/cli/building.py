"""Building the project in a folder: the one place where the command meets the build hook."""

import subprocess
import sys
import tempfile
from pathlib import Path

from .problems import CommandError

__all__ = ["build_project", "built_wheels"]


def build_project(folder: Path, out: Path, *, quiet: bool = False) -> Path:
    """Builds the wheel of a project by its own `pyproject.toml`, and returns it.

    Args:
        folder: the project's.
        out: where the wheel goes.
        quiet: whether cargo's output is shown only if it fails.
    """
    if not (folder / "pyproject.toml").is_file():
        raise CommandError(
            f"{folder} has no pyproject.toml: run this in a project, or make one with `unpanic new bank`."
        )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as draft:
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", draft]
        done = subprocess.run(command, cwd=folder, capture_output=quiet, text=True, check=False)
        if done.returncode:
            problem = f"\n{done.stderr.strip()}" if quiet else " (see above)"
            raise CommandError(f"{folder.resolve().name} was not built{problem}")
        (wheel,) = Path(draft).glob("*.whl")
        return wheel.replace(out / wheel.name)


def built_wheels(folder: Path) -> list[Path]:
    """Builds the project in a folder into its dist/, and returns the wheel as a list."""
    return [build_project(folder, folder / "dist")]
