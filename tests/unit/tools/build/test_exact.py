"""Exact types in what wasm-bindgen wrote: the comments of glue, and the `.d.ts`."""

from __future__ import annotations

import pytest
from unpanic._declarations.reader import read
from unpanic_tools.build.descriptors import Descriptor, Signature
from unpanic_tools.build.exact import Described, read_glue, write_closures, write_types
from unpanic_tools.stubs import make_stub

GLUE = """\
/**
 * @param {number} n
 */
export class Thing {
    /**
     * Its size.
     * @returns {number}
     */
    get size() {
        const ret = wasm.__wbg_get_thing_size(this.__wbg_ptr);
        return ret;
    }
    /**
     * @param {number} arg0
     */
    set size(arg0) {
        wasm.__wbg_set_thing_size(this.__wbg_ptr, arg0);
    }
    /**
     * @param {number | null} [n]
     * @param {Thing} other
     * @returns {number}
     */
    grow(n, other) {
        const ptr0 = passArray8ToWasm0(other, wasm.__wbindgen_malloc);
        if (ptr0) {
            const ret = wasm.thing_grow(this.__wbg_ptr, isLikeNone(n) ? 0xFFFFFF : n, ptr0);
            return ret;
        }
    }
    free() {
        wasm.__wbg_thing_free(this.__wbg_ptr, 0);
    }
}

/**
 * Adds: {@link n} is a number.
 * @param {number} n
 * @param {bigint} wide - a wide one, as in `@param {number} n`
 * @param {Level} level
 * @returns {bigint}
 */
export function add(n, wide, level) {
    const ret = wasm.add(n, wide, level);
    return ret;
}

export function plain(n) {
    wasm.plain(n);
}
"""
TYPES = """\
/* tslint:disable */
/* eslint-disable */
export type Level = 0 | 1;

export interface Thing { size: number; }

export class Thing {
    free(): void;
    constructor(n: number);
    grow(n: number | null | undefined, other: Thing): number;
    size: number;
}

export function add(n: number, wide: bigint, level: Level): bigint;

export function later(n: number, f: (n: number, m: number) => number): Promise<number>;

export function plain(n?: number | null): void;
"""


def of(*types: str, result: str = "()") -> Signature:
    return Signature(tuple(map(type_, types)), type_(result))


def type_(text: str) -> Descriptor:
    name, _, inside = text.removesuffix(">").partition("<")
    return Descriptor(name, (type_(inside),) if inside else ())


def described(**signatures: Signature) -> Described:
    return Described.of(signatures, {name: number for number, name in enumerate(signatures)})


EXPORTS = described(
    __wbg_get_thing_size=of(result="u16"),
    thing_grow=of("Option<u8>", "struct", result="u32"),
    thing_new=of("i8"),
    add=of("f32", "u64", "u8", result="Result<i64>"),
    plain=of("Option<i16>"),
    later=of("u16", "Fn", result="u16"),
)


def test_comments_tell_what_rust_takes():
    """The type of each parameter; results are as they were, because Rust itself never gives what does not fit."""
    glue, exacts = read_glue(GLUE, EXPORTS)
    tags = [line.strip(" *") for line in glue.split("\n") if "@param" in line or "@returns" in line]
    assert tags == [
        "@param {number} n",
        "@returns {number}",
        "@param {u16} arg0",
        "@param {u8 | null} [n]",
        "@param {Thing} other",
        "@returns {number}",
        "@param {f32} n",
        "@param {u64} wide - a wide one, as in `@param {number} n`",
        "@param {Level & u8} level",
        "@returns {bigint}",
    ]
    assert [(each.owner, each.role, each.name) for each in exacts] == [
        ("Thing", "get", "size"), ("Thing", "set", "size"), ("Thing", "", "grow"), ("", "", "add"), ("", "", "plain"),
    ]  # fmt: skip


def test_only_comments_change():
    """The code of the glue stays as it is."""
    glue, _ = read_glue(GLUE, EXPORTS)

    def code(text: str) -> list[str]:
        return [line for line in text.split("\n") if not line.lstrip().startswith("*")]

    assert code(glue) == code(GLUE)


def test_declarations_are_exact_and_typescript():
    """Parameters and results; the author's types and interfaces keep their words; aliases make the names known."""
    _, exacts = read_glue(GLUE + "export function later(n, f) {\n    wasm.later(n, f);\n}\n", EXPORTS)
    lines = write_types(TYPES, exacts).split("\n")
    assert lines[:2] == TYPES.split("\n")[:2]
    assert lines[2].startswith("/** Numbers as Rust has them")
    aliases = [line for line in lines if line.startswith("type ")]
    assert aliases == [
        "type f32 = number;", "type i16 = number;", "type i64 = bigint;", "type u16 = number;", "type u32 = number;",
        "type u64 = bigint;", "type u8 = number;",
    ]  # fmt: skip
    text = "\n".join(lines)
    assert "export interface Thing { size: number; }" in text
    assert "    grow(n: u8 | null | undefined, other: Thing): u32;\n    size: u16;\n" in text
    assert "export function add(n: f32, wide: u64, level: Level): i64;" in text
    assert "export function later(n: u16, f: (n: number, m: number) => number): Promise<u16>;" in text
    assert "export function plain(n?: i16 | null): void;" in text
    assert set(read(text).functions) == {"add", "later", "plain"}


