"""The site as an application: folders, types of files, headers, and the script that listens for changes."""

import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from .changes import Changes

__all__ = ["CHANGES", "SCRIPT", "Mount", "make_site"]

# These types are fixed here, because the tables of operating systems differ.
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".cjs": "text/javascript",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".whl": "application/zip",
    ".ts": "text/plain",
    ".py": "text/plain",
    ".rs": "text/plain",
    ".toml": "text/plain",
    ".md": "text/plain",
    ".ipynb": "application/json",
}
ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
INDEX = "index.html"
CHANGES = "/__unpanic__/changes"
SCRIPT = "/__unpanic__/page.js"
# The script comes after the doctype, without which a page would have the layout of old pages.
DOCTYPE = re.compile(rb"(?i)^\s*(?:<!doctype[^>]*>)?")


@dataclass(frozen=True)
class Mount:
    """A folder, and the prefix of the addresses of its files."""

    prefix: str
    folder: Path

    def find(self, path: str) -> Path | None:
        """Returns the file for an address, or None."""
        if not path.startswith(self.prefix):
            return None
        root = self.folder.resolve()
        file = root / path.removeprefix(self.prefix)
        if file.is_dir():
            file = file / INDEX
        return file if file.is_file() and file.resolve().is_relative_to(root) else None


def make_site(
    mounts: Sequence[Mount], changes: Changes | None, *, isolated: bool, extra: Mapping[str, tuple[str, str]] = {}
) -> Starlette:
    """Makes the application.

    Args:
        mounts: folders; the first with a file of that name has it.
        changes: told to pages, which get a script that listens; None: pages stay as they are.
        isolated: whether pages may share memory with their workers (COOP and COEP).
        extra: answers from memory, by their addresses: a type and a text.
    """
    headers = {"Cache-Control": "no-cache", **(ISOLATION if isolated else {})}

    async def answer_file(request: Request) -> Response:
        path = request.url.path
        file = next(filter(None, (mount.find(path) for mount in mounts)), None)
        if file is None:
            return PlainTextResponse(f"{path} is not here.\n", 404, headers)
        if file.name == INDEX and not path.endswith(("/", INDEX)):
            # Without the slash, what the page names would be looked for in the folder above.
            return RedirectResponse(f"{path.rpartition('/')[2]}/", headers=headers)
        if file.suffix != ".html" or changes is None:
            return FileResponse(file, headers=headers, media_type=content_type(file))
        page = DOCTYPE.sub(lambda doctype: doctype[0] + f'<script src="{SCRIPT}"></script>'.encode(), file.read_bytes())
        return Response(page, headers=headers, media_type="text/html")

    async def answer_changes(_request: Request) -> Response:
        assert changes is not None
        return StreamingResponse(changes.stream(), headers=headers, media_type="text/event-stream")

    def from_memory(kind: str, text: str) -> Route:
        async def answer(_request: Request) -> Response:
            return Response(text, headers=headers, media_type=kind)

        return answer  # type: ignore[return-value]

    routes = [Route(path, from_memory(*content)) for path, content in extra.items()]
    if changes is not None:
        script = Path(__file__).with_name("page.js").read_text("utf-8")
        routes += [Route(CHANGES, answer_changes), Route(SCRIPT, from_memory("text/javascript", script))]
    return Starlette(routes=[*routes, Route("/{path:path}", answer_file)])


def content_type(file: Path) -> str:
    """Returns the type of a file by its suffix."""
    return TYPES.get(file.suffix) or mimetypes.types_map.get(file.suffix, "application/octet-stream")
