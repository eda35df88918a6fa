"""The plugin for pytest together with coverage, pytest-xdist, the debugger, fixtures, warnings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import FIXTURES, PYODIDE
from tests.unit.tools.testing import flow

ENDED = r"^(PASSED|FAILED|ERROR|XFAIL|SUBFAILED\S*) test_it\.py::(\S+)"

FEATURES = """
import logging
import sys
import unittest
import warnings

import pytest

pytestmark = pytest.mark.in_browser


@pytest.fixture(autouse=True)
def thing():
    return object()


@pytest.fixture
def number():
    return 7


class OwnError(ValueError):
    def __init__(self, first, second):
        super().__init__(first)
        self.second = second

    def __str__(self):
        return self.second


class TestClass:
    @pytest.fixture(autouse=True)
    def given(self):
        self.given = {"a": sys.platform}
        self.thing = object()

    @classmethod
    def setup_class(cls):
        cls.made = sys.platform

    def setup_method(self, method):
        self.name = method.__name__

    def teardown_method(self):
        print("torn down", self.name)

    async def test_attributes(self, number):
        assert (self.given, self.made, self.name, number) == ({"a": "linux"}, "emscripten", "test_attributes", 7)

    @staticmethod
    def test_static():
        assert sys.platform == "emscripten"


class TestOfUnittest(unittest.TestCase):
    def test_refused(self):
        pass


@pytest.mark.usefixtures("number")
def test_warns():
    with pytest.warns(UserWarning, match="careful"):
        warnings.warn("careful")


def test_warns_not():
    with pytest.warns(UserWarning):
        pass


def test_warning_is_shown():
    warnings.warn("a warning of Pyodide's")


def test_warning_is_error():
    warnings.warn("strict", RuntimeWarning)


@pytest.mark.filterwarnings("ignore")
def test_warning_is_ignored():
    warnings.warn("strict", RuntimeWarning)


def test_recwarn(recwarn):
    warnings.warn("recorded")
    assert [str(warning.message) for warning in recwarn] == ["recorded"]


def test_caplog(caplog):
    log = logging.getLogger("shop")
    with caplog.at_level(logging.INFO, logger="shop"):
        log.info("hello %s", "you")
    assert (caplog.messages, caplog.record_tuples) == (["hello you"], [("shop", logging.INFO, "hello you")])
    assert "hello you" in caplog.text
    caplog.clear()
    caplog.set_level(logging.ERROR)
    log.warning("not heard")
    assert caplog.records == []


def test_capfd(capfd):
    print("out")
    print("err", file=sys.stderr)
    assert capfd.readouterr() == ("out\\n", "err\\n")


def test_capsysbinary(capsysbinary):
    print("out")
    assert capsysbinary.readouterr().out == b"out\\n"


def test_subtests(subtests):
    for number in range(3):
        with subtests.test("odd", number=number):
            assert number != 1


def test_told_to_fail():
    pytest.fail("told to", pytrace=False)


@pytest.mark.xfail(raises=OwnError, strict=True)
def test_expected():
    raise OwnError("one", "two")


def test_logged_last():
    logging.getLogger("shop").warning("heard")
    assert False


def test_breakpoint():
    breakpoint()
"""
LEAKS = """
import pytest

pytestmark = [pytest.mark.in_browser, pytest.mark.realms("page", "worker", "node")]


async def hand_out():
    import unpanic
    import js

    views = await unpanic.load("/views/views.js")
    js.kept = views.return_memory()
    unpanic.reset(views)


@pytest.mark.allow("generations")
async def test_allowed():
    await hand_out()


async def test_ends():
    import unpanic

    views = await unpanic.load("/views/views.js")
    rounds = [views, views.return_memory()]
    rounds.append(rounds)  # Python's garbage
    unpanic.reset(views)


async def test_leaks():
    await hand_out()
"""
STOPPED = """
import pytest

pytestmark = pytest.mark.in_browser
RATE = 3


class Coin:
    def __init__(self, value):
        self.value = value


async def test_withdraw():
    import unpanic

    bank = await unpanic.load("/bank/bank.js")
    account = bank.Account("ada", 100)
    coin = Coin(7)
    withdraw(account, 1000 * RATE)


def withdraw(account, amount):
    account.withdraw(amount)


def test_never_run():
    pass
"""
COVERED = """
import sys

import pytest

pytestmark = pytest.mark.in_browser


def helper(number):
    if number:
        return 1
    return 2


async def test_all():
    from shop import flow

    assert await flow.exercise() and helper(1) == 1


def test_again():
    from shop import flow

    assert flow.branches(0) == "small"


def test_fails():
    assert helper(0) == 1
