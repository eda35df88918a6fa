"""`unpanic replay`: a crash that was kept in Pyodide is made again by the command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from scripts.wheel import built
from tests.tools.conftest import FIXTURES, PYODIDE, Command

BANK = FIXTURES / "bank/pkg/abort"
# Keeps a crash, as a page does.
KEEP = """
import {{ loadPyodide }} from "{pyodide}/pyodide.mjs";
import {{ readFileSync }} from "node:fs";
const pyodide = await loadPyodide();
pyodide.unpackArchive(new Uint8Array(readFileSync("{wheel}")), "wheel");
pyodide.mountNodeFS("/bank", "{bank}");
pyodide.mountNodeFS("/out", "{out}");
await pyodide.runPythonAsync(`
import unpanic
bank = await unpanic.load("/bank/bank.js")
bank.open("ada", 100)
try:
    bank.transfer("ada", "bob", 1_000)
except unpanic.RustPanic as panic:
    open("/out/crash.capsule", "wb").write(panic.capsule())
`);
process.exit();
"""


@pytest.fixture(scope="module")
def capsule(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    script = folder / "keep.mjs"
    script.write_text(KEEP.format(pyodide=PYODIDE, wheel=built(), bank=BANK, out=folder))
    subprocess.run(["node", script], check=True)
    return folder / "crash.capsule"


def test_the_crash_happens_again(capsule: Path, unpanic: Command):
    """It has the same message, place and frames."""
    done = unpanic("replay", capsule, BANK, "--pyodide", PYODIDE)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("unpanic.errors.RustPanic: insufficient funds (in bank.transfer, src/lib.rs:")
    assert any("transfer" in line for line in lines[1:])
    done = unpanic("replay", capsule, BANK / "bank.js", "--pyodide", PYODIDE, "--json")
    outcome = json.loads(done.stdout)
    assert (outcome["crashed"], outcome["message"], outcome["call"]) == (True, "insufficient funds", "transfer")


def test_what_cannot_be_replayed(capsule: Path, tmp_path: Path, unpanic: Command):
    """Another package, a file that is no capsule, one that is not there, and a module that had a timeout."""
    other = FIXTURES / "silent/pkg/abort"
    broken = tmp_path / "broken"
    broken.write_bytes(b"no capsule")
    for words, says in (
        ((capsule, other), "was not replayed: "),
        ((broken, BANK), "was not replayed: "),
        ((tmp_path / "gone", BANK), "is not there: write what crash.capsule() returns into a file, and name that."),
        ((capsule, tmp_path / "gone"), "gone is not there."),
        ((capsule, BANK, "--timeout"), "was not replayed: "),
    ):
        done = unpanic("replay", *words, "--pyodide", PYODIDE)
        assert done.returncode == 1, done.stdout
        assert says in done.stderr
        assert done.stderr.startswith("unpanic: ")
        assert "Traceback" not in done.stderr
