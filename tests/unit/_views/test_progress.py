"""The display of a download."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
from unpanic._views import progress
from unpanic._views.progress import NotebookLine, choose_progress


class Shown:
    """Plays IPython's `display` and the handle that it returns."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.displays = 0

    def display(self, line: Any, *, display_id: bool) -> Shown:
        self.displays += display_id
        self.states.append(repr(line))
        return self

    def update(self, line: Any) -> None:
        self.states.append(repr(line))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_long_download_is_one_line_that_moves():
    """It appears after half a second, moves at most ten times a second, and ends when the download ends."""
    shown, clock = Shown(), Clock()
    line = NotebookLine("bank", shown.display, clock)
    for now, loaded in [(0.1, 1), (0.6, 2), (0.65, 3), (0.8, 4), (0.81, 10)]:
        clock.now = now
        line(loaded * 1_000_000, 10_000_000)
    assert shown.displays == 1
    assert shown.states == [
        "Loading bank: 2.0 MB of 10.0 MB (20%)",
        "Loading bank: 4.0 MB of 10.0 MB (40%)",
        "Loading bank: 10.0 MB of 10.0 MB (100%)",
    ]


def test_a_short_download_shows_nothing():
    """It shows nothing even when it ends."""
    shown = Shown()
    NotebookLine("bank", shown.display, Clock())(10, 10)
    assert shown.states == []


def test_without_a_length_the_amount_is_shown():
    """The bar moves without an end, and names are escaped."""
    line = progress.Line("<bank>", 1_500_000, None)
    assert repr(line) == "Loading <bank>: 1.5 MB"
    assert line._repr_html_() == "<label>Loading &lt;bank&gt;: 1.5 MB <progress></progress></label>"
    assert "<progress value='1' max='2'>" in progress.Line("bank", 1, 2)._repr_html_()


def test_who_hears_of_a_download(monkeypatch: pytest.MonkeyPatch):
    """The user's callback does. By default, a notebook shows a line, and nothing else does."""
    heard: list[Any] = []
    assert choose_progress(heard.append, "bank") == heard.append
    assert choose_progress(False, "bank") is None
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert choose_progress(None, "bank") is None

    shown = Shown()
    shell: list[Any] = [None]
    display = types.SimpleNamespace(display=shown.display)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell[0], display=display))
    assert choose_progress(None, "bank") is None
    shell[0] = object()
    assert isinstance(choose_progress(None, "bank"), NotebookLine)
    assert isinstance(choose_progress(True, "bank"), NotebookLine)
    assert choose_progress(False, "bank") is None
