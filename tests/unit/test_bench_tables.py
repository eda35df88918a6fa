"""The tables of what rollback costs, which `make bench` prints and `python -m bench.tables` fills in."""

from __future__ import annotations

import pytest

from bench import tables

MARKED = (
    "before\n<!-- figures of rollback: begin (of `make bench`) -->\nold\n<!-- figures of rollback: end -->\nafter\n"
)


def test_only_the_marked_part_is_filled_in():
    """Also a second time."""
    filled = tables.fill_in(tables.fill_in(MARKED, ["| 1 |"]), ["| 2 |", r"\1"])
    assert filled == MARKED.replace("old", "| 2 |\n\\1")


def test_a_file_without_a_marked_part_is_refused():
    """So that figures do not get lost."""
    with pytest.raises(ValueError, match="There are 0 parts"):
        tables.fill_in("text", [])


@pytest.mark.parametrize("name", ["README.md", "docs/measurements.md"])
def test_files_have_one_marked_part(name):
    """The two files that state what rollback costs."""
    text = (tables.ROOT / name).read_text("utf-8")
    assert "| new |" in tables.fill_in(text, ["| new |"])


def test_what_missed_its_goal_is_bold():
    """With its figure."""
    assert str(tables.Row("a call", "1.20", "at most 1.10", is_missed=True)) == "| a call | **1.20** | at most 1.10 |"
    assert str(tables.Row("a call", "1.02", "at most 1.10")) == "| a call | 1.02 | at most 1.10 |"


def test_means_of_kernels_and_packages_are_apart():
    """For optimised code and from the first call."""
    work = {
        "kernel a": {"warm": {"median": 1.0}, "first": {"median": 2.0}},
        "kernel b": {"warm": {"median": 4.0}, "first": {"median": 2.0}},
        "package": {"warm": {"median": 1.05}, "first": {"median": 1.2}},
    }
    assert [(row.measured, row.is_missed) for row in tables.slow_downs({"work": work})] == [
        ("2.00, worst 4.00 (kernel b)", True),
        ("2.00, worst 2.00 (kernel a)", True),
        ("1.05, worst 1.05 (package)", False),
        ("1.20, worst 1.20 (package)", True),
    ]
