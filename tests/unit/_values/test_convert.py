"""Senders and receivers: which values cross unchanged, and which errors the others raise."""

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
from typing import Any

import pytest
from unpanic import RustError, StaleObjectError
from unpanic._bridge.context import Context
from unpanic._bridge.kinds import Kind
from unpanic._bridge.parameters import GlueParameter
from unpanic._values.callbacks import RustClosure
from unpanic._values.drafts import Arguments, Draft
from unpanic._values.receivers import from_rust, make_receiver, rust_error
from unpanic._values.senders import draft_any, make_sender
from unpanic._values.streams import RustIterator

from tests.unit._bridge.test_kinds import EVERY_KIND
from tests.unit.fakes import FakeDriver, Foreign, crash, kind, make_module, shorthand, struct


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
    """Stands for the elements of a buffer that are no numbers."""

    _fields_ = (("a", ctypes.c_int), ("b", ctypes.c_int))


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver({"functions": [], "classes": [struct("Account"), struct("Other")]})


@pytest.fixture
def context(driver: FakeDriver) -> Context:
    made = make_module(driver)[0]
    made.enums["Color"] = Color
    return made


def same(value: Any) -> Any:
    """Returns its argument."""
    return value


def undeclared() -> None:
    """The shape of a parameter of unknown type."""


def sender(shorthand: str, context: Context, **more: Any) -> Callable[[Any], Any]:
    """Returns the sender of a parameter, which lowers its drafts at once, as if the call began."""
    convert = make_sender(GlueParameter("a", kind(shorthand), optional=False, rest=False, **more), context, undeclared)

    def send(value: Any) -> Any:
        converted = convert(value)
        if isinstance(converted, Draft):
            return Arguments(context, "f", [converted]).run(same, same)
        return converted

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
    *[("f32", value, float(value)) for value in (1, 2.5, True, float("-inf"), Decimal("1.5"), 3.4028235e38)],
    *[("number", value, value) for value in (1, 2.5, 2**53, -(2**53), float("-inf"))],
    *[("bool", value, value) for value in (True, False)],
    *[("string", value, value) for value in ("", "text", "héé 🦀", "\0")],
    *[("char", value, value) for value in ("a", "é", "🦀")],
    *[("array:u8", value, ("js", BYTES)) for value in (b"\1\2", bytearray(b"\1\2"), memoryview(b"\1\2"))],
    ("array:u8", FOREIGN, FOREIGN),
    ("array:u8", [1, 2], ("js", BYTES)),
    ("array:u8", Foreign("Array", items=[1, 2]), ("js", BYTES)),
    ("array:u8", Foreign("ArrayBuffer", bytes=b"\1\2"), ("js", BYTES)),
    ("array:i16", [1, -2], ("js", array.array("h", [1, -2]))),
    ("array:i16", bytes([1, 2]), ("js", array.array("h", [1, 2]))),
    ("array:u64", (2**64 - 1,), ("js", array.array("Q", [2**64 - 1]))),
    ("array:f64", [1, 2.5], ("js", array.array("d", [1, 2.5]))),
    ("array:f64", array.array("f", [0.5]), ("js", array.array("d", [0.5]))),
    ("list:string", ["a", "é"], ("js", ["a", "é"])),
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
def test_what_fits_is_sent_unchanged(context: Context, kind: str, value: object, sent: object):
    """A value that Rust can hold arrives unchanged, in the type that the kind asks for."""
    got = sender(kind, context)(value)
    assert got == sent
    assert type(got) is type(sent)


