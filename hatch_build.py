"""Puts what other tools built into the wheel."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = {"js/dist/runtime.js": "unpanic/_runtime.js"}


class BuiltFiles(BuildHookInterface):
    """Maps built files to their places in the wheel, and says so when one is missing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Adds the files, by name: a wheel depends on nothing else that lies around."""
        for source in BUILT:
            if not Path(self.root, source).is_file():
                raise SystemExit(f"{source} is missing: run `make dist`, which builds it first.")
        build_data["force_include"].update(BUILT)
