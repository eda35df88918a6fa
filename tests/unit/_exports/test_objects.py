"""Objects of exported classes: how they look, what subclasses may do, and what is forbidden."""

from __future__ import annotations

import abc
import copy
import inspect
import pickle
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import unpanic

from tests.unit.fakes import FakeDriver, crash, function, make_module, struct

ACCOUNT = struct(
    "Account",
    "string",
    "i64?",
    methods=[function("payOut", "i32"), function("merge", "object:Account")],
    getters=[function("balance", result="i32"), function("a", result="string"), function("partner", result="any")],
    setters=[function("balance", "i32")],
)


class World:
    """A module with accounts; `read` counts the getters that were read."""

    def __init__(self) -> None:
        described = {"classes": [ACCOUNT, struct("Sealed") | {"construct": None}]}
        self.driver = FakeDriver(described)
        self.reads: list[str] = []
        for name, value in {"balance": 100, "a": "ada", "partner": None}.items():
            self.driver.bodies[f"Account.{name}"] = self.reader(name, value)
        self.driver.bodies["Account.payOut"] = lambda _id, amount: amount
        self.module, self.supervisor, self.bank = make_module(self.driver)

    def reader(self, name: str, value: Any) -> Any:
        def read(*_args: Any) -> Any:
            self.reads.append(name)
            if isinstance(value, Exception):
                raise value
            return value

        return read


@pytest.fixture
def world() -> World:
    return World()


def test_an_object_shows_its_getters(world: World):
    """The getters that the constructor takes come first, in its order."""
    assert repr(world.bank.Account("ada")) == "<bank.Account a='ada' balance=100 partner=None>"
    assert world.reads == ["a", "balance", "partner"]


def test_long_values_are_shortened(world: World):
    """The text stays on one line."""
    world.driver.bodies["Account.a"] = lambda _id: "x" * 10_000
    assert len(repr(world.bank.Account("ada"))) < 200


def test_values_that_are_no_plain_data_are_not_shown(world: World):
    """Making an object of them would be more than looking."""
    account = world.bank.Account("ada")
    world.driver.bodies["Account.partner"] = lambda _id: account
    assert repr(account) == "<bank.Account a='ada' balance=100 …>"


def test_looking_is_no_call(world: World):
    """It runs in a copy, and does not count as a call."""
    repr(world.bank.Account("ada"))
    assert world.driver.calls == 0


def test_a_getter_that_fails_ends_the_reading(world: World):
    """The text has its exception, no other getter is read, and nothing is raised."""
    world.driver.bodies["Account.balance"] = world.reader("balance", unpanic.RustError("none"))
    account = world.bank.Account("ada")
    for _ in range(2):
        assert repr(account) == "<bank.Account a='ada' balance=RustError>"
    assert world.reads == ["a", "balance"] * 2


def test_a_getter_that_crashed_is_not_read_again(world: World):
    """It is read for no object of that class, and the other getters are read as before."""
    world.driver.bodies["Account.balance"] = world.reader("balance", RuntimeError("unreachable"))
    assert repr(world.bank.Account("ada")) == "<bank.Account a='ada' balance=RustPanic>"
    assert repr(world.bank.Account("bob")) == "<bank.Account a='ada' partner=None …>"
    assert world.reads == ["a", "balance", "a", "partner"]


CONDITIONS: list[tuple[str, Callable[[World, Any], Any], str]] = [
    ("freed", lambda _world, account: account.free(), "<bank.Account freed>"),
    ("moved", lambda world, _: setattr(world.driver, "consumer", lambda _id: "bank.close"),
     "<bank.Account moved into bank.close>"),
    ("stale", lambda world, _: crash(world.supervisor), "<bank.Account stale>"),
    ("recovering", lambda world, _: crash(world.supervisor, clear=False), "<bank.Account stale>"),
    ("unloaded", lambda world, _: world.supervisor.unload(), "<bank.Account unloaded>"),
    ("busy", lambda world, _: setattr(world.driver, "clear", False), "<bank.Account …>"),
]  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("happens", "text"), [row[1:] for row in CONDITIONS], ids=[row[0] for row in CONDITIONS])
def test_looking_changes_nothing(world: World, happens: Callable[[World, Any], Any], text: str):
    """An object that cannot be read shows its condition. It is not made again, and no getter is called."""
    account = world.bank.Account("ada")
    happens(world, account)
    assert repr(account) == text
    assert world.reads == []
    assert world.driver.made == 1


