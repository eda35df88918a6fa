"""The reader turns TypeScript declarations into data."""

import time

import pytest
from unpanic._declarations.reader import (
    Array,
    Function,
    Intersection,
    Literal,
    Name,
    Object,
    Other,
    Parameter,
    Property,
    Tuple,
    Union,
    parse_type,
    read,
)

STRING, NUMBER, ANY, UNKNOWN = Name("string"), Name("number"), Name("any"), Name("unknown")
UNDEFINED = Name("undefined")


def parameter(name, type_, *, optional=False, rest=False):
    return Parameter(name, type_, optional, rest)


def property_(name, type_, *, optional=False, readonly=False, **more):
    return Property(name, type_, optional, readonly, **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("number", NUMBER),
        ("string | undefined", Union((STRING, UNDEFINED))),
        ("| 'a' | \"b\\n\"", Union((Literal("a"), Literal("b\n")))),
        ("true", Literal(True)),
        ("-1 | 2.5 | 10n | 0x10", Union((Literal(-1), Literal(2.5), Literal(10), Literal(16)))),
        ("string[][]", Array(Array(STRING))),
        ("(string | null)[]", Array(Union((STRING, Name("null"))))),
        ("Array<string>", Array(STRING)),
        ("readonly string[]", Array(STRING)),
        ("Map<string, Foo.Bar<number>>", Name("Map", (STRING, Name("Foo.Bar", (NUMBER,))))),
        ("Array<Array<number>>", Array(Array(NUMBER))),
        ("[number, end?: string, ...rest: Foo[]]", Tuple((NUMBER, Union((STRING, UNDEFINED)), Name("Foo")))),
        ("[]", Tuple(())),
        ("A & B", Intersection((Name("A"), Name("B")))),
        ("{}", Object(())),
        (
            "{ a: number, readonly b?: string; }",
            Object((property_("a", NUMBER), property_("b", STRING, optional=True, readonly=True))),
        ),
        ('{ "a-b": number\n c: string }', Object((property_("a-b", NUMBER), property_("c", STRING)))),
        ("{ [key: string]: number }", Object((), NUMBER)),
        ("{ [K in Keys]?: number }", Object((), NUMBER)),
        ("{ readonly [K in keyof T]-?: K[] }", Object((), Array(STRING))),
        ("{ (a: number): string }", Function((parameter("a", NUMBER),), STRING)),
        ("() => void", Function((), Name("void"))),
        ("((a?: number) => any)", Function((parameter("a", NUMBER, optional=True),), ANY)),
        ("(...items: string[]) => void", Function((parameter("items", Array(STRING), rest=True),), Name("void"))),
        ("({ a, b }: Foo) => void", Function((parameter("arg0", Name("Foo")),), Name("void"))),
        ("([a]: Foo) => void", Function((parameter("arg0", Name("Foo")),), Name("void"))),
        ("(this: Foo, a: number) => void", Function((parameter("a", NUMBER),), Name("void"))),
        ("<T extends string>(value: T[]) => T", Function((parameter("value", Array(STRING)),), STRING)),
        ("<T>(value: T) => T", Function((parameter("value", UNKNOWN),), UNKNOWN)),
        ("`a-${number}`", Other("`a-${number}`", (STRING,))),
        ("keyof Foo", Other("keyof Foo", (STRING,))),
        ("typeof Foo.bar", Other("typeof Foo.bar")),
        ('Foo["bar"]', Other('Foo["bar"]')),
        ("A extends B ? string : number", Other("A extends B ? string : number", (STRING, NUMBER))),
        ("A extends Foo ? A : number", Other("A extends Foo ? A : number", (Name("Foo"), NUMBER))),
        ("A extends (infer U)[] ? U : never", Other("A extends (infer U)[] ? U : never", (ANY, Name("never")))),
        ("value is string", Name("boolean")),
        ("asserts value is string", Name("void")),
        ("new (a: number) => Foo", Other("new (a: number) => Foo")),
        ('import("./a").Foo<string>', Other('import("./a").Foo<string>')),
        ("/* a */ string // b", STRING),
        # As in JSDoc.
        ("*", ANY),
        ("?string", Union((STRING, Name("null")))),
        ("!Foo", Name("Foo")),
        ("string=", STRING),
        ("...number", Array(NUMBER)),
        ("Array.<string>", Array(STRING)),
        ("function(number): string", Name("Function")),
    ],
)  # fmt: skip
def test_type(text, expected):
    """Each form of type becomes its record."""
    assert parse_type(text) == expected


def test_function():
    """A function has its parameters, its result and its comment. Overloads are all there, in their order."""
    found = read("""
        /**
         * Adds.
         *
         *   - numbers
         */
        export function add(a: number, b?: number): number;
        export function add(a: string): string;
        """).functions["add"]
    assert [signature.doc for signature in found] == ["Adds.\n\n  - numbers", ""]
    assert found[0].params == (parameter("a", NUMBER), parameter("b", NUMBER, optional=True))
    assert [signature.result for signature in found] == [NUMBER, STRING]


