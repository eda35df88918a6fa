"""The dependencies of the wheel `unpanic-tools`, which needs the wheel `unpanic` of the same version."""

from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

__all__ = ["SameVersion"]

# wasmtime runs the rewriter, and the descriptors of exact types.
LIBRARIES = ["wasmtime>=50.0.1"]


class SameVersion(MetadataHookInterface):
    """Declares the dependencies, of which the one on `unpanic` has the same version."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the dependencies. Hatchling calls this when it knows the version."""
        metadata["dependencies"] = [f"unpanic=={metadata['version']}", *LIBRARIES]
