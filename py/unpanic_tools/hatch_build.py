"""Names what the wheel `unpanic-tools` needs: the wheel `unpanic` of the same version, and libraries."""

from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

__all__ = ["SameVersion"]

LIBRARIES = [
    "hatchling>=1.33",  # `unpanic build` runs the project's build hook with it
    "pyodide-build>=0.39.2",  # compiles wheels to bytecode for `unpanic dist --compile`
    "pyodide-lock[wheel]>=0.2.1",  # writes the lock file of a distribution
    "pyelftools>=0.33",  # reads debug information for lines in tracebacks
    "rich>=15",  # tables and progress
    "starlette>=1.10",  # `unpanic serve` and `unpanic dev`, with the two below
    "typer>=0.29",  # the command line
    "uvicorn>=0.54",
    "wasmtime>=50.0.1",  # runs the rewriter for `unpanic rewrite`
    "watchfiles>=1.3",
]


class SameVersion(MetadataHookInterface):
    """Declares the dependencies, of which that on `unpanic` has the same version."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the dependencies. Hatchling calls this when it knows the version."""
        metadata["dependencies"] = [f"unpanic=={metadata['version']}", *LIBRARIES]
