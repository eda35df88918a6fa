"""Exports in Python combine the description of the glue and the declarations."""

from __future__ import annotations

import enum
import inspect
import json
import types
import typing
from typing import Any

import pytest
from unpanic._declarations import reader
from unpanic._declarations.reader import read
from unpanic._declarations.signatures import parameter_text
from unpanic._exports.declared import Declared, declare
from unpanic._exports.description import Description
from unpanic._exports.scope import Scope

from tests.unit.fakes import FakeDriver, function, kind, load, shorthand, struct

# The facts in minified glue, and the facts in its declarations.
LOST = {
    "functions": [
        function("splitInTwo", "unknown", "word", result="unknown"),
        function("isOpen", "word", result="word"),
        function("join", "unknown", "unknown", result="word"),
        function("later", "unknown", result="unknown"),
        function("sized", "unknown", "word", result="unknown"),
        function("exact", "i64", "float", "s32"),
        function("call", "unknown", "unknown"),
        function("undeclared", "word", "unknown", result="word"),
    ],
    "classes": [
        struct(
            "Account",
            "unknown",
            "i64",
            methods=[function("payOut", "word", result="unknown")],
            getters=[function("isOpen", result="word")],
            setters=[function("isOpen", "word")],
            statics=[function("madeBy", "unknown", result="unknown")],
        )
    ],
    "constants": ["Color"],
}
TYPES = """
export type Size = "small" | "extra-large";
export enum Color { Red = 0, Green = 1 }
/** How to call. */
export interface Options { loud?: boolean; }
/** Somebody's money. */
export class Account {
    constructor(owner: string, balance: bigint);
    /** Pays. */
    payOut(amount: number): string | undefined;
    /** Is it open? */
    isOpen: boolean;
    static madeBy(name: string): Account;
}
/**
 * Splits a text.
 * @param theText - what is split
 */
export function splitInTwo(theText: string, splitAt?: number | null): string[];
export function isOpen(really: boolean): boolean;
export function join(accounts: Account[], bytes: Uint8Array): number;
export function later(color: Color): Promise<Account | undefined>;
export function sized(size: Size, first: number | null | undefined): Size;
export function exact(a: any, b: any, c: any): void;
export function call(f: (n: number) => void, options: Options): void;
"""


def declared(described: dict[str, Any], source: str | None) -> Declared:
    text = FakeDriver(described).describe()
    return declare(Description.parse(text), read(source) if source else None)


def shape(found: Any) -> str:
    params = [f"{param.python}: {shorthand(param.kind)}{'?' if param.optional else ''}" for param in found.params]
    return f"({', '.join(params)}) {'async ' if found.is_async else ''}{shorthand(found.result)}"


def test_declarations_bring_back_what_minified_glue_lost():
    """Names, optional parameters, types and `async` return, and exact kinds of the glue stay."""
    found = declared(LOST, TYPES).description
    assert {each.python: shape(each) for each in found.functions} == {
        "split_in_two": "(the_text: string, split_at: i32?) list:string",
        "is_open": "(really: bool) bool",
        "join": "(accounts: list:object:Account, bytes: array:u8) i32",
        "later": "(color: enum:Color) async object:Account",
        "sized": "(size: enum:Size, first: i32?) enum:Size",
        "exact": "(a: i64, b: float, c: s32) void",
        "call": "(f: function, options: any) void",
        "undeclared": "(a: word, b: unknown) word",
    }
    (account,) = found.classes
    assert account.construct
    assert shape(account.construct) == "(owner: string, balance: i64) void"
    assert [shape(each) for each in (*account.methods, *account.statics, *account.getters, *account.setters)] == [
        "(amount: i32) string",
        "(name: string) object:Account",
        "() bool",
        "(value: bool) void",
    ]
    assert found.enums == {"Size": ("small", "extra-large")}
    assert (account.doc, account.getters[0].doc) == ("Somebody's money.", "Is it open?")
    assert found.functions[0].doc == "Splits a text.\n\nArgs:\n    the_text: what is split"


