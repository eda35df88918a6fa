"""asyncio's futures have their undocumented attributes in the versions of CPython that unpanic names."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio import futures
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from unpanic._bridge.asyncio_private import VERSIONS, callbacks_of, error_of

SOURCES = Path(sys.modules["unpanic"].__file__ or "").parent
PRIVATE = re.compile(r"(?:\._|[\"']_)(?:callbacks|exception|asyncio_\w+|fut_waiter|log_traceback|wakeup)\b")

variable: ContextVar[str] = ContextVar("variable")
# The implementation in C, and the implementation in Python.
KINDS: list[Any] = [asyncio.Future, futures._PyFuture]  # type: ignore[attr-defined]


def test_this_version_is_named():
    """`VERSIONS` has the version that runs these tests. If they pass in another version, add that version."""
    assert sys.version_info[:2] in VERSIONS


@pytest.mark.parametrize("kind", KINDS)
def test_those_who_await_a_future_are_found(kind: Any):
    """The callbacks are found with their contexts, in their order, until the future has settled."""

    async def main() -> None:
        future = kind(loop=asyncio.get_running_loop())
        assert callbacks_of(future) == []

        async def wait(name: str) -> str:
            variable.set(name)
            result: str = await future
            return result

        tasks = [asyncio.create_task(wait(name)) for name in ("ada", "bob")]
        await asyncio.sleep(0)
        assert [context[variable] for _, context in callbacks_of(future)] == ["ada", "bob"]
        future.set_result("done")
        assert callbacks_of(future) == []
        assert await asyncio.gather(*tasks) == ["done", "done"]

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_is_found_without_being_looked_at(kind: Any):
    """If the future ends unseen, asyncio still reports the exception."""

    async def main() -> None:
        reported: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        future = kind(loop=loop)
        assert error_of(future) is None
        error = ValueError("mine")
        future.set_exception(error)
        assert error_of(future) is error
        del future
        assert reported == [error]

    asyncio.run(main())


def test_other_versions_do_no_harm():
    """A future without the attributes has no awaiters and no exception."""
    bare: Any = object()
    assert (callbacks_of(bare), error_of(bare)) == ([], None)


def test_nothing_else_reads_them():
    """Only one file reads the attributes, so a new version of CPython needs a look at one file."""
    texts = {file.name: file.read_text("utf-8") for file in SOURCES.rglob("*.py")}
    assert [name for name, text in texts.items() if PRIVATE.search(text)] == ["asyncio_private.py"]
    assert PRIVATE.search("self._callbacks or ()")
