"""The options of a load are declared once, check their values, and equal those of the public functions."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import unpanic
from unpanic._load.options import LoadOptions

GLUE = "http://host/bank.js"


@pytest.mark.parametrize(("load", "missing"), [(unpanic.load, set()), (unpanic.load_sync, {"progress", "cache"})])
def test_the_functions_have_these_options(load: Callable[..., Any], missing: set[str]):
    """Names, types and defaults are the same. `load_sync` downloads nothing, so it has no `progress`."""
    parameters = inspect.signature(load).parameters
    options = {field.name: field for field in dataclasses.fields(LoadOptions) if field.name not in missing}
    assert [*parameters] == [*options]
    for name, parameter in parameters.items():
        default = options[name].default
        assert parameter.default == (inspect.Parameter.empty if default is dataclasses.MISSING else default), name
        assert parameter.annotation == options[name].type, name


def test_options_cannot_be_changed():
    """Checked options stay as they are, and a copy with another value is checked again."""
    options = LoadOptions(glue=GLUE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.recovery = "reset"  # type: ignore[misc]
    with pytest.raises(ValueError, match="recovery='undo'"):
        dataclasses.replace(options, recovery="undo")
    assert dataclasses.replace(options, recovery="none").recovery == "none"


def test_a_function_hears_of_the_download():
    """The function in `progress` is called, and with False none is."""

    def hear(loaded: int, total: int | None) -> None: ...

    assert LoadOptions(glue=GLUE, progress=hear).reporter() is hear
    assert LoadOptions(glue=GLUE, progress=False).reporter() is None
