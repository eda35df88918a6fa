"""The notebook of the JupyterLite site, and the cells of docs/getting-started, run as for a reader."""

import json
import re

import pytest
from playwright.sync_api import expect

from examples.jupyterlite.build import SETTINGS
from scripts.pyodide_distribution import make
from scripts.serve import ROOT
from tests.examples.literal import Reader

# The kernel is a Pyodide with IPython in it.
STARTS = 120_000


def test_the_notebook_goes_on_after_a_crash(open_example):
    """A crash shows one traceback. The cells after it show values, a panic's place, the card and the timeline."""
    page = open_example("jupyterlite", "notebooks/index.html?path=unpanic.ipynb")
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    # Cells that run before the kernel answers are lost.
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_attached(timeout=STARTS)
    run(page, "Run All Cells")
    expect(output(page, "take 3")).to_contain_text(re.compile(r"FROM\s+tracks\s+LIMIT"), timeout=STARTS)
    expect_crash(
        output(page, "derive x"), "StackOverflow: stack overflow (in prql_js.compile; rolled back, state kept)"
    )

    run_from(page, "from albums")
    expect(output(page, "from albums")).to_have_text("('sql.sqlite', 'SELECT')")
    place = "prqlc/prqlc/src/sql/srq/gen_query.rs:79:47"
    expect_crash(
        output(page, "rq_to_sql"), f"internal error: entered unreachable code (in prql_js.rq_to_sql, {place}; "
    )
    run_from(page, "prql", exact=True)
    card = page.locator(".jp-RenderedHTMLCommon table", has_text="Rust module prql_js")
    rows = {"state": "● ready", "generation": "0 (2 rollbacks, 0 resets)", "crashes": "1 stack overflow, 1 panic"}
    for name, text in rows.items():
        expect(card.get_by_role("row", name=name).first.get_by_role("cell")).to_have_text(text)
    timeline = page.get_by_role("img", name="Timeline of the Rust module prql_js")
    expect(timeline).to_be_visible()
    expect(timeline).to_contain_text("panic in rq_to_sql: internal error")
    assert not errors, errors


@pytest.mark.long  # the test above runs the same cells, and more
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


def expect_crash(cell, last):
    """The output is one traceback, which ends so and has no JavaScript in it."""
    expect(cell).to_contain_text(last)
    assert cell.inner_text().count("Traceback (most recent call last)") == 1
    assert not re.search(r"\.js\b|wasm-function|site-packages", cell.inner_text()), cell.inner_text()


def run_from(page, code, *, exact=False):
    """Runs the cell with this code and all below it."""
    text = re.compile(f"^{code}$", re.M) if exact else code
    editors = page.locator(".jp-CodeCell .jp-InputArea-editor")
    editors.filter(has_text=text).first.click()
    run(page, "Run Selected Cell and All Below")


def run(page, command):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=command, exact=True).click()


def output(page, code):
    """Returns the output below the cell with this code."""
    return page.locator(".jp-CodeCell", has_text=code).locator(".jp-OutputArea-output").last
