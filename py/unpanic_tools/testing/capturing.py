"""What a test logged and warned of in Pyodide becomes logs and warnings of the host, which pytest captures."""

import logging
import sys
import warnings
from typing import Any

import pytest

__all__ = ["replay_logs", "replay_warnings", "warning_filters"]


def replay_logs(records: list[dict[str, Any]]) -> None:
    """Hands records to the handlers of their loggers. Pyodide has compared their levels."""
    for record in records:
        logging.getLogger(record["name"]).handle(logging.makeLogRecord(record))


def warning_filters(item: pytest.Item) -> list[tuple[str, bool]]:
    """Returns the filters that pytest has for a test, the strongest last: see `warned` of `page/capturing.py`."""
    config = item.config
    marks = [text for mark in item.iter_markers("filterwarnings") for text in mark.args]
    return [
        *((text, False) for text in config.getini("filterwarnings")),
        *((text, True) for text in config.known_args_namespace.pythonwarnings or ()),
        *((text, False) for text in marks),
    ]


def replay_warnings(told: list[dict[str, Any]]) -> None:
    """Warns here of what Pyodide has warned of, whose filters have decided already."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for each in told:
            warnings.warn_explicit(each["message"], _category(each["categories"]), each["file"], each["line"])


def _category(names: list[list[str]]) -> type[Warning]:
    """The class of a warning, or the nearest of its bases that is here."""
    for module, name in names:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type) and issubclass(found, Warning):
            return found
    return UserWarning
