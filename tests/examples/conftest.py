"""Serves the examples as a user has them, with their CDN addresses. Here npm packages answer for the CDN."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import examples
from scripts.serve import ROOT, content_type
from tests.jsdelivr import Jsdelivr

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route
    from unpanic_tools.testing.host import Watch

    from scripts.serve import Server
    from tests.examples.literal import Reader

# The folders that stand in for each address. The first folder that has the file answers.
CDN = {
    "https://cdn.jsdelivr.net/pyodide/v314.0.7/full/": ["js/node_modules/pyodide", ".cache/wheels"],
    "https://cdn.jsdelivr.net/npm/": ["examples/node_modules"],
}
# The packages that are loaded by their names.
NAMED = ROOT / "js/node_modules"
LOCK_FILE = "pyodide-lock.json"
# Python takes seconds to start, and much longer on a busy machine.
STARTS = 120_000


@pytest.fixture(scope="session")
def build() -> Callable[[str], Path]:
    """Builds an example and returns its folder in dist/examples."""
    return examples.build


@pytest.fixture
def serve() -> Iterator[Callable[[Reader], str]]:
    """Runs all commands of a reader's page, and returns the address at which the last command serves.

    The server runs until the browser's context is closed. A page may send requests until it is closed: JupyterLite
    fetches its icons anew after each cell, just when the test has seen the cell's output.
    """
    with ExitStack() as servers:
        yield lambda reader: servers.enter_context(reader.served())


@pytest.fixture
def context(
    browser: Browser,
    serve: object,  # noqa: ARG001 - it ends after the context
    uncaught_errors: Watch,
) -> Iterator[BrowserContext]:
    """A visitor's first context. Errors in its console fail the test, and so do requests that nothing here answers."""
    context = browser.new_context()
    context.set_default_timeout(STARTS)
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            # The message of a failed request does not have its address.
            errors.append(f"{message.text[:2000]} ({message.location['url']})")

    refused = answer_for_cdn(context)
    context.on("console", note)
    with uncaught_errors.watching(context):
        yield context
        context.close()
    assert not refused, f"the example asked the network for {refused}"
    assert not errors, "\n".join(["the example's console has errors:", *errors])


def answer_for_cdn(context: BrowserContext) -> list[str]:
    """Lets npm packages answer for the CDN. Returns a list that collects the addresses that nothing answers."""
    refused: list[str] = []
    jsdelivr = Jsdelivr(NAMED)

    def answer(route: Route) -> None:
        url = route.request.url
        if re.match(r"https?://(?:localhost|127\.0\.0\.1)[:/]", url):
            return route.fallback()
        headers = {"Access-Control-Allow-Origin": "*"}
        file = find_on_cdn(url)
        if file:
            body = {"body": lock_file(file)} if file.name == LOCK_FILE else {"path": file}
            return route.fulfill(**body, content_type=content_type(file.name), headers=headers)
        named = jsdelivr.answer(url)
        if named is None or named.status != 200:
            refused.append(url)
            return route.abort()
        return route.fulfill(body=named.body, content_type=named.content_type, headers=headers)

    context.route(re.compile("^https?://"), answer)
    return refused


def find_on_cdn(url: str) -> Path | None:
    """Returns the local file that stands in for an address, or None."""
    for prefix, folders in CDN.items():
        if url.startswith(prefix):
            # The address of an npm package contains its version, which package.json pins here.
            path = re.sub(r"(?<=[^/])@[^/]+", "", url.removeprefix(prefix).partition("?")[0])
            return next((file for folder in folders if (file := ROOT / folder / path).is_file()), None)
    return None


def lock_file(file: Path) -> bytes:
    """Returns Pyodide's list of packages, with the hashes of the local wheels, which are different builds."""
    lock = json.loads(file.read_bytes())
    for package in lock["packages"].values():
        wheel = ROOT / ".cache" / "wheels" / package["file_name"]
        if wheel.is_file():
            package["sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return json.dumps(lock).encode()


@pytest.fixture
def open_example(page: Page, server: Server, build: Callable[[str], Path]) -> Callable[..., Page]:
    """Builds an example and opens a file of it."""

    def open_(name: str, file: str = "") -> Page:
        build(name)
        page.goto(f"{server.url}/examples/{name}/{file}")
        return page

    return open_
