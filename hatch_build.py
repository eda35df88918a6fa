"""Tells hatchling how to make the wheel `unpanic`: its dependency on the tools, and the places of the built files.

The wheel contains the sources unchanged. The second wheel, `unpanic-tools`, has its own project in py/unpanic_tools.
"""

import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface
from zopfli.zlib import compress

BUILT = {
    "js/dist/runtime.js": "unpanic/_runtime.js",
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

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Compresses the wheel again, which makes it 3 % smaller. Hatchling calls this at the end."""
        wheel = Path(artifact_path)
        with zipfile.ZipFile(wheel) as archive:
            files = [(info, archive.read(info)) for info in archive.infolist()]
        with zipfile.ZipFile(wheel, "w") as archive:
            for info, content in files:
                with archive.open(info, "w") as place:
                    # zipfile has no public way to another compressor. Without it, the wheel is only larger.
                    place._compressor = Zopfli()
                    place.write(content)


class Zopfli:
    """A compressor as zipfile uses it. It takes longer than zlib's, and makes the same format."""

    def __init__(self) -> None:
        self.content = b""

    def compress(self, content: bytes) -> bytes:
        """Takes a part of a file."""
        self.content += content
        return b""

    def flush(self) -> bytes:
        """The compressed file, without the head and the checksum that zlib's format has besides."""
        return compress(self.content, numiterations=5)[2:-4]
