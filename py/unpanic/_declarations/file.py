"""The file that a module's types come from: the `.d.ts` that the user names, or the one beside the glue.

Types are an aid. If the user named no file, and the one beside the glue is missing or holds something else, the module
loads all the same, with what the glue's own comments say about types.
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

# Bundlers rename glue to `.mjs`; what wasm-bindgen wrote beside it keeps its name. The types of `bank_bg.js`, which is
# glue for a bundler, are those of its entry `bank.js`.
GLUE_URL = re.compile(r"(?!data:|blob:)([^?#]+?)(?:_bg)?\.m?js([?#].*)?")


@dataclass(frozen=True)
class TypeFile:
    """A `.d.ts` file by its URL or its path; `is_named` if the user named it."""

    origin: str | Path
    is_named: bool

    async def fetch(self, browser: Browser) -> Declarations | None:
        """Returns the declarations of the file, or None if it is not there and the user did not name it.

        Raises:
            FetchError: the file that the user named could not be fetched.
            LoadError: the file that the user named holds no declarations.
        """
        if isinstance(self.origin, Path):
            return self.read()
        try:
            text = await browser.fetch_text(self.origin)
        except LoadError:
            if self.is_named:
                raise
            return None
        return self._declarations(text)

    def read(self) -> Declarations | None:
        """Returns the same for a file in Pyodide's file system."""
        path = Path(self.origin)
        try:
            text = path.read_text("utf-8", errors="replace")
        except OSError:
            if not self.is_named:
                return None
            raise FetchError(f"There is no file {str(path)!r} in Pyodide's file system.", url=str(path)) from None
        return self._declarations(text)

    def _declarations(self, text: str) -> Declarations | None:
        # The server of a single-page application answers every request with the page.
        declarations = None if text.lstrip().startswith("<") else read(text)
        if declarations is not None and declarations.is_something():
            return declarations
        if not self.is_named:
            return None
        start = " ".join(text.split())[:40]
        raise LoadError(
            f"{self.origin} holds no TypeScript declarations: it begins with {start!r}. Pass the package's .d.ts file "
            "as `types`, or leave it out."
        )


def type_file(types: str | Path | None, glue: Any, local_glue: Path | None) -> TypeFile | None:
    """Returns the file with the types of a load, or None if nobody knows: an imported namespace has no origin.

    Args:
        types: the file that the user named.
        glue: a URL, a path or an imported namespace.
        local_glue: the path, if the glue is a file of Pyodide's file system.
    """
    if types is not None:
        is_path = isinstance(types, Path) or ("://" not in types and Path(types).is_file())
        return TypeFile(Path(types) if is_path else types, is_named=True)
    match = GLUE_URL.fullmatch(str(local_glue or glue)) if isinstance(glue, str | Path) else None
    if match is None:
        return None
    beside = f"{match[1]}.d.ts"
    return TypeFile(Path(beside), is_named=False) if local_glue else TypeFile(beside + (match[2] or ""), is_named=False)


async def load_with_types(
    loading: Awaitable[Driver], browser: Browser, file: TypeFile | None
) -> tuple[Driver, Declarations | None]:
    """Awaits a module and its types, which are fetched meanwhile; if either fails, nothing is left behind.

    Args:
        loading: the load of the module.
        browser: where Python runs.
        file: the file with the types, if there is one.

    Raises:
        LoadError: the module or the types could not be loaded.
    """
    fetching = asyncio.ensure_future(_fetch(browser, file))
    try:
        driver = await loading
        try:
            if (file is None or not file.is_named) and (moved := type_file(None, driver.movedTo(), None)):
                # The glue is elsewhere, and the types are beside it: the server redirected it, or `load` was given the
                # Wasm file.
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
    """Fetches types; returns an error instead of raising it, because this task may fail before it is awaited.

    Pyodide prints the exception of such a task as one that nobody handles.
    """
    try:
        return await file.fetch(browser) if file else None
    except LoadError as error:
        return error