def test_an_alias_that_is_there_is_not_added():
    """Authors declare such names, too."""
    _, exacts = read_glue(GLUE, EXPORTS)
    text = write_types("type u8 = number;\n" + TYPES, exacts)
    assert text.count("type u8") == 1


@pytest.mark.parametrize(
    ("author", "rust", "written"),
    [
        ("u8", "u32", "u8"),
        ("u32", "u8", "u32 & u8"),
        ("i32", "u32", "i32 & u32"),
        ("0 | 1", "u8", "(0 | 1) & u8"),
        ("number", "u8", "u8"),
        ("Level", "f64", "Level"),
        ("Level", "char", "Level"),
    ],
)
def test_the_authors_word_is_kept(author: str, rust: str, written: str):
    """What `unchecked_param_type` says stays, and the number that Rust takes is added if it is narrower."""
    glue = f"/**\n * @param {{{author}}} n\n */\nexport function f(n) {{\n    wasm.f(n);\n}}"
    assert f"@param {{{written}}} n" in read_glue(glue, described(f=of(rust)))[0]


def test_shared_code_is_not_mistaken():
    """Two exports with the same code have one function, and the glue may call it by the other's name."""
    glue = "".join(
        f"/**\n * @param {{bigint}} n\n */\nexport function {name}(n) {{\n    return wasm.wide(n);\n}}\n"
        for name in ("wide", "wide_signed", "renamed")
    )
    exports = Described.of({"wide": of("u64"), "wide_signed": of("i64"), "other": of("i64")}, dict.fromkeys(
        ("wide", "wide_signed", "other"), 7
    ))  # fmt: skip
    tags = [line for line in read_glue(glue, exports)[0].split("\n") if "@param" in line]
    assert tags == [" * @param {u64} n", " * @param {i64} n", " * @param {bigint} n"]


def test_closures_tell_what_they_take():
    """Numbers, and an `Option` of them; anything else has no name. A closure without numbers stays as it is."""
    cast = (
        "            // Cast intrinsic for `Closure(Closure {{ owned: true, function: Function {{ arguments: [{}], "
        "shim_idx: 1, ret: U16, inner_ret: Some(U16) }}, mutable: {} }}) -> Externref`.\n"
        "            const ret = make{}(arg0, arg1, adapter);\n"
    )
    plain = cast.format('Externref, NamedExternref("Event")', "false", "Closure")
    glue = cast.format("U8, Option(F32), Externref, I32", "true", "MutClosure") + plain
    typed = 'const ret = Object.assign(makeMutClosure(arg0, arg1, adapter), { rustTypes: "u8,f32?,,s32" });'
    assert write_closures(glue) == glue.replace("const ret = makeMutClosure(arg0, arg1, adapter);", typed)


def test_functions_in_a_namespace_tell_what_they_take():
    """No declaration names them."""
    glue = "".join(
        f"function tools__{name}(n) {{\n    wasm.tools__{name}(n);\n}}\ntools.{name} = tools__{name};\n"
        for name in ("count", "greet")
    )
    exports = described(tools__count=of("Option<u8>"), tools__greet=of("String"))
    typed = 'tools.count = Object.assign(tools__count, { rustTypes: "u8?" });'
    assert read_glue(glue, exports)[0] == glue.replace("tools.count = tools__count;", typed)


def test_a_class_may_have_a_constructor_and_a_method_new():
    """The glue calls the constructor by its name in Rust."""
    glue = (
        "export class Thing {\n    /**\n     * @param {number} n\n     */\n    constructor(n) {\n"
        "        wasm.thing_create(n);\n    }\n}\n"
    )
    exports = described(thing_new=of("u16"), thing_create=of("u8"))
    assert "@param {u8} n" in read_glue(glue, exports)[0]


def test_hashes_of_crates_are_taken_off():
    """Newer versions add one to each export. Where two crates have an export of a name, it must be the same."""
    exports = described(
        add_541c3e7f455a341a=of("u8"), same_541c3e7f455a341a=of("u8"), same_641c3e7f455a341a=of("u8"),
        twice_541c3e7f455a341a=of("u8"), twice_641c3e7f455a341a=of("u16"),
    )  # fmt: skip
    assert dict(exports.signatures) == {"add": of("u8"), "same": of("u8")}


def test_the_stub_of_exact_types():
    """Numbers are integers or floats; the names of Rust's numbers are none of the module's."""
    text = (
        "type u8 = number;\ntype u64 = bigint;\ntype f32 = number;\nexport function f(a: u8, b: u64, c?: f32): f32;\n"
    )
    stub = make_stub(text, "m")
    assert "def f(a: int, b: int, c: float | None = None) -> float: ..." in stub
    assert "type u8" not in stub
