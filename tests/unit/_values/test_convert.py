"""Values on their way into Rust and out of it: what is taken unchanged, and the words for what is not."""

from __future__ import annotations

import array
import asyncio
import ctypes
import dataclasses
import enum
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from unpanic import RustError, StaleObjectError
from unpanic._exports.description import Parameter
from unpanic._exports.module import Module
from unpanic._values.callbacks import RustClosure
from unpanic._values.convert import draft_any, from_rust, receiver, rust_error
from unpanic._values.convert import sender as make_sender
from unpanic._values.drafts import Arguments, Draft
from unpanic._values.streams import RustIterator

from tests.unit.fakes import FakeDriver, Foreign, crash, make_module, struct

TYPES = Path(__file__).parents[3] / "js" / "src" / "types.d.ts"


class Color(enum.IntEnum):
    """Stands for an exported enum."""

    RED = 0
    BLUE = 2


class Index:
    """An integer of another library."""

    def __index__(self) -> int:
        return 7


class Weight:
    """A number of another library."""

    def __float__(self) -> float:
        return 0.5


class Pair(ctypes.Structure):
    """What a buffer may hold besides numbers."""

    _fields_ = (("a", ctypes.c_int), ("b", ctypes.c_int))


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver({"functions": [], "classes": [struct("Account"), struct("Other")]})


@pytest.fixture
def module(driver: FakeDriver) -> Module:
    made = make_module(driver)[0]
    made.enums["Color"] = Color
    return made


def same(value: Any) -> Any:
    """What it is given."""
    return value


def sender(kind: str, module: Module, **more: Any) -> Callable[[Any], Any]:
    """The converter of a parameter; what it makes is not a draft any more, as it is when its call begins."""
    convert = make_sender(Parameter("a", kind, optional=False, rest=False, **more), module)

    def send(value: Any) -> Any:
        found = convert(value)
        if isinstance(found, Draft):
            return Arguments(module, "f", [found]).run(same, same)
        return found

    return send


FOREIGN = Foreign("Uint8Array", bytes=b"\1\2", BYTES_PER_ELEMENT=1)
BYTES = array.array("B", b"\1\2")
TAKEN: list[tuple[str, Any, Any]] = [
    *[("i32", value, value) for value in (0, -(2**31), 2**32 - 1)],
    ("i32", True, 1),
    ("i32", Index(), 7),
    *[(kind, 2.0, 2) for kind in ("i32", "u8", "s32", "int64", "u64", "i128", "int128", "bigint")],
    *[("s32", value, value) for value in (-(2**31), 2**31 - 1)],
    *[("u32", value, value) for value in (0, 2**32 - 1)],
    *[("i64", value, value) for value in (-(2**63), 2**63 - 1)],
    *[("u64", value, value) for value in (0, 2**64 - 1)],
    *[("int64", value, value) for value in (-(2**63), 2**64 - 1)],
    ("bigint", -(2**100), -(2**100)),
    *[("float", value, float(value)) for value in (1, 2.5, True, float("inf"), Fraction(1, 4), Decimal("1.5"))],
    ("float", Weight(), 0.5),
    *[("number", value, value) for value in (1, 2.5, 2**53, -(2**53), float("-inf"))],
    *[(kind, value, value) for kind in ("bool", "boolean") for value in (True, False)],
    *[("string", value, value) for value in ("", "text", "héé 🦀", "\0")],
    *[("char", value, value) for value in ("a", "é", "🦀")],
    *[("bytes", value, ("js", BYTES)) for value in (b"\1\2", bytearray(b"\1\2"), memoryview(b"\1\2"))],
    ("bytes", FOREIGN, FOREIGN),
    ("bytes", [1, 2], ("js", BYTES)),
    ("bytes", Foreign("Array", items=[1, 2]), ("js", BYTES)),
    ("bytes", Foreign("ArrayBuffer", bytes=b"\1\2"), ("js", BYTES)),
    ("array:i16", [1, -2], ("js", array.array("h", [1, -2]))),
    ("array:i16", bytes([1, 2]), ("js", array.array("h", [1, 2]))),
    ("array:u64", (2**64 - 1,), ("js", array.array("Q", [2**64 - 1]))),
    ("array:f64", [1, 2.5], ("js", array.array("d", [1, 2.5]))),
    ("array:f64", array.array("f", [0.5]), ("js", array.array("d", [0.5]))),
    ("array:string", ["a", "é"], ("js", ["a", "é"])),
    *[("any", value, value) for value in (None, True, 3, 2.5, "text", FOREIGN)],
    ("any", Color.BLUE, 2),
    *[("any", value, ("js", BYTES)) for value in (b"\1\2", bytearray(b"\1\2"), memoryview(b"\1\2"))],
    ("any", [1, "x"], ("js", [1, "x"])),
    ("any", {"x": 1}, ("js", {"x": 1})),
    ("unknown", 3, 3),
    *[("word", value, value) for value in (None, True, 3, 2**32 - 1)],
    ("word", Color.BLUE, 2),
    *[("enum:Color", value, 2) for value in (Color.BLUE, 2)],
    ("enum:Unknown", 9, 9),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "sent"), TAKEN, ids=lambda value: str(value)[:20])
