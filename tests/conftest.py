"""Fixtures for tests that need a browser. Nothing starts before a test asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.serve import Server
from scripts.wheel import built as built_wheel
from tests.harness import Guard, Host, Py

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[1]
pytest_plugins = ["tests.engines", "tests.hangs", "tests.places"]


@pytest.fixture(scope="session")
def server(head: bytes) -> Iterator[Server]:
    """The local web server. A test adds answers with `server.route(...)`."""
    with Server() as server:
        server.head = head
        yield server


@pytest.fixture(scope="session")
def context(browser: Browser) -> BrowserContext:
    """The browser context of all pages of all tests, which the guard watches."""
    return browser.new_context()


@pytest.fixture(scope="session")
def wheel(server: Server) -> str:
    """The address of the built wheel."""
    return f"{server.url}/wheel/{built_wheel().name}"


@pytest.fixture(scope="session")
def new_host(context: BrowserContext, server: Server, wheel: str, pyodide: str) -> Callable[..., Host]:
    """Starts a Pyodide in a realm ("page", "worker" or "shared") and a folder of pages. This takes two seconds."""
    return lambda realm, folder="/tests": Host(context, server, realm, wheel, pyodide, folder)


@pytest.fixture(scope="session")
def hosts() -> dict[str, Host]:
    """The long-lived Pyodides, by realm."""
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
def checks(request: pytest.FixtureRequest) -> bool:
    """Whether each commit compares memory with its shadow. A test that would take too long says so by a mark."""
    return request.node.get_closest_marker("unchecked") is None


@pytest.fixture
def py(
    realm: str,
    hosts: dict[str, Host],
    new_host: Callable[[str], Host],
    server: Server,
    guard: Guard,
    checks: bool,
) -> Iterator[Py]:
    """Runs functions in a Pyodide that other tests use too. A test runs once in each realm."""
    if realm not in hosts or hosts[realm].page.is_closed():
        hosts[realm] = new_host(realm)
    py = Py(hosts[realm], server, guard, checks=checks)
    yield py
    try:
        py.check()
    finally:
        if py.host.broken:
            hosts.pop(realm).close()


@pytest.fixture
def alone(hosts: dict[str, Host]) -> None:
    """Ends the long-lived Pyodides, for tests that need all Wasm memories that a browser allows.

    Chromium counts the memories of all pages and workers of a process. When one of them needs a memory,
    Chromium does not collect the garbage of the others.
    """
    while hosts:
        hosts.popitem()[1].close()


@pytest.fixture
def fresh_py(realm: str, new_host: Callable[[str], Host], server: Server, guard: Guard, checks: bool) -> Iterator[Py]:
    """Like `py`, but with a Pyodide for this test alone."""
    host = new_host(realm)
    py = Py(host, server, guard, checks=checks)
    yield py
    try:
        py.check()
    finally:
        host.close()


@pytest.fixture
def page(context: BrowserContext, guard: Guard) -> Iterator[Page]:  # noqa: ARG001 - it watches
    """An empty page for one test."""
    page = context.new_page()
    yield page
    page.close()
