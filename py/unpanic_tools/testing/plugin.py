"""The plugin itself: options, marks, fixtures, and the hook that sends the body of a test to the browser.

It stands on pytest-playwright, whose options choose and launch the browser: `--browser firefox`, `--headed`, ….
"""

import contextlib
import logging
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..machine import BROWSERS, browser_command
from .host import Host, HostError, Watch
from .site import Site, serve
from .slicing import NotPortable, pack, slice_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, BrowserType, Page

__all__ = ["InBrowser"]

# Fixtures that pytest makes for the host, and `page/guest.py` makes for Pyodide.
GUESTS = ("capsys", "inject", "monkeypatch", "tmp_path")
# What a test may leave behind, if the mark `allow` says so.
LEFT = ("uncaught", "pending")
REPORT = pytest.StashKey["_Report"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("unpanic", "tests in Pyodide")
    group.addoption(
        "--realm", choices=["page", "worker"], default="page", help="where Pyodide runs: on the page or in a worker"
    )
    group.addoption(
        "--no-build", action="store_true", help="do not build the project's wheel: take the newest one in dist/"
    )
    parser.addini("pyodide", "a folder with Pyodide; by default node_modules/pyodide, or a download", default="")
    parser.addini("in_browser_wheels", "more wheels for Pyodide: paths or patterns", type="args", default=[])
    parser.addini("in_browser_seconds", "how long a test in the browser may take", default="60")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "in_browser(seconds=60): the body of the test runs in Pyodide, in a browser")
    config.addinivalue_line(
        "markers",
        'allow(*what, match=".*"): the test may leave this behind: "uncaught" (errors that match), "pending" (calls)',
    )


class InBrowser:
    """The fixture `pyodide`: the Pyodide in which tests run.

    Attributes:
        host: the other end.
        page: Playwright's page. Its main thread is where Pyodide runs, or that of its worker's owner.
        url: where the project's folder is served.
    """

    def __init__(self, host: Host, site: Site) -> None:
        self.host = host
        self.page: Page = host.page
        self.url = site.url


@pytest.fixture(scope="session")
def _browser(browser_type: "BrowserType", browser_type_launch_args: dict[str, Any]) -> Iterator["Browser"]:
    options = dict(browser_type_launch_args)
    # Browsers of the system serve as well as those of Playwright.
    if "executable_path" not in options and not Path(browser_type.executable_path).exists():
        # Those of WebKit are drivers, which Playwright cannot use.
        command = None if browser_type.name == "webkit" else browser_command(browser_type.name)
        if command is None:
            others = "" if browser_type.name == "webkit" else f", or install {' or '.join(BROWSERS[browser_type.name])}"
            pytest.fail(
                f"there is no {browser_type.name} here: run `playwright install {browser_type.name}`{others}.",
                pytrace=False,
            )
        options["executable_path"] = command
        if browser_type.name == "firefox":
            options["channel"] = "moz-firefox"  # one that Mozilla or Debian built
    browser = browser_type.launch(**options)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def _context(_browser: "Browser") -> Iterator["BrowserContext"]:
    with contextlib.closing(_browser.new_context()) as context:
        yield context


@pytest.fixture(scope="session")
def _site(pytestconfig: pytest.Config) -> Iterator[Site]:
    """The server with the wheels under test."""
    root = pytestconfig.rootpath
    named = pytestconfig.getini("pyodide")
    with tempfile.TemporaryDirectory() as place:
        wheels = [*_project_wheel(root, Path(place), pytestconfig.getoption("--no-build"))]
        for pattern in pytestconfig.getini("in_browser_wheels"):
            found = sorted(root.glob(pattern)) if not Path(pattern).is_absolute() else [Path(pattern)]
            if not found:
                pytest.fail(f"in_browser_wheels: there is no file {pattern} in {root}.", pytrace=False)
            wheels += found
        with serve(root, root / named if named else None, wheels) as site:
            yield site


def _project_wheel(root: Path, out: Path, is_built: bool) -> Iterator[Path]:
    """Yields the wheel of the project under test, if the project is built by unpanic's hook."""
    from ..cli.building import build_project
    from ..cli.problems import CommandError

    pyproject = root / "pyproject.toml"
    if not pyproject.is_file() or "[tool.hatch.build.hooks.unpanic]" not in pyproject.read_text("utf-8"):
        return
    if is_built:
        built = sorted((root / "dist").glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)
        if not built:
            pytest.fail(f"--no-build: there is no wheel in {root / 'dist'}: run `unpanic build`.", pytrace=False)
        yield built[-1]
        return
    problem = ""
    try:
        yield build_project(root, out)
    except CommandError as error:
        problem = str(error)
    if problem:
        pytest.fail(problem, pytrace=False)


@pytest.fixture(scope="session")
def _hosts() -> Iterator[list[Host]]:
    """The one Pyodide of this process, once there is one."""
    hosts: list[Host] = []
    yield hosts
    for host in hosts:
        host.close()


@pytest.fixture(scope="session")
def _watch(_context: "BrowserContext") -> Iterator[Watch]:
    watch = Watch(_context)
    yield watch
    watch.close()