def test_an_object_that_was_never_made_shows_itself(world: World):
    """A constructor that raises may leave such an object behind."""
    assert repr(world.bank.Account.__new__(world.bank.Account)) == "<bank.Account not made>"


def test_objects_are_equal_by_identity(world: World):
    """Two Rust objects are different, and both can be in a set."""
    first, second = world.bank.Account("ada"), world.bank.Account("ada")
    assert first == first
    assert first != second
    assert len({first, second}) == 2


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_objects_cannot_be_duplicated(world: World, duplicate: Any):
    """Two owners would free the same memory twice."""
    with pytest.raises(TypeError, match=r"^cannot pickle or copy 'Account' object: its value is in Rust's memory"):
        duplicate(world.bank.Account("ada"))


def test_members_are_shown_once(world: World):
    """Class and object show their Python names and a subclass's own attributes, and nothing internal."""
    account = type("Mine", (world.bank.Account,), {})("ada")
    account.note = "mine"
    shown = [name for name in dir(account) if not name.startswith("__")]
    assert shown == ["a", "balance", "free", "merge", "note", "partner", "pay_out"]
    assert [name for name in dir(world.bank.Account) if not name.startswith("__")] == [
        name for name in shown if name != "note"
    ]


def test_what_is_no_setter_cannot_be_set(world: World):
    """A misspelt setter would have no effect, so the error suggests another name, as Python does."""
    account = world.bank.Account("ada")
    with pytest.raises(AttributeError, match=r"^'Account' object has no attribute 'balanec'$") as caught:
        account.balanec = 5
    assert "Did you mean: 'balance'?" in "".join(traceback.format_exception(caught.value))
    with pytest.raises(AttributeError, match=r"^'Account' object attribute 'merge' is read-only$"):
        account.merge = print
    with pytest.raises(AttributeError, match=r"^property 'a' of 'Account' object has no setter$"):
        account.a = "bob"
    account.balance = 5


def test_objects_of_subclasses_have_attributes_of_their_own(world: World):
    """They work as in any Python class, and an attribute with a setter in the struct goes to Rust."""

    class Mine(world.bank.Account):  # type: ignore[misc, name-defined]
        """A subclass as users write it."""

        limit = 3

        def __init__(self, owner: str) -> None:
            super().__init__(owner)
            self.note = "mine"

    class Failure(world.bank.Account, Exception):  # type: ignore[misc, name-defined]
        """An exception, whose memory has another layout."""

    account = Mine("ada")
    account.limit, account.balance = 5, 7
    assert (account.note, account.limit, vars(account)["limit"]) == ("mine", 5, 5)
    assert "balance" not in vars(account)
    failure = Failure("ada")
    failure.reason = "none"
    assert isinstance(failure, Exception)


def test_a_struct_without_a_constructor_says_so(world: World):
    """It says so for any arguments."""
    with pytest.raises(TypeError, match=r"^cannot create 'Sealed' instances: the Rust struct exports no constructor$"):
        world.bank.Sealed(1, 2, x=3)


def test_keywords_and_defaults(world: World):
    """Constructors and methods take them, and messages show them."""
    account = world.bank.Account(b=5, a="ada")
    assert account.pay_out(a=3) == account.payOut(3) == 3
    assert str(inspect.signature(world.bank.Account)) == "(a: str, b: int | None = None) -> None"
    with pytest.raises(TypeError, match=r"^Account\.pay_out\(\) argument 'a': 'str' object cannot be interpreted"):
        account.pay_out("x")
    with pytest.raises(TypeError, match=r"^Account\.__init__\(\) missing 1 required positional argument: 'a'$"):
        world.bank.Account(b=1)


