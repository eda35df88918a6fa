"""Where `unpanic dist` and `unpanic dev` get Pyodide from."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from unpanic_tools.distribution import PYODIDE_VERSION, PyodideMissing, pyodide
from unpanic_tools.distribution.pyodide import LOCK, NEEDED, find_pyodide


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that plays the CDN, on a machine without npm and with an empty cache."""
    folder = tmp_path / "cdn"
    folder.mkdir()
    for name in NEEDED:
        (folder / name).write_text(name)
    monkeypatch.setenv("UNPANIC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(pyodide, "cdn_url", lambda _: f"{folder.as_uri()}/")
    return folder


def test_it_is_downloaded_once(released: Path, tmp_path: Path):
    """The download is said, and kept for the next time."""
    said: list[str] = []
    found = find_pyodide(None, tmp_path, said.append)
    assert {file.name for file in found.iterdir()} == set(NEEDED)
    assert said == [f"Pyodide {PYODIDE_VERSION} is downloaded, once on this machine ..."]
    (released / LOCK).unlink()
    assert find_pyodide(None, tmp_path, said.append) == found
    assert len(said) == 1


@pytest.mark.usefixtures("released")
def test_npm_comes_first(tmp_path: Path):
    """Where npm is, it knows the mirror that this machine is to use."""
    package = tmp_path / "package"
    package.mkdir()
    for name in (*NEEDED, "pyodide.d.ts"):
        (package / name).write_text(f"{name} of npm")
    with tarfile.open(tmp_path / "packed.tgz", "w:gz") as archive:
        archive.add(package, "package")
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\n/bin/cp {tmp_path}/packed.tgz pyodide.tgz\n")
    npm.chmod(0o755)
    found = find_pyodide(None, tmp_path, lambda _: None)
    assert {file.name for file in found.iterdir()} == set(NEEDED)
    assert (found / LOCK).read_text() == f"{LOCK} of npm"


def test_a_download_that_fails_leaves_nothing(released: Path, tmp_path: Path):
    """The message names both ways, and one that works without them."""
    (released / LOCK).unlink()
    with pytest.raises(PyodideMissing) as caught:
        find_pyodide(None, tmp_path, lambda _: None)
    assert str(caught.value).startswith(
        f"Pyodide {PYODIDE_VERSION} could not be downloaded (npm: it is not installed; cdn: "
    )
    assert "name its folder with --pyodide" in str(caught.value)
    assert not [*(tmp_path / "cache").iterdir()]


@pytest.mark.usefixtures("released")
def test_the_nearest_node_modules(tmp_path: Path):
    """A project of npm has its own Pyodide, also for folders below it."""
    own = tmp_path / "app" / "node_modules" / "pyodide"
    own.mkdir(parents=True)
    (own / LOCK).write_text("{}")
    below = tmp_path / "app" / "src"
    below.mkdir()
    assert find_pyodide(None, below, lambda _: None) == own
