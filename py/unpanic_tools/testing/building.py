"""The wheel of the project under test is built once in a run, also if pytest-xdist has several processes run tests."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cli.building import build_project
from ..cli.problems import CommandError

__all__ = ["build_once"]


def build_once(project: Path, config: pytest.Config, folders: pytest.TempPathFactory) -> Path:
    """Builds the wheel of a project, or returns the one that another process of this run has built.

    Args:
        project: its folder.
        config: knows whether this is one of several processes.
        folders: makes the run's temporary folders.

    Raises:
        CommandError: it was not built, here or in the other process.
    """
    if not hasattr(config, "workerinput"):
        return build_project(project, folders.mktemp("wheel"))
    # All processes of a run have their folders beside each other.
    shared = folders.getbasetemp().parent / "unpanic-wheel"
    shared.mkdir(exist_ok=True)
    problem = shared / "problem.txt"
    with _locked(shared / "lock"):
        if problem.exists():
            raise CommandError(problem.read_text("utf-8"))
        for wheel in shared.glob("*.whl"):
            return wheel
        try:
            return build_project(project, shared)
        except CommandError as error:
            problem.write_text(str(error), "utf-8")
            raise


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lets one process in. The system frees the lock of a process that dies."""
    with path.open("a") as file:
        if sys.platform == "win32":
            import msvcrt

            while True:
                with contextlib.suppress(OSError):  # it gives up after ten seconds
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                time.sleep(0.1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
