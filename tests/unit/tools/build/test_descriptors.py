"""Descriptors: the numbers in which wasm-bindgen tells types, decoded with the words of its version."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from unpanic_tools.build.descriptors import decode, read_words
from unpanic_tools.build.recording import NotRecorded, record
from unpanic_tools.build.trimming import exported_functions, trim

# The words of version 0.2.95, and those of 0.2.130: all of them changed their places.
OLD = """
I8 U8 I16 U16 I32 U32 I64 U64 F32 F64 BOOLEAN FUNCTION CLOSURE CACHED_STRING STRING REF REFMUT LONGREF SLICE VECTOR
EXTERNREF NAMED_EXTERNREF ENUM STRING_ENUM RUST_STRUCT CHAR OPTIONAL RESULT UNIT CLAMPED NONNULL
""".split()  # noqa: SIM905 - as the source has it
NEW = """
I8 U8 I16 U16 I32 U32 I64 U64 I64_AS_F64 U64_AS_F64 I128 U128 F32 F64 BOOLEAN FUNCTION CLOSURE CACHED_STRING STRING
REF REFMUT LONGREF SLICE VECTOR EXTERNREF NAMED_EXTERNREF ENUM STRING_ENUM DYNAMIC_UNION RUST_STRUCT CHAR OPTIONAL
RESULT UNIT CLAMPED NONNULL RAW_POINTER SEQ_MODE NULLABLE
""".split()  # noqa: SIM905


def told(words: list[str], *parts: str | int) -> list[int]:
    """The numbers for words, numbers and texts; a text begins with a quote."""
    numbers: list[int] = []
    for part in parts:
        if isinstance(part, int):
            numbers.append(part)
        elif part.startswith("'"):
            numbers += [len(part) - 1, *map(ord, part[1:])]
        else:
            numbers.append(words.index(part))
    return numbers


def decoded(words: list[str], *params: str | int, count: int, result: tuple[str | int, ...] = ("UNIT",)) -> list[str]:
    signature = decode(told(words, "FUNCTION", 0, count, *params, *result, *result), words)
    assert signature is not None
    assert not signature.is_field
    return [str(each) for each in (*signature.params, signature.result)]


@pytest.mark.parametrize("words", [OLD, NEW], ids=["0.2.95", "0.2.130"])
def test_numbers_and_what_is_around_them(words: list[str]):
    """Each word is read by its place in the list of its version."""
    params = ["U8", "OPTIONAL", "I16", "REF", "SLICE", "U16", "CHAR", "VECTOR", "STRING", "F32", "REF", "STRING"]
    types = ["u8", "Option<i16>", "&[u16]", "char", "Vec<String>", "f32", "&String", "Result<u64>"]
    assert decoded(words, *params, count=7, result=("RESULT", "U64")) == types


def test_names_have_the_layout_of_their_version():
    """An enum tells its name and the number of nothing, and in newer versions also its crate and its module."""
    old = ["U8", "ENUM", "'Color", 6, "RUST_STRUCT", "'Point", "STRING_ENUM", "'Size", 3, "NAMED_EXTERNREF", "'Array"]
    types = ["u8", "Color", "Point", "Size", "Array", "i8", "()"]
    assert decoded(OLD, *old, "I8", count=6) == types
    new = [
        "U8",
        "ENUM",
        "'Color",
        6,
        "'0a1b",
        77,
        "RUST_STRUCT",
        "'Point",
        "'0a1b",
        "STRING_ENUM",
        "'Size",
        3,
        "'0a",
        7,
    ]
    assert decoded(NEW, *new, "NAMED_EXTERNREF", "'Array", "I8", count=6) == types


def test_an_enum_without_a_name():
    """The oldest versions told the number of nothing alone."""
    assert decoded(OLD, "ENUM", 6, "U16", count=2) == ["enum", "u16", "()"]


def test_a_closure_is_passed_over():
    """Its own parameters do not count."""
    closure = ["REF", "CLOSURE", 0, 1, "FUNCTION", 9, 1, "U8", "UNIT", "UNIT"]
    assert decoded(NEW, *closure, "I8", count=2) == ["&Fn<u8, ()>", "i8", "()"]


def test_a_field_is_a_type_alone():
    """A struct's public field has no function."""
    signature = decode(told(NEW, "OPTIONAL", "U8"), NEW)
    assert signature is not None
    assert (signature.is_field, str(signature.result)) == (True, "Option<u8>")


