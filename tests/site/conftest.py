"""The built site, served from a folder of a static host, and visitors with a browser of their own.

A page takes seconds to start, so the tests of a file share one. No error or warning may appear in its console.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from scripts import site
from scripts.serve import ROOT, Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

FOLDER = "/some/folder/"
FIRST_SCREEN = {"width": 1280, "height": 800}
# Python takes seconds to start, and much longer on a busy machine.
STARTS = 60_000
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def built() -> str:
    """The folder with the built site, relative to the project."""
    return site.build().relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def host(built: str) -> Iterator[Server]:
    """A static host, with the site in some folder."""
    with Server(folders={FOLDER: built}) as server:
        yield server


@contextmanager
def visit(browser: Browser, **options) -> Iterator[BrowserContext]:
    """A visitor's first visit. At its end, the console must show no error or warning."""
    context = browser.new_context(viewport=FIRST_SCREEN, **options)
    messages: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # A text file names no icon, so the browser requests the default one. It also reports each status 500.
        expected = re.search(r"/favicon\.ico$|/requests/wait$", message.location["url"])
        if message.type in ("error", "warning") and not expected:
            messages.append(f"{message.type}: {message.text[:300]} ({message.location['url']})")

    context.on("console", listen)
    context.on("weberror", lambda event: messages.append(f"uncaught: {str(event.error)[:300]}"))
    yield context
    context.close()
    assert messages == []


@pytest.fixture(scope="module")
def visitor(browser: Browser, host: Server) -> Iterator[BrowserContext]:  # noqa: ARG001 - it ends after the visit
    """One visitor for all tests of a file."""
    with visit(browser) as context:
        yield context


@pytest.fixture(scope="module")
def open_page(visitor: BrowserContext, host: Server) -> Callable[[str], Page]:
    """Opens a file of the site."""

    def open_(file: str = "") -> Page:
        page = visitor.new_page()
        page.set_default_timeout(STARTS)
        page.goto(f"{host.url}{FOLDER}{file}")
        return page

    return open_


@pytest.fixture(scope="session")
def violations() -> Callable[[Page], list[str]]:
    """Returns what axe reports for a page and its frames, in both colour schemes."""

    def find(page: Page) -> list[str]:
        reports = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for frame in page.frames:
                frame.evaluate(AXE.read_text("utf-8"))
                result = frame.evaluate("async () => (await axe.run(document, {iframes: false})).violations")
                reports += [f"{scheme}: {each['id']}: {node['html']}" for each in result for node in each["nodes"]]
        page.emulate_media(color_scheme="null")
        return reports

    return find


@pytest.fixture(scope="session")
def fits() -> Callable[[Page], list[str]]:
    """Returns the addresses of the page and of its frames that are wider than a phone."""

    def find(page: Page) -> list[str]:
        page.set_viewport_size({"width": 375, "height": 812})
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        too_wide = [frame.url for frame in page.frames if frame.evaluate(wide)]
        page.set_viewport_size(FIRST_SCREEN)
        return too_wide

    return find
