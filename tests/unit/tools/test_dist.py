"""`unpanic dist`: Pyodide, wheels and a lock file in one folder. tests/tools loads such a folder in Node."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path

import pytest
from unpanic_tools import distribution
from unpanic_tools.cli import main
from unpanic_tools.distribution.installed import NotPacked, pack_installed

ROOT = Path(__file__).parents[3]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}.1"
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")


def make_wheel(folder: Path, name: str, *requires: str, tag: str = "py3-none-any") -> Path:
    wheel = folder / f"{name}-1.0-{tag}.whl"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "x = 1\n")
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}"
        )
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
    return wheel


class Place:
    """A folder with a small Pyodide, which has two packages, and wheels."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.pyodide, self.cdn = (folder / name for name in ("", "out", "pyodide", "cdn"))
        for made in (self.pyodide, self.cdn):
            made.mkdir()
        for name in RUNTIME:
            (self.pyodide / name).write_bytes(name.encode())
        with zipfile.ZipFile(self.pyodide / "python_stdlib.zip", "w") as archive:
            archive.writestr("abc.py", "y = 2\n")
        packages = {}
        for name, depends in (("numpy", ["blas"]), ("blas", []), ("unused", [])):
            (self.cdn / f"{name}.whl").write_bytes(name.encode())
            packages[name] = {
                "name": name, "version": "3", "file_name": f"{name}.whl", "install_dir": "site",
                "sha256": hashlib.sha256(name.encode()).hexdigest(), "package_type": "package",
                "imports": [name], "depends": depends,
            }  # fmt: skip
        info = {"arch": "wasm32", "platform": "emscripten_5_0_3", "python": PYTHON, "abi_version": "2026_0"}
        (self.pyodide / "pyodide-lock.json").write_text(json.dumps({"info": info, "packages": packages}))
        self.unpanic = make_wheel(folder, "unpanic", "unpanic-tools==1.0; sys_platform != 'emscripten'")

    def run(self, *words: str | Path) -> int:
        places = ["--pyodide", self.pyodide, "--packages", self.cdn]
        return main(["dist", *map(str, [self.out, *words, *places])])

    def lock(self) -> dict:
        return json.loads((self.out / "pyodide-lock.json").read_text())["packages"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_wheels_and_what_they_need(place: Place, capsys: pytest.CaptureFixture[str]):
    """The lock file has the wheels and what they need of Pyodide's packages; each file is there, and nothing else."""
    bank = make_wheel(place.folder, "bank", "numpy", "unpanic", "pytest; extra == 'test'")
    assert place.run(bank, place.unpanic) == 0
    lock = place.lock()
    assert set(lock) == {"bank", "unpanic", "numpy", "blas"}
    assert lock["bank"]["depends"] == ["numpy", "unpanic"]
    files = {package["file_name"] for package in lock.values()}
    assert {file.name for file in place.out.iterdir()} == {*RUNTIME, "pyodide-lock.json", *files}
    for package in lock.values():
        assert hashlib.sha256((place.out / package["file_name"]).read_bytes()).hexdigest() == package["sha256"]
    assert "with bank 1.0, blas 3, numpy 3, unpanic 1.0" in capsys.readouterr().out


def test_a_wheel_for_this_pyodide(place: Place):
    """Its platform may be the one of the lock file, and it may need a pure wheel that comes along."""
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    fast = make_wheel(place.folder, "fast", "unpanic", tag=f"{tag}-{tag}-pyemscripten_2026_0_wasm32")
    assert place.run(fast, place.unpanic) == 0
    assert place.lock()["fast"]["depends"] == ["unpanic"]


def test_again_leaves_nothing_behind(place: Place):
    """Wheels of the run before are gone."""
    bank = make_wheel(place.folder, "bank")
    assert place.run(bank, place.unpanic) == 0
    assert place.run(place.unpanic) == 0
    assert not (place.out / bank.name).exists()


def test_a_page(place: Place, capsys: pytest.CaptureFixture[str]):
    """The page is copied, and Pyodide lies beside it."""
    page = place.folder / "page"
    page.mkdir()
    (page / "index.html").write_text("<title>bank</title>")
    assert place.run(place.unpanic, "--page", page, "--json") == 0
    assert (place.out / "index.html").is_file()
    found = json.loads(capsys.readouterr().out)
    assert found["folder"] == str(place.out / "pyodide")
    assert found["packages"] == {"unpanic": "1.0"}
    assert found["bytes"] == sum(file.stat().st_size for file in (place.out / "pyodide").iterdir())


def test_bytecode(place: Place):
    """The wheels have bytecode in place of sources, and the lock file names them with their new hashes."""
    assert place.run(place.unpanic, "--compile") == 0
    package = place.lock()["unpanic"]
    wheel = place.out / package["file_name"]
    assert package["imports"] == ["unpanic"]
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == package["sha256"]
    with zipfile.ZipFile(wheel) as archive:
        assert "unpanic/__init__.pyc" in archive.namelist()
        assert "unpanic/__init__.py" not in archive.namelist()
    assert not (place.out / place.unpanic.name).exists()


def test_bytecode_of_another_python(place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Pyodide makes its own under Node; without Node, one line says so before anything is written."""
    lock = place.pyodide / "pyodide-lock.json"
    lock.write_text(lock.read_text().replace(PYTHON, "3.99.1"))
    monkeypatch.setenv("PATH", str(place.folder))
    assert place.run(place.unpanic, "--compile") == 1
    printed = capsys.readouterr().err
    assert "this Pyodide has Python 3.99, whose bytecode this Python " in printed
    assert "Install Node, under which Pyodide makes it itself" in printed
    assert not place.out.exists()
    node = place.folder / "node"
    node.write_text('#!/bin/sh\necho "$2" > "${0}s-options"\necho "SyntaxError: no Python" >&2\nexit 1\n')
    node.chmod(0o755)
    assert place.run(place.unpanic, "--compile") == 1
    assert capsys.readouterr().err.endswith("pyodide-build could not compile the wheels: SyntaxError: no Python.\n")
    options = json.loads((place.folder / "nodes-options").read_text())
    assert options["folder"] == str(place.out.resolve())
    assert all((Path(folder) / "__init__.py").is_file() for folder in options["packages"].values())


@pytest.mark.parametrize(
    ("requires", "says"),
    [
        ("nothing-like-this", "nothing-like-this is not in this distribution: neither Pyodide has it"),
        ("unused", "unused.whl from "),
    ],
)
def test_what_is_missing(requires: str, says: str, place: Place, capsys: pytest.CaptureFixture[str]):
    """A package that nobody has, and one whose file is another."""
    (place.cdn / "unused.whl").write_text("another file")
    assert place.run(make_wheel(place.folder, "bank", requires), place.unpanic) == 1
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1


def test_what_does_not_fit(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A wheel for another machine, what is no wheel, a folder without Pyodide, and a page that is not there."""
    linux = make_wheel(tmp_path, "linux", tag="cp314-cp314-linux_x86_64")
    text = tmp_path / "text-1.0-py3-none-any.whl"
    text.write_text("text")
    for words, says in (
        ([linux, place.unpanic], "Pure wheels fit (py3-none-any), and those that were built for this Pyodide."),
        ([text, place.unpanic], "text-1.0-py3-none-any.whl is not a wheel: "),
        ([tmp_path / "gone.whl"], "gone.whl is not a wheel: `unpanic build` writes one into dist/."),
        ([place.unpanic, "--page", tmp_path / "gone"], "gone is not a folder: name that of a page."),
    ):
        assert place.run(*words) == 1, says
        printed = capsys.readouterr().err
        assert says in printed
        assert printed.startswith("unpanic: ")
    assert main(["dist", str(place.out), str(place.unpanic), "--pyodide", str(tmp_path)]) == 1
    assert "has no Pyodide: name a folder with pyodide.mjs" in capsys.readouterr().err


def test_the_version_is_the_tested_one():
    """What is downloaded is what the tests of this repository use."""
    package = json.loads((ROOT / "js/package.json").read_text())
    assert package["devDependencies"]["pyodide"] == distribution.PYODIDE_VERSION


def test_an_installed_package_becomes_its_wheel(tmp_path: Path):
    """Every file has its hash in RECORD, and two runs make the same wheel."""
    (tmp_path / "again").mkdir()
    wheel, again = pack_installed("packaging", tmp_path), pack_installed("packaging", tmp_path / "again")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        listed = {line.split(",")[0] for line in archive.read(record).decode().splitlines()}
        assert listed == set(archive.namelist())
        assert "packaging/version.py" in listed
        assert not [name for name in listed if "__pycache__" in name or "INSTALLER" in name]


@pytest.mark.parametrize(
    ("name", "says"), [("numpy", "is not pure Python"), ("no-such-package", "is not installed here")]
)
def test_what_cannot_be_packed(name: str, says: str, tmp_path: Path):
    """The message says why."""
    with pytest.raises(NotPacked, match=says):
        pack_installed(name, tmp_path)
