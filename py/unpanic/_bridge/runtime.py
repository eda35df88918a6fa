"""How the JavaScript runtime gets into the page: the page has imported it already, or Python evaluates it.

It has three files: the runtime itself; what finds packages by their names; and what packages need that are not glue
for the web. The last two are evaluated when they are needed.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from .._version import __version__
from ..errors import LoadError

__all__ = ["FORMS", "PACKAGES", "RUNTIME", "find_runtime"]


@dataclass(frozen=True)
class Part:
    """A file of the runtime.

    Attributes:
        name: the name of the file in the wheel.
        module: where Python finds it, if the page has registered it. A page whose content security policy forbids
            `run_js` imports the file and registers it.
    """

    name: str
    module: str

    @property
    def file(self) -> str:
        return f"unpanic/{self.name}"

    @property
    def registering(self) -> str:
        return f'pyodide.registerJsModule("{self.module}", await import("/{self.file}"));'


RUNTIME = Part("_runtime.js", "unpanic_runtime")
FORMS = Part("_forms.js", "unpanic_forms")
PACKAGES = Part("_packages.js", "unpanic_packages")


def find_runtime(run_js: Callable[[str], Any], js_exception: type[Exception], part: Part = RUNTIME) -> Any:
    """The runtime, or a part of it: the one that the page has registered, else the wheel's.

    Args:
        run_js: evaluates a script.
        js_exception: what it raises for an error of JavaScript's.
        part: which file.

    Raises:
        LoadError: the page has registered that of another version; or its content security policy forbids to evaluate
            the wheel's.
    """
    return _registered(part) or _evaluated(part, run_js, js_exception)


def _registered(part: Part) -> Any:
    """The part that the page has imported and registered, or None."""
    try:
        runtime = importlib.import_module(part.module)
    except ModuleNotFoundError:
        return None
    version = getattr(runtime, "version", "unknown")
    if version != __version__:
        del sys.modules[part.module]  # the next load looks again
        raise LoadError(
            f"The page registered the runtime of unpanic {version}, but this is unpanic {__version__}: "
            f"serve the file {part.file} of this version."
        )
    return runtime


def _evaluated(part: Part, run_js: Callable[[str], Any], js_exception: type[Exception]) -> Any:
    """The wheel's file as a script: a module without its last line, which is its exports."""
    source = resources.files("unpanic").joinpath(part.name).read_text("utf-8")
    script = source[: source.rindex("\nexport ")]
    url = f"unpanic/{part.name.removeprefix('_')}"
    try:
        return run_js(f"(() => {{\n{script}\nreturn runtime;\n}})()\n//# sourceURL={url}")
    except js_exception as error:
        if str(error.name) != "EvalError":  # type: ignore[attr-defined]
            raise
        raise LoadError(
            "The page's content security policy forbids 'unsafe-eval'. Allow it, or first run in the page:\n"
            + part.registering
        ) from None
