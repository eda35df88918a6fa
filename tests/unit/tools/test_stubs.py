"""Stubs, and the command that writes them."""

import ast
from pathlib import Path

import pytest
from unpanic._bridge.kinds import Kind
from unpanic._declarations.model import Array, Name, Parameter, Union
from unpanic_tools.beside import Beside
from unpanic_tools.cli import main
from unpanic_tools.numbers import parameter_kinds, result_kind
from unpanic_tools.stubs import NotDeclarations, make_stub
from unpanic_tools.wasm import Signatures, WasmSignature

FIXTURES = Path(__file__).parents[3] / "rust" / "fixtures"
NUMBER, STRING, OPTIONAL = Name("number"), Name("string"), Union((Name("number"), Name("undefined")))


def stub(source, beside=None, **options):
    """Returns a stub's lines, without the first line and the imports."""
    text = make_stub(source, "m", beside, **options)
    ast.parse(text)
    return [line for line in text.split("\n")[1:] if line and not line.startswith(("from ", "import "))]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("export function add(a: number, b?: number): number;", [
            "def add(a: float, b: float | None = None) -> float: ...",
        ]),
        ("export function splitInTwo(theText: string): string[];", [
            "def split_in_two(the_text: str) -> list[str]: ...", "splitInTwo = split_in_two",
        ]),
        ("export function splitInTwo(): void; export function split_in_two(): void;", [
            "def splitInTwo() -> None: ...", "def split_in_two() -> None: ...",
        ]),
        ("export function later(ms: number): Promise<void>;", ["async def later(ms: float) -> None: ..."]),
        ("export function lambda(from: number, _in: any): any;", [
            "def lambda_(from_: float, in_: Any = None) -> Any: ...",
        ]),
        ("export function f(self: number, a$b: string, a_b: string): void;", [
            "def f(self_: float, a_b: str, a_b_: str) -> None: ...",
        ]),
        ("export function sum(...numbers: Float64Array | number[]): void;", ["def sum(*numbers: float) -> None: ..."]),
        ("export function f(a: any | undefined, b: string): void;", ["def f(a: Any, b: str) -> None: ..."]),
        ("export function f(a: string | undefined, b: any): void;", [
            "def f(a: str | None, b: Any = None) -> None: ...",
        ]),
        ("/** Adds.\n * @param theA - what\n */\nexport function add(theA: any): any;", [
            "def add(the_a: Any = None) -> Any:", '    """Adds.', "    Args:", "        the_a: what", '    """',
        ]),
        ('/** Says "\\\\n""" and "*/\nexport function f(): void;', [
            "def f() -> None:", '    """Says "\\\\\\\\n\\"\\"\\" and " """',
        ]),
        ("export function f(a: string): string; export function f(a: number, b?: string): number;", [
            '# mypy: disable-error-code="overload-overlap,overload-cannot-match"',
            "# pyright: reportOverlappingOverload=false",
            "@overload", "def f(a: str) -> str: ...",
            "@overload", "def f(a: float, b: str | None = None) -> float: ...",
        ]),
        ("export enum Color { /** R */ Red, None = 5 }", [
            "class Color(IntEnum):", "    Red = 0", '    """R"""', "    None_ = 5",
        ]),
        ("/* tslint:disable */\n/**\n * How.\n */\nexport type Mode = \"fast\" | \"very-slow\";\n\n"
         "export function f(mode: Mode): void;", [
            "class Mode(StrEnum):", '    """How."""', '    Fast = "fast"', '    VerySlow = "very-slow"',
            "def f(mode: Mode | Literal[\"fast\", \"very-slow\"]) -> None: ...",
        ]),
        ("export class A { free(): void; private constructor(); }", [
            "class A:", "    def free(self) -> None: ...", "    def __enter__(self) -> Self: ...",
            "    def __exit__(self, *error: object) -> None: ...",
        ]),
        ("export class A {} export class B extends A {} export class C extends Unknown {}", [
            line for head in ("class A:", "class B(A):", "class C:") for line in (
                head, "    def free(self) -> None: ...", "    def __enter__(self) -> Self: ...",
                "    def __exit__(self, *error: object) -> None: ...",
            )
        ]),
    ],
)  # fmt: skip
def test_stub(source, lines):
    """A stub declares an export as Python sees it."""
    assert stub(source) == lines


