"""The fixtures. A project may override `pyodide_browser`, `pyodide_context` and `pyodide_site` in its conftest.py."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..machine import BROWSERS, browser_command
from .allowing import allowed, finish
from .building import build_once
from .host import Host, HostError, PageHost, Watch
from .in_browser import InBrowser
from .node import NodeHost
from .site import Site, serve
from .slicing import Project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, BrowserType


@pytest.fixture(scope="session")
def pyodide_browser(
    request: pytest.FixtureRequest, browser_type: "BrowserType", browser_type_launch_args: dict[str, Any]
) -> Iterator["Browser"]:
    """The browser of the tests: that of pytest-playwright, or one that the system has."""
    options = dict(browser_type_launch_args)
    if "executable_path" in options or Path(browser_type.executable_path).exists():
        yield request.getfixturevalue("browser")
        return
    name = browser_type.name
    # Those of WebKit are drivers, which Playwright cannot use.
    command = None if name == "webkit" else browser_command(name)
    if command is None:
        others = "" if name == "webkit" else f", or install {' or '.join(BROWSERS[name])}"
        pytest.fail(f"there is no {name} here: run `playwright install {name}`{others}.", pytrace=False)
    options["executable_path"] = command
    if name == "firefox":
        options["channel"] = "moz-firefox"  # one that Mozilla or Debian built
    browser = browser_type.launch(**options)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def pyodide_context(pyodide_browser: "Browser", uncaught_errors: Watch) -> Iterator["BrowserContext"]:
    """The browser context of all pages with Pyodide."""
    with contextlib.closing(pyodide_browser.new_context()) as context, uncaught_errors.watching(context):
        yield context


@pytest.fixture(scope="session")
def uncaught_errors() -> Watch:
    """Collects uncaught errors, for the fixture `uncaught`."""
    return Watch()


@pytest.fixture(scope="session")
def pyodide_site(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The server with Pyodide, the wheels under test and the project's files."""
    root = pytestconfig.rootpath
    named = pytestconfig.getoption("--pyodide") or pytestconfig.getini("pyodide")
    wheels = [*_project_wheel(root, pytestconfig, tmp_path_factory)]
    for pattern in pytestconfig.getini("in_browser_wheels"):
        found = sorted(root.glob(pattern)) if not Path(pattern).is_absolute() else [Path(pattern)]
        if not found:
            pytest.fail(f"in_browser_wheels: there is no file {pattern} in {root}.", pytrace=False)
        wheels += found
    with serve(root, root / named if named else None, wheels) as site:
        yield site


def _project_wheel(root: Path, config: pytest.Config, folders: pytest.TempPathFactory) -> Iterator[Path]:
    """Yields the wheel of the project under test, if the project is built by unpanic's hook."""
    from ..cli.problems import CommandError

    pyproject = root / "pyproject.toml"
    if not pyproject.is_file() or "[tool.hatch.build.hooks.unpanic]" not in pyproject.read_text("utf-8"):
        return
    if config.getoption("--no-build"):
        built = sorted((root / "dist").glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)
        if not built:
            pytest.fail(f"--no-build: there is no wheel in {root / 'dist'}: run `unpanic build`.", pytrace=False)
        yield built[-1]
        return
    problem = ""
    try:
        yield build_once(root, config, folders)
    except CommandError as error:
        problem = str(error)
    if problem:
        pytest.fail(problem, pytrace=False)


@pytest.fixture(scope="session")
def pyodide_project(pytestconfig: pytest.Config, pyodide_site: Site) -> Project:
    """The files whose functions tests may run in Pyodide."""
    return Project(pytestconfig.rootpath, pyodide_site.files.packages())


@pytest.fixture(scope="session")
def new_pyodide_host(
    request: pytest.FixtureRequest, pyodide_site: Site, uncaught_errors: Watch
) -> Callable[[str], Host]:
    """Starts a Pyodide in a realm. This takes two seconds."""

    def start(realm: str) -> Host:
        if realm == "node":
            return NodeHost(pyodide_site.files, uncaught_errors.note)
        return PageHost(request.getfixturevalue("pyodide_context"), pyodide_site, realm)

    return start


@pytest.fixture(scope="session")
def pyodide_hosts() -> Iterator[dict[str, Host]]:
    """The Pyodides that tests share, by their realms."""
    hosts: dict[str, Host] = {}
    yield hosts
    for host in hosts.values():
        host.close()


@pytest.fixture
def uncaught(request: pytest.FixtureRequest, uncaught_errors: Watch) -> Iterator[Watch]:
    """Fails a test at its end on errors that nobody caught, on any page or worker of the browser, or in Node.

    Its value has `errors`, and `expect(*patterns)`, which declares errors that must come.
    """
    uncaught_errors.begin()
    yield uncaught_errors
    uncaught_errors.settle()
    if problems := uncaught_errors.problems(allowed(request.node, "uncaught")):
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.fixture
def pyodide(
    request: pytest.FixtureRequest,
    realm: str,
    pyodide_hosts: dict[str, Host],
    new_pyodide_host: Callable[[str], Host],
    pyodide_site: Site,
    pyodide_project: Project,
    uncaught: Watch,
) -> Iterator[InBrowser]:
    """A Pyodide with the wheels under test. All tests of a process share it, and each begins afresh."""
    problem = ""
    try:
        host = _begun(realm, pyodide_hosts, new_pyodide_host)
    except HostError as error:
        problem = str(error)
    if problem:
        pytest.fail(problem, pytrace=False)
    pyodide = InBrowser(host, pyodide_site, pyodide_project, uncaught)
    try:
        yield pyodide
        finish(pyodide, request.node)
    finally:
        if host.is_broken:
            pyodide_hosts.pop(realm).close()


def _begun(realm: str, hosts: dict[str, Host], new_host: Callable[[str], Host]) -> Host:
    """A Pyodide in which a test has begun: the one of earlier tests, or, if that has died since, another one."""
    if realm in hosts:
        with contextlib.suppress(HostError):
            hosts[realm].begin()
            return hosts[realm]
        hosts.pop(realm).close()
    hosts[realm] = new_host(realm)
    hosts[realm].begin()
    return hosts[realm]


@pytest.fixture
def fresh_pyodide(
    request: pytest.FixtureRequest,
    realm: str,
    new_pyodide_host: Callable[[str], Host],
    pyodide_site: Site,
    pyodide_project: Project,
    uncaught: Watch,
) -> Iterator[InBrowser]:
    """Like `pyodide`, but for this test alone, which takes two seconds."""
    with contextlib.closing(new_pyodide_host(realm)) as host:
        host.begin()
        pyodide = InBrowser(host, pyodide_site, pyodide_project, uncaught)
        yield pyodide
        finish(pyodide, request.node)


@pytest.fixture
def inject(pyodide: InBrowser) -> None:
    """In a test that runs in the browser: `inject(bank, "trap", on="deposit", call=3)` makes a call die.

    Its value there is the `Inject` of `page/injecting.py`.
    """
    pyodide.watch_calls()
