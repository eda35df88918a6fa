"""The table of docs/compatibility.md has the measurements of this run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.compat import table
from tests.compat.catalogue import PACKAGES

if TYPE_CHECKING:
    import pytest

    from tests.compat.table import Results


def test_table(results: Results, pytestconfig: pytest.Config):
    """The page has each measured row, and after a whole run no other row. With --write-table the test writes them."""
    measured = results.lines(PACKAGES)
    if pytestconfig.getoption("write_table"):
        assert len(measured) == len(PACKAGES), "the table is written by a run of all packages in both realms"
        table.write(measured)
    elif len(measured) == len(PACKAGES):
        assert table.written() == measured, "run `make compat-table` and look at what has changed"
    else:
        assert set(measured) <= set(table.written()), "run `make compat-table` and look at what has changed"