@pytest.fixture
def pyodide(
    request: pytest.FixtureRequest, _context: "BrowserContext", _site: Site, _hosts: list[Host], _watch: Watch
) -> Iterator[InBrowser]:
    """A page with Pyodide and the wheels under test. Every test of a process gets the same one, unless it broke."""
    if _hosts and (_hosts[0].is_broken or _hosts[0].page.is_closed()):
        _hosts.pop().close()
    if not _hosts:
        problem = ""
        try:
            _hosts.append(Host(_context, _site.host, request.config.getoption("--realm"), _site.wheels))
        except HostError as error:
            problem = str(error)
        if problem:
            pytest.fail(problem, pytrace=False)
    _watch.take()
    yield InBrowser(_hosts[0], _site)
    allowed = list(_allowed(request.node, "uncaught"))
    # Errors of a page arrive with its next event.
    if not _hosts[0].is_broken:
        _hosts[0].page.evaluate("() => new Promise(resolve => setTimeout(resolve))")
    if errors := _watch.take(allowed):
        pytest.fail("".join(f"uncaught error: {error}\n" for error in errors), pytrace=False)


def _allowed(item: pytest.Item, what: str) -> Iterator[str]:
    """Yields the patterns of the marks that allow something."""
    for mark in item.iter_markers("allow"):
        if unknown := [name for name in mark.args if name not in LEFT]:
            pytest.fail(f"mark allow: {unknown[0]!r} is none of {', '.join(map(repr, LEFT))}.", pytrace=False)
        if what in mark.args:
            yield mark.kwargs.get("match", "")


@pytest.fixture
def inject() -> None:
    """In a test that runs in the browser: `inject(bank, "trap", on="deposit", call=3)` makes a call die."""


@pytest.fixture(autouse=True)
def _in_browser(request: pytest.FixtureRequest) -> None:
    """Tests with the mark get the page in their set-up, so that its start is not part of the test's time."""
    if request.node.get_closest_marker("in_browser"):
        request.getfixturevalue("pyodide")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs the body of a test in the browser."""
    mark = pyfuncitem.get_closest_marker("in_browser")
    if mark is None:
        return None
    config = pyfuncitem.config
    seconds = float(mark.kwargs.get("seconds", config.getini("in_browser_seconds")))
    pyodide: Any = pyfuncitem._request.getfixturevalue("pyodide")
    outcome, problem = None, ""
    try:
        outcome = pyodide.host.run(_request(pyfuncitem), seconds)
    except (HostError, NotPortable) as error:
        problem = str(error)
    if outcome is None:  # outside of `except`, so that the report has this text alone
        pytest.fail(f"{pyfuncitem.name}: {problem}", pytrace=False)
    _pass_on(outcome)
    _judge(pyfuncitem, outcome)
    return True


def _request(item: pytest.Function) -> dict[str, Any]:
    """What `run` of `page/guest.py` takes."""
    part = slice_of(item.function, item.module)
    names = item._fixtureinfo.argnames
    option = item.config.option
    return {
        "name": item.function.__qualname__,
        "module": item.module.__name__,
        "file": str(item.path.relative_to(item.config.rootpath)),
        "source": part.source,
        "statements": part.statements,
        "values": {name: pack(name, value) for name, value in part.values.items()},
        "arguments": {name: pack(name, item.funcargs[name]) for name in names if name not in GUESTS},
        "guests": [name for name in names if name in GUESTS],
        "style": option.tbstyle,
        "showlocals": option.showlocals,
    }


def _pass_on(outcome: dict[str, Any]) -> None:
    """Gives pytest what the test printed and logged, as if it had done so here."""
    import sys

    sys.stdout.write(outcome["out"])
    sys.stderr.write(outcome["err"])
    for record in outcome["logs"]:
        logger = logging.getLogger(record["name"])
        if logger.isEnabledFor(record["levelno"]):
            logger.handle(logging.makeLogRecord(record))


def _judge(item: pytest.Function, outcome: dict[str, Any]) -> None:
    """Ends the test on this side as it ended on the other."""
    if outcome["kind"] == "skipped":
        raise pytest.skip.Exception(outcome["text"], _use_item_location=True)
    if outcome["kind"] == "xfailed":
        pytest.xfail(outcome["text"])
    if outcome["kind"] == "failed":
        item.stash[REPORT] = _Report(str(item.path.relative_to(item.config.rootpath)), outcome)
        raise _failure(outcome)
    left = [] if any(True for _ in _allowed(item, "pending")) else outcome["left"]
    if left:
        pytest.fail("\n".join(left), pytrace=False)


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
    """How a failure in the browser is shown: as pytest showed it there.

    Attributes:
        reprcrash: where it was; pytest's summary shows it.
    """

    def __init__(self, file: str, outcome: dict[str, Any]) -> None:
        from _pytest._code.code import ReprFileLocation

        self._text = outcome["text"]
        self.reprcrash = ReprFileLocation(file, outcome["line"], outcome["message"])

    def toterminal(self, writer: Any) -> None:
        writer.line(self._text)

    def __str__(self) -> str:
        return str(self._text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Shows a failure as it was shown in the browser."""
    report = yield
    shown = item.stash.get(REPORT, None)
    if call.when == "call" and report.failed and shown is not None:
        report.longrepr = shown
    return report
