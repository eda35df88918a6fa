"""Every test in this folder is guarded, whether it asks for the guard or not."""

from __future__ import annotations

import pytest

from tests.harness import Guard


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-tutorial", action="store_true", help="write down what the tutorial's cells show")


@pytest.fixture(autouse=True)
def guarded(guard: Guard) -> None:
    """Fails the test on uncaught errors anywhere in the browser."""


@pytest.fixture
def refuses(realm: str, engine: str) -> bool:
    """Whether the browser makes no instance of more than 8 MB at once, here."""
    return (realm, engine) == ("page", "chromium")
