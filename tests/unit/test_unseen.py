"""The traceback of a user's mistake ends at the user's line, however the interpreter shows it."""

from __future__ import annotations

import asyncio
import io
import re
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from unpanic._unseen import KNOWN, seamless, unseen

from tests.unit._exports.test_functions import BODIES, FUNCTIONS
from tests.unit.fakes import FakeDriver, function, make_module, struct

if TYPE_CHECKING:
    from collections.abc import Callable


def files(error: BaseException) -> list[str]:
    """Returns the files of the interpreter's traceback, which some classes do not show."""
    entry = vars(BaseException)["__traceback__"].__get__(error)  # type: ignore[index]
    return [frame.filename for frame in traceback.extract_tb(entry)]


def raised(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


class Index:
    """A number that fails in the user's Python code."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __index__(self) -> int:
        raise self.error


@pytest.fixture
def bank() -> Any:
    members: dict[str, Any] = {
        "getters": [function("balance", result="i32")],
        "setters": [function("balance", "i32")],
        "methods": [function("deposit", "i32"), function("wait", "i32", is_async=True)],
        "statics": [function("open", "string")],
    }
    classes = [struct("Account", "string", **members), struct("Receipt")]
    classes[1]["construct"] = None
    described = [*FUNCTIONS, function("fill", "array:u8")]
    driver = FakeDriver({"functions": described, "classes": classes}, dict(BODIES))
    return make_module(driver)[2]


async def wait(call: Any) -> None:
    await call


MISTAKES: dict[str, tuple[Callable[[Any], object], type[Exception]]] = {
    "too large": (lambda bank: bank.one(2**40), OverflowError),
    "wrong type": (lambda bank: bank.text(3), TypeError),
    "wrong type in a list": (lambda bank: bank.fill([1, "x"]), TypeError),
    "wrong keyword": (lambda bank: bank.text(wort="x"), TypeError),
    "too many": (lambda bank: bank.none(1), TypeError),
    "constructor": (lambda bank: bank.Account(3), TypeError),
    "no constructor": (lambda bank: bank.Receipt(), TypeError),
    "method": (lambda bank: bank.Account("ada").deposit("x"), TypeError),
    "setter": (lambda bank: setattr(bank.Account("ada"), "balance", "x"), TypeError),
    "static": (lambda bank: bank.Account.open(3), TypeError),
    "async": (lambda bank: asyncio.run(wait(bank.later("x"))), TypeError),
    "async method": (lambda bank: asyncio.run(wait(bank.Account("ada").wait("x"))), TypeError),
    "misspelt": (lambda bank: bank.testx, AttributeError),
    "misspelt of an object": (lambda bank: bank.Account("ada").balanse, AttributeError),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows_the_users_line_alone(bank: Any, mistake: str):
    """It has no line of unpanic's files or of the functions that unpanic generates."""
    make, kind = MISTAKES[mistake]
    error = raised(lambda: make(bank))
    assert type(error) is kind, error
    shown = "".join(traceback.format_exception(error))
    assert re.findall(r'File "(.*?)"', shown) == [__file__] * len(re.findall('File "', shown)), shown
    assert set(files(error)) == {__file__}


MISSPELT: list[tuple[Callable[[Any], object], str]] = [
    (lambda bank: bank.testx, "Did you mean: 'text'?"),
    (lambda bank: bank.Account("ada").balanse, "Did you mean: 'balance'?"),
]


@pytest.mark.parametrize(("look", "hint"), MISSPELT)
def test_a_misspelt_name_is_suggested(bank: Any, look: Callable[[Any], object], hint: str):
    """The suggestion is Python's, from the names that `dir` shows."""
    assert hint in "".join(traceback.format_exception(raised(lambda: look(bank))))


@pytest.mark.parametrize("error", [TypeError("mine"), KeyError("mine"), KeyboardInterrupt(), asyncio.CancelledError()])
@pytest.mark.parametrize("name", ["one", "later"])
def test_what_the_users_own_code_raises_shows_that_code(bank: Any, name: str, error: BaseException):
    """Its frames and those of the call are shown, and none in between."""
    found = raised(lambda: getattr(bank, name)(Index(error)))
    assert found is error
    assert set(files(error)) == {__file__}
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)][-1] == "__index__"


@unseen
def refuse(value: object, *, how: Callable[[], object]) -> object:
    try:
        return [how() for _ in range(1)]
    finally:
        del value


def test_an_unseen_function_works_as_ever():
    """Arguments, loops, closures and handlers work."""
    assert refuse(1, how=lambda: 3) == [3]
    assert "refuse" in str(raised(lambda: refuse()))  # type: ignore[call-arg]
    names = [frame.name for frame in traceback.extract_tb(raised(lambda: refuse(1, how=lambda: 1 / 0)).__traceback__)]
    assert ("refuse" in names, names[-1]) == (not KNOWN, "<lambda>")


def test_generators_and_coroutines_are_left_as_they_are():
    """They stop in the middle and go on."""

    @unseen
    def count() -> Any:
        yield 1
        yield 2

    @unseen
    async def later() -> int:
        await asyncio.sleep(0)
        return 3

    assert ([*count()], asyncio.run(later())) == ([1, 2], 3)


def test_a_seamless_function_hides_what_is_below_it_in_unpanic():
    """It keeps its name and its result."""

    @seamless
    def read(text: str) -> int:
        """Reads."""
        return int(text)

    assert (read("3"), read.__name__, read.__doc__) == (3, "read", "Reads.")
    assert isinstance(raised(lambda: read("x")), ValueError)


def test_a_traceback_can_be_printed_and_logged(bank: Any):
    """The interpreter finds the line of each entry in its own way."""
    text = io.StringIO()
    traceback.print_exception(raised(lambda: bank.one("x")), file=text)
    assert text.getvalue().rstrip().endswith("one() argument 'a': 'str' object cannot be interpreted as an integer")
