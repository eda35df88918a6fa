"""The site without a network, and after an update."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from scripts.serve import ROOT, Server
from tests.site.conftest import FOLDER, STARTS, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def test_the_pages_work_without_a_server(browser: Browser, built: str):
    """After one visit of each page, both halves of the first page and the packages work without a server."""
    with visit(browser) as context:
        context.set_default_timeout(STARTS)
        page = context.new_page()
        with Server(folders={FOLDER: built}) as server:
            for file in ("", "packages.html"):
                page.goto(f"{server.url}{FOLDER}{file}")
                expect(page.locator("#offline")).to_have_text("Works offline", timeout=STARTS)
        context.set_offline(True)

        page.goto(f"{server.url}{FOLDER}")
        expect(page.locator("#without-state")).to_have_text("ready", timeout=STARTS)
        page.get_by_role("button", name="Overdraw").click()
        expect(page.locator("#log")).to_contain_text("rolled back")
        expect(page.locator("#without-state")).to_have_text("crashed")

        page.goto(f"{server.url}{FOLDER}packages.html")
        page.get_by_role("region", name="Lint Python", exact=True).get_by_role(
            "button", name="Lint", exact=True
        ).click()
        expect(page.locator("#python-output")).to_contain_text("F821", timeout=STARTS)


def test_a_new_version_is_taken_at_the_next_visit(browser: Browser, built: str):
    """An open page keeps its files. After all pages are closed, the new files replace the old ones."""
    with Server(folders={FOLDER: built}) as server, visit(browser) as context:
        first = open_with_worker(context.new_page(), server)
        (old,) = caches(first)
        worker = (ROOT / built / "offline.js").read_text("utf-8")
        server.route(f"{FOLDER}offline.js", re.sub(r'"version": "\w+"', '"version": "newer"', worker))
        server.route(f"{FOLDER}teller.py", "# newer")

        first.evaluate("async () => { await (await navigator.serviceWorker.ready).update() }")
        wait_until(first, "(await navigator.serviceWorker.ready).waiting")
        assert "newer" not in teller(first)
        first.reload()
        assert "newer" not in teller(first)

        first.close()
        second = context.new_page()
        second.goto(f"{server.url}{FOLDER}licenses.txt")
        wait_until(second, "(await caches.keys()).join() === 'unpanic-site-newer'")
        second.reload()
        assert "newer" in teller(second)
        assert caches(second) != [old]


def open_with_worker(page: Page, server: Server) -> Page:
    """Opens a small file of the site under its service worker, because a page would first start Python."""
    page.goto(f"{server.url}{FOLDER}licenses.txt")
    page.evaluate("async () => { await navigator.serviceWorker.register('offline.js') }")
    page.wait_for_function("() => navigator.serviceWorker.controller")
    return page


def wait_until(page: Page, condition: str) -> None:
    """Waits for a condition that needs an `await`."""
    page.evaluate(f"async () => {{ while (!({condition})) await new Promise(resolve => setTimeout(resolve, 50)) }}")


def caches(page: Page) -> list[str]:
    return page.evaluate("caches.keys()")


def teller(page: Page) -> str:
    return page.evaluate("fetch('teller.py').then(response => response.text())")
