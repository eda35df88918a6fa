"""Where a module's types come from: the `.d.ts` that the user names, or the one beside the glue.

Types are an aid: where nobody named a file, one that is missing, unreadable or something else altogether changes
nothing, and the glue's own comments tell what they can.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._bridge.protocols import Browser, Driver
from ..errors import FetchError, LoadError
from .reader import Declarations, read

__all__ = ["TypeFile", "load_with_types", "type_file"]

# Bundlers rename glue to `.mjs`; what wasm-bindgen wrote beside it keeps its name.
GLUE_URL = re.compile(r"(?!data:|blob:)([^?#]+)\.m?js([?#].*)?")


@dataclass(frozen=True)
class TypeFile:
    """A `.d.ts` file by its URL or its path; `is_named` if the user named it."""

    place: str | Path
    is_named: bool

    async def fetch(self, browser: Browser) -> Declarations | None:
        """Returns what it declares, or None if it is not there and nobody named it.

        Raises:
            FetchError: the file that the user named could not be fetched.
            LoadError: it holds no declarations.
        """
        if isinstance(self.place, Path):
            return self.read()
        try:
            text = await browser.fetch_text(self.place)
        except LoadError:
            if self.is_named:
                raise
            return None
        return self._declarations(text)

    def read(self) -> Declarations | None:
        """Returns the same of a file in Pyodide's file system."""
        path = Path(self.place)
        try:
            text = path.read_text("utf-8", errors="replace")
        except OSError:
            if not self.is_named:
                return None
            raise FetchError(f"There is no file {str(path)!r} in Pyodide's file system.", url=str(path)) from None
        return self._declarations(text)

    def _declarations(self, text: str) -> Declarations | None:
        # A host of a single-page application answers with its page, whatever it is asked for.
        found = None if text.lstrip().startswith("<") else read(text)
        if found is not None and found.is_something():
            return found
        if not self.is_named:
            return None
        start = " ".join(text.split())[:40]
        raise LoadError(
            f"{self.place} holds no TypeScript declarations: it begins with {start!r}. Pass the package's .d.ts file "
            "as `types`, or leave it out."
        )


def type_file(types: str | Path | None, glue: Any, local_glue: Path | None) -> TypeFile | None:
    """Returns where the types of a load are, or None: an imported namespace tells no place.

    Args:
        types: what the user named.
        glue: a URL, a path or an imported namespace.
        local_glue: the path, if the glue is a file of Pyodide's file system.
    """
    if types is not None:
        is_path = isinstance(types, Path) or ("://" not in types and Path(types).is_file())
        return TypeFile(Path(types) if is_path else types, is_named=True)
    found = GLUE_URL.fullmatch(str(local_glue or glue)) if isinstance(glue, str | Path) else None
    if found is None:
        return None
    beside = f"{found[1]}.d.ts"
    return TypeFile(Path(beside), is_named=False) if local_glue else TypeFile(beside + (found[2] or ""), is_named=False)


async def load_with_types(
    loading: Awaitable[Driver], browser: Browser, file: TypeFile | None
) -> tuple[Driver, Declarations | None]:
    """Awaits a module and its types, which are fetched meanwhile; a failure of either leaves nothing behind.

    Raises:
        LoadError: what either of them raises.
    """
    fetching = asyncio.ensure_future(_fetch(browser, file))
    try:
        driver = await loading
        try:
            if file and not file.is_named and (moved := type_file(None, driver.movedTo(), None)):
                # The server sent the glue from another place, and what lies beside it is there.
                return driver, await moved.fetch(browser)
            outcome = await fetching
            if isinstance(outcome, LoadError):
                raise outcome
            return driver, outcome
        except BaseException:
            driver.close()
            raise
    finally:
        fetching.cancel()
        with contextlib.suppress(BaseException):
            await fetching


async def _fetch(browser: Browser, file: TypeFile | None) -> Declarations | LoadError | None:
    """Returns what went wrong, too: Pyodide prints of a task that fails before it is awaited that nobody handles it."""
    try:
        return await file.fetch(browser) if file else None
    except LoadError as error:
        return error
