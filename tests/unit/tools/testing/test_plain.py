"""Copies of values that cross between the host and Pyodide."""

from __future__ import annotations

import base64
import pickle

import pytest
from unpanic_tools.testing.page.plain import decode, encode, is_plain

VALUES = [None, True, 2**70, 1.5, 2 + 1j, "ä", b"\0", [1, (2, {3}), frozenset([4])], {"a": {1: [None]}}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_arrive_as_they_are(value: object):
    assert is_plain(value)
    copy = decode(encode(value))
    assert (copy, type(copy)) == (value, type(value))


def test_what_is_not_plain():
    """Neither an object, nor a container that holds one, nor one that holds itself."""
    endless: list[object] = []
    endless.append(endless)
    assert not any(map(is_plain, [object(), [object()], {"a": print}, endless]))


class Harmful:
    def __reduce__(self):
        return print, ("harm",)


def test_nothing_runs_when_a_page_sends_something_else(capsys: pytest.CaptureFixture[str]):
    text = base64.b64encode(pickle.dumps(Harmful())).decode()
    with pytest.raises(pickle.UnpicklingError, match=r"builtins\.print is no plain value"):
        decode(text)
    assert capsys.readouterr().out == ""
