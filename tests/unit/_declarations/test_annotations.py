"""TypeScript types become Python annotations."""

import builtins
import importlib

import pytest
from unpanic._declarations.annotations import NAMES, Annotator
from unpanic._declarations.families import large_families
from unpanic._declarations.reader import parse_type, read
from unpanic._declarations.source import or_none

from tests.unit.fakes import kind

DECLARED = """
export class Account {}
export class Literal {}
export enum Color { Red }
export type Mode = "fast" | "best";
export type Plain = "a" | "b";
export type Count = number;
export type MaybeCount = number | null;
export type u8 = number;
type Json = string | number | Json[] | { [key: string]: Json };
type Loop = Loop | Back;
type Back = Loop;
enum Side { Left = "left", Right = "right" }
interface Options { fonts: Uint8Array[]; "line-width"?: number; run?(text: string): void }
interface Entry { name: string; tags?: string[]; next: Entry | null }
interface More extends Entry, Pair<string> { size: number }
interface Pair<V> { first: V; second?: V }
interface Broken extends Error { code: number }
interface Table { [name: string]: number }
type Both = Entry & { extra: Date };
type Branded = string & { readonly __brand: "id" };
type List<T> = T[] | Pair<T>;
"""


@pytest.fixture
def annotator():
    return Annotator(read(DECLARED), ["Account", "Literal"], {"Color": (), "Mode": ("fast", "best")})


@pytest.mark.parametrize(
    ("type_", "shorthand", "parameter", "result"),
    [
        ("number", "", "float", "float"),
        ("number", "float", "float", "float"),
        ("number", "i32", "int", "int"),
        ("number", "u8", "int", "int"),
        ("number | undefined", "s32", "int | None", "int | None"),
        ("Count", "u32", "int", "int"),
        ("MaybeCount", "u32", "int | None", "int | None"),
        ("Count", "", "Count", "Count"),
        ("u8", "", "int", "int"),
        ("bigint", "i64", "int", "int"),
        ("boolean", "bool", "bool", "bool"),
        ("string", "string", "str", "str"),
        ("string | null | undefined", "string", "str | None", "str | None"),
        ("void", "void", "None", "None"),
        ("undefined", "", "None", "None"),
        ("never", "", "Never", "Never"),
        ("any", "any", "Any", "Any"),
        ("any | string", "any", "Any", "Any"),
        ("object", "any", "Mapping[str, Any]", "dict[str, Any]"),
        ("{}", "any", "Mapping[str, Any]", "dict[str, Any]"),
        ("Uint8Array", "array:u8", "Buffer", "bytes"),
        ("Uint8Array<ArrayBuffer>", "any", "Buffer", "bytes"),
        ("Float64Array", "array:f64", "Buffer | Sequence[float]", "array[float]"),
        ("BigInt64Array", "array:i64", "Buffer | Sequence[int]", "array[int]"),
        ("Uint8Array | number[]", "array:u8", "Buffer | Sequence[int]", "bytes | list[int]"),
        ("Float32Array | number[]", "array:f32", "Buffer | Sequence[float]", "array[float] | list[float]"),
        ("string[]", "list:string", "Sequence[str]", "list[str]"),
        ("(string | null)[]", "any", "Sequence[str | None]", "list[str | None]"),
        ("[string, number]", "any", "Sequence[str | float]", "list[str | float]"),
        ("Account", "object:Account", "Account", "Account"),
        ("Account[]", "any", "Sequence[Account]", "list[Account]"),
        ("Account | undefined", "object:Account", "Account | None", "Account | None"),
        ("Color", "enum:Color", "Color", "Color"),
        ("Color.Red", "", "Color", "Color"),
        ("Mode", "enum:Mode", 'Mode | _Literal["fast", "best"]', "Mode"),
        ("Mode[]", "any", 'Sequence[Mode | _Literal["fast", "best"]]', "list[Mode]"),
        ("() => Mode", "function", 'Callable[[], Mode | _Literal["fast", "best"]]', "Callable[[], Mode]"),
        ("Plain", "any", "Plain", "Plain"),
        ("Side", "any", "Side", "Side"),
        ("'a' | 1 | null", "any", '_Literal["a", 1] | None', '_Literal["a", 1] | None'),
        ("'a' | string", "any", "str", "str"),
        ("1 | number", "any", "float", "float"),
        ("true | false", "any", "bool", "bool"),
        ("'say \"hi\"\\n'", "any", r'_Literal["say \"hi\"\n"]', r'_Literal["say \"hi\"\n"]'),
        ("Date", "any", "datetime", "datetime"),
        ("Map<string, Date>", "any", "Mapping[str, datetime]", "dict[str, datetime]"),
        ("Record<Mode, number>", "any", "Mapping[str, float]", "dict[str, float]"),
        ("Set<string>", "any", "AbstractSet[str]", "set[str]"),
        ("Iterable<string>", "any", "Sequence[str]", "Iterable[str]"),
        ("IterableIterator<string>", "any", "Any", "Iterator[str]"),
        ("ReadableStream", "any", "Any", "AsyncIterator[Any]"),
        ("AsyncIterable<Account>", "any", "Any", "AsyncIterator[Account]"),
        ("Promise<string>", "string", "Awaitable[str]", "str"),
        ("Promise<string> | null", "any", "Awaitable[str] | None", "Awaitable[str] | None"),
        ("Function", "function", "Callable[..., Any]", "Callable[..., Any]"),
        ("(a: string[]) => string[]", "function", "Callable[[list[str]], Sequence[str]]",
         "Callable[[Sequence[str]], list[str]]"),
        ("(a: Account) => void", "function", "Callable[[Account], object]", "Callable[[Account], None]"),
        ("(a: string, b?: number) => bigint", "function", "Callable[..., int]", "Callable[..., int]"),
        ("(() => string) | null", "function", "Callable[[], str] | None", "Callable[[], str] | None"),
        ("`a-${number}`", "any", "str", "str"),
        ("keyof Entry", "any", "str", "str"),
        ("A extends B ? string : null", "any", "str | None", "str | None"),
        ("Branded", "any", "Branded", "Branded"),
        ("Pair<string[]>", "any", "Pair[Sequence[str]]", "Pair[list[str]]"),
        ("Pair", "any", "Pair[Any]", "Pair[Any]"),
        ("Readonly<Entry>", "any", "Entry", "Entry"),
        ("NonNullable<string | null>", "any", "str", "str"),
        ("Omit<Entry, 'name'>", "any", "Mapping[str, Any]", "dict[str, Any]"),
        ("Blob", "any", "Any", "Any"),
        ("{ a: number }", "any", "Mapping[str, Any]", "dict[str, Any]"),
        (None, "u32", "int", "int"),
        (None, "float", "float", "float"),
        (None, "array:u8", "Buffer", "bytes"),
        (None, "array:i16", "Buffer | Sequence[int]", "array[int]"),
        (None, "list:string", "Sequence[str]", "list[str]"),
        (None, "object:Account", "Account", "Account"),
        (None, "enum:Color", "Color", "Color"),
        (None, "list:object:Account", "Sequence[Account]", "list[Account]"),
        (None, "unknown", "Any", "Any"),
    ],
)  # fmt: skip
def test_annotation(annotator, type_, shorthand, parameter, result):
    """A type has one text for values that Python may pass, and one for values that Python gets."""
    found = None if type_ is None else parse_type(type_)
    known = kind(shorthand) if shorthand else None
    assert annotator.parameter(found, known) == parameter
    assert annotator.result(found, known) == result
    assert not annotator.unexpressed