def members(source):
    own = ("def free(", "def __enter__(", "def __exit__(")
    lines = [line.removeprefix("    ") for line in stub(source)[1:]]
    return [line for line in lines if not line.startswith(own)]


@pytest.mark.parametrize(
    ("members_", "lines"),
    [
        ("constructor(a?: string);", ["def __init__(self, a: str | None = None) -> None: ..."]),
        ("asPng(): Uint8Array;", ["def as_png(self) -> bytes: ...", "asPng = as_png"]),
        ("static fromJson(a: string): A;", [
            "@staticmethod", "def from_json(a: str) -> A: ...", "fromJson = from_json",
        ]),
        ("readonly theSize: bigint;", ["@property", "def the_size(self) -> int: ...", "theSize = the_size"]),
        ("size?: bigint;", [
            "@property", "def size(self) -> int | None: ...",
            "@size.setter", "def size(self, value: int | None) -> None: ...",
        ]),
        ("static readonly size: bigint;", ["size: Final[int]"]),
        ("/** The limit. */ static theLimit: string;", [
            "the_limit: ClassVar[str]", '"""The limit."""', "theLimit = the_limit",
        ]),
        ("later(): Promise<A>;", ["async def later(self) -> A: ..."]),
        ("set(a: Set<string>): void; list(): string[];", [
            "def set(self, a: AbstractSet[str]) -> None: ...", "def list(self) -> builtins.list[str]: ...",
        ]),
        ("import(from: string): this;", ["def import_(self, from_: str) -> A: ..."]),
        ("next(): string | undefined;", [
            "def next(self) -> str | None: ...", "def __iter__(self) -> Self: ...", "def __next__(self) -> str: ...",
        ]),
        ("next(): Promise<any>;", [
            "async def next(self) -> Any: ...", "def __aiter__(self) -> Self: ...",
            "def __anext__(self) -> Awaitable[Any]: ...",
        ]),
        ("[Symbol.iterator](): any; __wbg_x(): void; free(): void;", []),
    ],
)  # fmt: skip
def test_member(members_, lines):
    """A stub declares a member of a class as Python sees it."""
    assert members(f"export class A {{ {members_} }}") == lines


def test_internal_names():
    """A stub omits the exports that wasm-bindgen and unpanic's crate add to a module."""
    text = make_stub((FIXTURES / "bank" / "pkg" / "abort" / "bank.d.ts").read_text(), "bank")
    for name in ("Panic", "InitInput", "InitOutput", "initSync", "default", "setPanicHook", "set_panic_hook", "__wb"):
        assert name not in text


def test_by_what_lies_beside():
    """The Wasm file says which numbers are integers, and the glue says which unions are enums."""
    path = FIXTURES / "shapes" / "pkg" / "abort" / "shapes.d.ts"
    lines = stub(path.read_text(), Beside(path), docs=False)
    assert "def larger(first: int, second: int) -> int: ..." in lines
    assert "def split_in_two(the_text: str, split_at: int | None = None) -> list[str]: ..." in lines
    assert "    def __init__(self, x: float, y: float | None = None) -> None: ..." in lines
    assert "    def corner_count(self) -> int: ..." in lines
    assert "    def line_width(self) -> float: ..." in lines
    assert "class Size(StrEnum):" in lines
    assert "def larger(first: float, second: float) -> float: ..." in stub(path.read_text(), docs=False)


def test_what_the_glue_exports(tmp_path):
    """Names only in the declarations: functions are left out, and classes are for type checkers."""
    (tmp_path / "m.js").write_text("function a() {}\nexport { a as b };\nexport class C {}\n")
    source = "export function b(): D; export function c(): void; export class C {} export class D {}"
    lines = stub(source, Beside(tmp_path / "m.d.ts"))
    assert [line for line in lines if "class" in line or line.startswith(("def", "@"))] == [
        "class C:", "@type_check_only", "class D:", "def b() -> D: ...",
    ]  # fmt: skip


