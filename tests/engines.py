"""The browser that runs the tests: `pytest --browser firefox`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from scripts import browser as launcher

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# Firefox shows JSON of every type in a viewer. Automation turns the viewer off, and then a page of a problem document
# (`application/problem+json`) fails to load.
OPTIONS = {"firefox": {"firefox_user_prefs": {"devtools.jsonview.enabled": True}}}
# WebDriver tells neither of uncaught errors nor of the console. So each page begins with a script that notes them.
HEAD = b'<script src="/pages/listen.js"></script>'
# How long `expect` waits, in milliseconds. On two busy cores some results took nearly 8 s.
SOON = 30_000


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    """The engine of the browser that runs the tests: "chromium", "firefox" or "webkit"."""
    return (pytestconfig.getoption("--browser") or ["chromium"])[0]


@pytest.fixture(scope="session")
def browser(engine: str) -> Iterator[Browser]:
    """One browser for all tests."""
    if driver := launcher.driver(engine):
        yield from webdriven(driver)
    else:
        yield from played(engine)


def played(engine: str) -> Iterator[Browser]:
    """A browser that Playwright drives."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=SOON)
    with sync_playwright() as playwright:
        try:
            browser = launcher.launch(playwright, engine, **OPTIONS.get(engine, {}))
        except launcher.NoBrowserError as error:
            if os.environ.get("CI"):
                pytest.exit(f"CI tests every browser: {error}", returncode=1)
            pytest.skip(str(error))
        yield browser
        browser.close()


def webdriven(driver: str) -> Iterator[Browser]:
    """A browser that WebDriver drives, with the members of Playwright's that tests use."""
    from tests import webkit

    browser = webkit.Browser(driver)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def head(engine: str) -> bytes:
    """What the server writes into every page for this browser."""
    return HEAD if launcher.driver(engine) else b""
