"""How hatchling makes the wheel `unpanic`: which other wheel it needs, and where the built files go.

The sources go in as they are. The second wheel, `unpanic-tools`, has its own project in py/unpanic_tools.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

BUILT = {
    "js/dist/runtime.js": "unpanic/_runtime.js",
    "rust/rewriter/pkg/rewriter.wasm": "unpanic/rewriter.wasm",
    "js/dist/service-worker.js": "unpanic/service-worker.js",
}


class Tools(MetadataHookInterface):
    """States the dependency on the tools, which run everywhere but in Pyodide."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling when it knows the version."""
        metadata["dependencies"] = [f"unpanic-tools=={metadata['version']} ; sys_platform != 'emscripten'"]


class Wheel(BuildHookInterface):
    """Adds the built files, and says so when one is missing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling before it makes the wheel."""
        for source in BUILT:
            if not Path(self.root, source).is_file():
                raise SystemExit(f"{source} is missing: run `make dist`, which builds it first.")
        build_data["force_include"].update(BUILT)