def test_what_an_entry_for_bundlers_exports(tmp_path):
    """The glue is the file that the entry re-exports."""
    (tmp_path / "m.js").write_text('import * as wasm from "./m_bg.wasm";\nexport * from "./m_bg.js";\n')
    (tmp_path / "m_bg.js").write_text("export class A {\n  b() {\n  }\n}\nexport function d() {}\n")
    source = "export class A { b(): void; c(): void; } export function d(): void; export function e(): void;"
    lines = stub(source, Beside(tmp_path / "m.d.ts"))
    assert [line for line in lines if "def " in line and "__" not in line and "free" not in line] == [
        "    def b(self) -> None: ...", "def d() -> None: ...",
    ]  # fmt: skip
    (tmp_path / "m.js").write_text("module.exports.e = function() {};\n")
    assert "def e() -> None: ..." in stub(source, Beside(tmp_path / "m.d.ts"))


@pytest.mark.parametrize(
    ("params", "slots", "method", "names"),
    [
        ([NUMBER, NUMBER], "i32 f64", False, ["i32", "float"]),
        ([NUMBER], "f32", False, ["float"]),
        ([STRING, NUMBER], "i32 i32 i32", False, ["", "i32"]),
        ([STRING, NUMBER, STRING], "i32 i32 f64 i32 i32", False, ["", "float", ""]),
        ([STRING, NUMBER], "i32 i32", False, ["", "i32"]),  # a char
        ([NUMBER], "i32 i32", False, ["i32"]),  # a place for the result
        ([NUMBER], "i32 i32", True, ["i32"]),
        ([NUMBER], "i32 f64", True, ["float"]),
        ([NUMBER], "i32 i32 f64", True, ["float"]),
        ([OPTIONAL], "f64", False, ["i32"]),
        ([OPTIONAL], "i32 f64", False, ["float"]),
        ([OPTIONAL], "i32 i32", False, ["i32"]),
        ([Name("A"), NUMBER], "i32 i32", False, ["", "i32"]),
        ([Name("any"), NUMBER], "ref i32", False, ["", "i32"]),
        ([Name("Uint8Array"), NUMBER], "i32 i32 ref f64", False, ["", "float"]),
        ([Name("bigint"), NUMBER], "i64 i64 i32", False, ["", "i32"]),
        ([Array(Name("A")), NUMBER], "i32 i32 i32", False, ["", "i32"]),
        ([NUMBER], "i64", False, [""]),
        ([NUMBER, NUMBER], "i32", False, ["", ""]),
        ([NUMBER] * 30, "i32 " * 60, False, [""] * 30),
    ],
)  # fmt: skip
def test_parameter_kinds(params, slots, method, names):
    """The kinds of parameters follow from their places in the Wasm signature."""
    declared = [Parameter(f"p{index}", type_, False, False) for index, type_ in enumerate(params)]
    signature = WasmSignature(tuple(slots.split()), ())
    assert parameter_kinds(declared, signature, method=method, own=frozenset("A")) == [
        Kind(name) if name else None for name in names
    ]


@pytest.mark.parametrize(
    ("type_", "results", "name"),
    [
        (NUMBER, "i32", "i32"),
        (NUMBER, "f64", "float"),
        (NUMBER, "f64 i32 i32", "float"),
        (NUMBER, "", ""),
        (OPTIONAL, "f64", "i32"),
        (OPTIONAL, "i32 f64", "float"),
        (OPTIONAL, "i32 i32", ""),
        (STRING, "i32 i32", ""),
    ],
)
def test_result_kind(type_, results, name):
    """The Wasm result decides the kind of a number that is the result itself."""
    assert result_kind(type_, WasmSignature((), tuple(results.split()))) == (Kind(name) if name else None)


