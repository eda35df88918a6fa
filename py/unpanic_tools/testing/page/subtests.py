"""Pytest's `subtests`, for tests in Pyodide. `unpanic_tools/testing/subtests.py` reports how they ended."""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any

frames: Any = importlib.import_module("unpanic_frames")

__all__ = ["Subtests"]


class Subtests:
    """The fixture.

    Args:
        describe: describes how something ended that raised an exception.

    Attributes:
        ended: those that have ended.
    """

    def __init__(self, describe: Callable[[BaseException], dict[str, Any]]) -> None:
        self._describe = describe
        self.ended: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def test(self, msg: str | None = None, **values: Any) -> Iterator[None]:
        """A part of a test: it may fail, and the test goes on.

        Args:
            msg: what it is about, for the report.
            values: more for the report.
        """
        from _pytest.outcomes import Exit, OutcomeException

        outcome: dict[str, Any] = {"kind": "passed"}
        try:
            yield
        except Exit:
            raise
        except (Exception, OutcomeException) as error:
            outcome = self._describe(error)
        packed = {name: frames.packed(value, 0) for name, value in values.items()}
        self.ended.append({"msg": msg, "values": packed, "outcome": outcome})
