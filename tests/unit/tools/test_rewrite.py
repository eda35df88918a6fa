"""`unpanic rewrite`, which runs the rewriter through wasmtime, and the mark of a rewritten file."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
import wasmtime
from unpanic_tools import cli as command
from unpanic_tools.mark import Mark, Tracked

ROOT = Path(__file__).parents[3]
ENDLESS = '(module (func (export "spin") (loop (br 0))) (func (export "add") (result i32) i32.const 5))'
HEADER = b"\0asm\1\0\0\0"

pytestmark = pytest.mark.usefixtures("package")


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A Wasm file with a loop that does not end."""
    path = tmp_path / "endless.wasm"
    path.write_bytes(wasmtime.wat2wasm(ENDLESS))
    return path


def run(*args: object) -> int:
    return command.main(["rewrite", *map(str, args), "--deadlines"])


def instantiate(wasm: Path, fuel: int) -> tuple[wasmtime.Store, wasmtime.Instance]:
    store = wasmtime.Store()
    refuel = wasmtime.Func(store, wasmtime.FuncType([], [wasmtime.ValType.i32()]), lambda: fuel)
    return store, wasmtime.Instance(store, wasmtime.Module.from_file(store.engine, str(wasm)), [refuel])


def test_a_rewritten_file_can_be_stopped(endless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """An endless loop ends by a trap when there is no more fuel; the other functions compute as before."""
    out = tmp_path / "out.wasm"
    assert run(endless, out) == 0
    before, after = endless.stat().st_size, out.stat().st_size
    growth = after / before - 1
    assert capsys.readouterr().out == f"{out}: {after:,} bytes, {growth:.1%} more than {endless} ({before:,} bytes)\n"
    store, instance = instantiate(out, 0)
    with pytest.raises(wasmtime.Trap) as caught:
        instance.exports(store)["spin"](store)
    assert caught.value.trap_code is wasmtime.TrapCode.UNREACHABLE
    assert instance.exports(store)["add"](store) == 5


def test_the_mark_tells_what_was_done(endless: Path, tmp_path: Path):
    """The format, the options, and the hash of the original."""
    out = tmp_path / "out.wasm"
    assert Mark.of(endless.read_bytes()) is None
    assert run(endless, out) == 0
    digest = hashlib.sha256(endless.read_bytes()).digest()
    assert Mark.of(out.read_bytes()) == Mark(version=1, deadlines=True, original=digest)


def test_a_rewritten_file_is_copied(endless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The second run says so, and changes nothing."""
    once, twice = tmp_path / "once.wasm", tmp_path / "twice.wasm"
    assert run(endless, once) == 0
    capsys.readouterr()
    assert run(once, twice) == 0
    size = once.stat().st_size
    assert capsys.readouterr().out == f"{twice}: {once} was rewritten before, and is copied ({size:,} bytes)\n"
    assert twice.read_bytes() == once.read_bytes()


def test_for_programs(endless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The sizes before and after, and what the new file can."""
    out, before = tmp_path / "out.wasm", endless.stat().st_size
    for source, is_copied in ((endless, False), (out, True)):
        assert run(source, out, "--json") == 0
        assert json.loads(capsys.readouterr().out) == {
            "file": str(out),
            "bytes": out.stat().st_size,
            "bytes_before": out.stat().st_size if is_copied else before,
            "rollback": False,
            "deadlines": True,
            "copied": is_copied,
        }


def test_a_file_may_be_replaced(endless: Path):
    """The output may be the input."""
    assert run(endless, endless) == 0
    assert Mark.of(endless.read_bytes())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!doctype html>", "{path} is not a Wasm file. wasm-bindgen writes one beside the glue: bank_bg.wasm."),
        (HEADER + b"\1\5", "{path} was not rewritten: this is not a Wasm module: unexpected end"),
        (
            wasmtime.wat2wasm("(module (memory 1 1 shared))"),
            "{path} was not rewritten: the module cannot be rewritten: it uses threads (a shared memory).",
        ),
        (
            HEADER + b"\0\x14\x11unpanic.rewritten\1\1",
            "{path} was not rewritten: the module cannot be rewritten: its section unpanic.rewritten cannot be read.",
        ),
    ],
)
def test_what_cannot_be_rewritten(
    content: bytes, reason: str, endless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """One line gives the reason, and nothing is written."""
    endless.write_bytes(content)
    out = tmp_path / "out.wasm"
    assert run(endless, out) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"unpanic: {reason.format(path=endless)}")
    assert printed.err.count("\n") == 1
    assert not out.exists()


