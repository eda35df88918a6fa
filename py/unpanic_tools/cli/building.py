"""Building the project in a folder: the one place where the command meets the build hook."""

import subprocess
import sys
import tempfile
from pathlib import Path

from .problems import CommandError

__all__ = ["build_project", "built_wheels"]

# How the build hook begins the line that says why it cannot go on.
OF_HOOK = "unpanic: "


def build_project(folder: Path, out: Path) -> Path:
    """Builds the wheel of a project by its own `pyproject.toml`, and returns it.

    Hatchling runs in a process of its own: it is what `pip wheel` runs too, and nothing of a build stays behind in one
    that goes on, as that of `unpanic dev`.

    Args:
        folder: the project's.
        out: where the wheel goes.
    """
    if not (folder / "pyproject.toml").is_file():
        raise CommandError(
            f"{folder} has no pyproject.toml: run this in a project, or make one with `unpanic new bank`."
        )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as draft:
        place = str(Path(draft).resolve())
        _run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", place], folder)
        (wheel,) = Path(draft).glob("*.whl")
        return wheel.replace(out / wheel.name)


def _run(command: list[str], folder: Path) -> None:
    """Runs a command and passes on what it says, but for the line by which the build hook ends it."""
    problem, last = "", ""
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(OF_HOOK):
                problem = line.removeprefix(OF_HOOK).strip()
            elif not line.rstrip().endswith(".whl"):  # hatchling names the draft
                sys.stderr.write(line)
                last = line.strip() or last
    if process.returncode:
        raise CommandError(problem or f"{folder.resolve().name} was not built: {last or 'see above'}")


def built_wheels(folder: Path) -> list[Path]:
    """Builds the project in a folder into its dist/, and returns the wheel as a list."""
    return [build_project(folder, folder / "dist")]
