"""Options for the place and the version of Pyodide: `pytest --realm page --pyodide 0.29`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The versions of Pyodide in the tests, and their folders on the server.
PYODIDES = {"314": "/pyodide/", "0.29": "/pyodide-0.29/"}
REALMS = ["page", "worker", "shared"]
# Every realm except the page, without the tests that use no Pyodide. Together with a run of `--realm page` this covers
# all tests, so that two runs can go side by side.
ELSEWHERE = "elsewhere"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pyodide", choices=list(PYODIDES), default="314", help="the version of Pyodide to test with")
    parser.addoption("--long", action="store_true", help="run the tests that are marked as long, too")
    parser.addoption("--realm", choices=[*REALMS, ELSEWHERE], help="run the tests that use Pyodide only there")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "everywhere: runs in a shared worker too")
    config.addinivalue_line("markers", "each_build: runs in workers with all builds, and not with one alone")
    config.addinivalue_line("markers", "long: runs with --long only, because a shorter test covers the same code")
    config.addinivalue_line("markers", "unchecked(why): commits do not look for what was written without a mark")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs tests that use Pyodide on a page and in a dedicated worker, and marked tests in a shared worker too."""
    chosen = any(mark.args[0] == "realm" for mark in metafunc.definition.iter_markers("parametrize"))
    if "realm" in metafunc.fixturenames and not chosen:
        everywhere = next(metafunc.definition.iter_markers("everywhere"), None)
        metafunc.parametrize("realm", REALMS if everywhere else ["page", "worker"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = config.getoption("--realm")
    chosen = {None, only} if only != ELSEWHERE else {*REALMS} - {"page"}
    others = {item for item in items if only and parameter(item, "realm") not in chosen}
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
    is_usual = (config.getoption("--engine"), config.getoption("--pyodide")) == ("chromium", "314")
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
def pyodide(pytestconfig: pytest.Config) -> str:
    """The folder of Pyodide on the server."""
    return PYODIDES[pytestconfig.getoption("--pyodide")]