def test_what_fits_is_sent_unchanged(module: Module, kind: str, value: object, sent: object):
    """A value that Rust can hold arrives as it is, in the type that the kind asks for."""
    got = sender(kind, module)(value)
    assert got == sent
    assert type(got) is type(sent)


def short(value: object) -> str:
    """The beginning of a parameter; Python writes no integer of 5,000 digits."""
    return ascii(type(value) if isinstance(value, int | list) else value)[:20]


LONE = "'utf-8' codec can't encode character '\\ud800' in position 0: surrogates not allowed"
REFUSED: list[tuple[str, Any, type[Exception], str]] = [
    ("i32", 2**32, OverflowError, "4294967296 does not fit a 32-bit integer (-2147483648 to 4294967295)"),
    ("i32", -(2**31) - 1, OverflowError, "-2147483649 does not fit a 32-bit integer (-2147483648 to 4294967295)"),
    *[
        (kind, value, TypeError, "'float' object cannot be interpreted as an integer")
        for kind in ("i32", "u8", "s32", "int64", "u64", "i128", "int128", "bigint", "word")
        for value in (1.5, float("inf"), float("nan"))
    ],
    ("word", 2**32, OverflowError, "4294967296 does not fit a 32-bit integer (-2147483648 to 4294967295)"),
    ("word", "1", TypeError, "'str' object cannot be interpreted as an integer"),
    ("u8", 256.0, OverflowError, "256 does not fit a u8 (0 to 255)"),
    (
        "i32",
        10**5000,
        OverflowError,
        "an integer of 16,610 bits does not fit a 32-bit integer (-2147483648 to 4294967295)",
    ),
    ("i64", -(10**5000), OverflowError, f"an integer of 16,610 bits does not fit an i64 ({-(2**63)} to {2**63 - 1})"),
    (
        "number",
        10**5000,
        OverflowError,
        "an integer of 16,610 bits is beyond the integers that a JavaScript number holds exactly",
    ),
    ("bytes", [10**5000], OverflowError, "element 0: an integer of 16,610 bits does not fit a u8 (0 to 255)"),
    ("i32", "1", TypeError, "'str' object cannot be interpreted as an integer"),
    ("i32", None, TypeError, "'NoneType' object cannot be interpreted as an integer"),
    ("s32", 2**31, OverflowError, "2147483648 does not fit an i32 (-2147483648 to 2147483647)"),
    ("u32", -1, OverflowError, "-1 does not fit a u32 (0 to 4294967295)"),
    ("i64", 2**63, OverflowError, f"{2**63} does not fit an i64 ({-(2**63)} to {2**63 - 1})"),
    ("u64", -1, OverflowError, f"-1 does not fit a u64 (0 to {2**64 - 1})"),
    ("int64", 2**64, OverflowError, f"{2**64} does not fit a 64-bit integer ({-(2**63)} to {2**64 - 1})"),
    ("float", "1.5", TypeError, "must be a real number, not str"),
    ("float", b"1", TypeError, "must be a real number, not bytes"),
    ("float", None, TypeError, "float() argument must be a string or a real number, not 'NoneType'"),
    ("float", 10**400, OverflowError, "int too large to convert to float"),
    ("number", 2**53 + 1, OverflowError, f"{2**53 + 1} is beyond the integers that a JavaScript number holds exactly"),
    ("number", "1", TypeError, "'str' object cannot be interpreted as an integer"),
    ("bool", 1, TypeError, "must be bool, not int"),
    ("bool", None, TypeError, "must be bool, not NoneType"),
    ("string", b"text", TypeError, "must be str, not bytes"),
    ("string", None, TypeError, "must be str, not NoneType"),
    ("string", "\ud800", UnicodeEncodeError, LONE),
    ("char", "ab", TypeError, "must be a single character, not a string of length 2"),
    ("char", "", TypeError, "must be a single character, not a string of length 0"),
    ("char", 97, TypeError, "must be str, not int"),
    ("bytes", "text", TypeError, "must be a sequence of numbers, not str"),
    ("bytes", 3, TypeError, "must be a sequence of numbers, not int"),
    ("bytes", [256], OverflowError, "element 0: 256 does not fit a u8 (0 to 255)"),
    ("bytes", [1.5], TypeError, "'float' object cannot be interpreted as an integer"),
    ("array:i8", bytes([0, 200]), OverflowError, "element 1: 200 does not fit an i8 (-128 to 127)"),
    ("array:f64", (Pair * 1)(), TypeError, "must be a buffer of numbers, not of the format 'T{<i:a:<i:b:}'"),
    ("array:f64", ["1"], TypeError, "must be real number, not str"),
    ("array:string", "text", TypeError, "must be a sequence of str, not str"),
    ("array:string", memoryview(bytes(4)).cast("B", (2, 2)), TypeError, "must be a sequence of str, not memoryview"),
    ("array:string", [1], TypeError, "must be str, not int"),
    ("function", 3, TypeError, "must be callable, not int"),
    ("object:Account", 3, TypeError, "must be bank.Account, not int"),
    ("object:Account", None, TypeError, "must be bank.Account, not NoneType"),
    ("enum:Color", 1, ValueError, "1 is not a valid Color"),
    ("any", object(), TypeError, "cannot pass 'object' to Rust"),
    ("any", range(3), TypeError, "cannot pass 'range' to Rust"),
]