def test_lanes_learn_what_changed():
    """The runtime gets changes by the places in its own description, and nothing that it already knows."""
    changes = declared(LOST, TYPES).changes
    assert changes["functions"]["0"] == {
        "params": {
            "0": {"kind": {"name": "string"}, "optional": False},
            "1": {"kind": {"name": "i32"}, "optional": True},
        },
        "result": {"name": "list", "element": "string"},
        "isAsync": False,
        "shown": "split_in_two",
    }
    assert changes["functions"]["2"]["params"]["0"] == {
        "kind": {"name": "list", "element": "object", "className": "Account"},
        "optional": False,
        "consumes": True,
    }
    assert changes["functions"]["3"]["isAsync"]
    assert not {"5", "7"} & changes["functions"].keys()
    assert changes["classes"]["0"]["setters"]["0"]["params"]["0"]["kind"] == {"name": "bool"}
    json.dumps(changes)


@pytest.mark.parametrize("source", [None, "", "export type Other = string;", "export function other(): void;"])
def test_without_declarations_the_glue_is_all(source: str | None):
    """Nothing changes for the lanes, and unknown kinds stay unknown."""
    found = declared(LOST, source)
    assert shape(found.description.functions[0]).startswith("(a: unknown, b: word)")
    assert "params" not in found.changes.get("functions", {}).get("0", {})


TYPED = {
    "functions": [
        function("greetAll", "string", "i32?", "any?", result="string", doc="*\n * Greets.\n * @param {string} a\n"
            " * @param {number | null} [b] - how often\n * @param {any} c\n * @returns {string}\n ")
    ]
}  # fmt: skip


def test_the_glue_tells_kinds_and_the_declaration_names():
    """The glue's comments decide how values cross. The declaration decides names and optional parameters."""
    source = "export function greetAll(x: string, often?: number | null, options?: { loud: boolean }): string;"
    found = declared(TYPED, source)
    (greet,) = found.description.functions
    assert shape(greet) == "(x: string, often: i32?, options: any?) string"
    assert greet.doc == "Greets.\n\nArgs:\n    often: how often"
    assert found.changes == {"functions": {"0": {"shown": "greet_all"}}}
    assert greet.annotations() == {
        "x": "str", "often": "int | None", "options": "GreetAllOptions | None", "return": "str",
    }  # fmt: skip
    assert "class GreetAllOptions(TypedDict):\n    loud: bool" in found.types_source()


def commented(*params: str, tags: str, result: str = "void", **more: Any) -> dict[str, Any]:
    """Returns a function `f` of glue with comments, which have `a: string?` for each parameter."""
    described = []
    for param in params:
        name, _, text = param.partition(": ")
        described.append({
            "name": name.removeprefix("..."), "kind": kind(text.rstrip("?")).to_data(), "optional": text.endswith("?"),
            "rest": name.startswith("..."),
        })  # fmt: skip
    doc = f"*\n * Documented.\n * {tags}\n * @returns {{{result}}}\n "
    return {"name": "f", "params": described, "result": kind(result).to_data(), "isAsync": False, "doc": doc} | more


