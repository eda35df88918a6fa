"""Maps the files that other tools build to their places in the wheel; the sources go in as they are."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = {
    "js/dist/runtime.js": "unpanic/_runtime.js",
    "js/dist/service-worker.js": "unpanic/service-worker.js",
}


class Wheel(BuildHookInterface):
    """Adds the built files, and says so when one is missing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling before it makes the wheel."""
        for source in BUILT:
            if not Path(self.root, source).is_file():
                raise SystemExit(f"{source} is missing: run `make dist`, which builds it first.")
        build_data["force_include"].update(BUILT)
