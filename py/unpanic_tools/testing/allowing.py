"""The mark `allow`: what a test may leave behind."""

import pytest

__all__ = ["allowed"]

LEFT = ("uncaught", "pending")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        'allow(*what, match=".*"): the test may leave this behind: "uncaught" (errors that match), "pending" (calls)',
    )


def allowed(item: pytest.Item, what: str) -> list[str]:
    """Returns the patterns of the marks that allow something; an empty list if there is none."""
    patterns = []
    for mark in item.iter_markers("allow"):
        if unknown := [name for name in mark.args if name not in LEFT]:
            pytest.fail(f"mark allow: {unknown[0]!r} is none of {', '.join(map(repr, LEFT))}.", pytrace=False)
        if what in mark.args:
            patterns.append(mark.kwargs.get("match", ""))
    return patterns
