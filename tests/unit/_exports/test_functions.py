"""Calls of exported functions: the number of arguments, the wrong one, and the result."""

from __future__ import annotations

import asyncio
import inspect
import sys
from typing import Any

import pytest
from unpanic._exports.description import Parameter

from tests.unit.fakes import FakeDriver, Foreign, function, kind, make_module, struct

FUNCTIONS = [
    function("none"),
    function("one", "i32"),
    function("two", "i32", "string"),
    function("three", "i32", "i32", "i32"),
    function("optional", "i32", "string?", "float?"),
    function("only_optional", "i32?"),
    function("late", "i32?", "i32"),
    function("rest", "i32", "...any"),
    function("fast", "i32", "i32", result="i32", numeric=True),
    function("text", "string", result="string"),
    function("later", "i32", result="float", is_async=True),
]
BODIES: dict[str, Any] = {described["name"]: lambda *args: args for described in FUNCTIONS}


@pytest.fixture
def driver() -> FakeDriver:
    driver = FakeDriver({"functions": FUNCTIONS, "classes": [struct("Account", "string", "i64?")]}, dict(BODIES))
    driver.bodies["text"] = str.upper
    return driver


ACCEPTED: list[tuple[str, tuple[Any, ...], tuple[Any, ...]]] = [
    ("none", (), ()),
    ("one", (1,), (1,)),
    ("two", (1, "x"), (1, "x")),
    ("optional", (1,), (1, None, None)),
    ("optional", (1, "x"), (1, "x", None)),
    ("optional", (1, None, 2), (1, None, 2.0)),
    ("only_optional", (), (None,)),
    ("late", (None, 1), (None, 1)),
    ("rest", (1,), (1,)),
    ("rest", (1, "x", 2.5, None), (1, "x", 2.5, None)),
]


@pytest.mark.parametrize(("name", "args", "sent"), ACCEPTED)
def test_right_counts_reach_the_lane(driver: FakeDriver, name: str, args: tuple[Any, ...], sent: tuple[Any, ...]):
    """Optional arguments may be missing or None, and a rest parameter takes any number."""
    got: list[Any] = []
    driver.bodies[name] = lambda *given: got.append(given)
    getattr(make_module(driver)[2], name)(*args)
    assert got == [sent]


WRONG_COUNTS = [
    ("none", (1,), "none() takes 0 positional arguments but 1 was given"),
    ("one", (), "one() missing 1 required positional argument: 'a'"),
    ("one", (1, 2), "one() takes 1 positional argument but 2 were given"),
    ("two", (), "two() missing 2 required positional arguments: 'a' and 'b'"),
    ("two", (1,), "two() missing 1 required positional argument: 'b'"),
    ("two", (1, "x", 3), "two() takes 2 positional arguments but 3 were given"),
    ("three", (), "three() missing 3 required positional arguments: 'a', 'b', and 'c'"),
    ("optional", (), "optional() missing 1 required positional argument: 'a'"),
    ("optional", (1, "x", 2.0, 4), "optional() takes from 1 to 3 positional arguments but 4 were given"),
    ("only_optional", (1, 2), "only_optional() takes from 0 to 1 positional arguments but 2 were given"),
    ("late", (1,), "late() missing 1 required positional argument: 'b'"),
    ("rest", (), "rest() missing 1 required positional argument: 'a'"),
    ("Account", (), "Account.__init__() missing 1 required positional argument: 'a'"),
    ("Account", ("x", 1, 2), "Account.__init__() takes from 2 to 3 positional arguments but 4 were given"),
]


@pytest.mark.parametrize(("name", "args", "text"), WRONG_COUNTS, ids=lambda value: str(value)[:30])
def test_wrong_counts_are_told_as_python_tells_them(driver: FakeDriver, name: str, args: tuple[Any, ...], text: str):
    """The words are those of Python's own functions, and Rust is not entered."""
    _, _, bank = make_module(driver)
    with pytest.raises(TypeError) as caught:
        getattr(bank, name)(*args)
    assert str(caught.value) == text
    assert driver.calls == driver.made == 0


