"""The plugin's fixture `pyodide` runs functions of the tests, and a test fails when it must."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from unpanic_tools.testing.host import HostError, Watch
from unpanic_tools.testing.in_browser import InBrowser, RemoteError

from tests.places import EVERYWHERE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.serve import Server

# What a test keeps from one run to the next.
KEPT = {}
SECRET = {"answer": 42}


class Base:
    def value(self):
        return SECRET["answer"]


class Derived(Base):
    def value(self):
        return super().value() + helper()


def helper():
    return json.loads("1")


async def use_what_the_file_has(extra):
    await asyncio.sleep(0)
    return [Derived().value(), extra]


def test_functions_take_along_what_they_use(py: InBrowser):
    """Functions, classes, constants and modules of the test file work inside Pyodide."""
    assert py.run(use_what_the_file_has, extra=[None, "x"]) == [43, [None, "x"]]


@EVERYWHERE
def test_realm(py: InBrowser):
    """The realms are a page, a dedicated worker and a shared worker."""

    def global_scope():
        import js

        return js.globalThis.constructor.name

    scopes = {"page": "Window", "worker": "DedicatedWorkerGlobalScope", "shared": "SharedWorkerGlobalScope"}
    assert py.run(global_scope) == scopes[py.realm]


def test_version(py: InBrowser, older: bool):
    """The version of Pyodide, known by its Python, is the one that the option names."""

    def version():
        import sys

        return list(sys.version_info[:2])

    assert py.run(version) == ([3, 13] if older else [3, 14])


def call_with_two(action, second):
    return action(2, second)


def power(base, exponent):
    return base**exponent


def test_functions_are_arguments_too(py: InBrowser):
    """A function among the arguments arrives like the function that gets it."""
    assert py.run(call_with_two, action=power, second=5) == 32


def fail():
    raise ValueError("rubbish")


def test_error_has_the_traceback_of_pyodide(py: InBrowser):
    """An exception fails the test with file, line and source from inside Pyodide."""
    with pytest.raises(RemoteError) as caught:
        py.run(fail)
    line = fail.__code__.co_firstlineno + 1
    assert f'File "tests/browser/test_pyodide_fixture.py", line {line}, in fail' in str(caught.value)
    assert 'raise ValueError("rubbish")' in str(caught.value)


def throw_later(how):
    import js

    if how == "error":
        js.eval("setTimeout(() => { throw new Error('thrown later') })")
    elif how == "rejection":
        js.eval("void Promise.reject(new Error('rejected'))")
    else:
        asyncio.get_running_loop().create_future().set_exception(ValueError("not retrieved"))


@EVERYWHERE
@pytest.mark.parametrize(
    ("how", "message"),
    [("error", "thrown later"), ("rejection", "rejected"), ("future", "not retrieved")],
)
def test_guard_fails_on_uncaught_errors(py: InBrowser, uncaught: Watch, how: str, message: str):
    """Uncaught errors, unhandled rejections and lost exceptions of asyncio fail the test."""
    py.run(throw_later, how=how)
    py.pending()  # as at the end of every test: errors of a worker arrive meanwhile
    uncaught.settle()
    assert [message in problem for problem in uncaught.problems()] == [True]
    py.expect_errors(message)


def test_guard_fails_when_an_expected_error_does_not_come(py: InBrowser, uncaught: Watch):
    """A pattern that matches no error is a failure as well."""
    py.expect_errors("never seen")
    assert uncaught.problems() == ["expected an uncaught error like 'never seen'"]
    uncaught.note("never seen")


def test_guard_sees_a_page_of_the_tests_own(page: Page, uncaught: Watch, server: Server):
    """The guard also watches pages that a test opens."""
    text = "<!doctype html><script>setTimeout(() => { throw new Error('own page') })</script>"
    page.goto(server.route("/own/", text, content_type="text/html"))
    uncaught.settle()
    assert ["own page" in problem for problem in uncaught.problems()] == [True]
    uncaught.expect("own page")


def test_a_promise_that_never_settles_is_told(py: InBrowser):
    """A task that waits for ever would fail the test. After it has ended, the test passes."""

    async def wait_for_ever():
        import asyncio

        import js

        async def wait():
            await js.eval("new Promise(() => {})")

        KEPT["task"] = asyncio.ensure_future(wait())
        await asyncio.sleep(0)

    def give_up():
        KEPT["task"].cancel()

    py.run(wait_for_ever)
    assert ["task never ended: " in text and "wait" in text for text in py.pending()] == [True]
    py.run(give_up)
    assert py.pending() == []


def test_run_fails_when_a_promise_never_settles(fresh_py: InBrowser):
    """A run has a time limit."""

    async def wait():
        import js

        await js.eval("new Promise(() => {})")

    with pytest.raises(HostError, match=r"wait: the test did not end in 0\.2 s"):
        fresh_py.run(wait, timeout=0.2)


def test_run_fails_in_a_loop(fresh_py: InBrowser):
    """The time limit holds even if Pyodide is too busy to notice."""

    def loop():
        import time

        # The loop must end: if other pages share the process, closing this page does not stop it.
        until = time.monotonic() + 15
        while time.monotonic() < until:
            pass

    with pytest.raises(HostError):
        fresh_py.run(loop, timeout=0.5)
