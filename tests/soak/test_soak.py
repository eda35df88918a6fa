"""Thousands of mixed crashes, with objects, closures and async calls that live all the time.

The short form runs in `make test`. The long form is `make soak`, which prints its figures.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import pytest
from unpanic_tools.testing.in_browser import InBrowser

from tests.soak.world import begin, end, go_on

# The number of crashes in one part of a run. Memory is measured after each part.
PARTS = 20
# Caches fill in the first two parts.
WARM_UP = 4
# The memory that a page may hold at the end in addition to that after the warm-up: garbage that is not collected yet.
SLACK_BYTES = 3_000_000
SLACK_OBJECTS = 300
# The collector frees dead instances late, but before they exceed the 125 memories that Chromium allows.
SLACK_RESIDENT_BYTES = 250_000_000
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Memory:
    """The memory of the page after a collection, and of its process."""

    def __init__(self, py: InBrowser) -> None:
        context = py.page.context
        self.page = context.new_cdp_session(py.page)
        self.browser = context.browser.new_browser_cdp_session()

    def measure(self) -> dict[str, int]:
        self.page.send("HeapProfiler.collectGarbage")
        usage = self.page.send("Runtime.getHeapUsage")
        return {
            "javascript_heap": usage["usedSize"],
            "array_buffers": usage["backingStorageSize"],
            "renderers": self.resident(),
        }

    def resident(self) -> int:
        """Returns the bytes of the processes that run pages. No other figure includes Wasm memories."""
        processes = self.browser.send("SystemInfo.getProcessInfo")["processInfo"]
        files = [Path(f"/proc/{process['id']}/statm") for process in processes if process["type"] == "renderer"]
        return sum(int(file.read_text().split()[1]) * PAGE_BYTES for file in files if file.exists())


def flat(samples: list[int], slack: int) -> bool:
    """Whether the last quarter holds no more memory than the first quarter after the warm-up."""
    settled = samples[WARM_UP:]
    quarter = max(1, len(settled) // 4)
    return statistics.median(settled[-quarter:]) - statistics.median(settled[:quarter]) <= slack


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("realm", ["page"])
def test_a_page_that_crashes_all_day(fresh_py: InBrowser, crashes: int, capsys: pytest.CaptureFixture[str]):
    """Memory stays flat, every crash is one exception, every call in flight ends, and results are right."""
    py = fresh_py
    py.run(begin, seed=crashes)
    memory = Memory(py)
    reports: list[dict[str, Any]] = []
    for _ in range(PARTS):
        report = py.run(go_on, crashes=crashes // PARTS, timeout=580)
        reports.append(report | memory.measure())
        assert report["problems"] == []
        assert all(report["good"])
    outcomes = py.run(end)
    last = reports[-1]
    with capsys.disabled():
        print(f"\n{crashes} crashes {last['crashes']}, {last['interrupted']} calls interrupted")
        for name in ("python_heap", "python_objects", "javascript_heap", "array_buffers", "renderers"):
            print(f"  {name}: {', '.join(str(report[name]) for report in reports)}")
    assert sum(last["crashes"].values()) + last["errors"] >= crashes
    assert last["interrupted"] > 0
    assert outcomes == ["CallInterrupted"] * last["alive"]
    assert len({report["python_heap"] for report in reports[WARM_UP:]}) == 1
    assert flat([report["python_objects"] for report in reports], SLACK_OBJECTS)
    assert flat([report["javascript_heap"] for report in reports], SLACK_BYTES)
    assert flat([report["array_buffers"] for report in reports], SLACK_BYTES)
    assert flat([report["renderers"] for report in reports], SLACK_RESIDENT_BYTES)
