"""WebKit as Debian has it: its GTK port on a screen of Xvfb, driven by WebDriver.

Playwright drives only its own build of WebKit. Where that is not installed, `tests/engines.py` takes this module, which
offers the members of Playwright's pages that the tests use. WebDriver tells neither of uncaught errors nor of the
console. So every page begins with `browser/pages/listen.js`, which notes them, and every answer of the page brings them
along.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
from playwright.sync_api import Error
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from selenium import webdriver
from selenium.common.exceptions import InvalidSessionIdException, NoSuchWindowException, WebDriverException
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import HTTPError

# A page that answers nothing for so long is ended. `tests/hangs.py` ends a test later.
LIMIT = 120.0
# WebDriver's own limits, in seconds: none of them is to end a call before ours.
HOUR = 3600
# For so many milliseconds a page may wait for a condition before it answers.
TURN = 500

EVALUATE = """
const done = arguments[arguments.length - 1];
const notes = () => globalThis.takeNotes?.() ?? [];
(async () => {
  let value = (%s);
  if (typeof value === "function") value = value(arguments[0]);
  return await value;
})().then(
  (value) => done({ value: value === undefined ? null : value, notes: notes() }),
  (error) => done({ error: `${error}\\n${error?.stack}`, notes: notes() }),
);
"""

# It waits in the page, so that the page is not asked again and again.
WAIT = """async ([arg, polling, turn]) => {
  const value = (%s);
  const end = performance.now() + turn;
  for (;;) {
    const outcome = typeof value === "function" ? await value(arg) : await (%s);
    if (outcome || performance.now() > end) return outcome ? [outcome] : null;
    await new Promise((resolve) => setTimeout(resolve, polling));
  }
}"""

# A message is waited for in such steps.
PAUSE = "() => new Promise((resolve) => setTimeout(resolve, 10, performance.timeOrigin))"


class Emitter:
    """Calls the listeners of an event."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[[Any], None]]] = defaultdict(list)

    def on(self, event: str, listener: Callable[[Any], None]) -> None:
        self._listeners[event].append(listener)

    def remove_listener(self, event: str, listener: Callable[[Any], None]) -> None:
        self._listeners[event].remove(listener)

    def emit(self, event: str, argument: Any) -> None:
        for listener in list(self._listeners[event]):
            listener(argument)


class Browser:
    """All windows of WebKit on one screen.

    Args:
        driver: the path of WebKitWebDriver.
    """

    def __init__(self, driver: str) -> None:
        self._driver = driver
        self._screen = Screen()
        self._contexts: list[Context] = []

    def new_context(self) -> Context:
        context = Context(self._driver, self._screen.environment)
        self._contexts.append(context)
        return context

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._screen.close()


class Screen:
    """An X server without a screen, which ends with this process."""

    def __init__(self) -> None:
        readable, writable = os.pipe()
        # Browsers end with their screen. So nothing is left if this process is killed.
        command = ["setpriv", "--pdeathsig", "KILL", "Xvfb", "-displayfd", str(writable), "-nolisten", "tcp"]
        self._process = subprocess.Popen(command, pass_fds=[writable], stderr=subprocess.DEVNULL)
        os.close(writable)
        with os.fdopen(readable) as numbers:
            number = numbers.readline().strip()
        if not number:
            raise Error("Xvfb did not start")
        self.environment = {**os.environ, "DISPLAY": f":{number}", "GDK_BACKEND": "x11", "LIBGL_ALWAYS_SOFTWARE": "1"}

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class Context(Emitter):
    """One WebKit with storage of its own, for pages that see each other's."""

    def __init__(self, driver: str, environment: dict[str, str]) -> None:
        super().__init__()
        self._path = driver
        self._environment = environment
        self._service: Service | None = None
        self._current: Page | None = None
        self._pages: list[Page] = []
        self.driver: webdriver.Remote | None = None

    @property
    def pages(self) -> list[Page]:
        """The open pages, also those that a page has opened."""
        if self.driver:
            known = {page.handle for page in self._pages}
            self._pages += [Page(self, handle) for handle in self.driver.window_handles if handle not in known]
        return list(self._pages)

    def new_page(self) -> Page:
        if self.driver is None:
            self._start()
        else:
            self.enter(self._pages[0])
            self.driver.switch_to.new_window("window")  # a tab would be hidden, and its timers slow
        page = self._current = Page(self, self.driver.current_window_handle)
        self._pages.append(page)
        return page

    def _start(self) -> None:
        self._service = Service(self._path, env=self._environment)
        self._service.start()
        connection = RemoteConnection(client_config=ClientConfig(self._service.service_url, timeout=HOUR))
        self.driver = webdriver.Remote(connection, options=Options())
        self.driver.set_script_timeout(HOUR)

    def enter(self, page: Page) -> None:
        """Makes this page the one that commands are for."""
        if self._current is not page:
            self.driver.switch_to.window(page.handle)
            self._current = page

    def forget(self, page: Page) -> None:
        """Takes a closed page away. The last one ends WebKit."""
        self._pages.remove(page)
        self._current = None
        if not self._pages:
            self.close()

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Ends WebKit if what runs here takes longer, because nothing else ends a page that does not answer."""
        timer = threading.Timer(seconds, end, [self._service.process.pid])
        timer.daemon = True
        timer.start()
        try:
            yield
        except (InvalidSessionIdException, HTTPError, OSError) as error:  # there is no WebKit any more
            late = timer.finished.is_set()
            self.close()
            raise (PlaywrightTimeout if late else Error)(f"WebKit does not answer: {error}") from None
        except WebDriverException as error:
            raise Error(str(error)) from None
        finally:
            timer.cancel()

    def close(self) -> None:
        """Ends this WebKit. The next page starts another one."""
        for page in self._pages:
            page.closed = True
        self._pages.clear()
        self._current = None
        if self.driver:
            end(self._service.process.pid)
            with contextlib.suppress(OSError):  # it asks the driver to end, which may be doing so
                self._service.stop()
            self.driver.command_executor.close()
            self.driver = None


def end(driver: int) -> None:
    """Kills a WebKitWebDriver and its browser, in which only the pages know how to end, and some do not any more."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(driver)
        for one in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