def test_class():
    """A class has its public members."""
    found = read("""
        export class Account extends Base {
          free(): void;
          [Symbol.dispose](): void;
          /** Opens. */
          constructor(owner: string);
          private secret(): void;
          #hidden: number;
          static named(owner: string): Account;
          static new(): Account;
          get(key: string): number;
          static: boolean;
          "with-dash"?: number;
          /** Reads. */
          get both(): number;
          set both(value: string);
          get one(): number;
          readonly last: Foo | undefined
          async later(): Promise<void>
        }
        """).classes["Account"]
    assert found.base == "Base"
    assert [signature.doc for signature in found.constructors] == ["Opens."]
    assert [(method.name, method.static) for method in found.methods] == [
        ("free", False), ("named", True), ("new", True), ("get", False), ("later", False),
    ]  # fmt: skip
    assert found.properties == (
        property_("static", Name("boolean")),
        property_("with-dash", NUMBER, optional=True),
        property_("both", NUMBER, doc="Reads."),
        property_("one", NUMBER, readonly=True),
        property_("last", Union((Name("Foo"), UNDEFINED)), readonly=True),
    )


def test_private_constructor():
    """A class with a private constructor has no constructor."""
    assert read("export class A { private constructor(); }").classes["A"].constructors == ()


def test_interface_of_a_class():
    """An interface with the name of a class belongs to the class, before or after it."""
    found = read("""
        interface Doc<T = any> { get(key: string): T; }
        export class Doc { put(key: string): void; }
        interface Doc { size: number }
        """)
    assert [method.name for method in found.classes["Doc"].methods] == ["get", "put"]
    assert found.classes["Doc"].methods[0].result == UNKNOWN
    assert [each.name for each in found.classes["Doc"].properties] == ["size"]
    assert "Doc" not in found.interfaces


def test_interface():
    """Interfaces of one name become one, with all members and bases."""
    found = read("""
        /** What. */
        interface Options<T> extends Base, Other<T> { a?: T; run(x: number): void; maybe?(): void }
        interface Options<T> { [key: string]: any }
        """).interfaces["Options"]
    assert (found.params, found.doc) == (("T",), "What.")
    assert found.extends == (Name("Base"), Name("Other", (Name("T"),)))
    assert [each.name for each in found.properties] == ["a", "maybe"]
    assert [each.name for each in found.methods] == ["run"]
    assert found.index == ANY


def test_enums_and_aliases():
    """Enums count on, take negative numbers and strings; aliases keep their parameters."""
    found = read("""
        export enum Color { Red, /** Like grass. */ Green = 5, Blue, No = -1 }
        declare const enum Text { A = "a", 'b-c' = "b" }
        export type Pair<K extends string, V = K> = [K, V];
        """)
    assert found.enums["Color"].members == (
        ("Red", 0, ""),
        ("Green", 5, "Like grass."),
        ("Blue", 6, ""),
        ("No", -1, ""),
    )
    assert found.enums["Text"].members == (("A", "a", ""), ("b-c", "b", ""))
    assert found.aliases["Pair"].params == ("K", "V")
    assert found.aliases["Pair"].type == Tuple((Name("K"), Name("V")))


def test_exports():
    """Without a list of exports everything is exported. With a list, only its names and marked statements are."""
    source = "declare function a(): void; export function b(): void; declare class C {}"
    found = read(source)
    assert all(map(found.is_exported, ("a", "b", "C")))
    found = read(f"{source} export {{ a as z, C }}; export {{}};")
    assert [name for name in ("a", "b", "C", "z") if found.is_exported(name)] == ["b", "C", "z"]
    assert found.functions["z"][0].name == "z"


def test_namespaces():
    """Declarations in a namespace count as exported, and those in a global block do not."""
    found = read("""
        declare namespace wasm_bindgen {
          export function add(a: number): number;
          export class A { }
        }
        declare global { class Theirs {} interface Shape { a: number } }
        """)
    assert list(found.functions) == ["add"]
    assert list(found.classes) == ["A"]
    assert list(found.interfaces) == ["Shape"]


def test_constant_with_a_constructor():
    """A constant that can be called with `new` is a class; others are constants."""
    found = read("""
        export declare const Resvg: { new (svg: string): { free(): void; render(): Image; readonly width: number; }; };
        export const version: string;
        """)
    resvg = found.classes["Resvg"]
    assert resvg.constructors[0].params == (parameter("svg", STRING),)
    assert [method.name for method in resvg.methods] == ["free", "render"]
    assert [each.name for each in resvg.properties] == ["width"]
    assert found.constants["version"] == STRING


def test_statements_without_semicolons():
    """Line ends separate declarations and members, where nothing else does."""
    found = read(
        "type A = string\ntype B =\n  | 'x' // comment\n  | 'y'\nfunction f(): void\n"
        "class C { a: A\n b(): B\n}\ntype D = C"
    )
    assert list(found.aliases) == ["A", "B", "D"]
    assert found.aliases["B"].type == Union((Literal("x"), Literal("y")))
    assert list(found.functions) == ["f"]
    assert found.classes["C"].properties[0].type == Name("A")