@pytest.mark.parametrize(("kind", "value", "error", "text"), REFUSED, ids=short)
def test_what_does_not_fit_is_refused(module: Module, kind: str, value: object, error: type[Exception], text: str):
    """Nothing is wrapped around, cut off or stringified: the error says what is wrong."""
    with pytest.raises(error) as caught:
        sender(kind, module)(value)
    assert str(caught.value) == text


def test_an_object_is_sent_by_its_number(module: Module):
    """Only an object of the right class goes, and not after it was freed."""
    send = make_sender(Parameter("a", "object:Account", optional=False, rest=False), module)
    account = module.classes["Account"]()
    other = module.classes["Other"]()
    assert send(account) is account
    with pytest.raises(TypeError, match=r"^must be bank\.Account, not Other$"):
        send(other)
    assert sender("any", module)(account) == ("lent", account._rust_id)
    assert sender("any", module)([account, 1]) == ("parcel", [account._rust_id, 1], [0])
    assert sender("array:object:Account", module)((account,)) == ("parcel", [account._rust_id], [0])
    assert module.send_any({"a": account}) == ("js", {"a": ("object", account._rust_id)})
    account.free()
    with pytest.raises(StaleObjectError, match=r"^This bank\.Account was freed; it cannot be used in bank\.f\.$"):
        sender("any", module)(account)


@pytest.mark.parametrize("kind", ["function", "any"])
def test_a_callable_is_sent_as_a_function(module: Module, kind: str):
    """It gets and gives converted values, and what it raises is kept for the way back."""
    calls: list[object] = []

    def callback(*args: object) -> object:
        calls.append(args)
        return {"x": 1}

    marker, number = sender(kind, module)(callback)
    assert marker == "callback"
    called = module.callbacks.called
    assert called(number, 1, Foreign("Array", items=[2])) == ("js", {"x": 1})
    assert calls == [(1, [2])]
    mine = KeyError("mine")

    def fail() -> None:
        raise mine

    assert called(sender(kind, module)(fail)[1]) == ("raised", "KeyError: 'mine'", mine)
    _, _, refused = called(sender(kind, module)(lambda: {(1, 2): 3})[1])
    assert refused.__notes__ == ["in what a callback returned to bank"]


