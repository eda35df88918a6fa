"""Packages by their names on npm: `npm:NAME@VERSION`. The runtime finds them (js/src/files/npm.js), for all hosts."""

import logging
from dataclasses import replace

from .._bridge.browser import current_browser
from .._bridge.protocols import Browser
from .._declarations.file import TypeFile
from .._log import log
from .options import LoadOptions

__all__ = ["find_package", "is_package", "npm"]

PREFIX = "npm:"


def npm(*, base: str | None = None) -> None:
    """Says where packages come from that are loaded by their names: another CDN, a mirror, or a folder that you serve.

    It holds for all loads that follow in this page. They ask no other server.

    Args:
        base: a URL with `{name}` and `{path}` in it, and `{version}` where versions are kept apart. By
            default, packages come from jsDelivr, which lists all files of a package. Elsewhere there is
            no such list, and the package's `package.json` alone says which file is the glue.

    Raises:
        ValueError: the URL lacks `{name}` or `{path}`, or has another placeholder.
        TypeError: `base` is not a string.

    Example:
        >>> unpanic.npm(base="/node_modules/{name}/{path}")
        >>> prql = await unpanic.load("npm:prql-js")
    """
    if base is not None and not isinstance(base, str):
        raise TypeError(f"base must be a URL such as '/node_modules/{{name}}/{{path}}', not {type(base).__name__}")
    current_browser().use_packages_from(base)


def is_package(glue: object) -> bool:
    """Whether this is the name of a package, and neither a URL nor a path."""
    return isinstance(glue, str) and glue.strip().startswith(PREFIX)


async def find_package(options: LoadOptions, browser: Browser) -> tuple[LoadOptions, TypeFile | None]:
    """Finds the files of the package that is to be loaded.

    Returns:
        The options with the URLs of these files, where the user named no others; and the file with the types, if the
        user did not name it. That file may be missing.

    Raises:
        LoadError: there is no such package, or nothing tells which of its files is the glue.
    """
    found = await browser.find_package(options.glue)
    name = found.name if options.name is None else options.name
    if found.pinned:
        text = "%(package)s is version %(version)s. To keep it, write %(pinned)s."
        log(logging.INFO, "version", text, name, 0, options.glue.strip(), found.version, found.pinned)
    wasm = (found.wasm or None) if options.wasm is None else options.wasm
    types = TypeFile(found.types, is_named=False) if found.types else None
    return replace(options, glue=found.glue, wasm=wasm, name=name), types
