"""Packages whose files have an unusual form: they load, crash and work again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.compat.package import NODE_MODULES

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

ROME = "@rometools/wasm-web/rome_wasm.js"
IRIS = "@nockbox/iris-wasm/iris_wasm.js"


@pytest.fixture(autouse=True)
def installed() -> None:
    if not (NODE_MODULES / ROME).is_file():
        pytest.fail("the packages are not installed: run `python3 scripts/setup.py compat` first.")


async def format_and_crash(glue):
    """Returns the results of Rome's formatter before and after a crash."""
    import unpanic

    rome = await unpanic.load(glue)

    def formatted():
        workspace = rome.Workspace()
        path = {"path": "a.js", "id": 0}
        workspace.open_file({"path": path, "content": "a  =1", "version": 0})
        return workspace.format_file({"path": path})["code"]

    found = [rome.__name__, formatted()]
    try:
        rome.Workspace().format_file({"path": {"path": "nope.js", "id": 7}})
    except unpanic.RustError:
        found.append("refused")
    unpanic.reset(rome)
    found += [formatted(), unpanic.status(rome).generation]
    unpanic.unload(rome)
    return found


def test_init_sync_of_2022(py: InBrowser):
    """Its `initSync` takes bytes and compiles them, for the first generation and for the next ones."""
    found = py.run(format_and_crash, glue=f"/compat/{ROME}")
    assert found == ["rome_wasm", "a = 1;\n", "refused", "a = 1;\n", 1]


async def hash_without_a_free(glue):
    """Returns the warnings of the load, and the results of the package although an export is missing."""
    import warnings

    import unpanic

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        iris = await unpanic.load(glue)
    found = [[str(warning.message) for warning in warned], iris.hash_u64(7), iris.hash_u64(7)]
    unpanic.reset(iris)
    found += [iris.hash_u64(7), unpanic.status(iris).generation]
    unpanic.unload(iris)
    return found


def test_an_export_that_the_glue_names_and_the_wasm_file_lacks(py: InBrowser):
    """An optimiser removed the `free` of unused objects. There is a warning, and all else works."""
    (warning,), first, second, after, generation = py.run(hash_without_a_free, glue=f"/compat/{IRIS}")
    assert "iris_wasm_bg.wasm does not export: __wbg_wasmseed_free." in warning
    assert first
    assert first == second == after
    assert generation == 1
