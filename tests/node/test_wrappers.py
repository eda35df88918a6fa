"""Functions and classes of a package that are not wasm-bindgen's follow the rules of JavaScript."""

from pathlib import Path

import pytest

from tests.browser.builds import caught

WRAPPER = Path(__file__).with_name("wrapper.js").read_text("utf-8")
BUILDS = ["abort", "reset", "unwind"]
DECLARED = """
export class Customer {
  constructor(name: string, amount?: bigint, nickname?: string);
  pay(amount: bigint, note?: string): Customer;
  account: Account;
  visits: number;
  readonly balance: bigint;
}
export function accountOf(customer: Customer): Account;
"""


def wrap(build, wrapper, declared=""):
    """Writes the glue of a bank with JavaScript around it. Returns its path."""
    import tempfile
    from pathlib import Path

    bank, new = Path(f"/fixtures/bank/pkg/{build}"), Path(tempfile.mkdtemp())
    (new / "bank.js").write_text((bank / "bank.js").read_text() + wrapper)
    (new / "bank_bg.wasm").write_bytes((bank / "bank_bg.wasm").read_bytes())
    if declared:
        (new / "bank.d.ts").write_text((bank / "bank.d.ts").read_text() + declared)
    return str(new / "bank.js")


async def use(build, wrapper):
    import inspect

    import unpanic

    bank = await unpanic.load(wrap(build, wrapper), panic_hook=lambda _: None)
    customer = bank.Customer("ada")
    found = {
        "signature": [str(inspect.signature(bank.Customer)), str(inspect.signature(bank.Person.rename))],
        "fields": [customer.name, customer.nickname, customer.visits, customer.last, customer.mood],
        "repr": repr(customer),
        "names": [name for name in dir(bank.Person("eve")) if not name.startswith("_")],
        "types": [type(customer.account) is bank.Account, type(bank.Person("eve")) is bank.Person],
        "same": [customer.pay(30) is customer, customer.account is bank.account_of(customer)],
        "data": [customer.last, customer.balance, customer.visits],
        "static": [bank.Customer.greeting, [each.name for each in bank.Customer.of("x", "y")], bank.Mood.InDebt],
        "method": [customer.greet(), customer.greet("?"), bank.introduce(customer, {"mark": "!"})],
        "result": [bank.double(21), await bank.later("soon"), bank.Savings("ada", rate=3).balance],
        "hidden": [bank.prepare(customer, 2).pay() is customer, bank.prices(), hasattr(bank, "Receipt")],
        "derived": [type(bank.Empty()).__name__, bank.Savings("ada", 5, 2).rate],
    }
    customer.name, customer.last, customer.limit = "eve", {"note": ["a"]}, 7
    bank.Customer.greeting = "bye"
    found["set"] = [customer.greet(), customer.last, customer.limit, repr(bank.Person("bo", "b"))]
    error = caught(setattr, customer, "naem", 1)
    found["refused"] = [type(error).__name__, str(error)]
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_use(py, build):
    """Parameters may be left out, and objects have their own fields, which can be set."""
    assert py.run(use, build=build, wrapper=WRAPPER) == {
        "signature": [
            "(name: Any = None, amount: Any = None, nickname: Any = None) -> None",
            "(self, name: Any = None) -> Any",
        ],
        "fields": ["ada", None, 0, None, 0],
        "repr": "<bank.Customer name='ada' nickname=None visits=0 mood=0 last=None other=None is_freed=None …>",
        "names": ["free", "name", "nickname", "rename"],
        "types": [True, True],
        "same": [True, True],
        "data": [{"amount": 30, "note": None, "rounded": 30}, 70, 1],
        "static": ["hello", ["x", "y"], 1],
        "method": ["hello ada!", "hello ada?", "I am ada!"],
        "result": [42, "soon", 10],
        "hidden": [True, {"tea": 2}, False],
        "derived": ["Empty", 2],
        "set": ["bye eve!", {"note": ["a"]}, 7, "<bank.Person name='bo' nickname='b'>"],
        "refused": ["AttributeError", "'Customer' object has no attribute 'naem'"],
    }


