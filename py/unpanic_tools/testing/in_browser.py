"""The value of the fixture `pyodide`: a Pyodide for the length of one test."""

import inspect
import json
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from . import coverage
from .capturing import replay_logs, replay_warnings
from .host import Host, HostError, PageHost, Watch
from .site import Site
from .slicing import Project, pack
from .sources import Sources, find_sources

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["InBrowser", "RemoteError"]

RUN_SECONDS = 60.0


class RemoteError(AssertionError):
    """A function raised an exception in Pyodide; the message is its traceback there."""


class InBrowser:
    """A Pyodide with the wheels under test.

    Args:
        host: where it runs; a test has begun in it.
        site: what it is served from.
        project: the files whose functions run there.
        watch: knows of uncaught errors.

    Attributes:
        host: the other end.
        site: the server.
        realm: "page", "worker", "shared" or "node".
    """

    def __init__(self, host: Host, site: Site, project: Project, watch: Watch) -> None:
        self.host = host
        self.site = site
        self.realm = host.realm
        self._project = project
        self._watch = watch
        self._is_finished = False

    @property
    def page(self) -> "Page":
        """Playwright's page. Pyodide runs on its main thread, or in a worker of it.

        Raises:
            AttributeError: Pyodide runs in Node, without a page.
        """
        if not isinstance(self.host, PageHost):
            raise AttributeError(f"there is no page in the realm {self.realm!r}.")
        return self.host.page

    @property
    def url(self) -> str:
        """The address of the server, which has the project's files."""
        return self.site.url

    @property
    def sources(self) -> Sources:
        """Which files here those of Pyodide are."""
        return find_sources(self.site.files.root, tuple(self.site.files.wheels))

    def run(self, function: Callable[..., Any], *, timeout: float = RUN_SECONDS, **arguments: Any) -> Any:
        """Runs a function in Pyodide, and returns its result.

        The function takes along what it uses of the project's files, as the body of a test does. All functions of a
        test share what they have taken along: what one sets with `global`, the next one finds.

        Args:
            function: a function of a test file, sync or async. It may be inside of a test.
            timeout: how many seconds it may take.
            arguments: are passed by value: numbers, texts, bytes, and lists, tuples, sets and dicts of these; or
                functions of the project.

        Returns:
            The result, as JSON has it: a tuple arrives as a list.

        Raises:
            RemoteError: the function raised an exception; the message is its traceback.
            HostError: it did not end in time, or Pyodide died.
            NotPortable: the function or an argument cannot go to Pyodide.

        Example:
            ```python
            def version():
                import sys

                return sys.version_info[:2]


            def test_version(pyodide):
                assert pyodide.run(version) == [3, 14]
            ```
        """
        try:
            outcome = self.send(self.request(function, arguments, returns=True), timeout)
        except HostError as error:
            raise HostError(f"{function.__name__}: {error}") from None
        self.end(outcome)
        if outcome["kind"] == "failed":
            raise RemoteError(f"in the {self.realm}:\n{outcome['text']}")
        return json.loads(outcome["value"])

    def request(
        self,
        function: Callable[..., Any],
        arguments: dict[str, Any],
        *,
        guests: tuple[str, ...] = (),
        returns: bool = False,
        style: str = "native",
        showlocals: bool = False,
        **others: Any,
    ) -> dict[str, Any]:
        """Returns what `run` of `page/guest.py` takes.

        Args:
            function: what is to run.
            arguments: its arguments, by their names.
            guests: names of other arguments, which Pyodide makes.
            returns: whether the result matters.
            style: how pytest is to show an exception.
            showlocals: whether it is to show variables.
            others: `warnings` are filters of warnings, see `warned` of `page/capturing.py`; `frames` is whether those
                of an exception matter; `attributes` are those of the object whose method a test is, see `pack`.

        Raises:
            NotPortable: the function or an argument cannot go to Pyodide.
        """
        functions = {name: value for name, value in arguments.items() if inspect.isfunction(value)}
        slices = self._project.slices(*functions.values(), function)
        return {
            "function": _place(function),
            "file": next(part.file for part in slices if part.module == function.__module__),
            "slices": [vars(part) for part in slices],
            "arguments": {name: pack(name, value) for name, value in arguments.items() if name not in functions},
            "functions": {name: _place(value) for name, value in functions.items()},
            "guests": guests,
            "returns": returns,
            "style": style,
            "showlocals": showlocals,
            "level": logging.getLogger().level,
            "measure": coverage.wanted(self.sources),
            "warnings": None,
            "frames": False,
            "attributes": None,
            **others,
        }

    def send(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Runs a request, gives pytest what it printed and logged, and returns its outcome.

        Raises:
            HostError: it did not end in time, or Pyodide died.
        """
        outcome = self.host.run(request, seconds)
        sys.stdout.write(outcome["out"])
        sys.stderr.write(outcome["err"])
        replay_logs(outcome["logs"])
        replay_warnings(outcome["warnings"])
        coverage.note(outcome["measured"], self.sources)
        return outcome

    @staticmethod
    def end(outcome: dict[str, Any]) -> None:
        """Ends the test here as it has ended there, if it was neither passed nor failed."""
        if outcome["kind"] == "exited":
            pytest.exit(outcome["text"], outcome["code"])
        if outcome["kind"] == "skipped":
            raise pytest.skip.Exception(outcome["text"], _use_item_location=True)
        if outcome["kind"] == "xfailed":
            pytest.xfail(outcome["text"])

    def register(self, name: str, url: str) -> None:
        """Imports a file of JavaScript, and offers it to Python by a name: `pyodide.registerJsModule`."""
        self.host.call("register", json.dumps([name, url]), RUN_SECONDS)

    def watch_calls(self) -> None:
        """From now on, calls of modules that this test loads can be made to die."""
        self.host.call("watch", "", RUN_SECONDS)

    def expect_errors(self, *patterns: str) -> None:
        """Declares that uncaught errors will come. Each regular expression must match one."""
        self._watch.expect(*patterns)

    def pending(self) -> list[str]:
        """Returns the work that this test has left unfinished so far, a description each."""
        return self.host.pending()

    def finish(self, *, is_allowed: bool = False, may_leak: bool = True) -> None:
        """Ends the test here, once, and fails if it has left work unfinished. No other test uses such a Pyodide.

        Args:
            is_allowed: whether it may.
            may_leak: whether generations of Rust modules may outlive it.
        """
        if self._is_finished or self.host.is_broken:
            return
        self._is_finished = True
        left = self.host.end()
        if is_allowed:
            left = []
        if not left and not may_leak:
            left = [
                f"leaked: {each} is dead, but something still refers to its memory, such as a view or a closure."
                for each in self.host.leaked()
            ]
        if left:
            self.host.is_broken = True
            pytest.fail("\n".join(left), pytrace=False)


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__