RECEIVED: list[tuple[str, Any, Any]] = [
    ("float", 2, 2.0),
    ("float", None, None),
    ("string", "text", "text"),
    ("string", None, None),
    ("bigint", 2**70, 2**70),
    ("bytes", Foreign("Uint8Array", bytes=b"\1\2"), b"\1\2"),
    ("any", Foreign("Array", items=[1, "x"]), [1, "x"]),
    ("any", None, None),
    ("enum:Color", 2, Color.BLUE),
    ("enum:Color", None, None),
    ("enum:Unknown", 9, 9),
    ("object:Account", None, None),
]


@pytest.mark.parametrize(("kind", "value", "received"), RECEIVED, ids=lambda value: str(value)[:20])
def test_results_arrive_as_python_values(module: Module, kind: str, value: object, received: object):
    """A float stays a float although JavaScript hands over an integer; an absent value is None."""
    receive = receiver(kind, module)
    assert receive is not None
    got = receive(value)
    assert got == received
    assert type(got) is type(received)


@pytest.mark.parametrize("kind", ["void", "i32", "bool", "boolean"])
def test_plain_results_need_no_converter(module: Module, kind: str):
    """What Pyodide converts by itself costs nothing more."""
    assert receiver(kind, module) is None


def test_what_belongs_to_the_module_is_adopted(module: Module, driver: FakeDriver):
    """Objects and closures get their Python side, also inside a container; anything else is data."""
    account, closure = Foreign("Account"), Foreign("closure")
    driver.adoptions = {account: ("Account", 5), closure: ("closure", 6)}
    receive: Callable[[Any], Any] = receiver("any", module)  # type: ignore[assignment]
    found = receive(account)
    assert type(found) is module.classes["Account"]
    assert (found._rust_id, found._rust_generation) == (5, 0)
    assert isinstance(receive(closure), RustClosure)
    inner = from_rust(Foreign("Array", items=[account, 3]), module)
    assert type(inner[0]) is module.classes["Account"]
    assert inner[1:] == [3]
    direct = receiver("object:Account", module)
    assert direct is not None
    assert direct(9)._rust_id == 9


@pytest.mark.parametrize(
    ("value", "text", "message", "received"),
    [
        (None, "undefined", "None", None),
        ("a string", "a string", "a string", "a string"),
        (42, "42", "42", 42),
        (Foreign("Array", items=[1]), "[object Object]", "[1]", [1]),
    ],
)
def test_an_err_keeps_its_value(module: Module, value: object, text: str, message: str, received: object):
    """The text of an `Error`, any other value as a Python value."""
    error = rust_error(module, value, None, text, None)
    assert type(error) is RustError
    assert (str(error), error.value) == (message, received)


def test_an_err_keeps_what_an_error_tells(module: Module):
    """Its name, its own properties, and its cause as the cause; errors that hold each other end somewhere."""
    error = rust_error(module, "x", None, "x", ["ParseError", ["line"], [3], [42]])
    assert isinstance(error, RustError)
    assert (error.value, error.name, error.properties) == ("x", "ParseError", {"line": 3})
    assert (type(error.__cause__), error.__cause__.value) == (RustError, 42)  # type: ignore[union-attr]
    plain = rust_error(module, "x", None, "x", "TypeError")
    assert isinstance(plain, RustError)
    assert (plain.name, plain.properties, plain.__cause__) == ("TypeError", {}, None)
    mine = KeyError("mine")
    assert rust_error(module, None, mine, "KeyError", None) is mine
    circle = Foreign("Error")
    module.driver.adoptions[circle] = ("error", "x", None, "x", ["Error", [], [], [circle]])  # type: ignore[attr-defined]
    assert str(from_rust(circle, module)) == "x"


def test_every_kind_that_the_runtime_tells_has_a_converter(module: Module):
    """Each kind that js/src/types.d.ts names can be a parameter and a result, so no module fails to load for one."""
    declared = TYPES.read_text().split("is:", 1)[1].split("*/", 1)[0]
    kinds = re.findall(r"\b[a-z]\w*(?::\w+)*", re.sub(r"\(.*?\)|\bto\b", "", declared))
    assert {"i32", "bigint", "array:f64", "object:Class", "enum:Name"} <= set(kinds)
    for kind in kinds:
        if kind != "void":
            sender(kind, module)
        receiver(kind, module)


