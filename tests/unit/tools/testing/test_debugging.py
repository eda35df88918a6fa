"""The traceback that a debugger shows here of an exception that was raised in Pyodide."""

from __future__ import annotations

import importlib.util
import json
import linecache
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from unpanic_tools.testing.debugging import make_traceback
from unpanic_tools.testing.page import plain
from unpanic_tools.testing.site import PAGES
from unpanic_tools.testing.sources import Sources

RATE = 3
TABLE = [object()] * 1000


class Coin:
    def __init__(self, value: Any):
        self.value = value

    @property
    def broken(self) -> None:
        raise AssertionError("a property was read")

    def __repr__(self) -> str:
        return "<a coin>"


def inner(amount: int, coin: Coin):
    known = {"ada": coin, "x": 1}
    listed = [coin, (coin, 2)]
    text = "é" * 10
    raise ValueError(amount * RATE, known, listed, text, len(TABLE))


def outer():
    inner(4, Coin({"a": [1, 2]}))


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> list[TracebackType]:
    """The entries of the traceback, which went through JSON."""
    monkeypatch.setitem(sys.modules, "unpanic_plain", plain)
    spec = importlib.util.spec_from_file_location("unpanic_frames", PAGES / "frames.py")
    frames = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(frames)
    # In Pyodide the files have names in the project.
    for function in (inner, outer):
        monkeypatch.setattr(
            function, "__code__", function.__code__.replace(co_filename=f"testing/{Path(__file__).name}")
        )
    with pytest.raises(ValueError) as raised:
        outer()
    told = json.loads(json.dumps(frames.frames(raised.value, (__file__,))))
    rust = {"file": "src/lib.rs", "name": "bank::withdraw", "line": 7, "first": 1, "locals": {}, "globals": {}}
    entry = make_traceback([*told, rust], Sources(Path(__file__).parents[1], []))
    found = []
    while entry is not None:
        found.append(entry)
        entry = entry.tb_next
    return found


def test_places(entries: list[TracebackType]):
    """Each entry has the file here, the line, and the function; `where` and `list` ask for these."""
    shown = traceback.extract_tb(entries[0])
    assert [(each.name, each.filename) for each in shown] == [
        ("outer", __file__),
        ("inner", __file__),
        ("bank::withdraw", "src/lib.rs"),
    ]
    assert [each.line for each in shown[:2]] == [
        'inner(4, Coin({"a": [1, 2]}))',
        "raise ValueError(amount * RATE, known, listed, text, len(TABLE))",
    ]
    code = entries[1].tb_frame.f_code
    assert linecache.getline(code.co_filename, code.co_firstlineno).startswith("def inner(")


def test_variables(entries: list[TracebackType]):
    """What is plain is a copy; other objects look like those in Pyodide, and have their attributes; lists are lists."""
    frame = entries[1].tb_frame
    found = frame.f_locals
    assert [found["amount"], found["text"], frame.f_globals["RATE"]] == [4, "é" * 10, 3]
    assert [repr(found["coin"]), found["coin"].value] == ["<a coin>", {"a": [1, 2]}]
    assert [found["known"]["ada"].value, found["known"]["x"]] == [{"a": [1, 2]}, 1]
    assert [repr(found["listed"]), found["listed"][1][1]] == ["[<a coin>, [<a coin>, 2]]", 2]
    assert "object object at" in repr(frame.f_globals["TABLE"])  # too long for a copy
    with pytest.raises(
        AttributeError, match="<a coin> was in Pyodide, and only its repr is here: there is no 'broken'"
    ):
        _ = found["coin"].broken


def test_rust_is_passed_over(entries: list[TracebackType]):
    """The debugger begins in the last frame of Python."""
    assert [entry.tb_frame.f_locals.get("__tracebackhide__", False) for entry in entries] == [False, False, True]
