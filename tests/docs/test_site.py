"""The built documentation is complete, has every public name, and has no broken link."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import unpanic
from playwright.sync_api import expect
from unpanic_tools.cli.app import app

from scripts import links

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.serve import Server

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".cache/docs/bin/python"
# The page "From your crate" is not about one environment: it covers a crate, a page and a wheel.
PLACES = sorted(
    path for path in (ROOT / "docs/getting-started").glob("*.md") if path.stem not in ("crate", "browser-tests")
)
# The lines that a user writes, without commands and without the code of marimo's editor around the cells.
BLOCK = re.compile(r"^```(?!text|sh)\w+.*?\n(.*?)^```", re.M | re.S)
SCAFFOLD = re.compile(r"@app\.|(?:async )?def _\(|    return|# |import marimo$|app = |if __name__|    app\.run")
MOST_LINES = 10
MOST_WORDS = 900


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the built site."""
    if not PYTHON.exists():
        pytest.fail("mkdocs is not there: run `python3 scripts/setup.py docs`.")
    folder = tmp_path_factory.mktemp("docs")
    # With --quiet, mkdocs would ignore the warnings that --strict turns into errors.
    build = [PYTHON, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(build, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_no_link_leads_nowhere(site: Path):
    """Every link in the site and in Markdown files has its page and its anchor. Links elsewhere are https."""
    files = links.files(site)
    assert {"README.md", "CHANGELOG.md", "index.html"} <= {path.name for path in files}
    assert sum(len(links.read(path).links) for path in files) > 500
    assert links.broken(files, site) == []


def test_the_first_page_shows_what_one_gets(site: Path):
    """The first page has pictures of the demo, the card and the timeline, for light and dark colours."""
    shown = {link.partition("#")[0] for link in links.read(site / "index.html").links}
    pictures = {f"images/{name}-{scheme}.png" for name in ("demo", "card", "timeline") for scheme in ("light", "dark")}
    assert pictures <= shown
    assert [name for name in pictures if not (site / name).is_file()] == []


def test_the_readme_is_short():
    """The README is a screen and a half, and everything else is in the documentation."""
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= MOST_WORDS


BROKEN = {
    "[gone](gone.md)": "is not there",
    "[nowhere](page.md#nowhere)": "has no such place",
    "[nowhere](#nowhere)": "has no such place",
    "[root](/page.md)": "begins at the host's root: the site may be in a folder",
    "[old](http://example.com/)": "is not https to a host",
    "[no host](https://)": "is not https to a host",
    "[no dot](https://example/)": "is not https to a host",
}
WHOLE = [
    "[page](page.md)",
    "[here](#a-heading-for-you)",
    "[there](page.md#two)",
    "`[code](gone.md)`",
    "[x](https://a.org/b#c)",
]


@pytest.mark.parametrize("text", [*BROKEN, *WHOLE])
def test_the_check_tells_broken_links_from_whole_ones(text: str, tmp_path: Path):
    """The test above can fail, and names the problem."""
    (tmp_path / "page.md").write_text("# One\n\n## Two\n")
    file = tmp_path / "start.md"
    file.write_text(f"# A heading, for *you*\n\n{text}\n")
    assert [line.rpartition(": ")[2] for line in links.broken([file], tmp_path)] == (
        [BROKEN[text].rpartition(": ")[2]] if text in BROKEN else []
    )


def test_the_site_needs_no_other_host(site: Path):
    """Scripts, styles, fonts and pictures come from the site itself."""
    loaded = re.compile(r'<(?:script|img|iframe)[^>]* src="([^"]*)"|<link[^>]* href="([^"]*)"|@import\s*"([^"]*)"')
    pages = sorted(site.glob("**/*.html"))
    addresses = {"".join(match) for page in pages for match in loaded.findall(page.read_text("utf-8"))}
    assert len(addresses) > 5
    assert [place for place in addresses if links.is_outside(place) and not place.startswith("data:")] == []


def public_names() -> list[str]:
    names = [f"unpanic.{name}" for name in unpanic.__all__]
    if importlib.util.find_spec("unpanic.service"):
        service = importlib.import_module("unpanic.service")
        names += [f"unpanic.service.{name}" for name in service.__all__]
    return names


def test_the_reference_has_every_public_name(site: Path):
    """Each name of `__all__` is on one page of the reference."""
    anchors = [name for page in (site / "reference").glob("*.html") for name in links.read(page).anchors]
    assert [name for name in public_names() if anchors.count(name) != 1] == []


def test_examples_are_shown_as_code(site: Path):
    """The text below `Example:` in a docstring becomes code in the reference, not a quotation."""
    for page in (site / "reference").glob("*.html"):
        assert "<blockquote>" not in page.read_text("utf-8"), page.name


FUNCTIONS = [getattr(unpanic, name) for name in unpanic.__all__ if inspect.isfunction(getattr(unpanic, name))]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_docstrings_tell_all(function: object):
    """Each function documents its options and its result, and shows a call."""
    text = inspect.getdoc(function) or ""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    refers = "are those of `load`" in text
    undescribed = [name for name in signature.parameters if not refers and not re.search(rf"^    {name}: ", text, re.M)]
    assert undescribed in ([], ["module"])
    assert re.search(r"^Returns:", text, re.M) or signature.return_annotation is None or refers
    assert re.search(r"^Example:\n    >>> ", text, re.M)


def test_every_command_is_documented():
    """Each command of `unpanic --help` has a section."""
    text = (ROOT / "docs/reference/command.md").read_text("utf-8")
    names = [verb.name for verb in app.registered_commands]
    assert len(names) > 2
    assert [name for name in names if f"## unpanic {name}\n" not in text] == []


@pytest.mark.parametrize("place", PLACES, ids=lambda path: path.stem)
def test_getting_started_takes_ten_lines(place: Path):
    """In each environment a user writes at most ten lines."""
    written = [line for block in BLOCK.findall(place.read_text("utf-8")) for line in block.splitlines()]
    lines = [line for line in written if line.strip() and not SCAFFOLD.match(line)]
    assert 0 < len(lines) <= MOST_LINES, lines


def test_the_site_works_in_a_folder(site: Path, page: Page, server: Server):
    """In any folder of a host, search finds a name and opens it, colours change, and no other host is contacted."""
    for file in site.rglob("*.*"):
        server.route(f"/some/folder/{file.relative_to(site)}", file.read_bytes())
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{server.url}/some/folder/index.html")
    page.get_by_role("textbox", name="Search").click()
    page.get_by_role("textbox", name="Search").press_sequentially("StaleObjectError")
    page.locator(".md-search-result a[href$='#unpanic.StaleObjectError']").click()
    expect(page.locator("[id='unpanic.StaleObjectError']")).to_be_in_viewport()
    assert "/some/folder/reference/errors.html" in page.url
    page.get_by_title("switch to light").click()
    page.get_by_title("switch to dark").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    assert [url for url in asked if not url.startswith((f"{server.url}/some/folder/", "blob:", "data:"))] == []
    assert said == []