def types_of(annotator, type_, *, ways=("parameter",)):
    for way in ways:
        getattr(annotator, way)(parse_type(type_), None, "f.a")
    return annotator.types_source().split("\n")


@pytest.mark.parametrize(
    ("type_", "lines"),
    [
        ("Plain", ['type Plain = _Literal["a", "b"]']),
        ("Side", ['type Side = _Literal["left", "right"]']),
        ("Json", ["type Json = str | float | Sequence[Json] | Mapping[str, Json]"]),
        ("Loop", ["type Loop = Any"]),
        ("Table", ["type Table = Mapping[str, float]"]),
        ("Branded", ["type Branded = str"]),
        ("Broken", ["type Broken = Any"]),
        ("List<string>", [
            "type List[T] = Sequence[T] | Pair[T]",
            "class Pair[V](TypedDict):", "    first: V", "    second: NotRequired[V]", "",
        ]),
        ("Entry", [
            "class Entry(TypedDict):", "    name: str", "    tags: NotRequired[Sequence[str]]",
            "    next: Entry | None", "",
        ]),
        ("Options", [
            'Options = TypedDict("Options", {', '    "fonts": Sequence[Buffer],',
            '    "line-width": NotRequired[float],', '    "run": NotRequired[Callable[[str], object]],', "})",
        ]),
        ("{ a: string, b?: { c: Date }[] }", [
            "class FA(TypedDict):", "    a: str", "    b: NotRequired[Sequence[FAB]]", "",
            "class FAB(TypedDict):", "    c: datetime", "",
        ]),
        ("{ kind: 'x' } | { kind: 'y', list: string, str: string[] }", [
            "class FAX(TypedDict):", '    kind: _Literal["x"]', "",
            'FAY = TypedDict("FAY", {', '    "kind": _Literal["y"],', '    "list": str,',
            '    "str": Sequence[str],', "})",
        ]),
    ],
)  # fmt: skip
def test_types(annotator, type_, lines):
    """Aliases become `type` statements. Interfaces and objects become TypedDicts, named by their place if necessary."""
    assert types_of(annotator, type_) == lines


