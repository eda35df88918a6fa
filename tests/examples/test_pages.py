"""The example pages show the right lines after a panic, again and again, and fit a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples.conftest import STARTS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PANIC = "caught a panic: insufficient funds, at src/lib.rs:75:13"
WITHDRAWN = "withdraw(10): done; balance {}"
REFUSED = "withdraw(1000): " + PANIC + "; balance {}"
WAITED = "await slow(20) = 20"


def again(page: Page) -> Locator:
    """The button that crashes once more: "Panic again" or "Crash again"."""
    return page.get_by_role("button", name="again")


def started(page: Page) -> None:
    from playwright.sync_api import expect

    expect(again(page)).to_be_enabled(timeout=STARTS)


def shows(page: Page, *lines: str) -> None:
    from playwright.sync_api import expect

    expect(page.get_by_role("log", name="What happened")).to_have_text("\n".join(lines))


def fits_a_phone(page: Page) -> bool:
    page.set_viewport_size({"width": 375, "height": 667})
    return page.evaluate("document.documentElement.scrollWidth") == 375


ADDED, KEPT = "add(2, 3) = 5", "the balance is still 100"
# The examples that load prql-js by its name.
OVERFLOW = "caught a StackOverflow: stack overflow (in prql_js.compile; rolled back, state kept)"
TARGET = "the target is still sql.sqlite"
SQL = "SELECT * FROM tracks LIMIT 3"
ADDED_IN = ADDED + ", in generation {}"


@pytest.mark.parametrize(
    ("name", "before", "crash", "after"),
    [
        ("pyodide", [ADDED, WAITED], PANIC, KEPT),
        # test_getting_started.py runs much the same.
        pytest.param("pyscript", [SQL], OVERFLOW, TARGET, marks=pytest.mark.long),
        # Imported glue cannot be rolled back, so each panic resets.
        pytest.param(
            "vite",
            ["bank.add(a: int, b: int) -> int", ADDED_IN.format(0), WAITED],
            PANIC,
            ADDED_IN,
            marks=pytest.mark.long,
        ),
    ],
)
def test_page(open_example, name, before, crash, after):
    """A page shows a call, a crash, and what follows. Its button crashes again and again."""
    page = open_example(name)
    started(page)
    lines = [*before, crash, after.format(1)]
    shows(page, *lines)
    for generation in (2, 3):
        again(page).click()
        lines += [crash, after.format(generation)]
        shows(page, *lines)
    assert fits_a_phone(page)


@pytest.mark.parametrize(
    ("name", "file", "button", "results", "crash"),
    [
        ("worker", "", "Withdraw 10", [WITHDRAWN.format(left) for left in (90, 80, 70)], REFUSED),
        pytest.param(
            "pyscript", "worker.html", "Compile a query", [SQL] * 3, f"{OVERFLOW}; {TARGET}", marks=pytest.mark.long
        ),
    ],
)
def test_worker(open_example, name, file, button, results, crash):
    """A page gets results and crashes from Python in a worker, and the worker answers the next command."""
    page = open_example(name, file)
    lines = [results[0], crash.format(90), results[1]]
    started(page)
    shows(page, *lines)
    page.get_by_role("button", name=button).click()
    lines += [results[2]]
    shows(page, *lines)
    for _ in range(2):
        again(page).click()
        lines += [crash.format(70)]
        shows(page, *lines)
    assert fits_a_phone(page)
