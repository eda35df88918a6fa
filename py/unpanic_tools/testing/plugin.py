"""The plugin itself: options, marks, and the hook that sends the body of a test to Pyodide.

It stands on pytest-playwright, whose options choose and launch the browser: `--browser firefox`, `--headed`, ….
"""

import contextlib
from collections.abc import Generator
from typing import Any

import pytest

from .allowing import allowed
from .host import HostError
from .in_browser import InBrowser
from .slicing import NotPortable

__all__: list[str] = []

# Fixtures that pytest makes for the host, and `page/guest.py` makes for Pyodide.
GUESTS = ("capsys", "inject", "monkeypatch", "tmp_path")
REPORT = pytest.StashKey["_Report"]()


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
    try:
        outcome = pyodide.send(_request(pyfuncitem, pyodide), seconds)
    except (HostError, NotPortable) as error:
        problem = str(error)
    if outcome is None:  # outside of `except`, so that the report has this text alone
        pytest.fail(f"{pyfuncitem.name}: {problem}", pytrace=False)
    if outcome["kind"] == "failed":
        pyodide.finish(is_allowed=True)  # what such a test leaves behind is no news
        pyfuncitem.stash[REPORT] = _Report(outcome)
        raise _failure(outcome)
    pyodide.finish(is_allowed=bool(allowed(pyfuncitem, "pending")))
    return True


def _request(item: pytest.Function, pyodide: InBrowser) -> dict[str, Any]:
    names = item._fixtureinfo.argnames
    option = item.config.option
    return pyodide.request(
        item.function,
        {name: item.funcargs[name] for name in names if name not in GUESTS},
        guests=tuple(name for name in names if name in GUESTS),
        style=option.tbstyle,
        showlocals=option.showlocals,
    )


def _failure(outcome: dict[str, Any]) -> BaseException:
    """Returns an exception of the same built-in class, so that `xfail(raises=ValueError)` works."""
    import builtins

    for name in outcome["builtins"]:
        kind = getattr(builtins, name)
        with contextlib.suppress(Exception):
            error: BaseException = kind(outcome["message"])
            return error
    return AssertionError(outcome["message"])


class _Report:
    """How a failure in Pyodide is shown: as pytest showed it there.

    Attributes:
        reprcrash: where it was; pytest's summary shows it.
    """

    def __init__(self, outcome: dict[str, Any]) -> None:
        from _pytest._code.code import ReprFileLocation

        self._text = outcome["text"]
        self.reprcrash = ReprFileLocation(outcome["file"], outcome["line"], outcome["message"])

    def toterminal(self, writer: Any) -> None:
        writer.line(self._text)

    def __str__(self) -> str:
        return str(self._text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Shows a failure as it was shown in Pyodide."""
    report = yield
    shown = item.stash.get(REPORT, None)
    if call.when == "call" and report.failed and shown is not None:
        report.longrepr = shown
    return report