async def collect(build, wrapper):
    import gc

    import unpanic

    bank = await unpanic.load(wrap(build, wrapper), panic_hook=lambda _: None)
    customer = bank.Customer("ada")
    held = bank.Account("bob", 5)
    # What these return is collected at once.
    customer.account, customer.partner("bob"), bank.account_of(customer)
    customer.partner().account = held
    del held
    gc.collect()
    found = [customer.balance, customer.partner().balance]
    with customer:
        account = customer.account
    found.append(type(caught(lambda: account.balance)).__name__)
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_collection(py, build):
    """What Python does not hold any more lives on as long as JavaScript has it; `free` and `with` free it."""
    assert py.run(collect, build=build, wrapper=WRAPPER) == [100, 5, "StaleObjectError"]


async def crash(build, wrapper, recovery):
    import unpanic

    options = {"recovery": recovery, "panic_hook": lambda _: None}
    bank = await unpanic.load(wrap(build, wrapper), **options)
    customer = bank.Customer("ada", 40)
    person = bank.Customer.of("bob")[0]
    receipt = bank.prepare(customer, 1)
    found = []
    for _ in range(3):
        error = caught(bank.Customer("eve", 1).pay, 2)
        found.append([type(error).__name__, error.call])
    found.append([_answer(lambda: customer.name), _answer(lambda: person.name), _answer(person.pay, 1)])
    found[-1].append(_answer(lambda: type(receipt.amount).__name__))
    found.append([sorted(vars(person)), bank.Customer("ada").balance])
    return found


def _answer(function, *arguments):
    """Returns what a function returns, or the name of the exception."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = function(*arguments)
        except Exception as error:
            return type(error).__name__
    return answer if isinstance(answer, str) else type(answer).__name__


ALIVE, STALE = ["ada", "bob", "Customer", "int"], ["ada", *["StaleObjectError"] * 3]


@pytest.mark.parametrize(
    ("build", "recovery", "answers"),
    [("abort", "rollback", ALIVE), ("abort", "reset", STALE), ("reset", "reset", STALE), ("unwind", "auto", ALIVE)],
)
def test_crash(py, build, recovery, answers):
    """After a reset an object of such a class is stale like any other, or made again; after a rollback it is alive."""
    found = py.run(crash, build=build, wrapper=WRAPPER, recovery=recovery)
    assert found == [["RustPanic", "Customer.pay"]] * 3 + [answers, [["__rust_handle__"], 100]]


async def declared(build, wrapper, types):
    import inspect

    import unpanic

    bank = await unpanic.load(wrap(build, wrapper, types), panic_hook=lambda _: None)
    customer = bank.Customer("ada")
    wrong = caught(bank.Customer)
    return {
        "signatures": [str(inspect.signature(it)) for it in (bank.Customer, bank.Customer.pay, bank.account_of)],
        "missing": [type(wrong).__name__, "'name'" in str(wrong)],
        "undeclared": str(inspect.signature(bank.Person)),
        "field": str(inspect.signature(bank.Customer.visits.fget)),
        "object": [bank.account_of(customer) is customer.account, customer.pay(1) is customer, customer.visits],
    }


def test_declared(py):
    """Where a wrapper is declared, its declaration says what may be left out, and gives the types."""
    assert py.run(declared, build="abort", wrapper=WRAPPER, types=DECLARED) == {
        "signatures": [
            "(name: str, amount: int | None = None, nickname: str | None = None) -> None",
            "(self, amount: int, note: str | None = None) -> bank.Customer",
            "(customer: bank.Customer) -> bank.Account",
        ],
        "missing": ["TypeError", True],
        "undeclared": "(name: Any = None, nickname: Any = None) -> None",
        "field": "(self) -> float",
        "object": [True, True, 1],
    }
