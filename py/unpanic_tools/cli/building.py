"""Building the project in a folder: the one place where the command meets the build hook."""

import subprocess
import sys
import tempfile
from pathlib import Path

from .problems import CommandError

__all__ = ["build_project", "built_wheels", "check_project"]

# How the lines of the build hook begin. If it cannot go on, the last one says why.
OF_HOOK = "unpanic: "


def build_project(folder: Path, out: Path) -> Path:
    """Builds the wheel of a project by its own `pyproject.toml`, and returns it.

    Hatchling runs in a process of its own: it is what `pip wheel` runs too, and nothing of a build stays behind in one
    that goes on, as that of `unpanic dev`.

    Args:
        folder: the project's.
        out: where the wheel goes.

    Raises:
        CommandError: there is no project, or it was not built; `output` is what the compiler said.
    """
    check_project(folder)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as draft:
        place = str(Path(draft).resolve())
        _run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", place], folder)
        (wheel,) = Path(draft).glob("*.whl")
        return wheel.replace(out / wheel.name)


def check_project(folder: Path) -> None:
    """Refuses a folder that has no project."""
    if not (folder / "pyproject.toml").is_file():
        raise CommandError(
            f"{folder} has no pyproject.toml: run this in a project, or make one with `unpanic new bank`."
        )


def _run(command: list[str], folder: Path) -> None:
    """Runs a command and passes on what it says, at once: a build may take minutes."""
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if not line.rstrip().endswith(".whl"):  # hatchling names the draft
                sys.stderr.write(line)
                sys.stderr.flush()
                said.append(line.rstrip())
    if process.returncode:
        last = next((line for line in reversed(said) if line), "")
        is_of_hook = last.startswith(OF_HOOK)
        output = "\n".join(said[:-1] if is_of_hook else said)
        problem = last.removeprefix(OF_HOOK) if is_of_hook else f"{folder.resolve().name} was not built: {last}"
        raise CommandError(problem, is_told=is_of_hook, output=output)


def built_wheels(folder: Path) -> list[Path]:
    """Builds the project in a folder into its dist/, and returns the wheel as a list."""
    return [build_project(folder, folder / "dist")]
