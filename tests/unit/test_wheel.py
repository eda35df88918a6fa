"""The contents and dependencies of both wheels (pyproject.toml and hatch_build.py, here and in py/unpanic_tools)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from unpanic import __version__

from hatch_build import BUILT, COMMITTED

if TYPE_CHECKING:
    from email.message import Message

ROOT = Path(__file__).parents[2]
CARRIED = BUILT | COMMITTED
PACKAGE = ROOT / "py" / "unpanic"
TOOLS = ROOT / "py" / "unpanic_tools"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that hatchling reads, with stand-ins for the built files."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "hatch_build.py", "LICENSE", "py/README.md", "js/package.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for package in (PACKAGE, TOOLS):
        shutil.copytree(package, folder / "py" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for built in CARRIED:
        (folder / built).parent.mkdir(parents=True, exist_ok=True)
        (folder / built).write_text(f"// {built}\n")
    return folder


@pytest.fixture(scope="module")
def wheels(project: Path) -> Path:
    """The folder with both wheels."""
    out = project / "wheels"
    for folder in (project, project / "py" / TOOLS.name):
        done = build(folder, "wheel", out)
        assert done.returncode == 0, done.stderr
    return out


def build(folder: Path, target: str, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", out]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def contents(wheel: Path, package: str) -> dict[str, bytes]:
    """Returns the files of a package in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.startswith(f"{package}/")}


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(archive.read(name))


def wheel_of(wheels: Path, distribution: str) -> Path:
    return wheels / f"{distribution}-{__version__}-py3-none-any.whl"


def sources(package: Path) -> dict[str, bytes]:
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {f"{package.name}/{path.relative_to(package).as_posix()}": path.read_bytes() for path in files}


def test_the_wheel_carries_every_source_as_it_is(wheels: Path):
    """It keeps comments, docstrings and indentation, so tracebacks show the repository's lines."""
    carried = contents(wheel_of(wheels, "unpanic"), "unpanic")
    assert carried == sources(PACKAGE) | {place: f"// {built}\n".encode() for built, place in CARRIED.items()}
    assert "unpanic/py.typed" in carried
    assert not contents(wheel_of(wheels, "unpanic"), "unpanic_tools")


def test_the_wheel_of_the_tools_carries_every_source_as_it_is(wheels: Path):
    """It has all modules, but not its build script or the package that it needs."""
    expected = sources(TOOLS)
    for name in ("hatch_build.py", "pyproject.toml", "README.md", "LICENSE"):
        del expected[f"unpanic_tools/{name}"]
    assert "unpanic_tools/cli/app.py" in expected
    assert contents(wheel_of(wheels, "unpanic_tools"), "unpanic_tools") == expected
    assert not contents(wheel_of(wheels, "unpanic_tools"), "unpanic")


def test_each_wheel_needs_the_other_of_the_same_version(wheels: Path):
    """A desktop gets both. Pyodide, whose `sys.platform` is "emscripten", leaves the tools out."""
    package, tools = (metadata(wheel_of(wheels, name)) for name in ("unpanic", "unpanic_tools"))
    assert (package["Name"], tools["Name"]) == ("unpanic", "unpanic-tools")
    assert package["Version"] == tools["Version"] == __version__
    marker = "sys_platform != 'emscripten'"
    assert package.get_all("Requires-Dist") == [f"unpanic-tools=={__version__}; {marker}"]
    needed = tools.get_all("Requires-Dist")
    assert f"unpanic=={__version__}" in needed
    assert "typer" in {library.partition(">")[0] for library in needed}
    assert package["Requires-Python"] == tools["Requires-Python"]


def test_both_projects_have_the_same_licence():
    """A project can only name files of its own folder."""
    assert (TOOLS / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", ["unpanic", "unpanic_tools"])
def test_an_sdist_builds_the_same_wheel(name: str, project: Path, wheels: Path, tmp_path: Path):
    """The build needs neither the rest of the repository nor Node."""
    done = build(project if name == "unpanic" else project / "py" / name, "sdist", tmp_path)
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / f"{name}-{__version__}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    done = build(tmp_path / f"{name}-{__version__}", "wheel", tmp_path)
    assert done.returncode == 0, done.stderr
    rebuilt, wheel = wheel_of(tmp_path, name), wheel_of(wheels, name)
    assert contents(rebuilt, name) == contents(wheel, name)
    assert metadata(rebuilt).items() == metadata(wheel).items()


@pytest.fixture(scope="module")
def installed(wheels: Path) -> Path:
    """A folder into which pip has installed both, without a network; this Python has the libraries that they need."""
    target = wheels.parent / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", target]
    done = subprocess.run([*command, *wheels.glob("*.whl")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def test_each_library_has_its_version_in_the_environment():
    """What the tools need is what set-up installs for the tests, in the same version."""
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    pinned = {Requirement(line).name: Requirement(line) for line in group}
    text = (TOOLS / "hatch_build.py").read_text()
    for library in re.findall(r'^    "(.*?)",', text, re.M):
        needed = Requirement(library)
        (version,) = (specifier.version for specifier in pinned[needed.name].specifier)
        assert needed.specifier.contains(version), library


def run_command(*command: str | Path, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run(
        command, cwd=path, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


def test_the_command_is_there(installed: Path):
    """Both wheels bring the command, which `python -m unpanic` also runs."""
    for command in (installed / "bin" / "unpanic",), (sys.executable, "-m", "unpanic"):
        done = run_command(*command, "--version", path=installed)
        assert (done.stdout, done.returncode) == (f"unpanic {__version__}\n", 0), done.stderr


def test_without_the_tools_the_module_says_what_to_install(installed: Path, tmp_path: Path):
    """After an install with `--no-deps`, `python -m unpanic` ends with one line."""
    shutil.copytree(installed / "unpanic", tmp_path / "unpanic")
    done = run_command(sys.executable, "-m", "unpanic", "--version", path=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "unpanic: the command is in the package unpanic-tools, which is not installed: "
        "run `pip install unpanic-tools`.\n"
    )


@pytest.mark.parametrize(
    ("file", "command"),
    [("js/dist/runtime.js", "make dist"), ("rust/rewriter/pkg/rewriter.wasm", "python3 rust/plain.py")],
)
def test_a_missing_built_file_says_what_makes_it(file: str, command: str, project: Path, tmp_path: Path):
    """Hatchling's own error would name a file that users do not know."""
    built = project / file
    text = built.read_text()
    built.unlink()
    try:
        done = build(project, "wheel", tmp_path)
    finally:
        built.write_text(text)
    assert done.returncode != 0
    assert f"{file} is missing: run `{command}`" in done.stderr


def test_the_committed_rewriter_is_a_wasm_file():
    """The stand-ins of the other tests would hide a file that is empty, or one of another version."""
    for source in COMMITTED:
        data = (ROOT / source).read_bytes()
        assert data.startswith(b"\0asm\1\0\0\0")
        assert b"unpanic.rewritten" in data
