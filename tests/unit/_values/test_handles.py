"""A handle is Python's stand-in for a thing that lives in a generation."""

from __future__ import annotations

from unittest import mock

import pytest
from unpanic._values.handles import CURRENT, Handle, handle_of
from unpanic.errors import StaleObjectError

from tests.unit.fakes import FakeDriver, crash, make_module, struct


def test_the_comparison_in_source_text_is_that_of_the_handle():
    """Generated functions compare without a call, and agree with all other code on what is stale."""
    context, supervisor, bank = make_module(FakeDriver({"classes": [struct("Account")]}))
    kept, freed, unmade = bank.Account(), bank.Account(), bank.Account.__new__(bank.Account)
    freed.free()
    handles = [kept.__rust_handle__, freed.__rust_handle__, unmade.__rust_handle__, Handle(context, 7, "closure")]

    def current() -> list[bool]:
        names = [{"HANDLE": handle, "SUPERVISOR": supervisor} for handle in handles]
        by_text = [eval(CURRENT.format("HANDLE"), scope) for scope in names]
        assert by_text == [handle.is_current() for handle in handles]
        return by_text

    assert current() == [True, False, False, True]
    crash(supervisor, clear=False)
    assert current() == [False] * 4
    supervisor.recover(False)
    assert current() == [False] * 4


def test_a_stale_handle_says_what_it_stood_for():
    """It does not give its number away, and does not ask the runtime to forget the number."""
    context, supervisor, _ = make_module(FakeDriver({}))
    handle = Handle(context, 7, "closure")
    assert handle.live("f") == 7
    crash(supervisor)
    with pytest.raises(StaleObjectError, match=r"^This closure of bank was made by generation 0, which is gone\.$"):
        handle.live("f")
    with mock.patch.object(context.driver, "forget") as forget:
        handle.forget()
        assert forget.mock_calls == []
        Handle(context, 8, "closure").forget()
        assert forget.mock_calls == [mock.call(8)]


def test_an_object_that_was_not_made_has_a_handle_of_its_own():
    """Using it raises the reason, and freeing it does not touch any other object."""
    _, _, bank = make_module(FakeDriver({"classes": [struct("Account")]}))
    first, second = (bank.Account.__new__(bank.Account) for _ in range(2))
    assert handle_of(first) is handle_of(first)
    assert handle_of(first) is not handle_of(second)
    first.free()
    with pytest.raises(StaleObjectError, match=r"^This bank\.Account was not made; it cannot be used in bank\.f\.$"):
        first.__rust_handle__.live("f")


@pytest.mark.parametrize("value", [1, "a", mock.MagicMock(), object, len], ids=type)
def test_anything_else_has_no_handle(value: object):
    """A mock claims to have every attribute, but has no handle."""
    assert handle_of(value) is None
