"""`unpanic new`: the files of a project. tests/tools builds one."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from unpanic_tools.cli import main

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "py/unpanic_tools/template"


@pytest.mark.parametrize(("name", "module"), [("bank", "bank"), ("my-bank", "my_bank")])
def test_a_project(name: str, module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Each file can be read by the tool that reads it, and has the name of the project or of its module."""
    folder = tmp_path / name
    assert main(["new", str(folder)]) == 0
    printed = capsys.readouterr().out
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 13
    assert all(str(path) in printed for path in files)
    assert tomllib.loads((folder / "Cargo.toml").read_text())["package"]["name"] == name
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["name"] == name
    assert project["tool"]["hatch"]["build"]["hooks"]["unpanic"] == {"crate": "."}
    cells = json.loads((folder / f"{module}.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    sources += [(folder / place).read_text() for place in ("page/main.py", f"tests/test_{module}.py")]
    for source in sources:
        ast.parse(source)
    assert any(f"import {module}\n" in source for source in sources)
    assert f'packages: ["{name}"]' in (folder / "page/main.js").read_text()
    own = [path for path in files if path.parts[-3:-1] != ("unpanic", "src")]
    assert [path for path in own if "$" in path.read_text()] == []


def test_the_helper_crate_is_the_published_one():
    """The template has a copy, because a wheel can hold only files of its own folder."""
    for place in ("Cargo.toml", "src/lib.rs", "src/text.rs"):
        copy = TEMPLATE / "unpanic" / f"{place}.template"
        assert copy.read_bytes() == (ROOT / "rust/unpanic" / place).read_bytes(), f"copy rust/unpanic/{place} to {copy}"
    assert len([*(ROOT / "rust/unpanic/src").iterdir()]) == 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Bank", "'Bank' is no name for a crate: use small letters, digits, - and _ between them, such as `bank`."),
        ("1bank", "is no name for a crate"),
        ("my bank", "'my bank' is no name for a crate"),
        ("bänk", "'bänk' is no name for a crate"),
        ("bank-", "'bank-' is no name for a crate"),
        ("-bank", "'-bank' is no name for a crate"),
        ("bank.rs", "'bank.rs' is no name for a crate"),
        ("std", "'std' is a word of Python or Rust"),
        ("alloc", "'alloc' is the name of something that every project uses"),
        ("wasm-bindgen", "'wasm-bindgen' is the name of something that every project uses"),
        ("js", "'js' is the name of something that every project uses"),
        ("import", "'import' is a word of Python or Rust: choose another name."),
        ("match", "is a word of Python or Rust"),
        ("unpanic", "'unpanic' is the name of something that every project uses"),
        ("json", "'json' would hide Python's own module json: choose another name."),
    ],
)
def test_a_name_that_does_not_work(name: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Nothing is written."""
    assert main(["new", str(tmp_path / name)]) == 1
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1
    assert not [*tmp_path.iterdir()]


def test_a_folder_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Nobody's files are overwritten; an empty folder is fine, and a file is not."""
    folder = tmp_path / "bank"
    folder.mkdir()
    assert main(["new", str(folder)]) == 0
    (folder / "Cargo.toml").write_text("mine")
    assert main(["new", str(folder)]) == 1
    assert "is there already, and not empty: choose another name, or empty it." in capsys.readouterr().err
    assert (folder / "Cargo.toml").read_text() == "mine"
    (tmp_path / "file").write_text("")
    assert main(["new", str(tmp_path / "file")]) == 1
    assert "file is there already, and is a file: choose another name." in capsys.readouterr().err


def test_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The folder, what Python imports, and each file."""
    assert main(["new", str(tmp_path / "my-bank"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["folder"], found["module"]) == (str(tmp_path / "my-bank"), "my_bank")
    assert {Path(file) for file in found["files"]} == {file for file in tmp_path.rglob("*") if file.is_file()}


def test_a_project_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """What was written before is gone again, and what was there before stays."""
    write = Path.write_text

    def refuse(file: Path, *words: str) -> int:
        if file.name == "pyproject.toml":
            raise OSError(28, "No space left on device", str(file))
        return write(file, *words)

    monkeypatch.setattr(Path, "write_text", refuse)
    assert main(["new", str(tmp_path / "new" / "bank")]) == 1
    assert capsys.readouterr().err.endswith("pyproject.toml cannot be written: No space left on device.\n")
    assert not [*tmp_path.iterdir()]
    (tmp_path / "bank").mkdir()
    assert main(["new", str(tmp_path / "bank")]) == 1
    assert not [*(tmp_path / "bank").iterdir()]


def test_the_python_of_a_project_is_in_order(tmp_path: Path):
    """Formatter and linter find nothing, as in the files that its user adds."""
    folder = tmp_path / "bank"
    assert main(["new", str(folder)]) == 0
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--check"], ["check", "--select", "E,F,W"]):
        options = ["--isolated", "--no-cache", "--line-length", "120"]
        done = subprocess.run([*ruff, *command, *options, folder], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