def test_signatures(tmp_path):
    """The exports of a Wasm file are read, and of a damaged file as many as possible."""
    data = (FIXTURES / "bank" / "pkg" / "abort" / "bank_bg.wasm").read_bytes()
    path = tmp_path / "m.wasm"
    path.write_bytes(data)
    whole = Signatures.of(path)
    assert whole["add"] == WasmSignature(("i32", "i32"), ("i32",))
    assert whole["slow"].results == ("ref",)
    for length in (0, 3, 8, 9, 100, 1_000, 5_000):
        path.write_bytes(data[:length])
        assert Signatures.of(path).items() <= whole.items()
    path.write_bytes(b"\0asm\1\0\0\0" + b"\xff" * 10_000)
    assert Signatures.of(path) == {}


@pytest.mark.parametrize("source", ["", "export const a = 1;", "export type A = string;", "\0", "<html>"])
def test_nothing_of_rust(source):
    """A file that declares nothing of a Rust module is refused."""
    with pytest.raises(NotDeclarations, match="no function, class or enum"):
        make_stub(source, "m")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["no.d.ts"], "no.d.ts is not there."),
        (["bank.js"], "bank.js is not a .d.ts file. wasm-bindgen writes one beside the glue, such as bank.d.ts."),
        (["bank_bg.wasm.d.ts"], "bank_bg.wasm.d.ts declares the Wasm file's own exports: the file for people "
                                  "is bank.d.ts."),
        (["empty.d.ts"], "empty.d.ts is not what wasm-bindgen writes: it declares no function, class or enum "
                         "that a Rust module exports."),
        (["folder.d.ts"], "folder.d.ts is a folder: name a .d.ts file in it."),
        (["."], ". is a folder: name a .d.ts file in it, such as bank.d.ts."),
        (["bytes.d.ts"], "bytes.d.ts cannot be read: "),
        (["bank.d.ts", "--wasm", "no.wasm"], "no.wasm is not there."),
        (["bank.d.ts", "--wasm", "empty.d.ts"], "empty.d.ts is not a Wasm file. wasm-bindgen writes one beside the "
                                                "glue: bank_bg.wasm."),
        (["bank.d.ts", "-o", "no/bank.pyi"], "no/bank.pyi cannot be written: No such file or directory. -o names "
                                             "another place."),
        (["bank.d.ts", "bank.d.ts", "-o", "out.pyi"], "out.pyi cannot hold the stubs of 2 files: leave -o out."),
    ],
)  # fmt: skip
def test_command_refuses(tmp_path, monkeypatch, capsys, args, says):
    """The command says what is wrong with a file, and how to correct it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.d.ts").write_text("export {};")
    (tmp_path / "bytes.d.ts").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "folder.d.ts").mkdir()
    (tmp_path / "bank.d.ts").write_text("export function add(a: number): number;")
    assert main(["stubs", *args]) == 1
    assert capsys.readouterr().err.startswith(f"unpanic: {says}")
    assert not list(tmp_path.glob("*.pyi"))


def test_command(tmp_path, monkeypatch, capsys):
    """The command writes a stub beside each file, or to the place that an option names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.d.ts").write_text("/** Adds. */ export function add(a: number): number;", encoding="utf-8-sig")
    (tmp_path / "b.d.ts").write_text("export class B {}")
    assert main(["stubs", "a.d.ts", "b.d.ts"]) == 0
    assert capsys.readouterr().out == "a.pyi\nb.pyi\n"
    assert '"""Adds."""' in (tmp_path / "a.pyi").read_text()
    assert main(["stubs", "a.d.ts", "--no-docs", "-o", "c.pyi"]) == 0
    assert "Adds" not in (tmp_path / "c.pyi").read_text()
    capsys.readouterr()
    assert main(["stubs", "a.d.ts", "-o", "-"]) == 0
    assert capsys.readouterr().out == (tmp_path / "a.pyi").read_text()
    (tmp_path / "typings").mkdir()
    assert main(["stubs", "a.d.ts", "b.d.ts", "-o", "typings"]) == 0
    assert [path.name for path in sorted((tmp_path / "typings").iterdir())] == ["a.pyi", "b.pyi"]