def twin(a, b="", c=0.0):
    """A Python function with the parameters of `optional`."""


@pytest.mark.parametrize("args", [(), (1, 2, 3, 4)])
def test_the_words_equal_pythons(driver: FakeDriver, args: tuple[int, ...]):
    """This Python gives the messages of the table above."""
    with pytest.raises(TypeError) as expected:
        twin(*args)
    with pytest.raises(TypeError) as caught:
        make_module(driver)[2].optional(*args)
    assert str(caught.value) == str(expected.value).replace("twin", "optional")


TOO_LARGE = "4294967296 does not fit a 32-bit integer (-2147483648 to 4294967295)"
WRONG_TYPES: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    ("two", ("x", "x"), TypeError, "two() argument 'a': 'str' object cannot be interpreted as an integer"),
    ("two", (1, 2), TypeError, "two() argument 'b': must be str, not int"),
    ("two", (1, None), TypeError, "two() argument 'b': must be str, not NoneType"),
    ("one", (2**32,), OverflowError, f"one() argument 'a': {TOO_LARGE}"),
    ("optional", (1, 2), TypeError, "optional() argument 'b': must be str, not int"),
    ("rest", (1, "x", object()), TypeError, "rest() argument 'b': cannot pass 'object' to Rust"),
    ("Account", (3,), TypeError, "Account() argument 'a': must be str, not int"),
]


@pytest.mark.parametrize(("name", "args", "error", "text"), WRONG_TYPES, ids=lambda value: str(value)[:30])
def test_a_wrong_argument_is_named(driver: FakeDriver, name: str, args: Any, error: type[Exception], text: str):
    """The message starts with the function and the parameter, and Rust is not entered."""
    with pytest.raises(error) as caught:
        getattr(make_module(driver)[2], name)(*args)
    assert str(caught.value) == text
    assert driver.calls == driver.made == 0


def test_an_error_with_more_than_a_text_gets_a_note(driver: FakeDriver):
    """A lone surrogate raises Python's own error, with the parameter in a note."""
    with pytest.raises(UnicodeEncodeError) as caught:
        make_module(driver)[2].text("\ud800")
    assert caught.value.__notes__ == ["in text() argument 'a'"]


def test_keywords_are_taken(driver: FakeDriver):
    """Arguments may come by name, and a wrong name raises an error in Python's words."""
    got: list[Any] = []
    driver.bodies["two"] = lambda *given: got.append(given)
    _, _, bank = make_module(driver)
    bank.two(b="x", a=1)
    bank.two(2, b="y")
    assert got == [(1, "x"), (2, "y")]
    with pytest.raises(TypeError, match=r"^two\(\) got an unexpected keyword argument 'c'"):
        bank.two(1, c="x")
    with pytest.raises(TypeError, match=r"^two\(\) got multiple values for argument 'a'$"):
        bank.two(1, "x", a=1)


def test_a_function_is_named_like_its_export(driver: FakeDriver):
    """Its name, module and result are those of the Rust function."""
    bank = make_module(driver)[2]
    assert (bank.text.__name__, bank.text.__module__, bank.__name__) == ("text", "bank", "bank")
    assert bank.text("x") == "X"
    assert bank.__doc__ == "The Rust module bank, loaded by unpanic."


def test_a_numeric_function_is_the_lane_itself(driver: FakeDriver):
    """If every value is a plain number, the call needs no Python code, and the rest behaves like a function."""
    bank = make_module(driver)[2]
    assert bank.fast(2, 3) == (2, 3)
    assert bank.fast.func.__qualname__.startswith("FakeDriver")
    assert bank.fast.args == ()
    assert repr(bank.fast).startswith("<function fast at 0x")
    assert str(inspect.signature(bank.fast)) == "(a: int, b: int) -> int"
    assert bank.fast.__annotations__ == {"a": int, "b": int, "return": int}
    assert (bank.fast.__name__, bank.fast.__qualname__, bank.fast.__module__) == ("fast", "fast", "bank")
    assert inspect.isroutine(bank.fast)
    assert type("Holder", (), {"fast": bank.fast})().fast is bank.fast


