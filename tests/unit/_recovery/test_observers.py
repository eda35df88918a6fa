"""Observers get the crashes of all modules, also of modules that are loaded later."""

from __future__ import annotations

from typing import Any

from unpanic._recovery.observers import Observers, crash_observers

from tests.unit.fakes import FakeDriver, crash, function, make_module


def load() -> tuple[Any, Any]:
    _, supervisor, bank = make_module(FakeDriver({"functions": [function("f")]}), panic_hook=lambda _: None)
    return supervisor, bank


def test_an_observer_hears_of_modules_that_are_loaded_later():
    """It gets the module, the crash and the suspects, until it is removed. A second removal is no error."""
    heard: list[Any] = []
    before, first_bank = load()
    remove = crash_observers.add(lambda *crashed: heard.append(crashed))
    later, second_bank = load()
    first, second = crash(before), crash(later)
    assert heard == [(first_bank, first, []), (second_bank, second, [])]
    remove()
    remove()
    crash(before)
    assert len(heard) == 2
    assert not crash_observers


def test_observers_are_told_apart():
    """The same function may be added twice, and each addition is removed by itself."""
    heard: list[Any] = []
    observers = Observers()
    removals = [observers.add(lambda *crashed: heard.append(crashed)) for _ in range(2)]
    crashed: Any = object()
    observers.notify(None, crashed, [])
    removals[0]()
    observers.notify(None, crashed, [])
    assert len(heard) == 3
