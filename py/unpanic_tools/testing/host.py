"""A Pyodide on a page of a browser, in which tests run one after the other. `page/` has what runs there."""

import contextlib
import itertools
import json
import re
from collections import deque
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import BrowserContext

__all__ = ["Host", "HostError", "Watch"]

START_SECONDS = 120
# How many lines of the console a message shows.
MOST_LINES = 10
# Firefox reports a refused request as an uncaught error too, although the code that sent it got an error to catch.
NOTICES = ("Content-Security-Policy: ", "Cross-Origin Request Blocked: ", "Security Error: ", "Loading module from ")


class HostError(Exception):
    """The page did not answer, or Pyodide failed in it; the message says what the page said last."""


class Host:
    """A Pyodide with the wheels under test.

    Args:
        context: the browser's.
        url: the address of `page/host.html`.
        realm: "page" or "worker": where Pyodide runs.
        wheels: addresses of the wheels.

    Attributes:
        page: Playwright's page.
        is_broken: whether nothing can run in it any more.
    """

    def __init__(self, context: "BrowserContext", url: str, realm: str, wheels: "Sequence[str]") -> None:
        self.realm = realm
        self.is_broken = False
        self._said: deque[str] = deque(maxlen=MOST_LINES)
        self._ids = itertools.count()
        self.page = context.new_page()
        self.page.on("console", lambda message: self._said.append(message.text))
        self.page.on("crash", lambda _: self._said.append("(the page crashed)"))
        self.page.goto(f"{url}?realm={realm}")
        self.page.wait_for_function("() => globalThis.host")
        for wheel in wheels:
            self.call("install", wheel, START_SECONDS)
        self.call("begin", "", START_SECONDS)

    def run(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Runs a test, and returns how it ended: see `run` of `page/guest.py`.

        Raises:
            HostError: it did not end in time, or the page or its Pyodide died.
        """
        self._said.clear()
        outcome: dict[str, Any] = json.loads(self.call("run", json.dumps(request), seconds))
        return outcome

    def call(self, verb: str, text: str, seconds: float) -> str:
        """Calls a verb of `page/guest.py`."""
        call = next(self._ids)
        try:
            self.page.evaluate("call => host.begin(...call)", [call, verb, text])
            taken = self.page.wait_for_function("id => host.take(id)", arg=call, timeout=seconds * 1000, polling=5)
            outcome = taken.json_value()
        except PlaywrightTimeout:
            raise self._dead(f"did not end in {seconds:g} s in the {self.realm}") from None
        except PlaywrightError as error:
            raise self._dead(f"ended with its page ({error.message.splitlines()[0]})") from None
        if "fatal" in outcome:
            raise self._dead(f"ended with its Pyodide, which failed: {outcome['fatal']}")
        result: str = outcome["text"]
        return result

    def _dead(self, problem: str) -> HostError:
        self.is_broken = True
        said = "".join(f"\n    {line}" for line in self._said) or " nothing"
        return HostError(f"the test {problem}. The page said last:{said}")

    def close(self) -> None:
        """Closes the page, whatever runs there."""
        with contextlib.suppress(PlaywrightError):  # it may be gone already
            self.page.close()


class Watch:
    """Collects the uncaught errors of all pages and workers of a browser's context."""

    def __init__(self, context: "BrowserContext") -> None:
        self._context = context
        self._errors: list[str] = []
        context.on("weberror", self._note)

    def _note(self, event: Any) -> None:
        error = str(getattr(event.error, "stack", None) or event.error)
        if not error.startswith(NOTICES):
            self._errors.append(error)

    def take(self, allowed: "Sequence[str]" = ()) -> list[str]:
        """Returns the errors since the last time that none of these regular expressions matches."""
        errors, self._errors[:] = list(self._errors), []
        return [error for error in errors if not any(re.search(pattern, error) for pattern in allowed)]

    def close(self) -> None:
        """Stops to listen."""
        self._context.remove_listener("weberror", self._note)
