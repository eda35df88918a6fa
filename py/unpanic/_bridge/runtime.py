"""How the JavaScript runtime gets into the page: the page has imported it already, or Python evaluates it."""

import importlib
import sys
from collections.abc import Callable
from importlib import resources
from typing import Any

from .._version import __version__
from ..errors import LoadError

__all__ = ["find_runtime"]

# A page whose content security policy forbids `run_js` imports the runtime as a file and registers it.
REGISTERED = "unpanic_runtime"
RUNTIME_FILE = "unpanic/_runtime.js"
REGISTERING = f"""\
const runtime = await import("/{RUNTIME_FILE}");
pyodide.registerJsModule("{REGISTERED}", runtime);"""


def find_runtime(run_js: Callable[[str], Any], js_exception: type[Exception]) -> Any:
    """The runtime: the one that the page has registered, else the wheel's.

    Args:
        run_js: evaluates a script.
        js_exception: what it raises for an error of JavaScript's.

    Raises:
        LoadError: the page has registered that of another version; or its content security policy forbids to evaluate
            the wheel's.
    """
    return _registered_runtime() or _evaluated_runtime(run_js, js_exception)


def _registered_runtime() -> Any:
    """The runtime that the page has imported and registered, or None."""
    try:
        runtime = importlib.import_module(REGISTERED)
    except ModuleNotFoundError:
        return None
    version = getattr(runtime, "version", "unknown")
    if version != __version__:
        del sys.modules[REGISTERED]  # the next load looks again
        raise LoadError(
            f"The page registered the runtime of unpanic {version}, but this is unpanic {__version__}: "
            f"serve the file {RUNTIME_FILE} of this version."
        )
    return runtime


def _evaluated_runtime(run_js: Callable[[str], Any], js_exception: type[Exception]) -> Any:
    """The wheel's runtime as a script: a module without its last line, which is its exports."""
    source = resources.files("unpanic").joinpath("_runtime.js").read_text("utf-8")
    script = source[: source.rindex("\nexport ")]
    try:
        return run_js(f"(() => {{\n{script}\nreturn runtime;\n}})()\n//# sourceURL=unpanic/runtime.js")
    except js_exception as error:
        if str(error.name) != "EvalError":  # type: ignore[attr-defined]
            raise
        raise LoadError(
            "The page's content security policy forbids Python to evaluate JavaScript, which is how unpanic starts "
            f"its runtime. Allow 'unsafe-eval', or serve the file {RUNTIME_FILE} of the wheel and hand it to "
            f"Pyodide before the first load:\n\n{REGISTERING}"
        ) from None
