"""Runs Python functions of the tests inside Pyodide, on a page or in a worker of a real browser.

The other half of the harness is in `browser/pages/`. A test gets a `Py` through the fixture `py` of conftest.py.
"""

from __future__ import annotations

import inspect
import itertools
import json
import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.portable import portable

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext

    from scripts.serve import Server

RUN_TIMEOUT = 60.0
START_TIMEOUT = 60.0

# Firefox reports a refused request as an uncaught error too, although the code that sent it got an error to catch.
NOTICES = ("Content-Security-Policy: ", "Cross-Origin Request Blocked: ", "Security Error: ", "Loading module from ")


class PyodideError(AssertionError):
    """Code in Pyodide raised an exception; the message is its traceback."""


class RunTimeoutError(AssertionError):
    """Code in Pyodide did not end in time."""


class GuardError(AssertionError):
    """The test left something behind: an uncaught error, or work that never ended."""


class Host:
    """A Pyodide in a page of its own, which many tests use."""

    def __init__(
        self, context: BrowserContext, server: Server, realm: str, wheel: str, pyodide: str, folder: str = "/tests"
    ):
        self.realm = realm
        self.broken = False
        self._ids = itertools.count()
        self.page = context.new_page()
        self.page.on("console", lambda message: print(f"[{realm}] {message.text}"))
        self.page.goto(f"{server.url}{folder}/host.html?realm={realm}&pyodide={pyodide}")
        self.page.wait_for_function("() => globalThis.host")
        self.call("begin_test", timeout=START_TIMEOUT)
        self.call("install", wheel)

    def call(self, verb: str, text: str = "", timeout: float = RUN_TIMEOUT) -> str:
        """Calls a verb of the other half. If the host does not answer, it counts as broken."""
        call = next(self._ids)
        self.page.evaluate("call => host.begin(...call)", [call, verb, text])
        try:
            taken = self.page.wait_for_function("id => host.take(id)", arg=call, timeout=timeout * 1000, polling=5)
        except PlaywrightTimeout:
            self.broken = True
            raise RunTimeoutError(f"not finished after {timeout:g} s in the {self.realm}") from None
        outcome = taken.json_value()
        taken.dispose()
        if "fatal" in outcome:
            self.broken = True
            raise PyodideError(f"Pyodide failed in the {self.realm}:\n{outcome['fatal']}")
        return outcome["text"]

    def close(self) -> None:
        self.page.close()


class Guard:
    """Collects uncaught errors of all pages and workers, and judges at the end of a test."""

    def __init__(self, context: BrowserContext):
        self.errors: list[str] = []
        self._expected: list[str] = []
        self._context = context
        self._listener = lambda event: self._note(describe(event.error))
        context.on("weberror", self._listener)

    def _note(self, error: str) -> None:
        if not error.startswith(NOTICES):
            self.errors.append(error)

    def expect(self, *patterns: str) -> None:
        self._expected += patterns

    def check(self) -> None:
        """Fails on an error that no pattern expects, and on a pattern that matches no error."""
        for page in self._context.pages:
            page.evaluate("() => new Promise(resolve => setTimeout(resolve))")  # lets errors arrive
        unexpected = [e for e in self.errors if not any(re.search(p, e) for p in self._expected)]
        unseen = [p for p in self._expected if not any(re.search(p, e) for e in self.errors)]
        problems = [f"uncaught error: {error}" for error in unexpected]
        problems += [f"expected an uncaught error like {pattern!r}" for pattern in unseen]
        if problems:
            raise GuardError("\n".join(problems))

    def close(self) -> None:
        self._context.remove_listener("weberror", self._listener)


def describe(error: Any) -> str:
    return str(getattr(error, "stack", None) or error)


class Py:
    """A test uses this: one host, for the length of the test."""

    def __init__(self, host: Host, server: Server, guard: Guard, *, checks: bool = True):
        self.host = host
        self.server = server
        self.realm = host.realm
        self._guard = guard
        host.call("begin_test", "checks" if checks else "")

    def run(self, function: Callable[..., Any], *, timeout: float = RUN_TIMEOUT, **arguments: Any):
        """Runs a function in Pyodide and returns its result.

        The function may use functions, classes, constants that are JSON, and imported modules of its
        test file. Arguments must be JSON or functions, and the result must be JSON.
        """
        functions = {name: value for name, value in arguments.items() if inspect.isfunction(value)}
        request = json.dumps(
            {
                **portable(function, *functions.values()),
                "arguments": {name: value for name, value in arguments.items() if name not in functions},
                "functions": {name: value.__name__ for name, value in functions.items()},
            }
        )
        try:
            outcome = json.loads(self.host.call("run", request, timeout))
        except RunTimeoutError as error:
            raise RunTimeoutError(f"{function.__name__}: {error}") from None
        if "error" in outcome:
            raise PyodideError(f"in the {self.realm}:\n{outcome['error']}")
        return outcome["value"]

    def expect_errors(self, *patterns: str) -> None:
        """Declares that the test expects uncaught errors. Each regular expression must match one."""
        self._guard.expect(*patterns)

    def pending(self) -> list[str]:
        """Returns the work that this test has left unfinished so far."""
        return json.loads(self.host.call("pending"))

    def check(self) -> None:
        """Fails if the test left work unfinished. No other test uses such a host."""
        if not self.host.broken and (left := self.pending()):
            self.host.broken = True
            raise GuardError("\n".join(left))
