"""Checks the links of the built documentation and of the Markdown files. Asks other hosts whether their pages exist."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]
FILES = ("*.md", "py/*.md", "docs/**/*.md", "examples/*/README.md")
SECONDS = 20
# Some hosts answer only browsers.
HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; unpanic link check)"}
# A host name has a dot. A placeholder for the user's own host has none.
WELL_FORMED = re.compile(r"https://[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?(#\S*)?")

CODE = re.compile(r"^(?P<fence>```+).*?^(?P=fence)\s*$|`[^`\n]+`|<!--.*?-->", re.M | re.S)
LINK = re.compile(r"\]\(\s*<?(?P<target>[^\s)>]+)")
HEADING = re.compile(r"^#+ +(?P<text>.+?) *#*$", re.M)


@dataclass
class Document:
    """The links in a file, and the anchors that other links can name."""

    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    """Reads the links and anchors of an HTML page."""

    def __init__(self) -> None:
        super().__init__()
        self.document = Document()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.document.anchors.add(value or "")
            elif name in ("href", "src", "data-src", "poster"):
                self.document.links.append(value or "")


@cache
def read(path: Path) -> Document:
    """Reads a page or a Markdown file."""
    text = path.read_text("utf-8")
    if path.suffix == ".html":
        reader = Reader()
        reader.feed(text)
        return reader.document
    if path.suffix == ".md":
        prose = CODE.sub("", text)
        return Document(LINK.findall(prose), {slug(title) for title in HEADING.findall(text)})
    return Document()


def slug(heading: str) -> str:
    """Returns the anchor that GitHub gives to a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def files(site: Path) -> list[Path]:
    """Returns the Markdown files of the repository and the pages of the site."""
    return sorted({*(path for pattern in FILES for path in ROOT.glob(pattern)), *site.glob("**/*.html")})


def is_outside(link: str) -> bool:
    return bool(urlsplit(link).scheme or link.startswith("//"))


def broken(paths: list[Path], site: Path) -> list[str]:
    """Returns the broken links, each as a line with its file and the reason."""
    return [
        f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}: {link}: {why}"
        for path in paths
        for link in read(path).links
        if (why := fault(path, link, site))
    ]


def fault(path: Path, link: str, site: Path) -> str:
    """Returns what is wrong with a link, or an empty text. Does not ask other hosts."""
    parts = urlsplit(link)
    if parts.scheme in ("data", "mailto"):
        return ""
    if is_outside(link):
        return "" if WELL_FORMED.fullmatch(link) else "is not https to a host"
    if parts.path.startswith("/"):
        return "begins at the host's root: the site may be in a folder"
    target = Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
    if target.is_dir() and path.suffix == ".html":
        target = target / "index.html"
    if not target.exists():
        return "is not there"
    if path.suffix == ".html" and not target.is_relative_to(site):
        return "leads out of the site"
    if parts.fragment and target.suffix in (".html", ".md") and unquote(parts.fragment) not in read(target).anchors:
        return "has no such place"
    return ""


def ask(link: str) -> str:
    """Asks another host for a link. Returns the reason why there is no page, or an empty text."""
    try:
        with urlopen(Request(link, headers=HEADERS), timeout=SECONDS):
            return ""
    except HTTPError as error:
        # The page exists, but not for this script, or not now.
        return "" if error.code in (401, 403, 429) else f"HTTP {error.code}"
    except OSError as error:
        return str(getattr(error, "reason", error))


def unreachable(paths: list[Path]) -> Iterator[str]:
    """Yields the links to other hosts that do not answer."""
    links = sorted({link.partition("#")[0] for path in paths for link in read(path).links if link.startswith("https:")})
    with ThreadPoolExecutor(8) as pool:
        for link, why in zip(links, pool.map(ask, links), strict=True):
            if why:
                yield f"{link}: {why}"


def main() -> int:
    site = ROOT / "dist" / "docs"
    paths = files(site)
    problems = [*broken(paths, site), *unreachable(paths)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"links: {sum(len(read(path).links) for path in paths)} in {len(paths)} files, {len(problems)} broken")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
