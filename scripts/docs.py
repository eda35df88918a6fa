"""Hooks of mkdocs for this site: pictures take the page's colours, and public names lead to the reference."""

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
# An image of its own brings its colours; inside of a page it takes those that the page has.
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
    """Puts SVG files into the page that shows them, links public names to the reference, keeps options in one line."""
    if SITE and page.is_homepage:
        html = f'<p><a href="{SITE}">The demo site</a> shows all of this at work.</p>\n{html}'
    html = PICTURE.sub(lambda found: inline(urljoin(page.file.src_uri, found["place"])), html)
    up = "../" * page.file.src_uri.count("/")
    pieces = HEADING_OR_LINK.split(html)
    # Every third piece from the first is text; the two between are a heading, a link or code, and its tag.
    pieces[::3] = [NAME.sub(lambda found: linked(found, up), whole(piece)) for piece in pieces[::3]]
    return "".join(piece for number, piece in enumerate(pieces) if number % 3 != 2)


def whole(html: str) -> str:
    """Text whose commands are not split inside of an option."""
    return OPTION.sub(r'<span class="unpanic-option">\g<0></span>', html)


def inline(place: str) -> str:
    """The picture's text."""
    return STYLE.sub("", (ROOT / "docs" / place).read_text("utf-8"))


def linked(found: re.Match[str], up: str) -> str:
    """A public name as a link; what is a word of its own only with `unpanic.` before it, as `load` is, stays a word."""
    name, place = found["last"], PLACES.get(found["last"])
    if place is None or (name.islower() and not found["name"].startswith("unpanic.")):
        return found[0]
    return f'<a href="{up}{place}#unpanic.{name}">{found[0]}</a>'


def public_names() -> list[str]:
    """`unpanic.__all__`, read and not imported."""
    tree = ast.parse((ROOT / "py/unpanic/__init__.py").read_text("utf-8"))
    (names,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return ast.literal_eval(names)


def find_place(name: str) -> str:
    """The page of the reference that has this name."""
    for page in (ROOT / "docs/reference").glob("*.md"):
        if re.search(rf"^::: unpanic\.{name}$", page.read_text("utf-8"), re.M):
            return f"reference/{page.stem}.html"
    raise PluginError(f"No page of docs/reference has `::: unpanic.{name}`.")


PLACES = {name: find_place(name) for name in public_names()}
