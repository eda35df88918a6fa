"""What ended in `subtests.test(…)` in Pyodide, reported here by pytest's own fixture."""

from collections.abc import Callable
from typing import Any

from .debugging import value_of

__all__ = ["replay"]


def replay(fixture: Any, ended: list[dict[str, Any]], end: Callable[[dict[str, Any]], None]) -> None:
    """Reports subtests.

    Args:
        fixture: pytest's `subtests`.
        ended: those that have ended: see `page/subtests.py`.
        end: raises what an outcome is, if it is not a success.
    """
    for each in ended:
        with fixture.test(each["msg"], **{name: value_of(value) for name, value in each["values"].items()}):
            end(each["outcome"])
