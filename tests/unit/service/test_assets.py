"""The command that writes the service worker into a site."""

from __future__ import annotations

from pathlib import Path

import pytest
from unpanic_tools import cli as command
from unpanic_tools.cli import problems


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a worker, as the wheel installs it, and a folder for the site."""
    package, site = tmp_path / "package", tmp_path / "site"
    package.mkdir()
    site.mkdir()
    (package / "service-worker.js").write_text("worker")
    monkeypatch.setattr(problems.resources, "files", lambda _: package)
    return site


def test_the_worker_is_written(installed: Path, capsys: pytest.CaptureFixture[str]):
    """The command prints the file that it wrote, and replaces an older one."""
    for _ in range(2):
        assert command.main(["assets", str(installed)]) == 0
        assert capsys.readouterr().out == f"{installed / 'unpanic-service-worker.js'}\n"
    assert (installed / "unpanic-service-worker.js").read_text() == "worker"


def test_a_folder_that_is_none(installed: Path, capsys: pytest.CaptureFixture[str]):
    """The command makes no folder, and says what it needs."""
    assert command.main(["assets", str(installed / "nowhere")]) == 1
    expected = f"unpanic: {installed / 'nowhere'} is not a folder: name one of your site.\n"
    assert capsys.readouterr().err == expected


def test_a_place_that_cannot_be_written(installed: Path, capsys: pytest.CaptureFixture[str]):
    """The error has the operating system's message."""
    (installed / "unpanic-service-worker.js").mkdir()
    assert command.main(["assets", str(installed)]) == 1
    assert "unpanic-service-worker.js cannot be written: Is a directory." in capsys.readouterr().err


def test_a_checkout_has_no_worker(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Without built files, the command says where the worker is."""
    assert command.main(["assets", str(tmp_path)]) == 1
    assert "has no service-worker.js: install the wheel" in capsys.readouterr().err
