"""Launches the browsers that set-up chose, for the tests, the benchmarks and the demo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

CHOICES = Path(__file__).parents[1] / ".cache" / "browser.json"

# Quiet and offline: nothing but the page under test may use the processor or the network.
ARGUMENTS = {
    "chromium": [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
    "firefox": [],
    "webkit": [],
}

NAMES = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKit"}


class NoBrowserError(RuntimeError):
    """Set-up found no browser with this engine."""


def chosen(engine: str) -> dict[str, Any]:
    """Returns the options with which Playwright launches the browser with this engine."""
    choice = json.loads(CHOICES.read_text("utf-8")).get(engine)
    if choice is None:
        raise NoBrowserError(
            f"no {NAMES[engine]} here: install it, or run "
            f"`.venv/bin/playwright install --with-deps {engine}`, then `make setup`."
        )
    return choice


def driver(engine: str) -> str | None:
    """The program that drives the browser by WebDriver; None: Playwright drives it, or there is none."""
    choice = json.loads(CHOICES.read_text("utf-8")).get(engine) or {}
    return choice.get("driver")


def launch(
    playwright: Playwright, engine: str = "chromium", *, arguments: list[str] | None = None, **options: Any
) -> Browser:
    """Launches a browser, headless by default, and in a sandbox if possible."""
    arguments = ARGUMENTS[engine] + (arguments or [])
    return getattr(playwright, engine).launch(**chosen(engine), args=arguments, **options)
