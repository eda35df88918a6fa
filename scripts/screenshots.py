"""Takes the pictures of the README and of the documentation's first page from the built site: docs/images/*.png.

    python -m scripts.screenshots        needs dist/site

Two runs give pictures that differ visibly only in the measured times.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from scripts.browser import launch
from scripts.serve import ROOT, Server

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SITE = "dist/site"
IMAGES = ROOT / "docs" / "images"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 1000}
# A notebook shows a module as wide as a column of text. Pages show that picture small, so it has twice the pixels.
COLUMN = {"width": 720, "height": 900}
NOTEBOOK = "notebook.html"
# Python takes seconds to start, and much longer on a busy machine.
STARTS = 120_000

# A module after two crashes, as a notebook shows it. The pauses leave room between the marks of the timeline.
STORY = """
import asyncio

import unpanic

bank = await unpanic.load("bank/abort/bank.js", panic_hook=lambda panic: None)
account = bank.Account("ada", 100)


async def go_on():
    for _ in range(3):
        bank.add(2, 3)
        await asyncio.sleep(0.2)


await go_on()
slow = asyncio.ensure_future(bank.slow(900))
await go_on()
try:
    account.withdraw(1_000)
except unpanic.RustPanic:
    pass
await go_on()
await slow
slow = asyncio.ensure_future(bank.slow(350))
await go_on()
await slow
try:
    bank.transfer("ada", "bob", 5_000)
except unpanic.RustPanic:
    pass
await go_on()
[bank._repr_html_(), unpanic.timeline(bank)._repr_html_()]
"""

NOTEBOOK_HTML = f"""<!doctype html>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<style>
  body {{ margin: 0; font: 15px system-ui, sans-serif; }}
  body {{ background: light-dark(#fff, #1e2129); color: light-dark(#1f2328, #e6e6e6); }}
  body > div {{ padding: 16px; }}
  #card {{ width: fit-content; }}
</style>
<div id="card"></div>
<div id="timeline"></div>
<script type="module">
const files = await (await fetch("files.json")).json();
const {{ loadPyodide }} = await import(`./${{files.pyodide}}`);
const pyodide = await loadPyodide();
pyodide.unpackArchive(await (await fetch(files.wheel)).arrayBuffer(), "wheel");
const shown = await pyodide.runPythonAsync({json.dumps(STORY)});
for (const [number, name] of ["card", "timeline"].entries())
  document.getElementById(name).innerHTML = shown.get(number);
document.body.dataset.done = "yes";
</script>
"""


def main() -> int:
    if not (ROOT / SITE / "index.html").is_file():
        raise SystemExit(f"{SITE} is not there: run `make site`, which builds it.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Server(folders={"/": SITE}) as server, sync_playwright() as playwright, launch(playwright) as browser:
        picture_the_bank(browser, server.url, "light")
        picture_the_bank(browser, server.url, "dark")
        picture_the_packages(browser, server.url, "light")
        server.route(f"/{NOTEBOOK}", NOTEBOOK_HTML)
        for scheme in ("light", "dark"):
            picture_the_notebook(browser, server.url, scheme)
    return 0


def picture_the_bank(browser: Browser, url: str, scheme: str) -> None:
    """Takes the first page after a panic, with the half without unpanic dead, on a desktop and on a phone."""
    page = open_page(browser, url, scheme)
    page.locator("#without-state.good").wait_for()
    for name in ("deposit", "wait", "deposit", "overdraw", "deposit", "deposit"):
        ended = page.locator("#log .good").count() + page.locator("#log .crash").count()
        page.locator(f"[data-action={name}]").click()
        if name != "wait":
            page.wait_for_function(
                "ended => document.querySelectorAll('#log :is(.good, .crash)').length > ended", arg=ended
            )
        page.wait_for_timeout(900)  # leaves room between the marks of the timeline
    page.get_by_text("dead: 2 of 2 calls failed since").wait_for()
    shoot(page, f"demo-{scheme}")
    if scheme == "dark":
        page.set_viewport_size(PHONE)
        shoot(page, "demo-phone-dark")
    page.context.close()


def picture_the_packages(browser: Browser, url: str, scheme: str) -> None:
    """Takes the second page: two packages that work after a crash, and one that has just crashed."""
    page = open_page(browser, f"{url}/packages.html", scheme)
    page.locator("#state.good").wait_for()
    for name, *buttons in (("sql", "bad", "good"), ("svg", "bad", "good"), ("python", "run", "bad")):
        for button in buttons:
            page.locator(f"#{name}-{button}").click()
            page.locator(f"#{name}[aria-busy]").wait_for(state="detached")
    shoot(page, f"packages-{scheme}")
    page.context.close()


def picture_the_notebook(browser: Browser, url: str, scheme: str) -> None:
    """Takes the card and the timeline of a module that has survived two crashes."""
    context = browser.new_context(viewport=COLUMN, color_scheme=scheme, device_scale_factor=2)
    context.set_default_timeout(STARTS)
    page = context.new_page()
    page.goto(f"{url}/{NOTEBOOK}")
    page.locator("body[data-done]").wait_for()
    for name in ("card", "timeline"):
        path = IMAGES / f"{name}-{scheme}.png"
        page.locator(f"#{name}").screenshot(path=path, animations="disabled")
        report(path)
    context.close()


def open_page(browser: Browser, url: str, scheme: str) -> Page:
    context = browser.new_context(viewport=DESKTOP, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(STARTS)
    page = context.new_page()
    page.goto(url)
    page.locator("#offline:not(:empty)").wait_for()
    return page


def shoot(page: Page, name: str) -> None:
    """Takes a picture of the visible part of the page, without a pointer or a focus mark."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement?.blur()")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    report(path)


def report(path: Path) -> None:
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
