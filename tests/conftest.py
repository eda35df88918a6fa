"""Fixtures for tests that need a browser: those of the plugin, with unpanic's own server. Nothing starts too early.

`unpanic_tools.testing` has the plugin. The fixture `py` is its `pyodide`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from unpanic_tools.testing.host import Host, PageHost, Watch
from unpanic_tools.testing.in_browser import InBrowser
from unpanic_tools.testing.node import NodeHost
from unpanic_tools.testing.site import Files, pack_pytest
from unpanic_tools.testing.slicing import Project

from scripts.serve import Server, find_file
from scripts.wheel import built
from tests.pyodides import OwnSite, checked

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[1]
pytest_plugins = ["unpanic_tools.testing.entry", "tests.engines", "tests.hangs", "tests.places"]


@pytest.fixture(scope="session")
def server(head: bytes) -> Iterator[Server]:
    """The local web server. A test adds answers with `server.route(...)`."""
    with Server() as server:
        server.head = head
        yield server


@pytest.fixture(scope="session")
def wheel(server: Server) -> str:
    """The address of the built wheel."""
    return f"{server.url}/wheel/{built().name}"


@pytest.fixture(scope="session")
def pyodide_site(server: Server, wheel: str, pyodide_folder: str) -> Iterator[OwnSite]:
    """The built wheel, on the server that has the fixtures too."""
    with pack_pytest() as packed:
        for each in packed:
            server.route(f"/pytest/{each.name}", each.read_bytes(), content_type="application/zip")
        files = Files(ROOT, ROOT / find_file(f"{pyodide_folder}pyodide.mjs", server.folders).parent, [*packed, built()])
        wheels = [*(f"{server.url}/pytest/{each.name}" for each in packed), wheel]
        yield OwnSite(files, server.url, f"{server.url}/tests/", pyodide_folder, wheels, server)


@pytest.fixture(scope="session")
def pyodide_browser(browser: Browser) -> Browser:
    """The browser that set-up chose."""
    return browser


@pytest.fixture(scope="session")
def context(pyodide_context: BrowserContext) -> BrowserContext:
    """The browser context of all pages of all tests, whose uncaught errors fail a test."""
    return pyodide_context


@pytest.fixture(scope="session")
def new_pyodide_host(
    request: pytest.FixtureRequest, pyodide_site: OwnSite, uncaught_errors: Watch
) -> Callable[..., Host]:
    """Starts a Pyodide in a realm, and in a folder of pages of the server. This takes two seconds."""

    def start(realm: str, folder: str = "/tests/") -> Host:
        if realm == "node":
            return NodeHost(pyodide_site.files, uncaught_errors.note)
        context = request.getfixturevalue("pyodide_context")
        return PageHost(context, pyodide_site, realm, pyodide_site.url + folder)

    return start


@pytest.fixture
def checks(request: pytest.FixtureRequest) -> bool:
    """Whether each commit compares memory with its shadow. A test that would take too long says so by a mark."""
    return request.node.get_closest_marker("unchecked") is None


@pytest.fixture
def py(pyodide: InBrowser, checks: bool) -> InBrowser:
    """Runs functions in a Pyodide that other tests use too. A test runs once in each realm."""
    return checked(pyodide, checks)


@pytest.fixture
def fresh_py(fresh_pyodide: InBrowser, checks: bool) -> InBrowser:
    """Like `py`, but with a Pyodide for this test alone."""
    return checked(fresh_pyodide, checks)


@pytest.fixture
def py_in(
    pyodide_site: OwnSite, pyodide_project: Project, uncaught: Watch, checks: bool
) -> Iterator[Callable[[Host], InBrowser]]:
    """Begins the test in a Pyodide that a file of tests has started for itself."""
    used: list[InBrowser] = []

    def begin(host: Host) -> InBrowser:
        host.begin()
        used.append(checked(InBrowser(host, pyodide_site, pyodide_project, uncaught), checks))
        return used[-1]

    yield begin
    for py in used:
        py.finish()


@pytest.fixture
def alone(pyodide_hosts: dict[str, Host]) -> None:
    """Ends the long-lived Pyodides, for tests that need all Wasm memories that a browser allows.

    Chromium counts the memories of all pages and workers of a process. When one of them needs a memory,
    Chromium does not collect the garbage of the others.
    """
    while pyodide_hosts:
        pyodide_hosts.popitem()[1].close()


@pytest.fixture
def page(context: BrowserContext, uncaught: Watch) -> Iterator[Page]:  # noqa: ARG001 - it watches
    """An empty page for one test."""
    with contextlib.closing(context.new_page()) as page:
        yield page
