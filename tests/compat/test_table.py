"""The tables of docs/compatibility.md have the measurements of this run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.compat import table
from tests.compat.catalogue import PACKAGES
from tests.compat.states import CRASHES

if TYPE_CHECKING:
    import pytest

    from tests.compat.table import Results


def test_packages(results: Results, pytestconfig: pytest.Config):
    """The page has each measured row, and after a whole run no other row. With --write-table the test writes them."""
    rewrites = pytestconfig.getoption("write_table")
    check(table.PACKAGES, table.HEAD, results.lines(PACKAGES), len(PACKAGES), rewrites=rewrites)


def test_states(results: Results, pytestconfig: pytest.Config):
    """The same for the packages that keep a state."""
    crashes = [(package, crash.__name__) for package, crash in CRASHES]
    lines = results.state_lines(crashes)
    count = len({package for package, _ in crashes})
    check(table.STATES, table.STATES_HEAD, lines, count, rewrites=pytestconfig.getoption("write_table"))


def check(name: str, head: list[str], measured: list[str], count: int, *, rewrites: bool) -> None:
    if rewrites:
        assert len(measured) == count, "the table is written by a run of all packages in both realms"
        table.write(name, head, measured)
    elif len(measured) == count:
        assert table.written(name) == measured, "run `make compat-table` and look at what has changed"
    else:
        assert set(measured) <= set(table.written(name)), "run `make compat-table` and look at what has changed"