def test_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One that is not there, and a folder."""
    gone = tmp_path / "gone.wasm"
    for path, reason in ((gone, "is not there."), (tmp_path, "cannot be read: Is a directory.")):
        assert run(path, tmp_path / "out.wasm") == 1
        assert capsys.readouterr().err == f"unpanic: {path} {reason}\n"


def test_a_place_that_cannot_be_written(endless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What the system says is in the error."""
    assert run(endless, tmp_path / "none" / "out.wasm") == 1
    expected = f"unpanic: {tmp_path / 'none' / 'out.wasm'} cannot be written: No such file or directory.\n"
    assert capsys.readouterr().err == expected


def test_without_wasmtime(
    endless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    assert run(endless, tmp_path / "out.wasm") == 1
    expected = "unpanic: rewriting needs wasmtime: run `pip install wasmtime`.\n"
    assert capsys.readouterr().err == expected


def test_a_rewriter_that_fails(endless: Path, tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]):
    """A trap inside it is told in one line, as a bug."""
    broken = """(module (memory (export "memory") 1) (func (export "allocate") (param i32) (result i32) i32.const 0)
        (func (export "rewrite_module") (param i32) (result i32) unreachable))"""
    (package / "rewriter.wasm").unlink()
    (package / "rewriter.wasm").write_bytes(wasmtime.wat2wasm(broken))
    assert run(endless, tmp_path / "out.wasm") == 1
    error = capsys.readouterr().err
    assert "the rewriter itself failed, which is a bug of unpanic: wasm trap: wasm `unreachable`" in error
    assert error.count("\n") == 1


def test_a_checkout_has_no_rewriter(endless: Path, tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]):
    """Where nothing was built, it says what has it."""
    (package / "rewriter.wasm").unlink()
    assert run(endless, tmp_path / "out.wasm") == 1
    assert "has no rewriter.wasm: install the wheel" in capsys.readouterr().err


def test_the_options_are_asked_for(endless: Path, capsys: pytest.CaptureFixture[str]):
    """A file is not rewritten for nothing."""
    assert command.main(["rewrite", str(endless), "out.wasm"]) == 1
    assert "nothing to do: pass --deadlines, --rollback, or both" in capsys.readouterr().err


@pytest.mark.usefixtures("package")
def test_rollback_and_its_mark(endless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Both options go together; a file with one of them is not taken for one with both."""
    tracked, both = tmp_path / "tracked.wasm", tmp_path / "both.wasm"
    endless.write_bytes(wasmtime.wat2wasm('(module (memory (export "memory") 3) (func (export "spin") (loop br 0)))'))
    digest = hashlib.sha256(endless.read_bytes()).digest()
    facts = Tracked(stack_pointer=None, table_bytes=2**20, pages=3)
    assert command.main(["rewrite", str(endless), str(tracked), "--rollback"]) == 0
    assert Mark.of(tracked.read_bytes()) == Mark(version=1, deadlines=False, original=digest, tracked=facts)
    assert command.main(["rewrite", str(endless), str(both), "--rollback", "--deadlines"]) == 0
    assert Mark.of(both.read_bytes()) == Mark(version=1, deadlines=True, original=digest, tracked=facts)
    capsys.readouterr()
    assert command.main(["rewrite", str(tracked), str(both), "--rollback", "--deadlines"]) == 1
    assert "it was rewritten with other options; rewrite the original" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wasm", [b"", b"<!doctype html>", HEADER + b"\0\x80", HEADER + b"\0\x13\x11unpanic.rewritten\1"]
)
def test_a_mark_that_cannot_be_read(wasm: bytes):
    """It is an error, not a file without a mark."""
    with pytest.raises(ValueError, match=r"not a Wasm file|damaged|has 1 bytes, and should have 34"):
        Mark.of(wasm)
