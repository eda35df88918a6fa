"""A Pyodide in which tests run one after the other: on a page of a browser, or in a worker of the page.

`node.py` has the one in Node, and `page/` what runs there.
"""

import contextlib
import itertools
import json
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from .site import Site

__all__ = ["Host", "HostError", "PageHost", "Watch"]

START_SECONDS = 120
# How lines of the console begin that tell what happens: page/host.mjs prints that a call has ended, and another page
# that comes in the place of ours prints that ours is gone.
TOLD = "host: "
GONE = f"if (self === top) console.debug('{TOLD}gone')"
# How many lines of what Pyodide said a message shows.
MOST_LINES = 10
# Firefox reports a refused request as an uncaught error too, although the code that sent it got an error to catch.
NOTICES = ("Content-Security-Policy: ", "Cross-Origin Request Blocked: ", "Security Error: ", "Loading module from ")
# Lets the event loop of a page turn once.
TURN = "() => new Promise(resolve => setTimeout(() => resolve(true)))"


class HostError(AssertionError):
    """Pyodide did not answer, or failed; the message says what it said last."""


class Host(ABC):
    """A Pyodide with the wheels under test.

    Attributes:
        realm: where it runs: "page", "worker", "shared" or "node".
        is_broken: whether nothing is to run in it any more.
    """

    realm: str
    is_broken: bool

    def __init__(self, realm: str) -> None:
        self.realm = realm
        self.is_broken = False
        self._has_deaths = False
        self._said: deque[str] = deque(maxlen=MOST_LINES)

    def start(self, wheels: Sequence[str]) -> None:
        """Installs wheels, and prepares tests.

        Args:
            wheels: what `install` takes.
        """
        for wheel in wheels:
            self.call("install", wheel, START_SECONDS)
        self.call("prepare", "", START_SECONDS)

    def begin(self) -> None:
        """Begins a test."""
        self.call("begin", "", START_SECONDS)

    def run(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Runs a function, and returns how it ended: see `run` of `page/guest.py`.

        Raises:
            HostError: it did not end in time, or Pyodide died.
        """
        self._said.clear()
        outcome: dict[str, Any] = json.loads(self.call("run", json.dumps(request), seconds))
        return outcome

    def pending(self) -> list[str]:
        """Returns the work that the test has left unfinished so far."""
        left: list[str] = json.loads(self.call("pending", "", START_SECONDS))
        return left

    def end(self) -> list[str]:
        """Ends a test, and returns what it left behind."""
        left: list[str]
        left, self._has_deaths = json.loads(self.call("end", "", START_SECONDS))
        return left

    def leaked(self) -> list[str]:
        """Returns the dead generations of Rust modules to which something refers although the test has ended.

        To collect garbage takes some ten milliseconds, so only a test is looked at in which generations have died.
        Where the engine does not collect when it is asked, none is returned.
        """
        if not self._has_deaths:
            return []
        alive = self._alive()
        if alive:
            self.call("collect", "", START_SECONDS)
            alive = self._alive()
        return alive

    def _alive(self) -> list[str]:
        self.call("litter", "", START_SECONDS)
        self._collect()
        alive: list[str] = json.loads(self.call("alive", "", START_SECONDS))
        return alive

    def _collect(self) -> None:
        """Has the engine collect its garbage."""
        self.call("press", "", START_SECONDS)

    def call(self, verb: str, text: str, seconds: float) -> str:
        """Calls a verb of `page/guest.py` or `page/pyodide.mjs`.

        Raises:
            HostError: it did not end in time, or Pyodide died.
        """
        outcome = self._call(verb, text, seconds)
        if "fatal" in outcome:
            self._dead(f"ended with its Pyodide, which failed: {outcome['fatal']}")
        result: str = outcome["text"]
        return result

    @abstractmethod
    def _call(self, verb: str, text: str, seconds: float) -> dict[str, str]:
        """Calls a verb, and returns a `text`, or why this Pyodide is dead as `fatal`."""

    @abstractmethod
    def close(self) -> None:
        """Ends it, whatever runs there."""

    def _dead(self, problem: str) -> NoReturn:
        self.is_broken = True
        said = "".join(f"\n    {line}" for line in self._said) or " nothing"
        raise HostError(f"the test {problem}. The {self._place} said last:{said}")

    @property
    def _place(self) -> str:
        return "page"


class PageHost(Host):
    """A Pyodide on a page, or in a worker of it.

    Args:
        context: the browser's.
        site: the server.
        realm: "page", "worker", or "shared": a shared worker.
        folder: the address of the page's folder, if it is another than the site's.

    Attributes:
        page: Playwright's page.
    """

    def __init__(self, context: "BrowserContext", site: "Site", realm: str, folder: str | None = None) -> None:
        super().__init__(realm)
        self._ids = itertools.count()
        self.page = context.new_page()
        self.page.on("console", self._listen)
        self.page.on("crash", lambda _: self._said.append("(the page crashed)"))
        self.page.goto(f"{folder or site.pages}host.html?realm={realm}&pyodide={quote(site.pyodide)}")
        self.page.wait_for_function("() => globalThis.host")
        self.page.add_init_script(GONE)
        self.start(site.wheels)

    def _listen(self, message: Any) -> None:
        if not message.text.startswith(TOLD):
            self._said.append(message.text)

    def _call(self, verb: str, text: str, seconds: float) -> dict[str, str]:
        call = next(self._ids)
        events = (f"{TOLD}ended {call}", f"{TOLD}gone")
        try:
            # What is asked of a page waits for ever if the page is busy for ever. This listens to it.
            with self.page.expect_console_message(lambda message: message.text in events, timeout=seconds * 1000):
                self.page.evaluate("call => host.begin(...call)", [call, verb, text])
            outcome: dict[str, str] | None = self.page.evaluate("id => host.take(id)", call)
        except PlaywrightTimeout:
            self._dead(f"did not end in {seconds:g} s in the {self.realm}")
        except PlaywrightError as error:
            self._dead(f"ended with its page ({error.message.splitlines()[0]})")
        if outcome is None:
            self._dead("ended with its page, which was loaded again")
        return outcome

    def _collect(self) -> None:
        if self.realm == "page":
            with contextlib.suppress(PlaywrightError):  # without it nothing is found
                self.page.request_gc()
        else:
            super()._collect()

    def close(self) -> None:
        """Closes the page."""
        self.is_broken = True
        with contextlib.suppress(PlaywrightError):  # it may be gone already
            self.page.close()


class Watch:
    """Collects uncaught errors, those of all pages and workers of browser contexts among them.

    Attributes:
        errors: those of this test so far.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._expected: list[str] = []
        self._contexts: list[BrowserContext] = []

    @contextlib.contextmanager
    def watching(self, context: "BrowserContext") -> Iterator[None]:
        """Listens to a browser context until the block ends."""
        context.on("weberror", self._note_event)
        self._contexts.append(context)
        try:
            yield
        finally:
            self._contexts.remove(context)
            context.remove_listener("weberror", self._note_event)

    def _note_event(self, event: Any) -> None:
        self.note(str(getattr(event.error, "stack", None) or event.error))

    def note(self, error: str) -> None:
        """Adds an error."""
        if not error.startswith(NOTICES):
            self.errors.append(error)

    def expect(self, *patterns: str) -> None:
        """Declares errors that must come, by regular expressions."""
        self._expected += patterns

    def begin(self) -> None:
        """Forgets what came before."""
        self.errors.clear()
        self._expected.clear()

    def settle(self) -> None:
        """Lets errors arrive that have happened: they come with each page's next event."""
        for page in [page for context in self._contexts for page in context.pages]:
            with contextlib.suppress(PlaywrightError):  # a page that does not answer, or is gone, says nothing more
                page.wait_for_function(TURN, timeout=5000, polling=5)

    def problems(self, allowed: Sequence[str] = ()) -> list[str]:
        """Returns what is wrong, a text each: errors that nobody expects, and those that did not come.

        Args:
            allowed: regular expressions of errors that may come.
        """
        known = [*self._expected, *allowed]
        unexpected = [error for error in self.errors if not any(re.search(pattern, error) for pattern in known)]
        unseen = [each for each in self._expected if not any(re.search(each, error) for error in self.errors)]
        return [
            *(f"uncaught error: {error}" for error in unexpected),
            *(f"expected an uncaught error like {pattern!r}" for pattern in unseen),
        ]
