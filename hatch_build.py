"""Tells hatchling how to make the wheel `unpanic`: its dependency on the tools, and the places of the built files.

The wheel contains the sources unchanged. The second wheel, `unpanic-tools`, has its own project in py/unpanic_tools.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

BUILT = {
    "js/dist/runtime.js": "unpanic/_runtime.js",
    "js/dist/packages.js": "unpanic/_packages.js",
    "js/dist/forms.js": "unpanic/_forms.js",
    "js/dist/service-worker.js": "unpanic/service-worker.js",
}
# Built too, and committed: `make dist` needs no Rust.
COMMITTED = {"rust/rewriter/pkg/rewriter.wasm": "unpanic/rewriter.wasm"}


class Tools(MetadataHookInterface):
    """Declares the dependency on the tools, which run everywhere except in Pyodide."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the dependency. Hatchling calls this when it knows the version."""
        metadata["dependencies"] = [f"unpanic-tools=={metadata['version']} ; sys_platform != 'emscripten'"]


class Wheel(BuildHookInterface):
    """Adds the built files, and fails with a message if one is missing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Adds the files. Hatchling calls this before it makes the wheel."""
        for sources, remedy in ((BUILT, "make dist"), (COMMITTED, "python3 rust/plain.py")):
            for source in sources:
                if not Path(self.root, source).is_file():
                    raise SystemExit(f"{source} is missing: run `{remedy}`, which builds it first.")
            build_data["force_include"].update(sources)
