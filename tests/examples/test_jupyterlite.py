"""The notebook of the JupyterLite site, and the cells of docs/getting-started, run as for a reader."""

import json
import re

from playwright.sync_api import expect

from examples.jupyterlite.build import SETTINGS
from scripts.pyodide_distribution import make
from scripts.serve import ROOT
from tests.examples.literal import Reader

# The kernel is a Pyodide with IPython in it.
STARTS = 120_000


def test_the_notebook_goes_on_after_a_panic(open_example):
    """A panic shows one traceback into Rust. The cells after it show values, the card and the timeline."""
    page = open_example("jupyterlite", "notebooks/index.html?path=unpanic.ipynb")
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    # Cells that run before the kernel answers are lost.
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_attached(timeout=STARTS)
    run(page, "Run All Cells")
    expect(output(page, "balance_of")).to_have_text("100", timeout=STARTS)
    panic = output(page, "5_000")
    expect(panic).to_contain_text("File src/lib.rs:107, in bank::transfer()")
    last = "RustPanic: insufficient funds (in bank.transfer, src/lib.rs:107:9; rolled back, state kept)"
    expect(panic).to_contain_text(last)
    assert panic.inner_text().count("Traceback (most recent call last)") == 1
    assert not re.search(r"\.js\b|wasm-function|site-packages", panic.inner_text()), panic.inner_text()

    page.locator(".jp-CodeCell", has_text="bank.add(2, 3)").locator(".jp-InputArea-editor").click()
    run(page, "Run Selected Cell and All Below")
    expect(output(page, "bank.add(2, 3)")).to_have_text("(100, 5)")
    card = page.locator(".jp-RenderedHTMLCommon table", has_text="Rust module bank")
    for name, text in {"state": "● ready", "generation": "0 (1 rollback, 0 resets)", "crashes": "1 panic"}.items():
        expect(card.get_by_role("row", name=name).first.get_by_role("cell")).to_have_text(text)
    timeline = page.get_by_role("img", name="Timeline of the Rust module bank")
    expect(timeline).to_be_visible()
    expect(timeline).to_contain_text("panic in transfer: insufficient funds")
    assert not errors, errors


def test_the_page_works_as_written(page, serve, tmp_path):
    """The page's commands build a site, and its cells load a package by its name, crash once, and go on."""
    reader = Reader(tmp_path, "jupyterlite", package=None)
    cells = [block["text"].rstrip() for block in reader.blocks if block["language"] == "python"]
    (reader.folder / "files").mkdir()
    (reader.folder / "files" / "page.ipynb").write_text(json.dumps(notebook(cells)))
    # In place of the CDN.
    make(ROOT / "js" / "node_modules" / "pyodide", reader.folder / "static" / "pyodide")
    (reader.folder / "jupyter-lite.json").write_text(json.dumps(SETTINGS))
    address = serve(reader)
    page.goto(f"{address}notebooks/index.html?path=page.ipynb")
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_attached(timeout=STARTS)
    run(page, "Run All Cells")
    crash = output(page, "derive x")
    expect(crash).to_contain_text("StackOverflow: stack overflow (in prql_js.compile; rolled back", timeout=STARTS)
    assert crash.inner_text().count("Traceback (most recent call last)") == 1
    page.locator(".jp-CodeCell", has_text="take 3").locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+Enter")
    expect(output(page, "take 3")).to_contain_text(re.compile(r"FROM\s+tracks\s+LIMIT"))


def notebook(cells):
    cells = [
        {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": cell} for cell in cells
    ]
    kernel = {"kernelspec": {"name": "python", "display_name": "Python (Pyodide)"}}
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": kernel, "cells": cells}


def run(page, command):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=command, exact=True).click()


def output(page, code):
    """Returns the output below the cell with this code."""
    return page.locator(".jp-CodeCell", has_text=code).locator(".jp-OutputArea-output").last
