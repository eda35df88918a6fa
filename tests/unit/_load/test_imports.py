"""The imports of a Wasm file without glue: the option, and what Wasm gets of Python functions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from unpanic._load.imports import ImportedFunctions
from unpanic._load.options import LoadOptions
from unpanic._values.imports import typed

from tests.unit.fakes import FakeBrowser, FakeDriver, make_module

WRONG = {
    "imports must be a dict such as {'env': {'log': print}}, not list": [],
    "imports['env'] must be a dict of functions, not builtin_function_or_method": {"env": print},
    "imports['env']['log'] must be a function or a number, not str": {"env": {"log": "print"}},
    "imports['env'][3]: the names of modules and imports must be str": {"env": {3: print}},
}


@pytest.mark.parametrize("message", WRONG)
def test_imports_of_a_wrong_form_are_refused(message: str):
    """The message shows the form."""
    with pytest.raises(TypeError, match=re.escape(message)):
        LoadOptions(glue="/plain.wasm", imports=WRONG[message])  # type: ignore[arg-type]


def test_arguments_and_results_have_the_types_of_the_file():
    """A whole float arrives from JavaScript as an int, and a result has to fit."""
    seen: list[Any] = []

    def log(*args: Any) -> Any:
        seen.append(args)
        return seen

    call = typed(log, ["i32", "f64", "f32", "i64"], [], "env.log returned to plain")
    assert call(1, 2, "-0", 3) is None
    assert repr(seen) == "[(1, 2.0, -0.0, 3)]"
    for results, value, sent in [
        (["i32"], True, 1),
        (["f64"], 1, 1.0),
        (["i64"], 2**63, 2**63),
        (["i32", "f32"], (1, 2), [1, 2.0]),
    ]:
        assert typed(lambda value=value: value, [], results, "")() == sent


@pytest.mark.parametrize(
    ("results", "value", "error"),
    [
        (["i32"], None, TypeError),
        (["i32"], 2**32, OverflowError),
        (["f64"], "1", TypeError),
        (["i32", "i32"], (1,), ValueError),
    ],
)
def test_a_result_that_does_not_fit_is_named(results: list[str], value: Any, error: type[Exception]):
    """The note says of which import it is."""
    call = typed(lambda: value, [], results, "env.pick returned to plain")
    with pytest.raises(error) as caught:
        call()
    assert caught.value.__notes__ == [f"in what env.pick returned to plain, which must be {' and '.join(results)}"]


def test_functions_become_callbacks_that_survive_a_reset():
    """Each function is bound to its place among the functions, and no generation takes it along."""
    driver = FakeDriver({})
    context = make_module(driver)[0]
    imports = {"env": {"limit": 5, "log": lambda _code: None, "pick": lambda code: code + 1}}
    with ImportedFunctions(imports, FakeBrowser()) as imported:
        names = [item[:2] for item in imported.runtime_options()["imports"]]
        imported.bind(context, {("env", "log"): (("i32",), ()), ("env", "pick"): (("i64",), ("i64",))})
    assert names == [["env", "limit"], ["env", "log"], ["env", "pick"]]
    context.callbacks.clear()
    assert context.callbacks.called(driver.bound[1], 4) == 5
    assert ImportedFunctions(None, FakeBrowser()).runtime_options() == {}