HOSTILE = [
    "",
    "\0",
    "export",
    "export function",
    "export function f(",
    "export function f(a: ): {",
    "class",
    "class {",
    "class A { constructor(",
    "class A { get",
    "class A { ; , } } }",
    "class A { a: ; b: string }",
    "interface I { [",
    "interface I { [key: ",
    "enum E { A = , = B, 3 }",
    "enum E",
    "type T",
    "type T =",
    "type T = <",
    "type T = A extends",
    "type T = A extends B ? C",
    "type T = { ( }",
    "type T = `${",
    "type T = 'open",
    "type = =",
    "/* open",
    "/** @param",
    "namespace N { namespace N {",
    "namespace N } {",
    "export { as as, };",
    "export default",
    "const x",
    "let y: new",
    "🦀 export function f(): 🦀;",
    "type T = " + "(" * 20_000,
    "type T = " + "[" * 20_000 + "]" * 20_000,
    "type T = " + "A<" * 20_000,
    "type T = " + "() => " * 20_000,
    "type T = " + "keyof " * 20_000,
    "type T = " + "A extends B ? " * 5_000,
    "type T = " + "{ a: " * 20_000,
    "type T = " + "a." * 20_000,
    "type T = " + "A | " * 20_000,
    "namespace N {" * 5_000,
    "/*" * 100_000,
    '"' * 100_000,
    "`" * 100_001,
    "export " * 20_000,
    "class A { " + "static " * 20_000,
    "function f(" + "..." * 20_000,
]


@pytest.mark.parametrize("source", HOSTILE, ids=lambda source: f"{source[:20]!r}, {len(source)}")
def test_hostile(source):
    """A text that is no TypeScript is read as far as possible, without an exception and without delay."""
    began = time.process_time()
    found = read(source)
    for kind in (found.functions, found.classes, found.enums, found.aliases, found.interfaces, found.constants):
        list(kind.values())
    parse_type(source)
    assert time.process_time() - began < 3


def test_after_what_is_wrong():
    """An unreadable statement does not affect the others."""
    found = read(
        "export function f(a: %%, b: string): number;\n"
        "class C { a: ; b: string; c(%): number; d(): string }\ntype T = string;"
    )
    assert found.functions["f"][0].name == "f"
    assert [each.name for each in found.classes["C"].properties] == ["b"]
    assert [each.name for each in found.classes["C"].methods][-1] == "d"
    assert found.aliases["T"].type == STRING


def test_a_large_file_is_found_fast():
    """10,000 lines are parsed only on demand: the scan takes a fraction of the parser's time."""
    one = "/** Doc, it's {long}. */\nexport interface I%d {\n  a?: string;\n  /** b */\n  b: I1[] | { x: number };\n}\n"
    source = "".join(one % number for number in range(1_700))
    began = time.process_time()
    found = read(source)
    scanned = time.process_time() - began
    began = time.process_time()
    assert len(list(found.interfaces.values())) == 1_700
    assert scanned < (time.process_time() - began) / 2
    assert found.interfaces["I3"] is found.interfaces["I3"]


CONSTANTS = """
export const add: (a: number, b?: number) => number;
declare const Call: { (a: string): void; (a: number, b: string): void };
type Handler = (event: string, ...rest: number[]) => void;
export const handle: Handler;
export const version: string;
export const table: { add: (a: number) => void };
export function plain(a: string, b?: any, ...c: number[]): Promise<void>;
export function twice(a: string): void;
export function twice(a: number): void;
export function generic<T>(a: T): void;
export function typed(a: Map<string, number>): void;
"""


def test_constants_that_are_functions():
    """A constant of a function type, or of its alias, is a function. With several call signatures it has overloads."""
    found = read(CONSTANTS)
    assert {name: len(found.functions[name]) for name in ("add", "Call", "handle")} == {
        "add": 1,
        "Call": 2,
        "handle": 1,
    }
    assert found.functions["add"][0].params[1] == parameter("b", NUMBER, optional=True)
    assert found.functions["handle"][0].params[1].rest
    assert [*found.constants] == ["version", "table"]


def test_plain_functions_need_no_parser():
    """A look at the text reads most functions of wasm-bindgen, and reads nothing of the others."""
    found = read(CONSTANTS)
    assert found.plain_function("plain") == ((("a", False, False), ("b", True, False), ("c", False, True)), True)
    assert [found.plain_function(name) for name in ("twice", "generic", "typed", "add", "version", "gone")] == [
        None
    ] * 6


MEMBERS = """
export class A {
    /** As `new A(text: string)`, and see f(x: string). */
    constructor(a: string);
    static make(a: any): A;
    later(): Promise<void>;
    typed(a: (b: string) => void): void;
    twice(a: string): void; twice(a: number): void;
    merged(a: string): void;
    property: string;
}
interface A { merged<T>(a: T): void; as_property?: (a: string) => void }
"""


def test_plain_members_need_no_parser():
    """The same holds for a class and the interfaces merged with it. A member that occurs twice is not plain."""
    assert read(MEMBERS).plain_members("A") == {
        "constructor": ((("a", False, False),), False),
        "make": ((("a", True, False),), False),
        "later": ((), True),
    }
    assert read(MEMBERS).plain_members("B") == {}
