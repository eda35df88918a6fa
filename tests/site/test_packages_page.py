"""The second page: packages from npm, and inputs that crash them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def page(open_page: Callable[[str], Page]) -> Page:
    page = open_page("packages.html")
    expect(page.locator("#state")).to_have_text("ready", timeout=60_000)
    return page


@pytest.mark.parametrize(
    ("title", "verb", "result", "dies", "own", "gives"),
    [
        ("Format SQL", "Format", "FROM users u JOIN", "StackOverflow|Trap", "select 1 from  x", "SELECT 1 FROM x"),
        (
            "Render SVG",
            "Render",
            "240 by 120 pixels",
            "Trap",
            '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"/>',
            "20 by 10 pixels",
        ),
        ("Lint Python", "Lint", "F821", "StackOverflow|Trap", "x = 1\n", "Nothing to complain"),
    ],
)
def test_a_package_survives(page: Page, title: str, verb: str, result: str, dies: str, own: str, gives: str):
    """Each package loads at its first use, crashes on its bad input, and afterwards works as before."""
    card = page.get_by_role("region", name=title, exact=True)
    output = card.get_by_role("region", name="Result")
    status = card.get_by_role("status")
    expect(status).to_have_text("not loaded")
    card.get_by_role("button", name=verb, exact=True).click()
    expect(output).to_contain_text(result)
    expect(status).to_have_text("generation 0")

    for crashes in (1, 2):
        card.get_by_role("button", name="Run the input that kills it").click()
        expect(status).to_have_text(f"generation 0, {crashes} survived")
        expect(output).to_contain_text(re.compile(f"({dies}): .*"))
        expect(output.get_by_role("region", name="Traceback")).to_contain_text('File "/home/pyodide/packages.py"')
        expect(output).to_contain_text("The call was rolled back in")
        card.get_by_role("button", name="Run a good input").click()
        expect(output).to_contain_text(result)

    card.get_by_role("textbox", name="Input").fill(own)
    card.get_by_role("button", name=verb, exact=True).click()
    expect(output).to_contain_text(gives)


def test_a_picture_is_shown(page: Page):
    """The picture that resvg renders is an image with a name."""
    card = page.get_by_role("region", name="Render SVG", exact=True)
    card.get_by_role("button", name="Run a good input").click()
    image = card.get_by_role("img", name="The rendered picture, 240 by 120 pixels")
    expect(image).to_be_visible()
    assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [240, 120]


def test_a_mistake_is_told(page: Page):
    """An input that the package refuses shows an error, and is no crash."""
    card = page.get_by_role("region", name="Format SQL", exact=True)
    status = card.get_by_role("status").inner_text()
    card.get_by_role("textbox", name="Input").fill("selec 1")
    card.get_by_role("button", name="Format", exact=True).click()
    expect(card.get_by_role("region", name="Result")).to_contain_text("RustError: ")
    expect(card.get_by_role("status")).to_have_text(status)


def test_everybody_can_use_it(page: Page, violations, fits):
    """Axe finds no problem in light and dark, and a phone needs no sideways scrolling."""
    card = page.get_by_role("region", name="Lint Python", exact=True)
    card.get_by_role("button", name="Run the input that kills it").click()
    expect(card.get_by_role("region", name="Result")).to_contain_text("was rolled back")
    assert violations(page) == []
    assert fits(page) == []
