"""All processes of a run share one build of the project's wheel."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from unpanic_tools.cli.problems import CommandError
from unpanic_tools.testing import building

WORKERS = 4


class Folders:
    """The temporary folders of one process."""

    def __init__(self, run: Path, worker: str) -> None:
        self._base = run / worker
        self._base.mkdir(parents=True)

    def getbasetemp(self) -> Path:
        return self._base

    def mktemp(self, name: str) -> Path:
        (self._base / name).mkdir()
        return self._base / name


def build_in_workers(run: Path) -> list[Any]:
    """Has several processes of a run ask for the wheel at the same time; returns what each gets, or its problem."""
    start = threading.Barrier(WORKERS)

    def work(number: int) -> Any:
        folders: Any = Folders(run, f"popen-gw{number}")
        config: Any = SimpleNamespace(workerinput={})
        start.wait()
        try:
            return building.build_once(Path("project"), config, folders)
        except CommandError as error:
            return str(error)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, range(WORKERS)))


def test_one_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One process builds, and the others wait for its wheel; the next run builds again."""
    built = []

    def build(project: Path, out: Path) -> Path:
        built.append(project)
        time.sleep(0.05)
        (out / "bank-1-py3-none-any.whl").touch()
        return out / "bank-1-py3-none-any.whl"

    monkeypatch.setattr(building, "build_project", build)
    assert len(set(build_in_workers(tmp_path / "run"))) == 1
    assert len(built) == 1
    build_in_workers(tmp_path / "next")
    assert len(built) == 2


def test_one_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """If the build fails, each process says so, and nobody tries again."""
    built = []

    def build(project: Path, _: Path) -> Path:
        built.append(project)
        raise CommandError("cargo is not here")

    monkeypatch.setattr(building, "build_project", build)
    assert build_in_workers(tmp_path / "run") == ["cargo is not here"] * WORKERS
    assert len(built) == 1


def test_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without pytest-xdist the wheel is built in a folder of the run."""
    monkeypatch.setattr(building, "build_project", lambda _, out: out / "a.whl")
    folders: Any = Folders(tmp_path, "base")
    config: Any = SimpleNamespace()
    assert building.build_once(Path("project"), config, folders) == tmp_path / "base/wheel/a.whl"
