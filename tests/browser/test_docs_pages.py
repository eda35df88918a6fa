"""The examples of the documentation print the output that the pages show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.test_readme import EXAMPLE, run_example

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

    from scripts.serve import Server

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "rust/fixtures"
# What the pages call the packages, and which builds they are.
PLACES = {"/pkg": "bank/pkg/abort", "/unwind": "bank/pkg/unwind", "/loops": "loops/pkg/abort"}
NAMES = ("index.md", "python.md", "loading.md", "recovery.md", "strategy.md", "transactions.md", "deadlines.md")
PAGES = [ROOT / "docs" / name for name in NAMES]


@pytest.mark.usefixtures("jsdelivr")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples(page: Path, py: InBrowser, server: Server):
    """Every example of a page runs, and prints the output that follows it."""
    for place, build in PLACES.items():
        for path in (FIXTURES / build).iterdir():
            server.route(f"{place}/{path.name}", path.read_bytes())
    text = page.read_text("utf-8")
    examples = EXAMPLE.findall(text)
    assert len(examples) == len(re.findall("^```python", text, re.M)) > 0
    for source, output in examples:
        assert py.run(run_example, source=source) == output
