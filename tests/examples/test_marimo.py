"""The notebook that marimo exported to WebAssembly."""

import re

from playwright.sync_api import expect

# marimo's Pyodide installs a dozen packages before the first cell runs.
STARTS = 120_000


def test_the_cells_after_a_crash_go_on(open_example, uncaught):
    """A cell that crashes shows one traceback, the others show values, and a second run shows the same."""
    page = open_example("marimo")
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    crash = cell(page, "derive x")
    last = "unpanic.errors.StackOverflow: stack overflow (in prql_js.compile; rolled back, state kept)"
    expect(crash).to_contain_text(last, timeout=STARTS)
    assert crash.inner_text().count("Traceback (most recent call last)") == 1
    assert not re.search(r"\.js\b|wasm-function|site-packages", crash.inner_text()), crash.inner_text()
    values = cell(page, "take 3")
    expected = re.compile(r"0:\W*sql\.sqlite\W*1:\W*SELECT")
    expect(values).to_contain_text(expected)
    expect_card(page, {"state": "● ready", "generation": "0 (1 rollback, 0 resets)", "crashes": "1 stack overflow"})
    timeline = page.get_by_role("img", name="Timeline of the Rust module prql_js")
    expect(timeline).to_be_visible()
    expect(timeline).to_contain_text("compile: stack overflow")

    depth = page.get_by_role("textbox", name="depth")
    depth.fill("400")
    depth.press("Enter")
    expect_card(page, {"generation": "0 (2 rollbacks, 0 resets)", "crashes": "2 stack overflows"})
    expect(crash).to_contain_text("rolled back, state kept")
    expect(values).to_contain_text(expected)
    assert not errors, errors
    # marimo shows this message if its kernel needs more than 20 seconds to start, and goes on.
    uncaught.errors[:] = [error for error in uncaught.errors if "RPC request timed out" not in error]


def cell(page, code):
    """Returns the cell with this code, including its output."""
    return page.locator(".marimo-cell", has=page.locator(".cm-editor", has_text=code))


def expect_card(page, rows):
    card = page.get_by_role("table", name="Rust module prql_js")
    for name, text in rows.items():
        expect(card.get_by_role("row", name=name).first.get_by_role("cell")).to_have_text(text)
