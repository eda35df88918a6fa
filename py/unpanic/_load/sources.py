"""The glue and the Wasm file as the JavaScript runtime takes them: URLs, file contents or JavaScript objects."""

import math
from pathlib import Path
from typing import Any

from .._bridge.protocols import Browser
from .._recovery.deadlines import current_limit
from .options import LoadOptions
from .paths import local_path

__all__ = ["runtime_options"]

# What a Wasm file is rewritten for (js/src/wasm/rewriting.js): to stop calls, and to undo them.
DEADLINES, ROLLBACK = 1, 2


def runtime_options(options: LoadOptions, browser: Browser) -> dict[str, Any]:
    """Returns the options of the runtime's own `load`, where only what the user passed has a key.

    Raises:
        TypeError: the glue or the Wasm file is of a type that nothing can be loaded from.
    """
    runtime: dict[str, Any] = {"glue": _glue_source(options.glue, browser)}
    if options.wasm is not None:
        runtime["wasm"] = _wasm_source(options.wasm, browser)
    if options.name is not None:
        runtime["name"] = options.name
    rewrites = DEADLINES * (options.timeout is not None) + ROLLBACK * (options.recovery == "rollback")
    # Where nobody can choose, a build that unwinds is left as it is, and a file that cannot be rewritten too.
    wishes = ROLLBACK * (options.recovery == "auto")
    if rewrites or wishes:
        runtime |= {"rewriter": browser.rewriter(), "rewrites": rewrites, "wishes": wishes}
        if not options.cache:
            runtime["keeps"] = False
        runtime["rollsBack"] = bool((rewrites | wishes) & ROLLBACK)
    limit = current_limit(options.timeout)
    if limit < math.inf:
        runtime["startMs"] = limit * 1000
    if options.spare is not None:
        runtime["spare"] = options.spare
    return runtime


def _glue_source(glue: Any, browser: Browser) -> Any:
    if not isinstance(glue, str | Path) and not browser.is_foreign(glue):
        raise TypeError(f"glue must be a URL, a path or an imported namespace, not {type(glue).__name__}")
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
