"""The plugin for pytest, as a user has it: a project outside of the repository, whose tests run in a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import FIXTURES, PYODIDE

# A line of pytest's summary; that of a skipped test has its line, and the reason.
ENDED = r"^(PASSED|FAILED|ERROR|XFAIL|SKIPPED) (?:\[1\] )?test_it\.py(?:::|:\d+: )(.*)"

type Outcomes = tuple[dict[str, str], str]

BODY = """
import asyncio
import logging
import sys

import {host_only}
import pytest

LIMITS = [1, {"a": 2}]
pytestmark = pytest.mark.in_browser


def doubled(number):
    return number * 2


@pytest.fixture
def numbers():
    return [1, 2, 3]


@pytest.fixture
def thing():
    return object()
"""
HOST_ONLY = "import {host_only}"
ENDINGS = """
@pytest.mark.parametrize("number", [1, 2])
def test_values(number, numbers):
    assert sys.platform == "emscripten"
    assert doubled(number) in (2, 4) and numbers == [1, 2, 3] and LIMITS[1]["a"] == 2


async def test_async(capsys):
    await asyncio.sleep(0.01)
    print("hello")
    assert capsys.readouterr().out == "hello\\n"


async def test_rust():
    import unpanic

    bank = await unpanic.load("/pkg/bank.js")
    account = bank.Account("ada", 100)
    with pytest.raises(unpanic.RustPanic, match="insufficient"):
        account.withdraw(1000)
    assert account.balance == 100


async def test_two_plans(inject):
    import unpanic

    bank = await unpanic.load("/pkg/bank.js")
    account = bank.Account("ada", 100)
    inject(bank, "trap", on="Account.deposit", call=1)
    inject(bank, "foreign", on="deposit", call=2)
    for error in (unpanic.Trap, unpanic.ForeignException):
        with pytest.raises(error):
            account.deposit(1)
    assert account.balance == 100


async def test_too_few_calls(inject):
    import unpanic

    bank = await unpanic.load("/pkg/bank.js")
    inject(bank, "trap", on="Account.deposit", call=2)
    bank.Account("ada", 100).deposit(1)


async def test_dead_call(inject):
    import unpanic

    bank = await unpanic.load("/pkg/bank.js")
    inject(bank, "foreign", on="add", call=7)
    inject(bank, "panic", on="deposit", call=2, at="return")
    account = bank.Account("ada", 100)
    account.deposit(1)
    account.deposit(1)


def test_fails():
    print("I am printed")
    logging.getLogger("x").warning("I am logged")
    assert doubled(3) == 7, "seven"


def test_differs():
    assert {"a": 1, "b": [1, 2]} == {"a": 1, "b": [1, 3]}


class TestClass:
    def test_method(self, tmp_path, monkeypatch):
        monkeypatch.setenv("A", "b")
        (tmp_path / "x").write_text("1")
        assert 0.1 + 0.2 == pytest.approx(0.3)


@pytest.mark.xfail(raises=ZeroDivisionError, strict=True)
def test_expected():
    1 / 0


def test_skipped():
    pytest.skip("because")


def test_of_the_host(thing):
    pass


def test_first_namespace():
    sys.modules["__main__"].left = 1
    globals()["left"] = 1


def test_second_namespace():
    assert "left" not in globals()
"""
LEFT = """
@pytest.mark.in_browser(seconds=2)
def test_loop():
    print("before the loop")
    while True:
        pass


@pytest.mark.in_browser(seconds=2)
async def test_late_loop():
    await asyncio.sleep(0.5)
    while True:
        pass


def test_after_the_loop():
    assert doubled(1) == 2


@pytest.mark.in_browser(seconds=2)
async def test_never():
    await asyncio.get_running_loop().create_future()


async def test_pending():
    globals()["task"] = asyncio.ensure_future(asyncio.sleep(100))


@pytest.mark.allow("pending")
async def test_pending_allowed():
    globals()["task"] = asyncio.ensure_future(asyncio.sleep(100))


def test_uncaught():
    import js

    js.setTimeout(js.Function.new("throw new Error('lost')"), 0)


@pytest.mark.allow("uncaught", match="lost")
def test_uncaught_allowed():
    import js

    js.setTimeout(js.Function.new("throw new Error('lost')"), 0)


async def test_dies():
    import js

    js.location.href = "about:blank"
    await asyncio.sleep(100)


def test_last():
    assert True


