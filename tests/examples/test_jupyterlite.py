"""The notebook of the JupyterLite site, run as a reader runs it."""

import re

from playwright.sync_api import expect

# The kernel is a Pyodide with IPython in it.
STARTS = 120_000


def test_the_notebook_goes_on_after_a_panic(open_example):
    """A panic is one traceback into Rust, and what comes after it shows values, the card and the timeline."""
    page = open_example("jupyterlite", "notebooks/index.html?path=unpanic.ipynb")
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    # What is run before the kernel answers is lost.
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_attached(timeout=STARTS)
    run(page, "Run All Cells")
    expect(output(page, "balance_of")).to_have_text("100", timeout=STARTS)
    panic = output(page, "5_000")
    expect(panic).to_contain_text("File src/lib.rs:107, in bank::transfer()")
    last = "RustPanic: insufficient funds (in bank.transfer, src/lib.rs:107:9; reset to generation 1, state lost)"
    expect(panic).to_contain_text(last)
    assert panic.inner_text().count("Traceback (most recent call last)") == 1
    assert not re.search(r"\.js\b|wasm-function|site-packages", panic.inner_text()), panic.inner_text()

    page.locator(".jp-CodeCell", has_text="bank.add(2, 3)").locator(".jp-InputArea-editor").click()
    run(page, "Run Selected Cell and All Below")
    expect(output(page, "bank.add(2, 3)")).to_have_text("(250, 5)")
    card = page.locator(".jp-RenderedHTMLCommon table", has_text="Rust module bank")
    for name, text in {"state": "● ready", "generation": "1 (1 reset)", "crashes": "1 panic"}.items():
        expect(card.get_by_role("row", name=name).first.get_by_role("cell")).to_have_text(text)
    timeline = page.get_by_role("img", name="Timeline of the Rust module bank")
    expect(timeline).to_be_visible()
    expect(timeline).to_contain_text("panic in transfer: insufficient funds")
    assert not errors, errors


def run(page, command):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=command, exact=True).click()


def output(page, code):
    """What is shown below the cell with this code."""
    return page.locator(".jp-CodeCell", has_text=code).locator(".jp-OutputArea-output").last
