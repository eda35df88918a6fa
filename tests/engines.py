"""The browser that runs the tests: `pytest --engine firefox`."""

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
# How long `expect` waits, in milliseconds. On two busy cores some results took nearly 8 s.
SOON = 30_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=list(launcher.ARGUMENTS), default="chromium", help="the browser to test in")


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    """The engine of the browser that runs the tests: "chromium" or "firefox"."""
    return pytestconfig.getoption("--engine")


@pytest.fixture(scope="session")
def browser(engine: str) -> Iterator[Browser]:
    """One browser for all tests."""
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
