"""The compatibility suite measures the table of the README, and checks or writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.compat.package import NODE_MODULES
from tests.compat.table import Results

if TYPE_CHECKING:
    from tests.harness import Guard


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-table", action="store_true", help="write the README's compatibility table")


@pytest.fixture(autouse=True)
def guarded(guard: Guard) -> None:
    """Fails the test on uncaught errors anywhere in the browser."""


@pytest.fixture(scope="session")
def results() -> Results:
    """What the run has measured so far."""
    if not NODE_MODULES.is_dir():
        pytest.fail("the packages are not installed: run `make compat`, or `python3 scripts/setup.py compat` first.")
    return Results()
