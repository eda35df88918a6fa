"""`make bench`: what unpanic costs, in one run of one browser, as ratios of interleaved rounds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from scripts import browser as launcher
from scripts import sizes
from scripts.serve import Server

ROOT = Path(__file__).parents[1]

# What the project promises, see README.md.
TARGETS = {
    "numeric call / proxy.name(...)": 0.65,
    "numeric call / held bare proxy": 1.1,
    "crash to next good call / JavaScript exception": 3.0,
}

# An isolated page, whose clock steps by 5 µs instead of 100.
PAGE = {
    "content_type": "text/html",
    "cross_origin_opener_policy": "same-origin",
    "cross_origin_embedder_policy": "require-corp",
}

START = """async ([wheel, source, scale]) => {
    const { loadPyodide } = await import("/pyodide/pyodide.mjs");
    const pyodide = await loadPyodide();
    pyodide.unpackArchive(await (await fetch(wheel)).arrayBuffer(), "wheel");
    pyodide.runPython(source);
    return await pyodide.runPythonAsync(`await main(${scale})`);
}"""


def measure(scale: float) -> dict[str, Any]:
    """The figures of one run, from inside the page."""
    [wheel] = (ROOT / "dist").glob("unpanic-*.whl")
    source = (ROOT / "bench/measure.py").read_text("utf-8")
    with Server() as server, sync_playwright() as playwright:
        browser = launcher.launch(playwright)
        page = browser.new_page()
        page.goto(server.route("/bench/", "<!doctype html><title>bench</title>", **PAGE))
        figures = json.loads(page.evaluate(START, [f"/wheel/{wheel.name}", source, scale]))
        figures["browser"] = f"Chromium {browser.version}"
        browser.close()
    return figures


def report(figures: dict[str, Any]) -> None:
    """Prints medians with their spread, and how they stand to the targets."""
    print(f"{figures['browser']}; median (lowest to highest round)\n")
    for name, time in figures["times"].items():
        print(f"{name:48} {time['median']:9.2f} µs  ({time['low']:.2f} to {time['high']:.2f})")
    print()
    for name, ratio in figures["ratios"].items():
        target = TARGETS.get(name)
        verdict = "" if target is None else f"  target {target}: {'met' if ratio['median'] <= target else 'MISSED'}"
        print(f"{name:48} {ratio['median']:9.2f}     ({ratio['low']:.2f} to {ratio['high']:.2f}){verdict}")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1, help="more or fewer turns in each round")
    report(measure(parser.parse_args().scale))
    sizes.main()


if __name__ == "__main__":
    main()