# The glue's comments, the declaration written by hand, and the signature.
BY_HAND = {
    "other names": (
        ("a: string", "b: any?"),
        "export function f(input: string, opts: Options): void;",
        "(input, opts)",
    ),
    "an optional one": (("a: string", "b: any?"), "export function f(a: string, b?: FileMap): void;", "(a, b=None)"),
    "a required one": (("a: string?",), "export function f(a: string | undefined): void;", "(a)"),
    "fewer": (("a: string", "b: any?"), "export function f(input: string): void;", "(input)"),
    "more": (("a: string",), "export function f(a: string, b?: number): void;", "(a, b=None)"),
    "a rest": (("opts: any?",), "export function f(...args: [string, number]): void;", "(*args)"),
    "no rest": (("...args: any",), "export function f(args: string[]): void;", "(args)"),
    "a constant": (("a: any?", "b: any?"), "declare const f: (x: string, y?: number) => void;", "(x, y=None)"),
    "an alias": (("a: any?",), "type Call = (x?: string) => void; export const f: Call;", "(x=None)"),
    "calls of a constant": (("a: any?",), "export const f: { (x: string): void };", "(x)"),
    "a generic": (("a: any?",), "export function f<T extends object>(target?: T): void;", "(target=None)"),
    "the same": (("a: string", "b: any?"), "export function f(a: string, b?: any): void;", "(a, b=None)"),
    "anything": (("a: any?",), "export function f(input: any): void;", "(input=None)"),
    "nothing": (("a: string", "b: any?"), "", "(a, b=None)"),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_signatures_are_those_of_hand_written_declarations(name: str):
    """The declaration decides names, order, optional and rest parameters, whatever the comments say."""
    params, source, expected = BY_HAND[name]
    described = {"functions": [commented(*params, tags="@param {string} a")]}
    (found,) = declared(described, source).description.functions
    assert f"({', '.join(parameter_text(param.argument) for param in found.params)})" == expected


def test_lanes_learn_of_other_parameters():
    """If there are more parameters, or they are gathered differently, the runtime gets the whole list."""
    described = {"functions": [commented("opts: any?", tags="@param {any} opts")]}
    changes = declared(described, "export function f(...args: string[]): void;").changes
    assert changes == {
        "functions": {"0": {"params": [{"name": "args", "kind": {"name": "string"}, "optional": False, "rest": True}]}}
    }


def test_what_agrees_with_the_comments_is_not_read(monkeypatch: pytest.MonkeyPatch):
    """Of hundreds of functions, a look at the text is enough until somebody asks for an annotation."""
    described = {
        "functions": [commented("a: string", "b: any?", tags="@param {string} a")],
        "classes": [struct("A", methods=[commented("a: string", tags="@param {string} a")])],
    }
    source = "export function f(a: string, b?: any): void;\nexport class A { constructor(); f(a: string): void; }"
    monkeypatch.setattr(reader, "Parser", None)
    (found,) = declared(described, source).description.functions
    monkeypatch.undo()
    assert found.annotations() == {"a": "str", "b": "Any", "return": "None"}


METHODS = {
    "other names": ("f(input: string): void;", "(input)"),
    "another method's comment": ("/** See f(x: string). */ g(): void; f(input: string): void;", "(input)"),
    "merged": ("f(a: string): void; }\nexport interface A { f(input: string): void;", None),
    "in an interface": ("}\nexport interface A { f(input: string, more?: number): void;", "(input, more=None)"),
    "as a property": ("}\nexport interface A { f: (input: string) => void;", "(input)"),
    "inherited": ("}\nexport class Base { f(input: string): void;", "(input)"),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_as_declared(name: str):
    """The declaration is in a class, in an interface that is merged with it, or in its base."""
    members, expected = METHODS[name]
    described = {"classes": [struct("A", methods=[commented("a: string", tags="@param {string} a")])]}
    (found,) = declared(described, f"export class A extends Base {{ {members} }}").description.classes
    (method,) = found.methods
    texts = f"({', '.join(parameter_text(param.argument) for param in method.params)})"
    assert texts == (expected or "(a)")
    if expected is None:
        assert [[argument.name for argument in way] for way in method.overloads] == [["a"], ["input"]]


def test_a_promise_that_only_the_declaration_tells():
    """The function is async then, also for its lane."""
    described = {"functions": [commented("a: string", tags="@param {string} a", result="any")]}
    found = declared(described, "export function f(a: string): Promise<Map<string, string>>;")
    assert found.description.functions[0].is_async
    assert found.changes["functions"]["0"]["isAsync"]


OVERLOADS = """
export function f(pos: number, text: string): void;
export function f(index: number, content?: string, ...more: number[]): string;
/** Empties it. */
export function f(): void;
"""


def test_overloads_are_shown_and_taken():
    """The docstring lists them, the signature accepts all of them, and keywords of each reach their places."""
    described = {"functions": [commented("a: i32", "b: string", tags="@param {number} a")]}
    driver = FakeDriver(described, {"f": lambda *args: args})
    _, bank = load(driver, read(OVERLOADS))
    f = bank.f
    assert f.__doc__ == (
        "f(pos: int, text: str) -> None\n"
        "f(index: int, content: str | None = None, *more: float) -> str\n"
        "f() -> None\n\nEmpties it."
    )
    assert str(inspect.signature(f)) == "(pos: int | None = None, text: str | None = None, *more: float) -> str | None"
    assert f() == (None, None)
    assert f(1, "x", 2.5) == (1, "x", 2.5)
    assert f(1, text="x") == f(text="x", pos=1) == f(1, content="x") == f(content="x", index=1) == (1, "x")
    assert f(index=1) == (1, None)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'nope'"):
        f(1, nope="x")
    with pytest.raises(TypeError, match="unexpected keyword argument 'index'"):
        f(index=1, text="x")


def test_comments_tell_annotations_where_nothing_is_declared():
    """The types of JSDoc are TypeScript's types."""
    (greet,) = declared(TYPED, None).description.functions
    assert greet.annotations() == {"a": "str", "b": "int | None", "c": "Any", "return": "str"}


NAMES = {
    "functions": [function(name) for name in ("toJSON", "to_json", "import", "HTMLPage", "color", "Color2")],
    "classes": [struct("Thing", methods=[function("asPng"), function("free2")], getters=[function("isOpen")])],
    "constants": ["to_u8"],
}


def test_names_of_pep_8_stand_beside_the_exported_ones():
    """If another export has that name, the name is that export's. Keywords get an underscore."""
    names = {each.name: each.python for each in declared(NAMES, None).description.functions}
    assert names == {
        "toJSON": "toJSON", "to_json": "to_json", "import": "import_", "HTMLPage": "html_page", "color": "color",
        "Color2": "color2",
    }  # fmt: skip


PARAMETERS = "export function f(self: string, fromX: string, from_x: string, _in: string, type: string): void;"


def test_parameters_have_names_of_their_own():
    """Names that would collide stay different, `self` is the method's, and JavaScript keywords lose the underscore."""
    described = {"functions": [function("f", *["unknown"] * 5)]}
    (found,) = declared(described, PARAMETERS).description.functions
    assert [param.python for param in found.params] == ["self_", "from_x", "from_x_", "in_", "type"]


REST = """
export function a(...xs: Float64Array | number[]): void;
export function b(...xs: string[]): void;
export function c(...xs: Account[]): void;
export function d(...xs: any[]): void;
export function e(...xs: Uint8Array | number[]): void;
export function f(...xs: BigInt64Array): void;
"""


def test_rest_parameters_take_items():
    """Each argument is converted like an item of the declared list."""
    described = {"functions": [function(name, "...any") for name in "abcdef"], "classes": [struct("Account")]}
    found = declared(described, REST).description.functions
    kinds = [shorthand(each.params[0].kind) for each in found]
    assert kinds == ["float", "string", "object:Account", "any", "u8", "any"]
    assert [each.annotations()["xs"] for each in found] == ["float", "str", "Account", "Any", "int", "int"]


def test_objects_of_a_rest_parameter_are_items_of_a_list():
    """They go as the glue's own objects, not as their numbers, and any other value is refused."""
    source = "export function f(...xs: Account[]): void;"
    described = {"functions": [function("f", "...any")], "classes": [struct("Account")]}
    driver = FakeDriver(described, {"f": lambda *args: args})
    _, bank = load(driver, read(source))
    assert bank.f(bank.Account(), bank.Account()) == (("lent", 1), ("lent", 2))
    with pytest.raises(TypeError, match=r"must be bank.Account, not str"):
        bank.f("ada")


@pytest.fixture
def bank() -> Any:
    driver = FakeDriver(LOST, {"sized": lambda size, first: size if first else "small"})
    driver.constants = {"Color": {"Red": 0, "Green": 1, "0": "Red", "1": "Green"}}
    return load(driver, read(TYPES))[1]


def test_the_module_has_both_names_and_shows_one(bank: Any):
    """`dir` and `from … import *` have the Python name, and the exported name works too."""
    assert bank.splitInTwo is bank.split_in_two
    assert bank.split_in_two.__name__ == bank.split_in_two.__qualname__ == "split_in_two"
    shown = [
        "Account",
        "Color",
        "Size",
        "call",
        "exact",
        "is_open",
        "join",
        "later",
        "sized",
        "split_in_two",
        "undeclared",
    ]
    assert [name for name in dir(bank) if not name.startswith("__")] == bank.__all__ == shown


def test_signatures_have_types(bank: Any):
    """They have the declared types as objects, and their names find the declared types."""
    assert str(inspect.signature(bank.split_in_two)) == "(the_text: str, split_at: int | None = None) -> list[str]"
    assert typing.get_type_hints(bank.later) == {"color": bank.Color, "return": bank.Account | None}
    assert typing.get_type_hints(bank.call)["options"] is bank.Options
    assert bank.Options.__annotations__.keys() == {"loud"}
    assert bank.Options.__module__ == "bank"
    assert "Options" not in vars(bank)
    assert "Options" not in dir(bank)
    with pytest.raises(AttributeError, match=r"^module 'bank' has no attribute 'Optionen'$"):
        _ = bank.Optionen


def test_an_optional_parameter_before_a_required_one_has_no_default():
    """JavaScript's order stays, and None is accepted."""
    described = {"functions": [function("late", "i32?", "i32")]}
    driver = FakeDriver(described, {"late": lambda *args: args})
    _, bank = load(driver)
    late = bank.late
    assert str(inspect.signature(late)) == "(a: int | None, b: int) -> None"
    assert late(None, b=2) == (None, 2)


def test_enums_of_strings(bank: Any):
    """Members have the names of their values. Strings are accepted, and the refusal of others lists all values."""
    assert issubclass(bank.Size, enum.StrEnum)
    assert {member.name: member.value for member in bank.Size} == {"Small": "small", "ExtraLarge": "extra-large"}
    assert (bank.Size.__module__, bank.Size.__qualname__) == ("bank", "Size")
    assert bank.sized("extra-large", 2) is bank.Size.ExtraLarge
    assert bank.sized(bank.Size.ExtraLarge, None) is bank.Size.Small
    text = r"^sized\(\) argument 'size': 'big' is not a valid Size: it has 'small', 'extra-large'$"
    with pytest.raises(ValueError, match=text):
        bank.sized("big", 2)


def test_class_members_have_both_names(bank: Any):
    """Methods, properties and static methods have both, as Python's `staticmethod` and `property`."""
    account = bank.Account
    members = vars(account)
    assert members["payOut"] is members["pay_out"]
    assert isinstance(members["pay_out"], types.FunctionType)
    assert isinstance(members["made_by"], staticmethod)
    assert isinstance(members["is_open"], property)
    assert [name for name in dir(account) if not name.startswith("_")] == ["free", "is_open", "made_by", "pay_out"]
    assert (account.pay_out.__qualname__, account.pay_out.__doc__) == ("Account.pay_out", "Pays.")
    assert str(inspect.signature(account.pay_out)) == "(self, amount: int) -> str | None"
    assert members["is_open"].__doc__ == "Is it open?"
    assert typing.get_type_hints(members["is_open"].fget) == {"return": bool}
    assert [*inspect.signature(account).parameters] == ["owner", "balance"]
    assert account.__doc__ == "Somebody's money."


def test_an_annotation_that_cannot_be_evaluated_stays_a_text():
    """A damaged type raises nothing."""
    described = {"functions": [function("f", "unknown", result="unknown")]}
    found = declare(Description.parse(FakeDriver(described).describe()), None)
    assert Scope("bank", found.types_source).evaluate({"a": "int |", "b": "Nothing", "c": "list[str]"}) == {
        "a": "int |", "b": "Nothing", "c": list[str],
    }  # fmt: skip
