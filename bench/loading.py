"""Measures how long a load takes where calls can be rolled back, against a plain one: the first time and the second.

Each load is that of a new page in a browser that has not seen the file before, or once. The runtime is called without
Python, whose part of a load is the same for both. A driver is attached, because only that can slow down the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts import browser as launcher
from scripts.serve import Server

ROOT = Path(__file__).parents[1]
FILES = ROOT / "tests" / "compat" / "node_modules" / "oxigraph"
# A fast line at home: 50 Mbit/s, and 20 ms to the server.
LINE = {"offline": False, "latency": 20, "downloadThroughput": 50e6 / 8, "uploadThroughput": 10e6 / 8}
ROUNDS = 9
# What keeps the file for the next page load has until then.
PAUSE_MS = 700

# A file is never stale, so that the second load of either way does not download it again.
CACHED = {"cache_control": "max-age=3600", "etag": '"1"'}

LOAD = """async (isTracked) => {
    const { load } = await import("/unpanic/runtime.js");
    const rewriter = new Uint8Array(await (await fetch("/bench/rewriter.wasm")).arrayBuffer());
    const tracked = { rewriter, rewrites: 2, wishes: 0, rollsBack: true };
    const began = performance.now();
    await load({ glue: "/bench/web.js", ...(isTracked && tracked) }, {});
    return performance.now() - began;
}"""


def measure_loading(rounds: int = ROUNDS) -> dict[str, dict[str, list[float]]]:
    """Returns milliseconds of each round, by the line and by the way."""
    from playwright.sync_api import sync_playwright

    result: dict[str, dict[str, list[float]]] = {}
    with Server() as server, sync_playwright() as playwright:
        server.route("/bench/web.js", (FILES / "web.js").read_bytes(), **CACHED)
        server.route("/bench/web_bg.wasm", (FILES / "web_bg.wasm").read_bytes(), **CACHED)
        server.route("/bench/rewriter.wasm", (ROOT / "rust/rewriter/pkg/rewriter.wasm").read_bytes())
        page = server.route("/bench/", "<!doctype html><title>bench</title>", content_type="text/html")
        for _ in range(rounds):
            for line, conditions in (("loopback", None), ("50 Mbit/s", LINE)):
                for is_tracked in (False, True):
                    taken = load_twice(playwright, page, is_tracked, conditions)
                    name = "tracked" if is_tracked else "plain"
                    for which, ms in zip(("first", "second"), taken, strict=True):
                        result.setdefault(f"{line}, {which}", {}).setdefault(name, []).append(ms)
    return result


def load_twice(playwright: Any, url: str, is_tracked: bool, conditions: dict[str, Any] | None) -> list[float]:
    """Returns the milliseconds of a load by two pages, one after the other, of a browser that was just started."""
    taken = []
    chromium = launcher.launch(playwright)
    context = chromium.new_context()
    for _ in range(2):
        page = context.new_page()
        if conditions:
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            session.send("Network.emulateNetworkConditions", conditions)
        page.goto(url)
        taken.append(page.evaluate(LOAD, is_tracked))
        page.wait_for_timeout(PAUSE_MS)
        page.close()
    chromium.close()
    return taken
