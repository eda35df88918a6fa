"""Where Pyodide runs, and which one: `pytest --realm page --pyodide 0.29`."""

from __future__ import annotations

import pytest

# The versions that unpanic is tested with, and where the server has them.
PYODIDES = {"314": "/pyodide/", "0.29": "/pyodide-0.29/"}
REALMS = ["page", "worker", "shared"]
# All but the page, without the tests that use no Pyodide: with `--realm page` the whole, in two runs at a time.
ELSEWHERE = "elsewhere"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pyodide", choices=list(PYODIDES), default="314", help="the version of Pyodide to test with")
    parser.addoption("--realm", choices=[*REALMS, ELSEWHERE], help="run what uses Pyodide only there")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "everywhere: runs in a shared worker too")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs what uses Pyodide on a page and in a dedicated worker; what is marked so, everywhere."""
    chosen = any(mark.args[0] == "realm" for mark in metafunc.definition.iter_markers("parametrize"))
    if "realm" in metafunc.fixturenames and not chosen:
        everywhere = next(metafunc.definition.iter_markers("everywhere"), None)
        metafunc.parametrize("realm", REALMS if everywhere else ["page", "worker"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = config.getoption("--realm")
    chosen = {None, only} if only != ELSEWHERE else {*REALMS} - {"page"}
    others = {item for item in items if only and item_realm(item) not in chosen}
    config.hook.pytest_deselected(items=list(others))
    items[:] = [item for item in items if item not in others]


def item_realm(item: pytest.Item) -> str | None:
    """The realm that a test is for, if it has one."""
    return item.callspec.params.get("realm") if hasattr(item, "callspec") else None


@pytest.fixture(scope="session")
def pyodide(pytestconfig: pytest.Config) -> str:
    """Where the server has the Pyodide to test with."""
    return PYODIDES[pytestconfig.getoption("--pyodide")]