@pytest.mark.in_browser(seconds=3)
async def test_endless_call(inject):  # no page has to follow
    import unpanic

    bank = await unpanic.load("/pkg/bank.js", recovery="reset")
    inject(bank, "hang", on="add")
    bank.add(1, 2)
"""


@pytest.fixture
def outcomes(installed: Path, tmp_path: Path) -> Callable[..., Outcomes]:
    """Runs a file of tests, and returns how each ended, and the whole output."""
    shutil.copytree(FIXTURES / "bank/pkg/abort", tmp_path / "pkg")
    # Without the settings of this repository.
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npyodide = {PYODIDE}\n", "utf-8")

    def run(tests: str, *options: str) -> Outcomes:
        body = BODY.replace(HOST_ONLY, "import playwright.sync_api  # only the host has it")
        (tmp_path / "test_it.py").write_text(body + tests, "utf-8")
        command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--color=no", *options]
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        found = re.findall(ENDED, done.stdout, re.M)
        return {test.partition(" - ")[0]: ending for ending, test in found}, done.stdout + done.stderr

    return run


def test_each_ending(outcomes: Callable[..., Outcomes]):
    """Bodies run in the browser, and end here as they end there."""
    ended, output = outcomes(ENDINGS)
    assert ended == {
        "test_values[1]": "PASSED",
        "test_values[2]": "PASSED",
        "test_async": "PASSED",
        "test_rust": "PASSED",
        "test_two_plans": "PASSED",
        "test_too_few_calls": "FAILED",
        "test_dead_call": "FAILED",
        "test_fails": "FAILED",
        "test_differs": "FAILED",
        "TestClass::test_method": "PASSED",
        "test_expected": "XFAIL",
        "because": "SKIPPED",
        "test_of_the_host": "FAILED",
        "test_first_namespace": "PASSED",
        "test_second_namespace": "PASSED",
    }, output
    for words in (
        '>       assert doubled(3) == 7, "seven"',
        "E       AssertionError: seven",
        "E       assert 6 == 7",
        "I am printed",
        "I am logged",
        "E         {'b': [1, 2]} != {'b': [1, 3]}",
        "'thing' is <object object",
        'inject: nothing reached inject(bank, "trap", on="Account.deposit", call=2): there was 1 such call',
        ">       account.deposit(1)",
        "RustPanic: injected panic (in bank.Account.deposit; rolled back, state kept)",
        '\ninject: reproduce with inject(bank, "panic", on="deposit", call=2, at="return")\n',
        "    def test_fails():",
    ):
        assert words in output
    line = next(number for number, text in enumerate((BODY + ENDINGS).splitlines(), 1) if "doubled(3) == 7" in text)
    assert f"test_it.py:{line}: AssertionError" in output


def test_what_is_left(outcomes: Callable[..., Outcomes]):
    """Nothing hangs, and a test fails on what it leaves behind; the next one has a page that works."""
    ended, output = outcomes(LEFT)
    assert ended == {
        "test_loop": "FAILED",
        "test_late_loop": "FAILED",
        "test_after_the_loop": "PASSED",
        "test_never": "FAILED",
        "test_pending": "FAILED",
        "test_pending_allowed": "PASSED",
        "test_uncaught": "ERROR",
        "test_uncaught_allowed": "PASSED",
        "test_dies": "FAILED",
        "test_last": "PASSED",
        "test_endless_call": "FAILED",
    }, output
    for words in (
        "test_loop: the test did not end in 2 s in the page. The page said last:\n    before the loop",
        "test_never: the test did not end in 2 s",
        "test_endless_call: the test did not end in 3 s in the page. The page said last:\n"
        '    inject: reproduce with inject(bank, "hang", on="add")\n',
        "task never ended: <PyodideTask pending",
        "uncaught error: Error: lost",
        "test_dies: the test ended with its page",
    ):
        assert words in output


@pytest.mark.parametrize("options", [["--realm", "worker"], ["--browser", "firefox"]], ids=" ".join)
def test_elsewhere(outcomes: Callable[..., Outcomes], options: list[str]):
    """The same in a worker, and in Firefox."""
    ended, output = outcomes(ENDINGS, *options, "-k", "rust or async or fails or two_plans")
    passed = {"test_async": "PASSED", "test_rust": "PASSED", "test_two_plans": "PASSED"}
    assert ended == {**passed, "test_fails": "FAILED"}, output
