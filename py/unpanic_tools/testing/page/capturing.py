"""What a test logs, and what it warns of, in Pyodide: for pytest on the host, and for the test's own fixtures."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

# What of a record goes to the host.
FIELDS = (
    "name", "levelno", "levelname", "pathname", "filename", "module", "lineno", "funcName", "created", "msecs",
    "relativeCreated", "stack_info",
)  # fmt: skip


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: getattr(record, name) for name in FIELDS}
        text = logging.Formatter().formatException(record.exc_info) if record.exc_info else record.exc_text
        self.records.append({**fields, "msg": record.getMessage(), "exc_text": text})


@contextlib.contextmanager
def logs(level: int) -> Iterator[list[dict[str, Any]]]:
    """Collects records of all loggers until the block ends.

    Args:
        level: the level of the host's root logger, which is that of Pyodide's meanwhile.
    """
    root, log = logging.getLogger(), _Log()
    before = root.level
    root.setLevel(level)
    root.addHandler(log)
    try:
        yield log.records
    finally:
        root.removeHandler(log)
        root.setLevel(before)


@contextlib.contextmanager
def warned(filters: list[list[Any]] | None) -> Iterator[list[dict[str, Any]]]:
    """Collects warnings until the block ends, and applies filters.

    Args:
        filters: pairs of a filter, as pytest's setting `filterwarnings` has it, and whether its texts are no regular
            expressions; None: warnings are left alone.
    """
    told: list[dict[str, Any]] = []
    if filters is None:
        yield told
        return
    with warnings.catch_warnings(record=True) as found:
        for category in (DeprecationWarning, PendingDeprecationWarning):
            warnings.filterwarnings("always", category=category)
        for text, escape in filters:
            _add_filter(text, escape)
        try:
            yield told
        finally:
            told += map(_described, found)


def _add_filter(text: str, escape: bool) -> None:
    import pytest
    from _pytest.config import parse_warning_filter

    # The host has refused what is wrong; here a category may be unknown, and then nobody warns of it.
    with contextlib.suppress(pytest.UsageError, ImportError, AttributeError):
        warnings.filterwarnings(*parse_warning_filter(text, escape=escape))


def _described(warning: warnings.WarningMessage) -> dict[str, Any]:
    return {
        "message": str(warning.message),
        "categories": [[kind.__module__, kind.__qualname__] for kind in warning.category.__mro__],
        "file": warning.filename,
        "line": warning.lineno,
    }


@contextlib.contextmanager
def caplog() -> Iterator[Any]:
    """Pytest's `caplog`."""
    from _pytest.logging import LogCaptureFixture, LogCaptureHandler, caplog_handler_key, caplog_records_key
    from _pytest.stash import Stash

    class _Item:
        stash = Stash()

    handler = LogCaptureHandler()
    handler.setFormatter(logging.Formatter("%(levelname)-8s %(name)s:%(filename)s:%(lineno)d %(message)s"))
    _Item.stash[caplog_handler_key] = handler
    _Item.stash[caplog_records_key] = {"call": handler.records}
    fixture = LogCaptureFixture(_Item, _ispytest=True)  # type: ignore[arg-type]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield fixture
    finally:
        fixture._finalize()
        root.removeHandler(handler)


@contextlib.contextmanager
def recwarn() -> Iterator[Any]:
    """Pytest's `recwarn`."""
    from _pytest.recwarn import WarningsRecorder

    with WarningsRecorder(_ispytest=True) as recorder:
        warnings.simplefilter("default")
        yield recorder
