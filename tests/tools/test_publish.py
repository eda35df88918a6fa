"""What would be published: the archives for PyPI, npm and crates.io, each used from an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from unpanic import __version__

ROOT = Path(__file__).parents[2]
PROJECTS = {"unpanic": ROOT, "unpanic_tools": ROOT / "py/unpanic_tools"}
BANK = ROOT / "rust/fixtures/bank/pkg/abort"
CRATE = """\
[package]
name = "user"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
unpanic = {{ path = "{place}" }}

[workspace]
"""


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist of each project."""
    folder = tmp_path_factory.mktemp("archives")
    for project in PROJECTS.values():
        for target in ("wheel", "sdist"):
            run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder, cwd=project)
    return folder


def test_pypi_takes_them(archives: Path):
    """Metadata and description of wheels and sdists are in order; warnings count as errors."""
    names = {f"{name}-{__version__}{end}" for name in PROJECTS for end in ("-py3-none-any.whl", ".tar.gz")}
    assert {file.name for file in archives.iterdir()} == names
    printed = run(sys.executable, "-m", "twine", "check", "--strict", *archives.iterdir(), cwd=archives)
    assert printed.count("PASSED") == len(names)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_the_python_packages_work(kind: str, archives: Path, tmp_path: Path):
    """Installed from their archives alone, they have the command, and the command does its work."""
    files = [*archives.glob("*.whl" if kind == "wheel" else "*.tar.gz")]
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", tmp_path / "installed"]
    run(sys.executable, "-m", "pip", "install", *options, *files, cwd=tmp_path)
    path = str(tmp_path / "installed")
    command = [sys.executable, "-m", "unpanic"]
    assert run(*command, "--version", cwd=tmp_path, PYTHONPATH=path) == f"unpanic {__version__}\n"
    facts = json.loads(run(*command, "inspect", BANK, "--json", cwd=tmp_path, PYTHONPATH=path))
    assert facts["rollback"]["possible"]
    run(*command, "new", "bank", cwd=tmp_path, PYTHONPATH=path)
    assert (tmp_path / "bank/src/lib.rs").is_file()
    assert (tmp_path / "bank/unpanic/src/text.rs").is_file()


def test_the_npm_package_works(tmp_path: Path):
    """Its archive installs without a network, exports `load`, and brings its command."""
    (tmp_path / "package.json").write_text('{"private": true}')
    packed = json.loads(run("npm", "pack", "--json", "--pack-destination", tmp_path, ROOT / "js", cwd=tmp_path))
    details = packed[0] if isinstance(packed, list) else next(iter(packed.values()))
    names = {file["path"] for file in details["files"]}
    assert {"README.md", "LICENSE", "package.json", "dist/unpanic.js", "dist/cli.js"} <= names
    assert not [name for name in names if "test" in name or "src/" in name]
    options = ["--offline", "--no-audit", "--no-fund", "--silent"]
    run("npm", "install", *options, f"./unpanic-{__version__}.tgz", cwd=tmp_path)
    script = "import { load, makeFactory } from 'unpanic'; console.log(typeof load, typeof makeFactory)"
    assert run("node", "--input-type=module", "-e", script, cwd=tmp_path) == "function function\n"
    shutil.copytree(BANK, tmp_path / "pkg")
    run(tmp_path / "node_modules/.bin/unpanic", "factory", "pkg/bank.js", cwd=tmp_path)
    assert (tmp_path / "pkg/bank.factory.js").is_file()


@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo here")
def test_the_crate_works_where_cargo_is(tmp_path: Path):
    """Another crate that has nothing but the archive compiles with it."""
    target = ROOT / ".cache/publish-target"
    options = ["--allow-dirty", "--no-verify", "--quiet", "--target-dir", target]
    run("cargo", "package", *options, cwd=ROOT / "rust/unpanic")
    with tarfile.open(target / f"package/unpanic-{__version__}.crate") as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / f"unpanic-{__version__}"
    assert {"Cargo.toml", "LICENSE"} <= {file.name for file in unpacked.iterdir()}
    (tmp_path / "user/src").mkdir(parents=True)
    (tmp_path / "user/Cargo.toml").write_text(CRATE.format(place=unpacked))
    (tmp_path / "user/src/lib.rs").write_text("use unpanic as _;\n")
    run("cargo", "check", "--quiet", "--target-dir", target, cwd=tmp_path / "user")


def test_all_have_the_licence():
    """Each archive can hold only files of its own folder."""
    texts = {(folder / "LICENSE").read_bytes() for folder in (ROOT, ROOT / "js", ROOT / "rust/unpanic")}
    assert len(texts) == 1


def test_a_wheel_holds_no_test(archives: Path):
    """What only the repository needs stays there."""
    for wheel in archives.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            assert not [name for name in archive.namelist() if "__pycache__" in name or name.startswith("tests/")]