def short(value: object) -> str:
    """Returns the beginning of a test's parameter, because Python refuses to print an integer of 5,000 digits."""
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
    ("array:u8", [10**5000], OverflowError, "element 0: an integer of 16,610 bits does not fit a u8 (0 to 255)"),
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
    ("f32", 1e39, OverflowError, "1e+39 does not fit an f32 (up to 3.4028235e+38)"),
    ("f32", -3.4028236e38, OverflowError, "-3.4028236e+38 does not fit an f32 (up to 3.4028235e+38)"),
    ("f32", "1", TypeError, "must be a real number, not str"),
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
    ("array:u8", "text", TypeError, "must be a sequence of numbers, not str"),
    ("array:u8", 3, TypeError, "must be a sequence of numbers, not int"),
    ("array:u8", [256], OverflowError, "element 0: 256 does not fit a u8 (0 to 255)"),
    ("array:u8", [1.5], TypeError, "'float' object cannot be interpreted as an integer"),
    ("array:i8", bytes([0, 200]), OverflowError, "element 1: 200 does not fit an i8 (-128 to 127)"),
    ("array:f64", (Pair * 1)(), TypeError, "must be a buffer of numbers, not of the format 'T{<i:a:<i:b:}'"),
    ("array:f64", ["1"], TypeError, "must be real number, not str"),
    ("list:string", "text", TypeError, "must be a sequence of str, not str"),
    ("list:string", memoryview(bytes(4)).cast("B", (2, 2)), TypeError, "must be a sequence of str, not memoryview"),
    ("list:string", [1], TypeError, "must be str, not int"),
    ("function", 3, TypeError, "must be callable, not int"),
    ("object:Account", 3, TypeError, "must be bank.Account, not int"),
    ("object:Account", None, TypeError, "must be bank.Account, not NoneType"),
    ("enum:Color", 1, ValueError, "1 is not a valid Color"),
    ("any", object(), TypeError, "cannot pass 'object' to Rust"),
    ("any", range(3), TypeError, "cannot pass 'range' to Rust"),
]


@pytest.mark.parametrize(("kind", "value", "error", "text"), REFUSED, ids=short)
def test_what_does_not_fit_is_refused(context: Context, kind: str, value: object, error: type[Exception], text: str):
    """Nothing is wrapped around, cut off or stringified: the error says what is wrong."""
    with pytest.raises(error) as caught:
        sender(kind, context)(value)
    assert str(caught.value) == text


def test_an_object_is_sent_by_its_number(context: Context):
    """Objects of other classes are refused, and so is an object that was freed."""
    send = make_sender(GlueParameter("a", kind("object:Account"), optional=False, rest=False), context, undeclared)
    account = context.classes["Account"]()
    other = context.classes["Other"]()
    assert send(account) is account.__rust_handle__
    with pytest.raises(TypeError, match=r"^must be bank\.Account, not Other$"):
        send(other)
    assert sender("any", context)(account) == ("lent", account.__rust_handle__.id)
    assert sender("any", context)([account, 1]) == ("parcel", [account.__rust_handle__.id, 1], [0])
    assert sender("list:object:Account", context)((account,)) == ("parcel", [account.__rust_handle__.id], [0])
    assert context.untyped.send({"a": account}) == ("js", {"a": ("object", account.__rust_handle__.id)})
    account.free()
    with pytest.raises(StaleObjectError, match=r"^This bank\.Account was freed; it cannot be used in bank\.f\.$"):
        sender("any", context)(account)


@pytest.mark.parametrize("kind", ["function", "any"])
def test_a_callable_is_sent_as_a_function(context: Context, kind: str):
    """Its arguments and its result are converted, and an exception that it raises is kept for the way back."""
    calls: list[object] = []

    def callback(*args: object) -> object:
        calls.append(args)
        return {"x": 1}

    marker, number = sender(kind, context)(callback)
    assert marker == "callback"
    called = context.callbacks.called
    assert called(number, 1, Foreign("Array", items=[2])) == ("js", {"x": 1})
    assert calls == [(1, [2])]
    mine = KeyError("mine")

    def fail() -> None:
        raise mine

    assert called(sender(kind, context)(fail)[1]) == ("raised", "KeyError: 'mine'", mine)
    _, _, refused = called(sender(kind, context)(lambda: {(1, 2): 3})[1])
    assert refused.__notes__ == ["in what a callback returned to bank"]


RECEIVED: list[tuple[str, Any, Any]] = [
    ("float", 2, 2.0),
    ("f32", 2, 2.0),
    ("float", None, None),
    ("string", "text", "text"),
    ("string", None, None),
    ("bigint", 2**70, 2**70),
    ("array:u8", Foreign("Uint8Array", bytes=b"\1\2"), b"\1\2"),
    ("any", Foreign("Array", items=[1, "x"]), [1, "x"]),
    ("any", None, None),
    ("enum:Color", 2, Color.BLUE),
    ("enum:Color", None, None),
    ("enum:Unknown", 9, 9),
    ("object:Account", None, None),
]


@pytest.mark.parametrize(("shorthand", "value", "received"), RECEIVED, ids=lambda value: str(value)[:20])
def test_results_arrive_as_python_values(context: Context, shorthand: str, value: object, received: object):
    """A float stays a float although JavaScript hands over an integer; an absent value is None."""
    receive = make_receiver(kind(shorthand), context)
    assert receive is not None
    got = receive(value)
    assert got == received
    assert type(got) is type(received)


