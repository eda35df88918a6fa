"""Makes the pictures of the README from the built site: docs/images/*.png.

    python -m scripts.screenshots        needs dist/site

They differ from run to run in the times that were measured, and in nothing else that one would notice.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from scripts.browser import launch
from scripts.serve import ROOT, Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SITE = "dist/site"
IMAGES = ROOT / "docs" / "images"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 1000}
# Starting Python takes seconds, on a busy machine many.
STARTS = 120_000


def main() -> int:
    if not (ROOT / SITE / "index.html").is_file():
        raise SystemExit(f"{SITE} is not there: run `make site`, which builds it.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Server(folders={"/": SITE}) as server, sync_playwright() as playwright, launch(playwright) as browser:
        picture_the_bank(browser, server.url, "light")
        picture_the_bank(browser, server.url, "dark")
        picture_the_packages(browser, server.url, "light")
    return 0


def picture_the_bank(browser: Browser, url: str, scheme: str) -> None:
    """The first page after a panic, with the other half dead, on a desktop and on a phone."""
    page = open_page(browser, url, scheme)
    page.locator("#without-state.good").wait_for()
    for name in ("deposit", "wait", "deposit", "overdraw", "deposit", "deposit"):
        ended = page.locator("#log .good").count() + page.locator("#log .crash").count()
        page.locator(f"[data-action={name}]").click()
        if name != "wait":
            page.wait_for_function(
                "ended => document.querySelectorAll('#log :is(.good, .crash)').length > ended", arg=ended
            )
        page.wait_for_timeout(900)  # so that the timeline has room between them
    page.get_by_text("dead: 2 of 2 calls failed since").wait_for()
    shoot(page, f"demo-{scheme}")
    if scheme == "dark":
        page.set_viewport_size(PHONE)
        shoot(page, "demo-phone-dark")
    page.context.close()


def picture_the_packages(browser: Browser, url: str, scheme: str) -> None:
    """The second page: one that formats, one that rendered after a crash, one that has just crashed."""
    page = open_page(browser, f"{url}/packages.html", scheme)
    page.locator("#state.good").wait_for()
    for name, *buttons in (("sql", "bad", "good"), ("svg", "bad", "good"), ("python", "run", "bad")):
        for button in buttons:
            page.locator(f"#{name}-{button}").click()
            page.locator(f"#{name}[aria-busy]").wait_for(state="detached")
    shoot(page, f"packages-{scheme}")
    page.context.close()


def open_page(browser: Browser, url: str, scheme: str) -> Page:
    context = browser.new_context(viewport=DESKTOP, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(STARTS)
    page = context.new_page()
    page.goto(url)
    page.locator("#offline:not(:empty)").wait_for()
    return page


def shoot(page: Page, name: str) -> None:
    """Takes a picture of what is in sight, without a pointer over or a focus on anything."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement?.blur()")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
