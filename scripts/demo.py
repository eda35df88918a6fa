"""Serves the built site, runs its transcript in headless Chromium, and prints each line as it comes.

    python -m scripts.demo            drives the transcript, then goes on serving until Ctrl-C
    ONCE=1 python -m scripts.demo     ends after the transcript; the exit code says whether every check passed
    OPEN=1 python -m scripts.demo     opens the site in your own browser instead

The story itself is web/transcript.py, which runs in the page, checks itself and says how it goes.
"""

from __future__ import annotations

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

SITE = "dist/site"
PORT = 8000
# Python takes seconds to start, and much longer on a busy machine.
SECONDS_TO_END = 120


def main() -> int:
    if not (ROOT / SITE / "index.html").is_file():
        raise SystemExit(f"{SITE} is not there: run `make site`, which builds it.")
    with serve() as server:
        print(f"The demo site is served at {server.url}/", flush=True)
        if is_set("OPEN"):
            webbrowser.open(f"{server.url}/")
            return wait()
        failed = drive(f"{server.url}/transcript.html")
        return failed if failed or is_set("ONCE") else wait()


def is_set(name: str) -> bool:
    return os.environ.get(name, "0") not in ("", "0")


def serve() -> Server:
    """Serves the site at its usual port, or at any free port if the usual one is taken."""
    folders = {"/": SITE}
    try:
        return Server(PORT, folders)
    except OSError:
        return Server(folders=folders)


def wait() -> int:
    """Serves until Ctrl-C."""
    print("Ctrl-C ends it.", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    return 0


def drive(address: str) -> int:
    """Runs the transcript without a window, and returns the exit code."""
    began = time.monotonic()
    print("Starting headless Chromium and Pyodide ...", flush=True)
    try:
        with sync_playwright() as playwright, launch(playwright) as browser:
            problems = watch(browser.new_context(), address)
    except PlaywrightError as error:
        # The page did not finish, or has crashed. This is the one thing that must not happen.
        problems = [f"the page did not finish: {error}"]
    for problem in problems:
        print(f"demo: {problem}", file=sys.stderr)
    print(f"demo: {'FAILED' if problems else 'all as it should be'}, {time.monotonic() - began:.1f} s", flush=True)
    return int(bool(problems))


def watch(context: BrowserContext, address: str) -> list[str]:
    """Prints the messages of the page until it has finished; returns a list of problems."""
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
