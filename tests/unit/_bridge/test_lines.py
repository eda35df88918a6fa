"""The lines of Rust frames, from the table that the build hook writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unpanic._bridge.lines import SourceLines

V8 = """RuntimeError: unreachable
    at bank.wasm.core[4488c3f2ebed0714]::panicking::panic_fmt (wasm://wasm/bank.wasm-0040a152:wasm-function[90]:0x61f)
    at bank.wasm.bank[59a66355d034f7d]::change (wasm://wasm/bank.wasm-0040a152:wasm-function[7]:0x10)
    at bank.wasm.bank::change::h0123456789abcdef (wasm://wasm/bank.wasm-0040a152:wasm-function[7]:0x20)
    at bank.wasm.bank::run::{closure#0} (wasm://wasm/bank.wasm-0040a152:wasm-function[8]:0x30)
    at bank.wasm.transfer (wasm://wasm/bank.wasm-0040a152:wasm-function[9]:0x40)
    at transfer (blob:http://host/1:4:5)"""
GECKO = """core::panicking::panic_fmt@http://host/bank_bg.wasm:wasm-function[90]:0x61f
bank::change@http://host/bank_bg.wasm:wasm-function[7]:0x10
bank::change@http://host/asm.mjs line 1 > eval line 23 > WebAssembly.Module:wasm-function[7]:0x20
bank::run::{{closure}}@http://host/bank_bg.wasm:wasm-function[8]:0x30
bank.wasm.transfer@http://host/bank_bg.wasm:wasm-function[9]:0x40
transfer@blob:http://host/1:4:5"""
NAMES = ["bank::change", "bank::change", "bank::run", "bank.transfer", "bank::nowhere"]
TABLE = {
    "deadlines": False,
    "files": ["src/lib.rs", "src/own.rs"],
    "functions": {"7": {"16": [0, 11], "32": [0, 12]}, "8": {"48": [1, 13]}, "9": {"64": [0, 14]}},
}


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    (tmp_path / "bank.lines.json").write_text(json.dumps(TABLE))
    return tmp_path / "bank.js"


@pytest.mark.parametrize("stack", [V8, GECKO], ids=["V8", "SpiderMonkey"])
def test_frames_have_lines(glue: Path, stack: str):
    """By the number of the function and the place in the file; recursion has a line for each call."""
    lines = SourceLines.beside(glue, deadlines=False)
    assert lines
    own = [("src/lib.rs", 11), ("src/lib.rs", 12), ("src/own.rs", 13), ("src/lib.rs", 14), (None, None)]
    assert lines.places(stack, NAMES) == own


def test_what_the_table_does_not_have_has_no_line(glue: Path):
    """A frame of another file, or of an engine that tells no places."""
    lines = SourceLines.beside(glue, deadlines=False)
    assert lines
    nowhere = [(None, None)] * 2
    assert lines.places(V8.replace("0x10", "0x11").replace("0x20", "0x21"), NAMES[:2]) == nowhere
    assert lines.places("change@wasm-function[7]\nchange@[wasm code]", NAMES[:2]) == nowhere


def test_a_file_that_was_rewritten_since_has_no_lines(glue: Path):
    """The table is for the file as it was built: `timeout` at load has it rewritten."""
    lines = SourceLines.beside(glue, deadlines=True)
    assert lines
    assert lines.places(V8, NAMES) == [(None, None)] * 5


def test_most_modules_have_no_table(tmp_path: Path):
    """Then nobody looks."""
    assert SourceLines.beside(tmp_path / "bank.js", deadlines=False) is None
    assert SourceLines.beside(None, deadlines=False) is None
