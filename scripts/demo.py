"""The demo: serves its page and drives it in headless Chromium, or with OPEN=1 in your own browser.

What happens is in web/: demo.py there runs in the page, checks itself and says how it goes; this
file prints every line as it comes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import webbrowser
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from scripts.browser import launch
from scripts.serve import ROOT, Server

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage

# Starting Python takes seconds, on a busy machine many.
SECONDS_TO_END = 120


def main() -> int:
    with Server() as server:
        address = publish(server)
        if os.environ.get("OPEN", "0") not in ("", "0"):
            return show(address)
        return drive(address)


def publish(server: Server) -> str:
    """Tells the page where everything is, and returns its address."""
    (wheel,) = (ROOT / "dist").glob("unpanic-*.whl")
    paths = {
        "pyodide": "/pyodide/pyodide.mjs",
        "wheel": f"/wheel/{wheel.name}",
        "bank": "/fixtures/bank/pkg/abort/bank.js",
        "prql": "/npm/prql-js/dist/web/prql_js.js",
    }
    server.route("/demo/paths.json", json.dumps(paths))
    return f"{server.url}/demo/"


def show(address: str) -> int:
    """Opens the user's browser, and serves until Ctrl-C."""
    opened = webbrowser.open(address)
    print(f"The demo is {'open in your browser' if opened else 'served'} at {address} (Ctrl-C ends it).", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    return 0


def drive(address: str) -> int:
    """Runs the page without a window, and returns the exit code."""
    began = time.monotonic()
    print("Starting headless Chromium and Pyodide ...", flush=True)
    try:
        with sync_playwright() as playwright, launch(playwright) as browser:
            problems = watch(browser.new_context(), address)
    except PlaywrightError as error:
        # The page did not come to its end, or is gone: that is the one thing that must not happen.
        problems = [f"the page did not finish: {error}"]
    for problem in problems:
        print(f"demo: {problem}", file=sys.stderr)
    print(f"demo: {'FAILED' if problems else 'all as it should be'}, {time.monotonic() - began:.1f} s", flush=True)
    return int(bool(problems))


def watch(context: BrowserContext, address: str) -> list[str]:
    """Prints what the page says until it has finished; returns what is wrong."""
    problems: list[str] = []
    context.on("weberror", lambda event: problems.append(f"uncaught in the page: {event.error}"))
    page = context.new_page()
    page.on("console", print_message)
    page.goto(address)
    state = page.locator("#state[data-result]")
    state.wait_for(timeout=SECONDS_TO_END * 1000)
    if state.get_attribute("data-result") != "good":
        problems.append(state.inner_text())
    if not page.get_by_role("button", name="Run again").is_enabled():
        problems.append("the page cannot be used any more")
    return problems


def print_message(message: ConsoleMessage) -> None:
    stream = sys.stdout if message.type == "log" else sys.stderr
    print(message.text, file=stream, flush=True)


if __name__ == "__main__":
    sys.exit(main())
