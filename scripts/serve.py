"""A local web server for the tests, the benchmarks and the demo."""

from __future__ import annotations

import mimetypes
import re
import shutil
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]

# The first prefix that matches decides.
FOLDERS = {
    "/pyodide/": "js/node_modules/pyodide",
    "/pyodide-0.29/": "js/node_modules/pyodide-0.29",
    "/npm/": "js/node_modules",
    "/compat/": "tests/compat/node_modules",
    "/wheel/": "dist",
    "/wheels/": ".cache/wheels",
    "/unpanic/": "js/dist",
    "/site/": "dist/site",
    "/examples/": "dist/examples",
    "/fixtures/": "rust/fixtures",
    "/tests/": "py/unpanic_tools/testing/page",
    "/pages/": "tests/browser/pages",
}

# Below this prefix are the same paths again, for pages that share memory with their workers: browsers allow that only
# where these headers come with the page and with the worker.
ISOLATED = "/isolated"
ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}

# What a page begins with. Without it, its layout is that of old pages.
DOCTYPE = re.compile(rb"(?i)^\s*(?:<!doctype[^>]*>)?")

# These types are fixed here, because the tables of the operating system differ between machines.
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".whl": "application/zip",
    ".ts": "text/plain",
    ".py": "text/plain",
    ".rs": "text/plain",
}


@dataclass(frozen=True)
class Route:
    """An answer from memory."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Server:
    """Serves the project's folders on 127.0.0.1 until it is closed.

    Args:
        port: the port to listen at; 0 takes any free port.
        folders: the folder of the project that each prefix stands for.

    Attributes:
        head: what every page begins with, after its doctype.
    """

    def __init__(self, port: int = 0, folders: dict[str, str] = FOLDERS) -> None:
        self.folders = folders
        self.head = b""
        self.routes: dict[str, Route] = {}
        self.requests: list[str] = []
        self._http = _HTTPServer(("127.0.0.1", port), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The origin, without a trailing slash."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def route(self, path: str, body: bytes | str = b"", *, status: int = 200, **headers: str) -> str:
        """Answers `path` from memory instead of from a folder, and returns its full address.

        A header is written as in `content_type="text/html"`; by default, the suffix of the path decides the content
        type. Requests with any query match the path.
        """
        data = body.encode() if isinstance(body, str) else body
        names = {name.replace("_", "-").title(): value for name, value in headers.items()}
        self.routes[path] = Route(data, status, {"Content-Type": content_type(path), **names})
        return self.url + path

    def close(self) -> None:
        """Stops serving."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def content_type(path: str) -> str:
    suffix = Path(path).suffix
    return TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


def find_file(path: str, folders: dict[str, str]) -> Path | None:
    """Returns the file that a path names, or None if no folder holds it."""
    for prefix, folder in folders.items():
        if path.startswith(prefix):
            root = (ROOT / folder).resolve()
            file = root / path.removeprefix(prefix)
            if file.is_dir():
                file = file / "index.html"
            return file if file.is_file() and file.resolve().is_relative_to(root) else None
    return None


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    owner: Server

    def handle_error(self, *_: object) -> None:
        """Ignores a connection that the browser dropped."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HTTPServer

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.owner.requests.append(path)
        isolated = ISOLATED if path.startswith(f"{ISOLATED}/") else ""
        if route := self.server.owner.routes.get(path):
            self._answer_at_once(route)
        elif file := find_file(path.removeprefix(isolated), self.server.owner.folders):
            headers = {"Content-Type": content_type(file.name), **(ISOLATION if isolated else {})}
            if file.suffix == ".html":
                return self._answer_at_once(Route(file.read_bytes(), headers=headers))
            self._answer(200, file.stat().st_size, headers)
            if self.command != "HEAD":
                with file.open("rb") as stream:
                    shutil.copyfileobj(stream, self.wfile)
        else:
            body = f"{path} is not here.\n".encode()
            self._answer_at_once(Route(body, HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"}))
        return None

    do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - the base class looks these names up

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))  # an unread body would count as the next request
        self.do_GET()

    def _answer_at_once(self, route: Route) -> None:
        body = route.body
        if route.headers["Content-Type"].startswith("text/html"):
            body = DOCTYPE.sub(lambda doctype: doctype[0] + self.server.owner.head, body, 1)
        self._answer(route.status, len(body), route.headers)
        self._write(body)

    def _answer(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Cache-Control": "no-cache", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _write(self, body: bytes) -> None:
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Prints nothing: tests read `Server.requests`."""