@pytest.mark.parametrize(
    "numbers",
    [[], [999], told(NEW, "FUNCTION", 0, 1), [*told(NEW, "FUNCTION", 0, 0, "UNIT", "UNIT"), 3]],
    ids=["nothing", "no word", "too short", "too long"],
)
def test_what_no_layout_fits_is_not_decoded(numbers: list[int]):
    """Then the types stay as wasm-bindgen writes them."""
    assert decode(numbers, NEW) is None


def test_words_come_from_the_source_of_the_version(tmp_path: Path):
    """They are in one of two crates; where neither has them, there are none."""
    (tmp_path / "one/src").mkdir(parents=True)
    (tmp_path / "one/src/describe.rs").write_text("//! no list here\npub use wasm_bindgen_shared::tys::*;\n")
    (tmp_path / "two/src").mkdir(parents=True)
    (tmp_path / "two/src/tys.rs").write_text("macro_rules! tys { () => {} }\n\ntys! {\n    I8\n    U8\n}\n")
    assert read_words(tmp_path / "one", tmp_path / "two") == ("I8", "U8")
    assert read_words(tmp_path / "one", tmp_path / "three") == ()


# A file as cargo builds it: two exports of one function, descriptors, and a function that no engine here can compile.
RAW = """
(module
  (import "__wbindgen_placeholder__" "__wbindgen_describe" (func $describe (param i32)))
  (import "env" "other" (func $other (param i32) (result i64)))
  (memory 1)
  (global $stack (mut i32) (i32.const 1024))
  (func $part (local i32)
    (local.set 0 (i32.sub (global.get $stack) (i32.const 16)))
    (call $describe (i32.const 5)))
  (func (export "__wbindgen_describe_add")
    (call $describe (i32.const 1))
    (call $part)
    (call $describe (i32.const -1)))
  (func (export "__wbindgen_describe_broken") (call $describe (i32.const 1)) unreachable)
  (func $add (export "add") (export "plus") (result i32)
    (drop (call $other (i32.const 1)))
    (i32.trunc_f64_s (f64.const 7)))
  (func (export "simd") (drop (v128.const i32x4 1 2 3 4))))
"""


def test_descriptors_are_recorded():
    """Each is called, with what it calls; one that traps tells nothing."""
    assert record(wasmtime.wat2wasm(RAW)) == {"add": [1, 5, 2**32 - 1]}


def test_a_file_is_trimmed_to_what_is_needed():
    """What is not needed traps, whatever it consists of; exports, imports and memory stay."""
    wasm = wasmtime.wat2wasm(RAW)
    trimmed = trim(wasm, lambda name: name == "add")
    assert exported_functions(trimmed) == exported_functions(wasm)
    store = wasmtime.Store()
    module = wasmtime.Module(store.engine, trimmed)
    imports = [wasmtime.Func(store, each.type, lambda number: number) for each in module.imports]
    exports = wasmtime.Instance(store, module, imports).exports(store)
    assert exports["plus"](store) == 7
    for name in ("simd", "__wbindgen_describe_add"):
        with pytest.raises(wasmtime.Trap):
            exports[name](store)


def test_two_exports_may_be_one_function():
    """The linker keeps one copy of equal code."""
    functions = exported_functions(wasmtime.wat2wasm(RAW))
    assert functions["add"] == functions["plus"] != functions["simd"]


def test_damaged_files_are_refused():
    """The build goes on without exact types, and says so."""
    wasm = wasmtime.wat2wasm(RAW)
    with pytest.raises(ValueError, match="this Wasm file is damaged"):
        trim(wasm[:-30], lambda _: True)
    with pytest.raises(NotRecorded, match="this Wasm file is damaged"):
        record(wasm[:-30])
