"""Adds to mkdocs what this site needs: pictures in the page's colours, and links from public names to the reference."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from mkdocs.exceptions import PluginError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Where the demo site is, relative to the documentation; empty where the documentation stands alone.
SITE = os.environ.get("UNPANIC_SITE", "")
PICTURE = re.compile(r'<img alt="[^"]*" src="(?P<place>[^":]+\.svg)" ?/>')
# A separate image has its own colours. An image inside of a page takes the colours of the page.
STYLE = re.compile(r"<style>.*?</style>", re.S)
NAME = re.compile(r"(?<!<a>)<code>(?P<name>(?:unpanic\.)?(?P<last>\w+))(?P<call>\([^<]*\))?</code>(?!</a>)")
# A line may end after a hyphen; an option of a command is not to be split there.
OPTION = re.compile(r"(?<![\w-])--\w[\w-]*(?=[^<]*</code>)")
HEADING_OR_LINK = re.compile(r"(<(?P<tag>h\d|a|pre|autoref)\b.*?</(?P=tag)>)", re.S)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leaves out the page for unknown addresses: it cannot know in which folder the site is."""
    config.theme.static_templates.discard("404.html")
    if SITE:
        config.extra["homepage"] = SITE  # behind the logo
    return config


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Puts SVG files into the page that shows them, and links public names to the reference."""
    if SITE and page.is_homepage:
        html = f'<p><a href="{SITE}">The demo site</a> shows all of this at work.</p>\n{html}'
    html = PICTURE.sub(lambda match: inline(urljoin(page.file.src_uri, match["place"])), html)
    up = "../" * page.file.src_uri.count("/")
    pieces = HEADING_OR_LINK.split(html)
    # Every third piece from the first is text; the two between are a heading, a link or code, and its tag.
    pieces[::3] = [NAME.sub(lambda found: linked(found, up), whole(piece)) for piece in pieces[::3]]
    return "".join(piece for number, piece in enumerate(pieces) if number % 3 != 2)


def whole(html: str) -> str:
    """Text whose commands are not split inside of an option."""
    return OPTION.sub(r'<span class="unpanic-option">\g<0></span>', html)


def inline(place: str) -> str:
    """Returns the text of a picture, without its styles."""
    return STYLE.sub("", (ROOT / "docs" / place).read_text("utf-8"))


def linked(match: re.Match[str], up: str) -> str:
    """Returns a public name as a link. A lower-case name such as `load` becomes a link only after `unpanic.`."""
    name, place = match["last"], PLACES.get(match["last"])
    if place is None or (name.islower() and not match["name"].startswith("unpanic.")):
        return match[0]
    return f'<a href="{up}{place}#unpanic.{name}">{match[0]}</a>'


def public_names() -> list[str]:
    """Returns `unpanic.__all__`, which is read from the source without an import."""
    tree = ast.parse((ROOT / "py/unpanic/__init__.py").read_text("utf-8"))
    (names,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return ast.literal_eval(names)


def find_place(name: str) -> str:
    """Returns the page of the reference that describes this name."""
    for page in (ROOT / "docs/reference").glob("*.md"):
        if re.search(rf"^::: unpanic\.{name}$", page.read_text("utf-8"), re.M):
            return f"reference/{page.stem}.html"
    raise PluginError(f"No page of docs/reference has `::: unpanic.{name}`.")


PLACES = {name: find_place(name) for name in public_names()}
