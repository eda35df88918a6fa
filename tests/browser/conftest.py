"""Every test in this folder fails on uncaught errors, also one that uses no Pyodide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from unpanic_tools.testing.host import Watch

from scripts.serve import Server
from tests.browser.builds import padded
from tests.jsdelivr import Jsdelivr

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

MODULES = Path(__file__).parents[2] / "js/node_modules"

FIXTURES = Path(__file__).parents[2] / "rust" / "fixtures"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-tutorial", action="store_true", help="write the cells' output into the tutorial")


@pytest.fixture(autouse=True)
def guarded(uncaught: Watch) -> None:
    """Fails the test on uncaught errors anywhere in the browser."""


@pytest.fixture
def refuses(realm: str, engine: str) -> bool:
    """Whether this browser, in this realm, refuses to make an instance of more than 8 MB synchronously."""
    return (realm, engine) == ("page", "chromium")


@pytest.fixture
def jsdelivr(context: BrowserContext) -> Iterator[Jsdelivr]:
    """JsDelivr has the packages of js/node_modules."""
    jsdelivr = Jsdelivr(MODULES)
    with jsdelivr.served(context):
        yield jsdelivr


@pytest.fixture(scope="session")
def large(server: Server) -> None:
    """The fixtures `faults` and `undo` under `/large/<mode>/`, which a custom section at the end makes large."""
    for crate in ("faults", "undo"):
        for mode in ("abort", "reset", "unwind"):
            folder = FIXTURES / crate / "pkg" / mode
            server.route(f"/large/{mode}/{crate}.js", (folder / f"{crate}.js").read_bytes())
            wasm = padded((folder / f"{crate}_bg.wasm").read_bytes(), 9_000_000)
            server.route(f"/large/{mode}/{crate}_bg.wasm", wasm)
