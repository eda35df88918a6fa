"""The notebook that marimo exported to WebAssembly."""

import re

from playwright.sync_api import expect

# marimo's Pyodide installs a dozen packages before the first cell runs.
STARTS = 120_000


def test_the_cells_after_a_panic_go_on(open_example, guard):
    """A cell that panics shows one traceback into Rust, the others show values, and a second run shows the same."""
    page = open_example("marimo")
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    panic = cell(page, "bank.transfer")
    last = "unpanic.errors.RustPanic: insufficient funds (in bank.transfer, src/lib.rs:107:9; rolled back,"
    expect(panic).to_contain_text(last, timeout=STARTS)
    expect(panic).to_contain_text('File "src/lib.rs", line 107, in bank::transfer')
    assert panic.inner_text().count("Traceback (most recent call last)") == 1
    assert not re.search(r"\.js\b|wasm-function|site-packages", panic.inner_text()), panic.inner_text()
    values = cell(page, "bank.add(2, 3)")
    expect(values).to_contain_text(re.compile(r"0:\s*250\s*1:\s*5"))
    expect_card(page, {"state": "● ready", "generation": "0 (1 rollback, 0 resets)", "crashes": "1 panic"})
    timeline = page.get_by_role("img", name="Timeline of the Rust module bank")
    expect(timeline).to_be_visible()
    expect(timeline).to_contain_text("panic in transfer: insufficient funds")

    amount = page.get_by_role("textbox", name="amount")
    amount.fill("6000")
    amount.press("Enter")
    expect_card(page, {"generation": "0 (2 rollbacks, 0 resets)", "crashes": "2 panics"})
    expect(panic).to_contain_text("rolled back, state kept")
    expect(values).to_contain_text(re.compile(r"0:\s*250\s*1:\s*5"))
    assert not errors, errors
    # marimo shows this message if its kernel needs more than 20 seconds to start, and goes on.
    guard.errors[:] = [error for error in guard.errors if "RPC request timed out" not in error]


def cell(page, code):
    """Returns the cell with this code, including its output."""
    return page.locator(".marimo-cell", has=page.locator(".cm-editor", has_text=code))


def expect_card(page, rows):
    card = page.get_by_role("table", name="Rust module bank")
    for name, text in rows.items():
        expect(card.get_by_role("row", name=name).first.get_by_role("cell")).to_have_text(text)
