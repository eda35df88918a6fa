"""Which tests run where: `pytest --realm page --older`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Runs a test in a shared worker too.
EVERYWHERE = pytest.mark.realms("page", "worker", "shared")
# The versions of Pyodide in the tests, and their folders on the server.
PYODIDES = {"314": "/pyodide/", "0.29": "/pyodide-0.29/"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests that are marked as long, too")
    parser.addoption("--older", action="store_true", help="test with Pyodide 0.29")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "each_build: runs in workers with all builds, and not with one alone")
    config.addinivalue_line("markers", "long: runs with --long only, because a shorter test covers the same code")
    config.addinivalue_line("markers", "unchecked(why): commits do not look for what was written without a mark")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    realms = config.getoption("--realm")
    others: set[pytest.Item] = set()
    if realms and "page" not in realms:
        # A run without the page leaves out tests that use no Pyodide: so it can go beside one with the page.
        others |= {item for item in items if "realm" not in item.fixturenames}
    if not config.getoption("--long"):
        others |= {item for item in items if item.get_closest_marker("long")} | set(repeated(config, items))
    config.hook.pytest_deselected(items=list(others))
    items[:] = [item for item in items if item not in others]


def repeated(config: pytest.Config, items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Gives the tests that show again, elsewhere and with another build, what one build shows there.

    On a page, in Chromium with the newer Pyodide, all builds are tested; in a worker only if the test is marked so.
    The glue of the build `reset` has one function more than that of `abort`, which only its own recovery calls: that
    runs in tests of `reset` alone, and where the test is marked.
    """
    short = [item for item in items if not item.get_closest_marker("long")]
    has_abort = {function(item) for item in short if parameter(item, "build") == "abort"}
    is_usual = config.getoption("--browser") in ([], ["chromium"]) and not config.getoption("--older")
    first: dict[str, str] = {}
    for item in items:
        build, realm = parameter(item, "build"), parameter(item, "realm")
        if build is None or (is_usual and item.get_closest_marker("each_build")):
            continue
        if is_usual and realm in (None, "page"):
            if build == "reset" and function(item) in has_abort:
                yield item
        elif first.setdefault(function(item), build) != build:
            yield item


def function(item: pytest.Item) -> str:
    """Where a test's function is, whatever its parameters."""
    return item.nodeid.partition("[")[0]


def parameter(item: pytest.Item, name: str) -> str | None:
    """What a test gets for a parameter, such as `realm` or `build`; None if it has no such parameter."""
    return item.callspec.params.get(name) if hasattr(item, "callspec") else None


def builds(*names: str, long: Iterable[str] = ()) -> pytest.MarkDecorator:
    """Runs a test with these builds of a fixture, and with others if `--long` is given."""
    others = [pytest.param(name, marks=pytest.mark.long) for name in long]
    return pytest.mark.parametrize("build", [*names, *others])


@pytest.fixture(scope="session")
def older(pytestconfig: pytest.Config) -> bool:
    """Whether the tests run with the older version of Pyodide."""
    return pytestconfig.getoption("--older")


@pytest.fixture(scope="session")
def pyodide_folder(older: bool) -> str:
    """The folder of Pyodide on the server."""
    return PYODIDES["0.29" if older else "314"]
