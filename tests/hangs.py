"""Ends a browser that no longer answers, so that the test fails and says where it waited.

Many calls of Playwright have no time limit, such as `page.evaluate` and `context.new_page`. If one never returns,
pytest could only end the whole run, without the name of the test.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator

import psutil
import pytest

# The slowest test takes 40 s on two busy cores. `faulthandler_timeout` ends the run later, if this does not help.
LIMIT = 200.0
# The commands of the drivers of browsers.
DRIVERS = re.compile("playwright|WebKitWebDriver")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    # The long form of the random sequences may take as long as it is long.
    limit = max(LIMIT, float(item.config.getoption("--sequences", 0)))
    timer = threading.Timer(limit, end_browsers, [item.nodeid])
    timer.daemon = True
    timer.start()
    try:
        return (yield)
    finally:
        timer.cancel()


def end_browsers(reason: str) -> list[int]:
    """Ends the drivers that control browsers, and the browsers with them.

    Each call that waits for a browser then raises an exception.

    Returns:
        The ids of the ended processes.
    """
    drivers = [child for child in psutil.Process().children() if DRIVERS.search(" ".join(child.cmdline()))]
    for driver in drivers:
        print(f"ending the browser, because this test did not end in {LIMIT:.0f} s: {reason}")
        for process in [*driver.children(recursive=True), driver]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
    return [driver.pid for driver in drivers]
