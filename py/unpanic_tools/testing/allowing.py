"""The mark `allow`: what a test may leave behind."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .in_browser import InBrowser

__all__ = ["allowed", "finish"]

LEFT = ("uncaught", "pending", "generations")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "in_browser_generations", "whether a test fails on generations that outlive it", type="bool", default=True
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        'allow(*what, match=".*"): the test may leave this behind: "uncaught" (errors that match), "pending" (calls), '
        '"generations" (instances of Rust modules)',
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


def finish(pyodide: "InBrowser", item: pytest.Item) -> None:
    """Ends a test in Pyodide, and fails if it has left behind what no mark allows."""
    is_checked = item.config.getini("in_browser_generations") and not allowed(item, "generations")
    pyodide.finish(is_allowed=bool(allowed(item, "pending")), may_leak=not is_checked)
