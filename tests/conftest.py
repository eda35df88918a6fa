"""Fixtures for every test that needs a browser; nothing starts before a test asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import browser as launcher
from scripts.serve import Server
from tests.harness import Guard, Host, Py

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[1]
# The versions that unpanic is tested with, and where the server has them.
PYODIDES = {"314": "/pyodide/", "0.29": "/pyodide-0.29/"}
REALMS = ["page", "worker", "shared"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pyodide", choices=list(PYODIDES), default="314", help="the version of Pyodide to test with")
    parser.addoption("--realm", choices=REALMS, help="run what uses Pyodide only there")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "everywhere: runs in a shared worker too")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs what uses Pyodide on a page and in a dedicated worker; what is marked so, everywhere."""
    if "realm" in metafunc.fixturenames:
        everywhere = next(metafunc.definition.iter_markers("everywhere"), None)
        metafunc.parametrize("realm", REALMS if everywhere else ["page", "worker"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = config.getoption("--realm")
    others = [item for item in items if only and item_realm(item) not in (None, only)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def item_realm(item: pytest.Item) -> str | None:
    """The realm that a test is for, if it has one."""
    return item.callspec.params.get("realm") if hasattr(item, "callspec") else None


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The local web server; `server.route(...)` adds answers."""
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launcher.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser: Browser) -> BrowserContext:
    """The browser context that the guard watches: all pages of all tests."""
    return browser.new_context()


@pytest.fixture(scope="session")
def wheel(server: Server) -> str:
    """The address of the built wheel."""
    wheels = sorted((ROOT / "dist").glob("unpanic-*.whl"))
    if len(wheels) != 1:
        pytest.fail(f"dist/ must hold one wheel, not {len(wheels)}: run `make dist`.")
    return f"{server.url}/wheel/{wheels[0].name}"


@pytest.fixture(scope="session")
def new_host(context: BrowserContext, server: Server, wheel: str, pytestconfig: pytest.Config) -> Callable[..., Host]:
    """Makes a Pyodide, given "page", "worker" or "shared", and the folder of its page. It takes two seconds."""
    pyodide = PYODIDES[pytestconfig.getoption("--pyodide")]
    return lambda realm, folder="/tests": Host(context, server, realm, wheel, pyodide, folder)


@pytest.fixture(scope="session")
def hosts() -> dict[str, Host]:
    """The long-lived Pyodides by realm."""
    return {}


@pytest.fixture
def guard(context: BrowserContext) -> Iterator[Guard]:
    """Fails the test at its end on any uncaught error that it did not expect."""
    guard = Guard(context)
    yield guard
    try:
        guard.check()
    finally:
        guard.close()


@pytest.fixture
def py(
    realm: str,
    hosts: dict[str, Host],
    new_host: Callable[[str], Host],
    server: Server,
    guard: Guard,
) -> Iterator[Py]:
    """Runs functions in a Pyodide that other tests use too; every test runs in each realm."""
    if realm not in hosts:
        hosts[realm] = new_host(realm)
    py = Py(hosts[realm], server, guard)
    yield py
    try:
        py.check()
    finally:
        if py.host.broken:
            hosts.pop(realm).close()


@pytest.fixture
def fresh_py(realm: str, new_host: Callable[[str], Host], server: Server, guard: Guard) -> Iterator[Py]:
    """Like `py`, with a Pyodide for this test alone."""
    host = new_host(realm)
    py = Py(host, server, guard)
    yield py
    try:
        py.check()
    finally:
        host.close()


@pytest.fixture
def page(context: BrowserContext, guard: Guard) -> Iterator[Page]:  # noqa: ARG001 - it watches
    """An empty page of the test's own."""
    page = context.new_page()
    yield page
    page.close()
