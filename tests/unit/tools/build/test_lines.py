"""Calls are found in functions and in their rewritten form, and debug information is taken out."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
import wasmtime
from unpanic_tools.build.instructions import CALL, CALL_INDIRECT, UnknownInstruction, calls
from unpanic_tools.build.lines import has_debug_info, line_table, matched_calls, named_function, without_debug_info
from unpanic_tools.build.trimming import Functions
from unpanic_tools.rewrite import DEADLINES, PLAIN, ROLLBACK, run_rewriter

ROOT = Path(__file__).parents[4]
REWRITER = ROOT / "rust/rewriter/pkg/rewriter.wasm"
CODE = """
(module
  (import "env" "log" (func $log (param i32)))
  (memory (export "memory") 1)
  (table funcref (elem $one))
  (func $one (export "one") (param i32) (result i32)
    (loop $again
      (i32.store (local.get 0) (i32.const 5))
      (call $log (i32.const 1))
      (memory.fill (i32.const 0) (i32.const 0) (i32.const 8))
      (br_if $again (i32.eqz (call $two (f64.const 2) (f32.const 1)))))
    (call $one (local.get 0)))
  (func $two (param f64 f32) (result i32)
    (block (block (br_table 0 1 (i32.const 0))))
    (call_indirect (param i32) (result i32) (i32.const 7) (i32.const 0))
    (call $log (i32.const 2))))
"""


def custom(name: str, content: bytes) -> bytes:
    body = bytes([len(name)]) + name.encode() + content
    return bytes([0, len(body)]) + body


def functions(wasm: bytes) -> Functions:
    read = Functions(wasm)
    read.read()
    return read


def test_calls_of_a_function_are_found():
    """Whatever stands between them."""
    one, two = functions(wasmtime.wat2wasm(CODE)).bodies
    assert [target for _, _, target in calls(one, exceptions=False)] == [0, 2, 1]
    assert [target for _, _, target in calls(two, exceptions=False)] == [None, 0]
    for start, end, target in calls(one, exceptions=False):
        assert one[start:end] == bytes([0x10, target or 0])


def test_what_is_not_known_is_said():
    """A function with SIMD has no calls that are sure."""
    simd = "(module (func (drop (v128.const i32x4 1 2 3 4))))"
    with pytest.raises(UnknownInstruction, match="the instruction 0xfd"):
        list(calls(functions(wasmtime.wat2wasm(simd)).bodies[0], exceptions=True))


@pytest.mark.parametrize("flags", [DEADLINES, ROLLBACK, DEADLINES | ROLLBACK, ROLLBACK | PLAIN])
def test_calls_are_found_in_the_rewritten_file(flags: int):
    """Each call of the original is there, in order; those that the rewriter adds are passed over."""
    wasm = wasmtime.wat2wasm(CODE)
    rewritten = run_rewriter(REWRITER.read_bytes(), wasm, flags)
    before, after = functions(wasm), functions(rewritten)
    shift = after.imported - before.imported
    for at in (0, 1):
        found = matched_calls(before, after, at)
        old = list(calls(before.bodies[at], exceptions=False))
        assert len(found) == len(old) > 1
        for (_, _, target), (start, end) in zip(old, found, strict=True):
            if target is None:
                assert after.bodies[at][start] == CALL_INDIRECT
            else:
                new = target + (shift if target >= before.imported else 0)
                assert after.bodies[at][start:end] == bytes([CALL, new])


def test_calls_that_may_poll_are_found():
    """The rewriter has them go through a function of its own, in modules that JavaScript calls later."""
    poll = CODE.replace('"env" "log"', '"env" "__wbg_then_1"').replace(
        "(call_indirect (param i32) (result i32) (i32.const 7) (i32.const 0))",
        "(call_indirect (param i32 i32) (result i32) (i32.const 7) (i32.const 8) (i32.const 0))",
    )
    wasm = wasmtime.wat2wasm(poll)
    rewritten = run_rewriter(REWRITER.read_bytes(), wasm, ROLLBACK)
    number = named_function(rewritten, "unpanic.poll")
    assert number is not None
    before, after = functions(wasm), functions(rewritten)
    assert matched_calls(before, after, 1) == []
    (start, end), _ = matched_calls(before, after, 1, number)
    assert after.bodies[1][start:end] == bytes([CALL, number])


def test_debug_information_is_taken_out():
    """Other sections stay, in their order."""
    wasm = wasmtime.wat2wasm(CODE)
    debug = wasm + custom(".debug_line", b"xyz") + custom("producers", b"me") + custom(".debug_info", b"")
    assert (has_debug_info(debug), has_debug_info(wasm)) == (True, False)
    assert without_debug_info(debug) == wasm + custom("producers", b"me")


def test_no_lines_without_units(tmp_path: Path):
    """The table is there, and empty."""
    wasm = wasmtime.wat2wasm(CODE)
    debug = wasm + custom(".debug_line", b"") + custom(".debug_info", b"") + custom(".debug_abbrev", b"\0")
    table = json.loads(line_table(debug, {0: wasm}, tmp_path, b"rewriter"))
    assert table == {
        "files": [],
        "lines": {},
        "forms": {"0": {"imported": 1, "calls": {}}},
        "rewriter": zlib.crc32(b"rewriter"),
    }
