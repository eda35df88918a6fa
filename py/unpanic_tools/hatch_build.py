"""Pins the wheel `unpanic-tools` to the wheel `unpanic` of the same version."""

from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

__all__ = ["SameVersion"]


class SameVersion(MetadataHookInterface):
    """States the dependency, whose version is that of the project."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling when it knows the version."""
        metadata["dependencies"] = [f"unpanic=={metadata['version']}"]
