"""What the server tells open pages: a stream of events for each page."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["Changes"]


class Changes:
    """Hands each change to every page that listens."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Queue[dict[str, Any] | None]] = set()
        # That the last build failed; a page that is opened later hears of it, too.
        self._failure: dict[str, Any] | None = None

    def __len__(self) -> int:
        """The number of open pages."""
        return len(self._pages)

    def tell(self, kind: str, **fields: Any) -> int:
        """Tells all open pages of a change; returns how many there are.

        Args:
            kind: `reload` (files of the page), or of a build: `failed`, `module` (there is a new one) or `unchanged`.
            fields: what belongs to it, as values of JSON.
        """
        change = {"kind": kind, **fields}
        if kind != "reload":
            self._failure = change if kind == "failed" else None
        for page in self._pages:
            page.put_nowait(change)
        return len(self._pages)

    def close(self) -> None:
        """Ends all streams, so that the server can end."""
        for page in self._pages:
            page.put_nowait(None)

    async def stream(self) -> AsyncIterator[str]:
        """Yields the lines of an event stream for one page."""
        page: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._pages.add(page)
        try:
            yield ": open\n\n"
            if self._failure:
                page.put_nowait(self._failure)
            while (change := await page.get()) is not None:
                yield f"data: {json.dumps(change)}\n\n"
        finally:
            self._pages.discard(page)
