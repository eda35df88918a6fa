"""What a Rust module is in a Python that cannot run it: made of its stub, and every call says what it needs."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pydoc
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest
from unpanic_tools.stand_in import NeedsPyodide

STUB = '''
"""Types of the Rust module."""

from collections.abc import Buffer
from enum import IntEnum
from typing import Final, Self, overload, type_check_only

type Level = Account | int

class Color(IntEnum):
    Red = 0
    Green = 5

class Account:
    """Somebody's money."""
    def __init__(self, owner: str) -> None: ...
    @staticmethod
    def named(owner: str) -> Account: ...
    @property
    def balance(self) -> int:
        """What is left."""
    def __enter__(self) -> Self: ...

@type_check_only
class Hidden:
    def free(self) -> None: ...

LIMIT: Final[int]

@overload
def pick(a: int) -> int: ...
@overload
def pick(a: str, b: Buffer = ...) -> str: ...

def add_small(first: int, second: int | None = None) -> int:
    """Adds two small numbers."""
addSmall = add_small

async def later(n: Level) -> int: ...
'''


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module `stand_in_bank` of a package, as the build hook makes it."""
    folder = tmp_path / "stand_in_bank"
    folder.mkdir()
    (folder / "__init__.pyi").write_text(STUB)
    (folder / "__init__.py").write_text("from unpanic_tools.stand_in import stand_in\n\nstand_in(__name__)\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("stand_in_bank")
    del sys.modules["stand_in_bank"]


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda bank: bank.add_small(1), "add_small()"),
        (lambda bank: bank.addSmall(1), "add_small()"),
        (lambda bank: bank.Account("Ada"), "Account()"),
        (lambda bank: bank.Account.named("Ada"), "Account.named()"),
        (lambda bank: bank.Account.balance.fget(None), "Account.balance"),
        (lambda bank: bank.later(1), "later()"),
        (lambda bank: bank.pick(1), "pick()"),
        (lambda bank: bank.LIMIT + 1, "LIMIT"),
        (lambda bank: bank.LIMIT > 1, "LIMIT"),
        (lambda bank: bank.LIMIT.value, "LIMIT"),
        (lambda bank: bank.LIMIT["value"], "LIMIT"),
        (lambda bank: f"{bank.LIMIT}", "LIMIT"),
        (lambda bank: [*bank.LIMIT], "LIMIT"),
    ],
)
def test_a_call_says_what_it_needs(bank: ModuleType, call, place: str):
    """Which function, what it is, where it runs, and which Python this is."""
    with pytest.raises(NeedsPyodide, match=re.escape(f"stand_in_bank.{place} is Rust")) as caught:
        call(bank)
    assert "runs in Pyodide, in a browser or in Node, and this is CPython 3." in str(caught.value)


def test_what_needs_no_rust_is_there(bank: ModuleType):
    """Signatures, docstrings, enums and types are those of the stub; `dir` shows nothing else."""
    assert str(inspect.signature(bank.add_small)).replace("'", "") == "(first: int, second: int | None = None) -> int"
    assert (bank.add_small.__doc__, bank.Account.__doc__) == ("Adds two small numbers.", "Somebody's money.")
    assert (bank.Color.Green, bank.Level.__name__) == (5, "Level")
    assert inspect.iscoroutinefunction(bank.later)
    shown = [name for name in dir(bank) if not name.startswith("__")]
    assert shown == ["Account", "Color", "Hidden", "LIMIT", "Level", "addSmall", "add_small", "later", "pick"]


def test_tools_look_at_it(bank: ModuleType):
    """Help, lists of members, pickles, mocks, and `import *`, which brings what Rust exports and nothing else."""
    text = pydoc.plain(pydoc.render_doc(bank))
    assert "add_small(first" in text
    assert "LIMIT = <stand_in_bank.LIMIT, which needs Pyodide>" in text
    assert {"LIMIT", "Account", "later"} < dict(inspect.getmembers(bank)).keys()
    assert bank.__doc__ is None  # and not that of the stub
    for each in (bank.add_small, bank.Account, bank.Account.named, bank.Color.Green):
        assert pickle.loads(pickle.dumps(each)) is each
    assert not isinstance(5, bank.Account)
    with mock.patch.object(bank, "add_small", autospec=True, return_value=3):
        assert bank.add_small(1) == 3
    names: dict[str, object] = {}
    exec("from stand_in_bank import *", names)
    assert sorted(names.keys() - {"__builtins__"}) == sorted(bank.__all__)
    assert bank.__all__ == [name for name in dir(bank) if not name.startswith("__")]


def test_a_name_that_is_not_there(bank: ModuleType):
    """It is an AttributeError, as in any module."""
    with pytest.raises(AttributeError, match="module 'stand_in_bank' has no attribute 'nothing'"):
        bank.nothing  # noqa: B018
