"""The messages of wire.py equal those of js/src/types.d.ts, and the supervisor accepts them."""

from __future__ import annotations

import inspect
import re
import typing
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic._bridge import wire
from unpanic._recovery.budget import WINDOW

from tests.unit.fakes import FakeDriver, function, make_module

SOURCES = Path(__file__).parents[3] / "js" / "src"
TYPES = (SOURCES / "types.d.ts").read_text("utf-8")
CROSSING = re.compile(r"(Fields|Message|Answer)$")


def snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def stated_in_typescript() -> dict[str, list[tuple[str, str]]]:
    """Returns each message with its labels in Python's spelling, and the group of fields that each label stands for."""
    tuples = re.findall(r"^export type (\w+) = \[(.*?)\];$", TYPES, re.M | re.S)
    return {name: [*map(label, labels(body))] for name, body in tuples if CROSSING.search(name)}


def labels(body: str) -> list[str]:
    return re.findall(r"(?:^|,)\s*((?:\.{3})?\w+: [^,]+)", body)


def label(text: str) -> tuple[str, str]:
    name, of = text.split(":")
    is_group = name.startswith("...") and of.strip().endswith("Fields")
    return snake_case(name.strip(". ")), of.strip() if is_group else ""


def stated_in_python() -> dict[str, list[tuple[str, str]]]:
    messages = {name: cls for name, cls in vars(wire).items() if isinstance(cls, type) and CROSSING.search(name)}
    return {name: [(field, group(cls, field)) for field in cls._fields] for name, cls in messages.items()}


def group(message: Any, field: str) -> str:
    """Returns the name of the group of fields in a field, or an empty text for a single value."""
    of = typing.get_type_hints(message)[field]
    return of.__name__ if hasattr(of, "_fields") else ""


def test_both_languages_state_the_same_messages():
    """Both have the same messages, each with the same fields in the same order."""
    theirs = stated_in_typescript()
    assert len(theirs) > 25
    assert theirs["UnwoundMessage"] == [("diagnosis", "DiagnosisFields"), ("call", "")]
    assert theirs["DeathMessage"][-1] == ("is_certain", "")
    assert stated_in_python() == theirs


def test_both_languages_state_the_same_handlers():
    """Each handler gets the same message in both languages."""
    declared = TYPES.split("interface PythonHandlers {", 1)[1].split("\n}", 1)[0]
    theirs = dict(re.findall(r"^\s+(\w+)\??\(\.\.\.message: (\w+)\)", declared, re.M))
    assert len(theirs) > 15
    assert {name: message.__name__ for name, message in wire.HANDLERS.items()} == theirs


HANDLERS = make_module(FakeDriver({"functions": [function("f")]}))[0].browser.handlers


def test_each_handler_has_a_message():
    """Every handler has a message, except the supervisor itself and the handlers without arguments."""
    assert {*HANDLERS} - {*wire.HANDLERS} == {"supervisor", "raised", "escaped"}


@pytest.mark.parametrize("name", wire.HANDLERS)
def test_handlers_take_their_messages(name: str):
    """Fields come by name, in their order, or as one row that makes the message."""
    params = [*inspect.signature(HANDLERS[name]).parameters.values()]
    message = wire.HANDLERS[name]
    if [(param.name, param.kind) for param in params] == [("fields", inspect.Parameter.VAR_POSITIONAL)]:
        assert callable(message.of)
    else:
        assert tuple(param.name.rstrip("_") for param in params) == message._fields
        assert not any(group(message, field) for field in message._fields)


ERROR = wire.ErrorFields("value", None, "text", "Error")
DIAGNOSIS = wire.DiagnosisFields("trap", "unreachable", "text", None, None, None, None, None, None)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (wire.DeathMessage, (DIAGNOSIS, "f", 3, True, False, None, [1, 2], True)),
        (wire.UnwoundMessage, (DIAGNOSIS, "f")),
        (wire.FailedMessage, (ERROR, "f", "stack")),
        (wire.FailedUnattendedMessage, (ERROR,)),
        (wire.SettledByErrorMessage, (7, ERROR, "f")),
        (wire.SettledByUnwindingMessage, (7, DIAGNOSIS, "f")),
        (wire.CaughtPanicMessage, (DIAGNOSIS, 3)),
    ],
)
def test_a_row_of_fields_is_read_as_a_message(message: Any, parts: tuple[Any, ...]):
    """Groups of fields become parts of the message."""
    row: list[Any] = []
    for part in parts:
        row += part if isinstance(part, wire.DiagnosisFields | wire.ErrorFields) else [part]
    assert message.of(tuple(row)) == parts


def test_bursts_are_read_one_by_one():
    """One row may hold several bursts."""
    answer = wire.BurstsAnswer.of([1000.0, 400.0, 900.0, 12, 9, 950.0, 0.0, 1, 10])
    assert answer.now == 1000.0
    assert [*answer.each()] == [(400.0, 900.0, 12, 9), (950.0, 0.0, 1, 10)]
    assert [*wire.BurstsAnswer.of([5.0]).each()] == []


def test_both_hosts_have_the_same_budget():
    """Plain JavaScript has no option for the budget, and allows as many crashes as Python's default."""
    source = (SOURCES / "hosts" / "plain" / "uncalled.js").read_text("utf-8")
    budget, window = (int(value.replace("_", "")) for value in re.findall(r"^const [RW]\w+ = ([\d_]+);", source, re.M))
    assert budget == inspect.signature(unpanic.load).parameters["restart_budget"].default
    assert window == WINDOW * 1000
