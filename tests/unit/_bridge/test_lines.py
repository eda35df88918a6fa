"""The lines of Rust frames, from the table that the build hook writes."""

from __future__ import annotations

import json
import re
import zlib
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
# As it was built, rewritten for rollback, the code of that for long calls, and rewritten for both.
CALLS = {"0": [0x101 * 16 + 2], "1": [0x10 * 16 + 2, 0x1E * 16 + 2], "2": [0x30 * 16 + 3], "3": [0x40 * 16 + 2]}


def moved(by: int) -> dict[str, list[int]]:
    return {function: [place + by * 16 for place in places] for function, places in CALLS.items()}


TABLE = {
    "files": ["src/lib.rs", "src/own.rs"],
    "lines": {"0": [[0, 10]], "1": [[0, 11], [0, 12]], "2": [[1, 13]], "3": [[0, 14]]},
    "forms": {
        "0": {"imported": 6, "calls": CALLS},
        "2": {"imported": 7, "calls": moved(0x50)},
        "6": {"imported": 9, "calls": moved(0xA0)},
        "3": {"imported": 8, "calls": moved(0x200)},
    },
    "rewriter": zlib.crc32(b"rewriter"),
}


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    (tmp_path / "bank.lines.json").write_text(json.dumps(TABLE))
    return tmp_path / "bank.js"


def lines_of(glue: Path, *, deadlines: bool = False, rewriter: bytes = b"rewriter") -> SourceLines:
    return SourceLines(glue.with_suffix(".lines.json"), deadlines=deadlines, rewriter=lambda: rewriter)


def as_in_form(stack: str, imported: int, by: int) -> str:
    """The stack of the same crash in another form of the file."""
    stack = re.sub(r"0x(\d\d)\b", lambda match: f"0x{int(match[1], 16) + by:x}", stack)
    return re.sub(r"\[(\d)\]", lambda match: f"[{int(match[1]) + imported - 6}]", stack)


OWN = [("src/lib.rs", 11), ("src/lib.rs", 12), ("src/own.rs", 13), ("src/lib.rs", 14), (None, None)]


@pytest.mark.parametrize("stack", [V8, GECKO], ids=["V8", "SpiderMonkey"])
@pytest.mark.parametrize(
    ("imported", "by", "deadlines"), [(6, 0, False), (7, 0x50, False), (9, 0xA0, False), (8, 0x200, True)]
)
def test_frames_have_lines(glue: Path, stack: str, imported: int, by: int, deadlines: bool):
    """By the number of the function and the place in the file, in each form that this may have when it runs."""
    assert lines_of(glue, deadlines=deadlines).places(as_in_form(stack, imported, by), NAMES) == OWN


def test_what_the_table_does_not_have_has_no_line(glue: Path):
    """A frame of another file, or of an engine that tells no places."""
    nowhere = [(None, None)] * 2
    lines = lines_of(glue)
    assert lines.places(V8.replace("0x10", "0x11").replace("0x20", "0x21"), NAMES[:2]) == nowhere
    assert lines.places("change@wasm-function[7]\nchange@[wasm code]", NAMES[:2]) == nowhere


def test_another_rewriter_makes_other_code(glue: Path):
    """Then only the file as it was built has lines, also one that was rewritten when it was built."""
    lines = lines_of(glue, rewriter=b"a newer one")
    assert lines.places(V8, NAMES) == OWN
    assert lines.places(as_in_form(V8, 7, 0x50), NAMES) == [(None, None)] * 5
    only = TABLE | {"forms": {"2": TABLE["forms"]["2"]}}  # type: ignore[index]
    glue.with_suffix(".lines.json").write_text(json.dumps(only))
    assert lines_of(glue, rewriter=b"a newer one").places(as_in_form(V8, 7, 0x50), NAMES) == OWN


def test_the_installed_rewriter_is_asked(glue: Path):
    """`beside` takes that of the wheel; where there is none, nothing was rewritten."""
    lines = SourceLines.beside(glue, deadlines=False)
    assert lines
    assert lines.places(V8, NAMES) == OWN


def test_most_modules_have_no_table(tmp_path: Path):
    """Then nobody looks."""
    assert SourceLines.beside(tmp_path / "bank.js", deadlines=False) is None
    assert SourceLines.beside(None, deadlines=False) is None
