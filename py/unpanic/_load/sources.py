"""The glue and the Wasm file as the JavaScript runtime takes them: URLs, file contents or JavaScript objects."""

import math
from pathlib import Path
from typing import Any

from .._bridge.protocols import Browser
from .._recovery.deadlines import current_limit
from ..errors import FetchError
from .options import LoadOptions
from .paths import local_path

__all__ = ["runtime_options"]

# What a Wasm file is rewritten for (js/src/wasm/rewriting.js): to stop calls, and to undo them.
DEADLINES, ROLLBACK = 1, 2


def runtime_options(options: LoadOptions, browser: Browser) -> tuple[dict[str, Any], str]:
    """Prepares a load.

    Returns:
        The options of the runtime's own `load`, where only what the user passed has a key; and why no file can be
        rewritten here, although that was a wish.

    Raises:
        TypeError: the glue or the Wasm file is of a type that nothing can be loaded from.
        FetchError: the rewriter is needed, and cannot be read.
    """
    runtime: dict[str, Any] = {"glue": _glue_source(options.glue, browser)}
    if options.wasm is not None:
        runtime["wasm"] = _wasm_source(options.wasm, browser)
    if options.name is not None:
        runtime["name"] = options.name
    rewrites = DEADLINES * (options.timeout is not None) + ROLLBACK * (options.recovery == "rollback")
    # Where nobody can choose, a build that unwinds is left as it is, and a file that cannot be rewritten too.
    wishes = ROLLBACK * (options.recovery == "auto")
    obstacle = ""
    if rewrites or wishes:
        # A file that was rewritten when it was built needs no rewriter here.
        runtime["rollsBack"] = bool((rewrites | wishes) & ROLLBACK)
        if not options.cache:
            runtime["keeps"] = False
        try:
            runtime |= {"rewriter": browser.rewriter(), "rewrites": rewrites, "wishes": wishes}
        except FetchError as error:
            if rewrites:
                raise FetchError(f"The rewriter is needed for {_names(rewrites)}: {error}.", url=error.url) from None
            obstacle = str(error)
    limit = current_limit(options.timeout)
    if limit < math.inf:
        runtime["startMs"] = limit * 1000
    if options.spare is not None:
        runtime["spare"] = options.spare
    return runtime, obstacle


def _names(rewrites: int) -> str:
    """The options for which a file is rewritten."""
    options = [(DEADLINES, "`timeout`"), (ROLLBACK, '`recovery="rollback"`')]
    return " and ".join(name for bit, name in options if rewrites & bit)


def _glue_source(glue: Any, browser: Browser) -> Any:
    if not isinstance(glue, str | Path) and not browser.is_foreign(glue):
        try:
            return _wasm_source(glue, browser)
        except TypeError:
            raise TypeError(
                "glue must be a URL, a path, an imported namespace or the bytes of a Wasm file, not "
                f"{type(glue).__name__}"
            ) from None
    path = local_path(glue)
    return browser.glue_file(path) if path else glue


def _wasm_source(wasm: Any, browser: Browser) -> Any:
    if path := local_path(wasm):
        return browser.wasm_file(path)
    if isinstance(wasm, str) or browser.is_foreign(wasm):
        return wasm
    try:
        content = memoryview(wasm).tobytes()
    except TypeError:
        raise TypeError(
            f"wasm must be a URL, a path, bytes-like, a Response or a WebAssembly.Module, not {type(wasm).__name__}"
        ) from None
    return browser.to_typed_array(content)
