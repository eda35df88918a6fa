"""Pins the wheel `unpanic-tools` to the wheel `unpanic` of the same version."""

from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

__all__ = ["SameVersion"]


class SameVersion(MetadataHookInterface):
    """Declares the dependency on `unpanic` of the same version."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the dependency. Hatchling calls this when it knows the version."""
        metadata["dependencies"] = [f"unpanic=={metadata['version']}"]