def nested(levels: int, make: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = make(value)
    return value


@pytest.mark.parametrize("make", [lambda v: [v], lambda v: (v,), lambda v: {"a": v}, lambda v: [0, v, "x"]])
def test_what_is_nested_too_deeply_is_refused(module: Module, make: Any):
    """A thousand levels pass, one more does not: who reads them by recursion would end in an overflow."""
    draft_any(nested(1_000, make), module)
    with pytest.raises(ValueError, match=r"^nested more than 1,000 levels deep$"):
        draft_any(nested(1_001, make), module)


def test_a_dataclass_with_a_field_that_nobody_set_is_refused(module: Module):
    """It has no value that Rust could get."""

    @dataclasses.dataclass
    class Record:
        later: int = dataclasses.field(init=False)

    with pytest.raises(TypeError, match=r"^cannot pass 'Record' to Rust: 'Record' object has no attribute 'later'$"):
        draft_any(Record(), module)


def test_what_holds_itself_does_so_in_javascript(module: Module):
    """Cycles end, what is there twice is there once, and what is deep is found although it begins near the top too."""
    cycle: list[Any] = []
    cycle.append(cycle)
    shared: dict[str, int] = {}
    _, made = module.send_any(cycle)
    assert made[0] is made
    _, made = module.send_any({"a": shared, "b": [shared]})
    assert made["b"][0] is made["a"]
    deep = nested(1_001, lambda value: [value])
    with pytest.raises(ValueError, match=r"^nested"):
        module.send_any([deep])


@pytest.mark.parametrize("text", ["a" * 100, "é" * 100, "\N{CRAB}" * 50], ids=short)
def test_a_text_that_is_too_long_is_refused(module: Module, monkeypatch: pytest.MonkeyPatch, text: str):
    """One that is longer than the engine's longest would arrive as an empty one; what is counted is UTF-16."""
    for module_of_it in ("_values.numbers", "_values.containers"):
        monkeypatch.setattr(f"unpanic.{module_of_it}.SURELY_FITS", 10)
    ways: list[Callable[[Any], Any]] = [
        lambda value: sender("string", module)(value), lambda value: sender("any", module)(value),
        lambda value: sender("any", module)([{"a": value}]), lambda value: sender("any", module)([value, "x"]),
        lambda value: sender("any", module)({value: 1}), lambda value: sender("array:string", module)([value]),
        module.send_any,
    ]  # fmt: skip
    for limit in (100, 99):
        monkeypatch.setattr(module.browser, "longest_text", lambda limit=limit: limit)
        for send in ways:
            if limit == 100:
                send(text)
                continue
            with pytest.raises(
                ValueError, match=r"^text of 100 UTF-16 units: this browser's longest has 99; pass it in parts$"
            ):
                send(text)


def test_an_awaitable_that_nobody_will_hear_of():
    """When its generation dies, a coroutine is cancelled; a future of the user's goes on, and is let go of."""

    async def main() -> list[Any]:
        future, module = asyncio.get_running_loop().create_future(), make_module(FakeDriver({}))[0]
        ended: list[str] = []

        async def ours() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("ours")

        module.send_any(future)
        module.send_any(ours())
        await asyncio.sleep(0)
        module.callbacks.clear()
        await asyncio.sleep(0)
        held = future._callbacks
        future.set_result(5)
        await asyncio.sleep(0)
        return [ended, held or [], await future]

    assert asyncio.run(main()) == [["ours"], [], 5]


def test_what_a_dead_generation_held_is_let_go(module: Module, driver: FakeDriver):
    """A callable can be called no more; closing an iterator that is gone tells nobody, and raises nothing."""
    _, number = module.send_any(print)
    iterators = [RustIterator(module, 3), RustIterator(module, 4)]
    iterators[0].close()
    crash(module.supervisor, clear=False)
    iterators[1].close()
    text = "This Python callback of bank was given to a generation that is gone."
    assert module.callbacks.called(number) == ("raised", text, None)
    assert driver.ended == [(103, "return")]


def test_a_closure_of_another_module_is_that_modules(module: Module):
    """Its number means something else here."""
    other = make_module(FakeDriver({}))[0]
    other.driver.handed = lambda id_: ("of the other", id_)  # type: ignore[method-assign]
    assert module.send_any(RustClosure(other, 7)) == ("of the other", 7)
    assert module.send_any(RustClosure(module, 7)) == ("handed", 7)
