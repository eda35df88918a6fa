"""Plays jsDelivr: packages that are installed here answer for its files and its lists."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.serve import content_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Route

FILES = "https://cdn.jsdelivr.net/npm/"
LISTS = "https://data.jsdelivr.com/v1/packages/npm/"
ADDRESSES = re.compile(r"^https://(cdn|data)\.jsdelivr\.(net|com)/")
SPEC = re.compile(r"((?:@[^/@]+/)?[^/@]+)(?:@([^/]+))?(?:/(.*))?")


@dataclass(frozen=True)
class Answer:
    """What jsDelivr answers: a file, or JSON."""

    status: int
    body: bytes
    content_type: str

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Answer:
        return cls(status, json.dumps(value).encode(), "application/json")


class Jsdelivr:
    """The packages in some folders of npm's.

    Args:
        folders: each is a `node_modules`. A package may be there in several versions, under other names.
    """

    def __init__(self, *folders: Path) -> None:
        self.requests: list[str] = []
        self._packages: dict[str, dict[str, Path]] = {}
        for folder in folders:
            for manifest in (*folder.glob("*/package.json"), *folder.glob("@*/*/package.json")):
                described = json.loads(manifest.read_text("utf-8"))
                self._packages.setdefault(described["name"], {})[described["version"]] = manifest.parent

    def answer(self, url: str) -> Answer | None:
        """Returns what jsDelivr answers, or None for an address of another server."""
        if url.startswith(FILES):
            self.requests.append(url)
            return self._file(url.removeprefix(FILES).partition("?")[0])
        if url.startswith(LISTS):
            self.requests.append(url)
            return self._list(url.removeprefix(LISTS).partition("?")[0])
        return None

    def _find(self, path: str) -> tuple[dict[str, Path], str | None, str]:
        """Returns the versions of the package with this path, the version in the path, and the rest of the path."""
        matched = SPEC.fullmatch(path)
        name, version, rest = matched.groups() if matched else ("", None, "")
        return self._packages.get(name, {}), version, rest or ""

    def _file(self, path: str) -> Answer:
        versions, version, rest = self._find(path)
        file = versions.get(version or "", Path("nowhere")) / rest
        if not file.is_file():
            return Answer(404, b"Couldn't find the requested file.", "text/plain")
        return Answer(200, file.read_bytes(), content_type(file.name))

    def _list(self, path: str) -> Answer:
        versions, version, _ = self._find(path)
        if version in versions:
            return Answer.of_json({"type": "npm", "version": version, "files": tree(versions[version])})
        if version or not versions:
            return Answer.of_json({"status": 404, "message": f"Couldn't find {path}."}, status=404)
        newest = max(versions, key=lambda text: [int(part) for part in re.findall(r"\d+", text)])
        listed = [{"version": each} for each in versions]
        return Answer.of_json({"type": "npm", "tags": {"latest": newest}, "versions": listed})

    @contextlib.contextmanager
    def served(self, context: BrowserContext) -> Iterator[None]:
        """Answers all requests of a browser's pages and workers to jsDelivr."""

        def fulfil(route: Route) -> None:
            answer = self.answer(route.request.url)
            if answer is None:
                return route.fallback()
            headers = {"Access-Control-Allow-Origin": "*", "Content-Type": answer.content_type}
            return route.fulfill(status=answer.status, body=answer.body, headers=headers)

        context.route(ADDRESSES, fulfil)
        try:
            yield
        finally:
            context.unroute(ADDRESSES, fulfil)


def tree(folder: Path) -> list[dict[str, Any]]:
    """Returns the files of a package, in folders, as jsDelivr lists them."""
    return [
        {"type": "directory", "name": entry.name, "files": tree(entry)}
        if entry.is_dir()
        else {"type": "file", "name": entry.name, "size": entry.stat().st_size}
        for entry in sorted(folder.iterdir())
        if entry.name != "node_modules"
    ]
