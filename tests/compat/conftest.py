"""The compatibility suite measures the table of docs/compatibility.md, and checks or writes it."""

from __future__ import annotations

import pytest

from tests.compat.package import NODE_MODULES
from tests.compat.table import Results


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-table", action="store_true", help="write the table of docs/compatibility.md")


@pytest.fixture(scope="session")
def results() -> Results:
    """The results that the run has measured so far."""
    if not NODE_MODULES.is_dir():
        pytest.fail("the packages are not installed: run `make compat`, or `python3 scripts/setup.py compat` first.")
    return Results()