@pytest.mark.parametrize("shorthand", ["void", "i32", "bool"])
def test_plain_results_need_no_converter(context: Context, shorthand: str):
    """Pyodide has already converted these results, so nothing is added to a call."""
    assert make_receiver(kind(shorthand), context) is None


def test_what_the_module_handed_out_is_wrapped(context: Context, driver: FakeDriver):
    """Objects and closures become Python objects, also inside of a container; other values are data."""
    account, closure = Foreign("Account"), Foreign("closure")
    driver.identities = {account: ("Account", 5), closure: ("closure", 6)}
    receive: Callable[[Any], Any] = make_receiver(kind("any"), context)  # type: ignore[assignment]
    wrapped = receive(account)
    assert type(wrapped) is context.classes["Account"]
    assert (wrapped.__rust_handle__.id, wrapped.__rust_handle__.generation) == (5, 0)
    assert isinstance(receive(closure), RustClosure)
    inner = from_rust(Foreign("Array", items=[account, 3]), context)
    assert type(inner[0]) is context.classes["Account"]
    assert inner[1:] == [3]
    direct = make_receiver(kind("object:Account"), context)
    assert direct is not None
    assert direct(9).__rust_handle__.id == 9


@pytest.mark.parametrize(
    ("value", "text", "message", "received"),
    [
        (None, "undefined", "None", None),
        ("a string", "a string", "a string", "a string"),
        (42, "42", "42", 42),
        (Foreign("Array", items=[1]), "[object Object]", "[1]", [1]),
    ],
)
def test_an_err_keeps_its_value(context: Context, value: object, text: str, message: str, received: object):
    """The value of an `Error` is its text; any other value is converted into a Python value."""
    error = rust_error(context, value, None, text, None)
    assert type(error) is RustError
    assert (str(error), error.value) == (message, received)


def test_an_err_keeps_what_an_error_tells(context: Context):
    """The exception has the name, the properties and the cause of the error, also where errors hold each other."""
    error = rust_error(context, "x", None, "x", ["ParseError", ["line"], [3], [42]])
    assert isinstance(error, RustError)
    assert (error.value, error.name, error.properties) == ("x", "ParseError", {"line": 3})
    assert (type(error.__cause__), error.__cause__.value) == (RustError, 42)  # type: ignore[union-attr]
    plain = rust_error(context, "x", None, "x", "TypeError")
    assert isinstance(plain, RustError)
    assert (plain.name, plain.properties, plain.__cause__) == ("TypeError", {}, None)
    mine = KeyError("mine")
    assert rust_error(context, None, mine, "KeyError", None) is mine
    circle = Foreign("Error")
    context.driver.identities[circle] = ("error", "x", None, "x", ["Error", [], [], [circle]])  # type: ignore[attr-defined]
    assert str(from_rust(circle, context)) == "x"


@pytest.mark.parametrize("each", EVERY_KIND, ids=shorthand)
def test_every_kind_has_a_converter(context: Context, each: Kind):
    """Each kind that js/src/types.d.ts names can be a parameter and a result, so no module fails to load for one."""
    if each.name != "void":
        sender(shorthand(each), context)
    make_receiver(each, context)


