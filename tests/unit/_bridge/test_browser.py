"""The browser's side with a Pyodide that cannot convert some JavaScript values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from unpanic._bridge.browser import PyodideBrowser


class JsException(Exception):
    """Stands for Pyodide's class."""


class ConversionError(Exception):
    """Stands for Pyodide's class."""


class JsBuffer:
    """A typed array that was transferred."""

    constructor = SimpleNamespace(name="Uint8Array")

    def to_bytes(self) -> bytes:
        raise JsException("TypeError: Cannot perform Construct on a detached ArrayBuffer")


class Hostile:
    """Stands for a JavaScript object that Pyodide cannot read."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def to_py(self, **_: Any) -> Any:
        raise self.error


def converting_browser(cause: BaseException | None = None) -> PyodideBrowser:
    """Returns a browser of which only the conversions work; `cause` is the error of a conversion."""

    def to_js(_value: object, **_: Any) -> Any:
        raise ConversionError("it cannot be converted") from cause

    made: Any = object.__new__(PyodideBrowser)
    made._js = SimpleNamespace(Object=SimpleNamespace(fromEntries=None))
    made._ffi = SimpleNamespace(
        JsException=JsException, ConversionError=ConversionError, JsBuffer=JsBuffer, to_js=to_js
    )
    return made


def test_a_typed_array_without_memory_is_no_data():
    """A detached array stays as it is, so that the parameter refuses it."""
    assert converting_browser().from_typed_array(JsBuffer()) is None


@pytest.mark.parametrize("error", [JsException("Error: getter"), SystemError("<to_py> returned with an exception set")])
def test_what_throws_when_it_is_read_stays_javascript(error: Exception):
    """An object whose getter throws, or that holds a detached array, arrives as it is."""
    hostile = Hostile(error)
    assert converting_browser().to_python(hostile, lambda inner, *_: inner) is hostile


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (None, "it cannot be converted"),
        (JsException("Error: Unrecognized format character 'w'."), "Error: Unrecognized format character 'w'."),
    ],
)
def test_what_javascript_cannot_hold_is_refused(cause: BaseException | None, text: str):
    """A buffer of a format that JavaScript lacks raises a TypeError."""
    with pytest.raises(TypeError) as caught:
        converting_browser(cause).to_plain([])
    assert str(caught.value) == text