class Sized(abc.ABC):
    """An abstract class to inherit from."""

    @abc.abstractmethod
    def __len__(self) -> int: ...


def test_subclasses_are_python_classes(world: World):
    """They have own arguments, overridden members, attributes and abstract bases, and Rust takes them."""
    sent: list[Any] = []
    world.driver.bodies["Account.merge"] = lambda _id, other: sent.append(other)

    class Wallet(world.bank.Account, Sized):  # type: ignore[misc,name-defined]
        def __init__(self, owner: str, *, color: str) -> None:
            super().__init__(owner, b=7)
            self.color = color
            self._id = "my own"

        @property
        def balance(self) -> int:
            return int(super().balance) * 2

        def pay_out(self, a: int) -> int:
            return int(super().pay_out(a)) + 1

        def __len__(self) -> int:
            return 3

    wallet = Wallet("ada", color="red")
    assert (wallet.balance, wallet.pay_out(1), wallet.color, len(wallet), wallet._id) == (200, 2, "red", 3, "my own")
    assert repr(wallet) == "<bank.Account a='ada' balance=100 partner=None>"
    world.bank.Account("bob").merge(wallet)
    assert sent == [1]
    assert str(inspect.signature(Wallet)) == "(owner: 'str', *, color: 'str') -> 'None'"
    crash(world.supervisor)
    with pytest.warns(unpanic.StateLostWarning, match=r"^This bank\.Account was made again"):
        assert wallet.balance == 200
    assert (type(wallet), wallet.color) == (Wallet, "red")


def test_an_object_that_had_been_changed_warns_every_time(world: World):
    """Its answer changes with each reset, so each time it warns. One that was only read warns once."""
    account, read = world.bank.Account("ada"), world.bank.Account("bob")
    texts = []
    for number in (1, 2, 3):
        world.driver.changed_objects.add(account.__rust_handle__.id)
        crash(world.supervisor)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            assert account.balance == read.balance == 100
        texts.append([str(warning.message) for warning in caught])
        assert texts[-1][0] == (
            f"This bank.Account was made again after the reset to generation {number}; "
            "what was changed in it since is lost."
        )
    assert [len(shown) for shown in texts] == [2, 1, 1]
    unpanic.track(account)
    world.driver.changed_objects.add(account.__rust_handle__.id)
    crash(world.supervisor)
    with pytest.warns(unpanic.StateLostWarning, match="to generation 4; what was changed"):
        assert account.balance == 100
    unpanic.track(account, lambda: world.bank.Account("eve"))
    world.driver.changed_objects.add(account.__rust_handle__.id)
    crash(world.supervisor)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert account.balance == 100
    assert caught == []


def test_a_warning_points_at_the_users_line(world: World):
    """It does not point at functions in between."""
    account = world.bank.Account("ada")
    crash(world.supervisor)
    with pytest.warns(unpanic.StateLostWarning) as caught:
        account.pay_out(1)
    assert caught[0].filename == __file__


def test_an_object_that_a_call_in_flight_borrows_is_not_read(world: World):
    """Reading it would end the instance."""
    account = world.bank.Account("ada")
    world.driver.busy.add(account.__rust_handle__.id)
    assert (repr(account), world.reads) == ("<bank.Account …>", [])


@pytest.mark.parametrize("name", ["toString", "to_string"])
def test_a_struct_that_has_a_text_is_that_text(name: str):
    """An exception of its method is raised. Without such a method, `str` equals `repr`."""
    texts = struct("Literal", methods=[function(name, "i32?", result="string")])
    plain = struct("Plain", methods=[function("toString", "i32", result="string")])
    driver = FakeDriver({"classes": [texts, plain]}, {f"Literal.{name}": lambda *_: '"a"@en'})
    _, _, bank = make_module(driver)
    literal = bank.Literal()
    assert (str(literal), f"{literal}", repr(literal)) == ('"a"@en', '"a"@en', "<bank.Literal>")
    assert str(bank.Plain()) == "<bank.Plain>"
    literal.free()
    with pytest.raises(unpanic.StaleObjectError, match="was freed"):
        str(literal)