def nested(levels: int, make: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = make(value)
    return value


@pytest.mark.parametrize("make", [lambda v: [v], lambda v: (v,), lambda v: {"a": v}, lambda v: [0, v, "x"]])
def test_what_is_nested_too_deeply_is_refused(context: Context, make: Any):
    """A thousand levels pass and one more does not, because code that reads them by recursion would overflow."""
    draft_any(nested(1_000, make), context)
    with pytest.raises(ValueError, match=r"^nested more than 1,000 levels deep$"):
        draft_any(nested(1_001, make), context)


def test_a_dataclass_with_a_field_that_nobody_set_is_refused(context: Context):
    """There is no value that Rust could get for the field."""

    @dataclasses.dataclass
    class Record:
        later: int = dataclasses.field(init=False)

    with pytest.raises(TypeError, match=r"^cannot pass 'Record' to Rust: 'Record' object has no attribute 'later'$"):
        draft_any(Record(), context)


def test_what_holds_itself_does_so_in_javascript(context: Context):
    """A cycle stays a cycle, a shared value stays shared, and data that is nested too deeply is still found."""
    cycle: list[Any] = []
    cycle.append(cycle)
    shared: dict[str, int] = {}
    _, made = context.untyped.send(cycle)
    assert made[0] is made
    _, made = context.untyped.send({"a": shared, "b": [shared]})
    assert made["b"][0] is made["a"]
    deep = nested(1_001, lambda value: [value])
    with pytest.raises(ValueError, match=r"^nested"):
        context.untyped.send([deep])


@pytest.mark.parametrize("text", ["a" * 100, "é" * 100, "\N{CRAB}" * 50], ids=short)
def test_a_text_that_is_too_long_is_refused(context: Context, monkeypatch: pytest.MonkeyPatch, text: str):
    """A text beyond the engine's limit, which counts UTF-16 units, would arrive as an empty one."""
    for module_of_it in ("_values.numbers", "_values.containers"):
        monkeypatch.setattr(f"unpanic.{module_of_it}.SURELY_FITS", 10)
    ways: list[Callable[[Any], Any]] = [
        lambda value: sender("string", context)(value), lambda value: sender("any", context)(value),
        lambda value: sender("any", context)([{"a": value}]), lambda value: sender("any", context)([value, "x"]),
        lambda value: sender("any", context)({value: 1}), lambda value: sender("list:string", context)([value]),
        context.untyped.send,
    ]  # fmt: skip
    for limit in (100, 99):
        monkeypatch.setattr(context.browser, "longest_text", lambda limit=limit: limit)
        for send in ways:
            if limit == 100:
                send(text)
                continue
            with pytest.raises(
                ValueError, match=r"^text of 100 UTF-16 units: this browser's longest has 99; pass it in parts$"
            ):
                send(text)


def test_awaitables_of_a_dead_generation():
    """A coroutine is cancelled; a future that the user made goes on, and keeps no callback of the generation."""

    async def main() -> list[Any]:
        future, context = asyncio.get_running_loop().create_future(), make_module(FakeDriver({}))[0]
        ended: list[str] = []

        async def ours() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("ours")

        context.untyped.send(future)
        context.untyped.send(ours())
        await asyncio.sleep(0)
        context.callbacks.clear()
        await asyncio.sleep(0)
        held = future._callbacks
        future.set_result(5)
        await asyncio.sleep(0)
        return [ended, held or [], await future]

    assert asyncio.run(main()) == [["ours"], [], 5]


def test_what_a_dead_generation_held_is_let_go(context: Context, driver: FakeDriver):
    """A callback is no longer called, and to close an iterator of the generation does nothing."""
    _, number = context.untyped.send(print)
    iterators = [RustIterator(context, 3), RustIterator(context, 4)]
    iterators[0].close()
    crash(context.supervisor, clear=False)
    iterators[1].close()
    text = "This Python callback of bank was given to a generation that is gone."
    assert context.callbacks.called(number) == ("raised", text, None)
    assert driver.ended == [(103, "return")]


@pytest.mark.parametrize(
    ("args", "sent"),
    [
        ((255, None, "x"), (255, None, "x")),
        ((0, 1.5), (0, 1.5)),
        ((0,), (0,)),
        ((256,), "closure() argument 1: 256 does not fit a u8 (0 to 255)"),
        ((1, 1e39), "closure() argument 2: 1e+39 does not fit an f32 (up to 3.4028235e+38)"),
        (("a",), "closure() argument 1: 'str' object cannot be interpreted as an integer"),
        ((), "closure() takes 3 positional arguments, and got 0"),
        ((1, 2, 3, 4), "closure() takes 3 positional arguments, and got 4"),
    ],
)
def test_a_closure_takes_what_it_says(context: Context, driver: FakeDriver, args: tuple, sent: tuple | str):
    """The build hook writes that into the glue: a u8, an f32 that may be absent, and anything."""
    calls = []
    driver.closureLane = lambda id_, *got: calls.append((id_, *got))  # type: ignore[method-assign]
    driver.identities = {(closure := Foreign("closure")): ("closure", 7, "u8,f32?,")}
    call = from_rust(closure, context)
    if isinstance(sent, str):
        with pytest.raises((OverflowError, TypeError), match=f"^{re.escape(sent)}$"):
            call(*args)
    else:
        call(*args)
    assert calls == ([] if isinstance(sent, str) else [(7, *sent)])


def test_a_closure_of_another_module_is_that_modules(context: Context):
    """The other module says what it is, because its number means something else here."""
    other = make_module(FakeDriver({}))[0]
    other.driver.handed = lambda id_: ("of the other", id_)  # type: ignore[method-assign]
    assert context.untyped.send(RustClosure(other, 7)) == ("of the other", 7)
    assert context.untyped.send(RustClosure(context, 7)) == ("handed", 7)
