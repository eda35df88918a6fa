"""What the wheel carries (pyproject.toml, hatch_build.py)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hatch_build import BUILT

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "py" / "unpanic"
TOOLS = ROOT / "py" / "unpanic_tools"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what hatchling reads, with stand-ins for the built files."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "hatch_build.py", "LICENSE", "py/README.md", "js/package.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for package in (PACKAGE, TOOLS):
        shutil.copytree(package, folder / "py" / package.name)
    for built in BUILT:
        (folder / built).parent.mkdir(parents=True, exist_ok=True)
        (folder / built).write_text(f"// {built}\n")
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "out"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_wheel_carries_every_source_as_it_is(project: Path):
    """Comments, docstrings and indentation included: what a traceback shows is what the repository has."""
    done = build(project)
    assert done.returncode == 0, done.stderr
    (wheel,) = (project / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = {name: archive.read(name) for name in archive.namelist() if name.startswith("unpanic/")}
    sources = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    expected = {f"unpanic/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes() for path in sources}
    expected |= {place: f"// {built}\n".encode() for built, place in BUILT.items()}
    assert carried == expected
    assert "unpanic/py.typed" in carried


def test_a_missing_built_file_says_what_makes_it(project: Path):
    """Hatchling alone would name a file that nobody has ever seen."""
    runtime = project / "js/dist/runtime.js"
    text = runtime.read_text()
    runtime.unlink()
    try:
        done = build(project)
    finally:
        runtime.write_text(text)
    assert done.returncode != 0
    assert "js/dist/runtime.js is missing: run `make dist`" in done.stderr