class Page(Emitter):
    """A window."""

    def __init__(self, context: Context, handle: str) -> None:
        super().__init__()
        self.context = context
        self.handle = handle
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    @property
    def url(self) -> str:
        return self.evaluate("location.href")

    def goto(self, url: str) -> None:
        self._command(lambda driver: driver.get(url))

    def reload(self) -> None:
        self._command(lambda driver: driver.refresh())

    def evaluate(self, expression: str, arg: Any = None, *, limit: float = LIMIT) -> Any:
        """The value of an expression, or what the function that it is returns for the argument."""
        script = EVALUATE % re.sub(r";?\s*$", "", expression)
        answer = self._command(lambda driver: driver.execute_async_script(script, arg), limit)
        for note in answer["notes"]:
            self._tell(**note)
        if "error" in answer:
            raise Error(answer["error"])
        return answer["value"]

    def _tell(self, event: str, text: str) -> None:
        if event == "console":
            self.emit("console", SimpleNamespace(text=text))
        else:
            self.context.emit("weberror", SimpleNamespace(error=SimpleNamespace(stack=text), page=self))

    def wait_for_function(
        self, expression: str, *, arg: Any = None, timeout: float = 30_000, polling: float = 20
    ) -> Handle:
        end = time.monotonic() + timeout / 1000
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise PlaywrightTimeout(f"{expression} was not true after {timeout / 1000:g} s")
            turn = min(left * 1000, TURN)
            outcome = self.evaluate(WAIT % (expression, expression), [arg, polling, turn], limit=left + 1)
            if outcome is not None:
                return Handle(outcome[0])

    def add_init_script(self, script: str) -> None:
        """Nothing needs it here: `expect_console_message` notices another page by itself."""

    @contextlib.contextmanager
    def expect_console_message(self, predicate: Callable[[Any], bool], *, timeout: float = 30_000) -> Iterator[None]:
        """Waits after the block until the page has printed such a message."""
        found: list[Any] = []

        def listen(message: Any) -> None:
            found.extend([message] if predicate(message) else [])

        end = time.monotonic() + timeout / 1000
        origin = self.evaluate("performance.timeOrigin")
        self.on("console", listen)
        try:
            yield
            while not found:
                left = end - time.monotonic()
                if left <= 0:
                    raise PlaywrightTimeout(f"no such message was printed in {timeout / 1000:g} s")
                # An answer brings what was printed.
                if self.evaluate(PAUSE, limit=left + 1) != origin:
                    raise Error("another page has come")
        finally:
            self.remove_listener("console", listen)

    def wait_for_timeout(self, milliseconds: float) -> None:
        time.sleep(milliseconds / 1000)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(Error):
            self._command(lambda driver: driver.close(), 20)
        if self in self.context._pages:
            self.context.forget(self)

    def _command(self, command: Callable[[webdriver.Remote], Any], limit: float = LIMIT) -> Any:
        if self.context.driver is None or self not in self.context._pages:
            raise Error("this page is closed")
        with self.context.limited(limit):
            try:
                self.context.enter(self)
                return command(self.context.driver)
            except NoSuchWindowException:
                self.closed = True
                self.context.forget(self)
                raise


class Handle:
    """A value of the page, which was brought along at once."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def json_value(self) -> Any:
        return self._value

    def dispose(self) -> None:
        """Does nothing: the page keeps no handle."""
