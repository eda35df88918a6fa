"""The examples are what a user at home has, CDN addresses included: here the CDN answers from npm packages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import examples
from scripts.serve import ROOT, content_type

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

    from scripts.serve import Server

# What stands in for which address; the first that fits wins.
CDN = {
    r"https://cdn\.jsdelivr\.net/pyodide/v314\.0\.7/full/": "js/node_modules/pyodide",
    r"https://cdn\.jsdelivr\.net/npm/@pyscript/core@0\.7\.31/": "examples/node_modules/@pyscript/core",
}
# Starting Python takes seconds, on a busy machine many.
STARTS = 120_000


@pytest.fixture(scope="session")
def build() -> Callable[[str], Path]:
    """Builds an example and returns its folder in dist/examples."""
    return examples.build


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """A visitor's first context; the test fails on any address but the server's and the CDN's."""
    context = browser.new_context()
    context.set_default_timeout(STARTS)
    refused: list[str] = []

    def answer(route: Route) -> None:
        url = route.request.url
        if url.startswith(server.url):
            return route.fallback()
        for pattern, folder in CDN.items():
            if found := re.match(pattern, url):
                file = ROOT / folder / url[found.end() :].partition("?")[0]
                return route.fulfill(
                    body=file.read_bytes(),
                    content_type=content_type(file.name),
                    headers={"Access-Control-Allow-Origin": "*"},
                )
        refused.append(url)
        return route.abort()

    context.route(re.compile("^https?://"), answer)
    yield context
    context.close()
    assert not refused, f"the example asked the network for {refused}"


@pytest.fixture
def open_example(page: Page, server: Server, build: Callable[[str], Path]) -> Callable[..., Page]:
    """Builds an example and opens a file of it."""

    def open_(name: str, file: str = "") -> Page:
        build(name)
        page.goto(f"{server.url}/examples/{name}/{file}")
        return page

    return open_