def test_keywords_of_a_numeric_function_come_with_their_names(driver: FakeDriver):
    """They are bound, or refused in Python's words."""
    decline = make_module(driver)[0].browser.handlers["decline"]  # type: ignore[attr-defined]
    index = [described["name"] for described in FUNCTIONS].index("fast")
    assert decline(index, "b", 1, 3) == (1, 3)
    assert decline(index, "b,a", 3, 4) == (4, 3)
    assert decline(index, "c", 1, 3) == ("raised", id(sys.last_exc))
    assert "fast() got an unexpected keyword argument 'c'" in str(sys.last_exc)
    assert decline(index, "", 1, Foreign("Array", b=3)) == ("raised", id(sys.last_exc))
    assert str(sys.last_exc).startswith("fast() argument 'b': ")


def test_what_the_numeric_lane_declines_is_converted_or_refused(driver: FakeDriver):
    """A call with an unusual value takes the general path, with the same result or the usual error."""
    decline = make_module(driver)[0].browser.handlers["decline"]  # type: ignore[attr-defined]
    index = [described["name"] for described in FUNCTIONS].index("fast")
    assert decline(index, "", True, 3) == (True, 3)
    assert decline(index, "", 1) == ("raised", id(sys.last_exc))
    error = sys.last_exc
    assert str(error) == "fast() missing 1 required positional argument: 'b'"
    assert decline(index, "", "\ud800", 3) == ("raised", id(sys.last_exc))
    assert str(sys.last_exc) == "fast() argument 'a': 'str' object cannot be interpreted as an integer"


def test_an_async_function_gives_something_to_await(driver: FakeDriver):
    """The result is converted when it arrives, and an argument is checked at once."""
    driver.bodies["later"] = lambda _ms: 17

    async def main() -> float:
        _, supervisor, bank = make_module(driver)
        with pytest.raises(TypeError, match=r"^later\(\) argument 'a'"):
            bank.later("x")
        future = bank.later(5)
        assert not future.done()
        supervisor.settled(17, 3)
        return await future

    result = asyncio.run(main())
    assert (result, type(result)) == (3.0, float)


def test_enums_and_constants_are_attributes():
    """An exported enum is an IntEnum in both directions, and any other constant is its value."""
    driver = FakeDriver(
        {"constants": ["Color", "LIMIT"], "functions": [function("next", "enum:Color", result="enum:Color")]}
    )
    driver.bodies["next"] = lambda value: value + 1
    driver.constants = {"Color": {"Red": 0, "Green": 1, "0": "Red", "1": "Green"}, "LIMIT": 3}
    bank = make_module(driver)[2]
    assert [(member.name, member.value) for member in bank.Color] == [("Red", 0), ("Green", 1)]
    assert bank.LIMIT == 3
    assert bank.next(bank.Color.Red) is bank.Color.Green
    assert bank.next(0) is bank.Color.Green
    with pytest.raises(ValueError, match=r"^next\(\) argument 'a': 7 is not a valid Color$"):
        bank.next(7)


def test_a_foreign_result_without_a_meaning_is_data():
    """A plain JavaScript array arrives as a list."""
    driver = FakeDriver({"functions": [function("items", result="any")]})
    driver.bodies["items"] = lambda: Foreign("Array", items=[1, 2])
    assert make_module(driver)[2].items() == [1, 2]


@pytest.mark.parametrize(
    ("each", "drafts"), [("array:u8", True), ("array:f64", True), ("unknown", True), ("i32", False)]
)
def test_only_an_array_is_written_into(each: str, drafts: bool):
    """Minified glue may seem to set elements of a number."""
    assert Parameter("a", kind(each), optional=False, rest=False, mutable=True).may_be_draft is drafts