"""


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs pytest in a project, and returns its output."""
    for crate in ("bank", "views"):
        shutil.copytree(FIXTURES / crate / "pkg/abort", tmp_path / crate)
    # Without the settings of this repository.
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npyodide = {PYODIDE}\nin_browser_wheels = dist/*.whl\n", "utf-8")
    write_wheel(tmp_path)

    def run(tests: str, *options: str, keys: str = "") -> str:
        (tmp_path / "test_it.py").write_text(tests, "utf-8")
        command = [sys.executable, "-m", "pytest", "-rA", "--color=no", *options]
        environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "120"}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, input=keys
        )
        return done.stdout + done.stderr

    return run


def write_wheel(folder: Path) -> None:
    """Makes a project's wheel of Python alone."""
    (folder / "src/shop").mkdir(parents=True)
    (folder / "dist").mkdir()
    (folder / "src/shop/__init__.py").write_text("")
    shutil.copy(flow.__file__, folder / "src/shop/flow.py")
    with zipfile.ZipFile(folder / "dist/shop-1.0-py3-none-any.whl", "w") as archive:
        for name in ("__init__.py", "flow.py"):
            archive.write(folder / "src/shop" / name, f"shop/{name}")


def endings(output: str) -> dict[str, str]:
    return {name: ending for ending, name in re.findall(ENDED, output, re.M)}


def test_what_pytest_offers(run: Callable[..., str]):
    """Classes with their set-up, warnings, logs, output and subtests are as everywhere."""
    output = run(FEATURES, "-W", "error::RuntimeWarning", "-p", "no:cacheprovider")
    passed = (
        "TestClass::test_attributes", "TestClass::test_static", "test_warns", "test_warning_is_shown",
        "test_warning_is_ignored", "test_recwarn", "test_caplog", "test_capfd", "test_capsysbinary",
    )  # fmt: skip
    failed = ("test_warns_not", "test_warning_is_error", "test_told_to_fail", "test_logged_last", "test_breakpoint")
    assert endings(output) == {
        **dict.fromkeys(passed, "PASSED"),
        **dict.fromkeys(failed, "FAILED"),
        "test_subtests": "FAILED",
        "test_expected": "XFAIL",
        "TestOfUnittest::test_refused": "ERROR",
    }, output
    for words in (
        "torn down test_attributes",
        "only functions, and methods of plain classes, can run in Pyodide",
        ">       with pytest.warns(UserWarning):\n",
        "E       Failed: DID NOT WARN.",
        "test_it.py::test_warning_is_shown\n  test_it.py:",
        "UserWarning: a warning of Pyodide's\n    warnings.warn(",
        "E       RuntimeWarning: strict",
        "SUBFAILED[odd] (number=1) test_it.py::test_subtests - assert 1 != 1",
        "contains 1 failed subtest",
        "WARNING  shop:test_it.py:",
        "breakpoint() cannot stop a test in Pyodide",
    ):
        assert words in output, f"{words}\n{output}"
    assert "_pytest/recwarn.py" not in output
    assert "1 warning, 1 error in" in output


def test_leaked_generations(run: Callable[..., str]):
    """A test fails on a dead generation that is still referenced, on the page, in a worker, and in Node."""
    output = run(LEAKS, "-p", "no:cacheprovider")
    ended = {"test_leaks": "FAILED", "test_allowed": "PASSED", "test_ends": "PASSED"}
    realms = ("page", "worker", "node")
    assert endings(output) == {f"{name}[{realm}]": end for name, end in ended.items() for realm in realms}, output
    assert "leaked: generation 0 of views is dead, but something still refers to its memory" in output


def test_debugger(run: Callable[..., str]):
    """`-x --pdb` stops at the first failure, with frames and variables of Pyodide; `--lf` has that test alone."""
    keys = "where\nlist\np amount\np account\nup\np coin.value, RATE\np coin\nquit\n"
    output = run(STOPPED, "-x", "--pdb", keys=keys)
    assert "PDB post_mortem" in output, output
    _, _, shown = output.partition("PDB post_mortem")
    lines = STOPPED.splitlines()
    call, raised = (
        lines.index(f"    {text}") + 1 for text in ("withdraw(account, 1000 * RATE)", "account.withdraw(amount)")
    )
    assert re.search(rf"> \S+test_it.py\({raised}\)withdraw\(\)\n-> account.withdraw\(amount\)", shown), output
    assert re.search(rf"test_it.py\({call}\)test_withdraw\(\)\n-> withdraw\(account, 1000 \* RATE\)\n> ", shown), output
    for words in (
        f"{raised}  ->	    account.withdraw(amount)",
        "(Pdb) 3000\n",
        "(Pdb) <bank.Account owner='ada' balance=100>\n",
        "(Pdb) (7, 3)\n",
        "(Pdb) <test_it.Coin object at",
    ):
        assert words in shown, f"{words}\n{output}"
    assert "pluggy" not in shown
    assert endings(output) == {"test_withdraw": "FAILED"}
    assert run(STOPPED, "--lf", "--collect-only", "-q").startswith("test_it.py::test_withdraw\n\n")


def test_coverage_of_several_processes(run: Callable[..., str], tmp_path: Path):
    """What ran in the Pyodides of two processes counts here: files of tests, and of the wheel, by tests."""
    coverage = ("--cov=src", "--cov=.", "--cov-branch", "--cov-context=test")
    omitted = tmp_path / "coverage.ini"
    omitted.write_text("[run]\nomit = src/shop/__init__.py\nrelative_files = true\n[json]\nshow_contexts = true\n")
    output = run(COVERED, "-n", "2", *coverage, f"--cov-config={omitted}", "--cov-report=json")
    assert endings(output) == {"test_all": "PASSED", "test_again": "PASSED", "test_fails": "FAILED"}, output
    assert "E       assert 2 == 1" in output
    files = json.loads((tmp_path / "coverage.json").read_text())["files"]
    assert set(files) == {"src/shop/flow.py", "test_it.py"}
    source = Path(flow.__file__).read_text().splitlines()

    def line(text: str) -> int:
        return source.index(text) + 1

    counted = files["src/shop/flow.py"]
    assert line("    elif value == 1:  # noqa: RET505 - what is tested") in counted["executed_lines"]
    assert line("    return None") in counted["missing_lines"]
    assert [line("    while value < 5:"), line('    return "small"')] in counted["missing_branches"]
    assert counted["contexts"][str(line('    return "small"'))] == [
        "test_it.py::test_again|run",
        "test_it.py::test_all|run",
    ]
    assert files["test_it.py"]["summary"]["percent_covered"] == 100
