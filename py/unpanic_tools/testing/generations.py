"""A test fails if dead generations outlive it: instances of Rust modules that are unloaded, and still referenced.

`page/generations.mjs` has weak references to them. A collection of garbage takes about 20 ms, so only a test is looked
at that had a crash, a reset, or modules that it unloaded itself.
"""

import contextlib
import json
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as PlaywrightError

from .host import Host, PageHost

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

__all__ = ["leaked_generations"]

SECONDS = 60
COLLECT = "HeapProfiler.collectGarbage"


def leaked_generations(host: Host) -> str:
    """Returns what is wrong after a test has ended, and an empty text if nothing is.

    In Firefox, in WebKit and in a shared worker nobody can have garbage collected, and nothing is ever wrong.
    """
    state = _ask(host, "")
    if not state["may_leak"] or not _collect(host):
        return ""
    if _ask(host, "")["alive"]:
        # Python's garbage may hold JavaScript's.
        _ask(host, "collect")
        _collect(host)
    alive = _ask(host, "")["alive"]
    if not alive:
        return ""
    return (
        f"leaked generations: {alive} of {state['made']} instances of Rust modules are still referenced, although "
        "their modules are unloaded. Something holds them, such as a callback, a timer or a global of JavaScript's. "
        '@pytest.mark.allow("generations") allows it.'
    )


def _ask(host: Host, text: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(host.call("generations", text, SECONDS))
    return state


def _collect(host: Host) -> bool:
    """Has the engine collect its garbage, and returns whether it can."""
    if not isinstance(host, PageHost):
        return host.realm == "node"  # which does so when it is asked
    engine = host.page.context.browser
    if engine is None or engine.browser_type.name != "chromium" or host.realm not in ("page", "worker"):
        return False
    host.collector = host.collector or _Collector(host.page, host.realm)
    return bool(host.collector.collect())


class _Collector:
    """Chromium's developer tools, attached to a page, or to the worker of it."""

    def __init__(self, page: "Page", realm: str) -> None:
        self._page = page
        self._tools: CDPSession = page.context.new_cdp_session(page)
        self._workers: list[str] = []
        self._answers: list[Any] = []
        if realm == "worker":
            self._tools.on("Target.attachedToTarget", lambda event: self._workers.append(event["sessionId"]))
            self._tools.on("Target.receivedMessageFromTarget", lambda event: self._answers.append(event["message"]))
            attach = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": False}
            self._tools.send("Target.setAutoAttach", attach)

    def collect(self) -> bool:
        with contextlib.suppress(PlaywrightError):  # the page is gone, and with it what it held
            self._tools.send(COLLECT)
            return all(map(self._collect_in, self._workers))
        return False

    def _collect_in(self, worker: str) -> bool:
        """Has a worker collect, and waits for its answer."""
        self._answers.clear()
        message = json.dumps({"id": 1, "method": COLLECT})
        self._tools.send("Target.sendMessageToTarget", {"sessionId": worker, "message": message})
        for _ in range(1000):
            if any(json.loads(answer).get("id") == 1 for answer in self._answers):
                return True
            self._page.wait_for_timeout(5)
        return False
