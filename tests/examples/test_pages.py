"""The example pages show the right lines after a panic, again and again, and fit a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples.conftest import STARTS

if TYPE_CHECKING:
    from playwright.sync_api import Page

PANIC = "caught a panic: insufficient funds, at src/lib.rs:75:13"
WITHDRAWN = "withdraw(10): done; balance {}"
REFUSED = "withdraw(1000): " + PANIC + "; balance {}"
WAITED = "await slow(20) = 20"


def started(page: Page) -> None:
    from playwright.sync_api import expect

    expect(page.get_by_role("button", name="Panic again")).to_be_enabled(timeout=STARTS)


def shows(page: Page, *lines: str) -> None:
    from playwright.sync_api import expect

    expect(page.get_by_role("log", name="What happened")).to_have_text("\n".join(lines))


def fits_a_phone(page: Page) -> bool:
    page.set_viewport_size({"width": 375, "height": 667})
    return page.evaluate("document.documentElement.scrollWidth") == 375


ADDED, KEPT = "add(2, 3) = 5", "the balance is still 100"
ADDED_IN = ADDED + ", in generation {}"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("pyodide", [ADDED, WAITED], KEPT),
        # test_getting_started.py runs much the same.
        pytest.param("pyscript", [ADDED], KEPT, marks=pytest.mark.long),
        # Imported glue cannot be rolled back, so each panic resets.
        ("vite", ["bank.add(a: int, b: int) -> int", ADDED_IN.format(0), WAITED], ADDED_IN),
    ],
)
def test_page(open_example, name, before, after):
    """A page shows a call, a panic with its Rust line, and what follows. Its button panics again and again."""
    page = open_example(name)
    started(page)
    lines = [*before, PANIC, after.format(1)]
    shows(page, *lines)
    for generation in (2, 3):
        page.get_by_role("button", name="Panic again").click()
        lines += [PANIC, after.format(generation)]
        shows(page, *lines)
    assert fits_a_phone(page)


@pytest.mark.parametrize(
    ("name", "file"), [("worker", ""), pytest.param("pyscript", "worker.html", marks=pytest.mark.long)]
)
def test_worker(open_example, name, file):
    """A page gets results and panics from Python in a worker, and the worker answers the next command."""
    page = open_example(name, file)
    lines = [WITHDRAWN.format(90), REFUSED.format(90), WITHDRAWN.format(80)]
    started(page)
    shows(page, *lines)
    page.get_by_role("button", name="Withdraw 10").click()
    lines += [WITHDRAWN.format(70)]
    shows(page, *lines)
    for _ in range(2):
        page.get_by_role("button", name="Panic again").click()
        lines += [REFUSED.format(70)]
        shows(page, *lines)
    assert fits_a_phone(page)
