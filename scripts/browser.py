"""Launches the browser that set-up chose: for the tests, the benchmarks and the demo alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

CHOICE = Path(__file__).parents[1] / ".cache" / "browser.json"

# Quiet and offline: nothing but the page under test may use the processor or the network.
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright, *, arguments: list[str] | None = None, **options: Any) -> Browser:
    """Launches Chromium, headless unless told otherwise, sandboxed where it can be."""
    choice = json.loads(CHOICE.read_text())
    return playwright.chromium.launch(
        executable_path=choice["path"],
        chromium_sandbox=choice["sandbox"],
        args=ARGUMENTS + (arguments or []),
        **options,
    )
