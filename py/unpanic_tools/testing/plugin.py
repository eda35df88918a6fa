"""The plugin itself: options, marks, and the hook that sends the body of a test to Pyodide.

It stands on pytest-playwright, whose options choose and launch the browser: `--browser firefox`, `--headed`, ….
"""

import contextlib
import sys
from collections.abc import Generator
from functools import partial
from types import TracebackType
from typing import Any, cast

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntryNative, ReprFileLocation, ReprTraceback
from _pytest.unittest import TestCaseFunction

from . import coverage
from .allowing import finish
from .capturing import warning_filters
from .debugging import make_traceback
from .host import HostError
from .in_browser import InBrowser
from .page.plain import is_plain
from .slicing import NotPortable, pack
from .subtests import replay

__all__: list[str] = []

# Fixtures that pytest makes for the host, and `page/guest.py` makes for Pyodide.
GUESTS = (
    "capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "capteesys",
    "inject", "monkeypatch", "recwarn", "subtests", "tmp_path",
)  # fmt: skip
# How pytest names the fixtures that call these methods.
XUNIT = ("_xunit_setup_method_fixture_", "_xunit_setup_class_fixture_")
REPORT = pytest.StashKey[ExceptionChainRepr | None]()
TRACEBACK = pytest.StashKey[TracebackType | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("unpanic", "tests in Pyodide")
    group.addoption(
        "--no-build", action="store_true", help="do not build the project's wheel: take the newest one in dist/"
    )
    group.addoption("--pyodide", default="", help="a folder with Pyodide, instead of that of the setting `pyodide`")
    parser.addini("pyodide", "a folder with Pyodide; by default node_modules/pyodide, or a download", default="")
    parser.addini("in_browser_wheels", "more wheels for Pyodide: paths or patterns", type="args", default=[])
    parser.addini("in_browser_seconds", "how long a test in the browser may take", default="60")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "in_browser(seconds=60): the body of the test runs in Pyodide, in a browser")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, Any, Any]:
    """Counts what ran in Pyodide, before pytest-cov saves the coverage."""
    try:
        return (yield)
    finally:
        coverage.save(session.config)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs the body of a test in Pyodide."""
    mark = pyfuncitem.get_closest_marker("in_browser")
    if mark is None:
        return None
    config = pyfuncitem.config
    seconds = float(mark.kwargs.get("seconds", config.getini("in_browser_seconds")))
    pyodide: InBrowser = pyfuncitem._request.getfixturevalue("pyodide")
    outcome, problem = None, ""
    pyfuncitem.stash[REPORT] = None  # it may be run again
    try:
        outcome = pyodide.send(_request(pyfuncitem, pyodide), seconds)
    except (HostError, NotPortable) as error:
        problem = str(error)
    if outcome is None:  # outside of `except`, so that the report has this text alone
        pytest.fail(f"{pyfuncitem.name}: {problem}", pytrace=False)
    if outcome["kind"] == "failed":
        pyodide.finish(is_allowed=True)  # what such a test leaves behind is no news
    if outcome["subtests"]:
        replay(pyfuncitem.funcargs["subtests"], outcome["subtests"], partial(_end, pyfuncitem, pyodide))
    _end(pyfuncitem, pyodide, outcome)
    finish(pyodide, pyfuncitem)
    return True


def _end(item: pytest.Item, pyodide: InBrowser, outcome: dict[str, Any]) -> None:
    """Raises here what an outcome is, if it is not a success."""
    item.stash[REPORT] = item.stash[TRACEBACK] = None
    if outcome["kind"] == "failed":
        item.stash[REPORT] = _report(outcome)
        item.stash[TRACEBACK] = make_traceback(outcome["frames"], pyodide.sources)
        raise _failure(outcome)
    pyodide.end(outcome)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> bool | None:
    """Leaves `setup_method` and `setup_class` to Pyodide, which calls them around the body of the test."""
    if not fixturedef.argname.startswith(XUNIT) or request.node.get_closest_marker("in_browser") is None:
        return None
    fixturedef.cached_result = (None, fixturedef.cache_key(cast("Any", request)), None)
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuses what would run here although it is marked."""
    if item.get_closest_marker("in_browser") is None:
        return
    if not isinstance(item, pytest.Function) or isinstance(item, TestCaseFunction):
        pytest.fail(f"{item.name}: only functions, and methods of plain classes, can run in Pyodide.", pytrace=False)
    if item.config.getoption("trace"):
        pytest.fail(f"{item.name}: --trace cannot stop in Pyodide. Use --pdb, which stops after it.", pytrace=False)


def _request(item: pytest.Function, pyodide: InBrowser) -> dict[str, Any]:
    names = item._fixtureinfo.argnames
    option = item.config.option
    return pyodide.request(
        item.function,
        {name: item.funcargs[name] for name in names if name not in GUESTS},
        guests=tuple(name for name in names if name in GUESTS),
        style=option.tbstyle,
        showlocals=option.showlocals,
        warnings=warning_filters(item),
        frames=bool(option.usepdb),
        attributes=_attributes(item),
    )


def _attributes(item: pytest.Function) -> dict[str, str]:
    """What fixtures have set on the object whose method a test is: copies of what is plain, or what the test uses."""
    used = item.function.__code__.co_names
    found = getattr(item.instance, "__dict__", {})
    return {name: pack(f"self.{name}", value) for name, value in found.items() if is_plain(value) or name in used}


def _failure(outcome: dict[str, Any]) -> BaseException:
    """Returns an exception of the same class, or the nearest that is here: `xfail(raises=ValueError)` asks for it."""
    if outcome["is_told"]:
        return pytest.fail.Exception(outcome["message"].removeprefix("Failed: "), pytrace=False)
    found = [getattr(sys.modules.get(module), name, None) for module, name in outcome["classes"]]
    known = [kind for kind in found if isinstance(kind, type) and issubclass(kind, BaseException)]
    error: BaseException = AssertionError(outcome["message"])
    for kind in known:
        if kind.__module__ == "builtins":
            with contextlib.suppress(Exception):
                error = kind(outcome["message"])
                break
    if known[0].__module__ == "builtins":
        return error
    # Nobody can make one of a class of the user's, so this one only passes for it.
    members = {"__class__": property(lambda _: known[0])}
    stand_in: BaseException = type(known[0].__name__, (type(error),), members)(*error.args)
    return stand_in


def _report(outcome: dict[str, Any]) -> ExceptionChainRepr:
    """How a failure in Pyodide is shown: as pytest showed it there. Pytest-xdist can send it to its controller."""
    place = ReprFileLocation(outcome["file"], outcome["line"], outcome["message"])
    text = ReprTraceback([ReprEntryNative([outcome["text"], "\n"])], None, "native")
    return ExceptionChainRepr([(text, place, None)])


@pytest.hookimpl(tryfirst=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any]) -> None:
    """Leaves the frames of the host out of what `--pdb` shows."""
    entry = node.stash.get(TRACEBACK, None)
    if entry is not None and call.excinfo is not None:
        error = call.excinfo.value.with_traceback(entry)
        call.excinfo = pytest.ExceptionInfo.from_exc_info((type(error), error, entry))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Shows a failure as it was shown in Pyodide."""
    report = yield
    shown = item.stash.get(REPORT, None)
    if call.when == "call" and report.failed and shown is not None:
        report.longrepr = shown
    return report