def test_inherited_keys(annotator):
    """An interface has the keys of all interfaces that it extends, with their parameters filled in."""
    lines = types_of(annotator, "[More, Both]")
    more = lines.index("class More(TypedDict):")
    assert lines[more + 1 : more + 7] == [
        "    name: str", "    tags: NotRequired[Sequence[str]]", "    next: Entry | None", "    first: str",
        "    second: NotRequired[str]", "    size: float",
    ]  # fmt: skip
    assert "    extra: datetime" in lines[lines.index("class Both(TypedDict):") : more]


def test_both_ways(annotator):
    """A type that goes in and comes out is written as the type that Python gets."""
    lines = types_of(annotator, "Entry", ways=("parameter", "result"))
    assert "    tags: NotRequired[list[str]]" in lines


def test_partial(annotator):
    """All keys of a partial type may be left out."""
    assert types_of(annotator, "Partial<Pair<string>>") == [
        "class FA(TypedDict):",
        "    first: NotRequired[str]",
        "    second: NotRequired[str]",
        "",
    ]


def test_names_that_mean_something_else():
    """If methods or functions have the names of types, the types are spelt so that they still mean the types."""
    annotator = Annotator(
        read("export class Text {} type list = string;"), ["Text"], {}, ["type"], ["str", "Text", "Sequence", "None"]
    )
    assert annotator.parameter(parse_type("string[] | Text"), None) == "_Sequence[builtins.str] | _Text"
    assert annotator.hidden == {"Text"}
    assert annotator.result(parse_type("Set<string>[]"), None) == "builtins.list[set[builtins.str]]"
    assert annotator.result(parse_type("void"), None) == "None"  # no other thing can have this name


def test_what_cannot_be_expressed(annotator):
    """A type that Python cannot express becomes `Any`, and is counted."""
    assert annotator.parameter(parse_type("Foo<string> | Entry['name']"), None, "f.a") == "Any"
    assert annotator.unexpressed == [("f.a", "Foo"), ("f.a", "Entry['name']")]


def test_large_families():
    """In a large family of types that hold each other, the inner types are not followed."""
    names = [f"N{number}" for number in range(100)]
    source = "".join(f"interface {name} {{ next: {names[number - 1]}; end: End }}" for number, name in enumerate(names))
    annotator = Annotator(read(source + "interface End { a: string }"), [], {})
    annotator.parameter(parse_type("N5"), None)
    assert "class N5(TypedDict):\n    next: Any\n    end: End\n" in annotator.types_source()


def test_families():
    """Types that refer to each other through others are a family; a type that only refers to them is not."""
    references = {"a": ["b"], "b": ["c", "x"], "c": ["a"], "d": ["a"], "x": [], "y": ["y"]}
    families = large_families(references, 2)
    assert set(families) == {"a", "b", "c"}
    assert len(set(families.values())) == 1
    chain = {str(number): [str(number + 1)] for number in range(50_000)}
    assert large_families(chain, 2) == {}


def test_names():
    """Every name in annotations is where `NAMES` says, and the texts can be evaluated."""
    names = {name: getattr(importlib.import_module(module), name) for name, module in NAMES.items()}
    annotator = Annotator(read("interface A { b: Uint8Array[] }"), [], {})
    for type_ in (
        "Set<Date>",
        "Map<string, A>",
        "(a: Int8Array) => Promise<void>",
        "AsyncIterable<any>",
        "'a' | never",
    ):
        text = annotator.result(parse_type(type_), None)
        exec(annotator.types_source(), names)
        assert eval(text, names, vars(builtins))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int", "int | None"),
        ('Literal["None"]', 'Literal["None"] | None'),
        ("Callable[[int | None], object]", "Callable[[int | None], object] | None"),
        ("str | None", "str | None"),
        ("Any", "Any"),
    ],
)
def test_what_may_be_absent(text, expected):
    """None is then one of the alternatives; an absent value inside of another type does not count."""
    assert or_none(text) == expected
