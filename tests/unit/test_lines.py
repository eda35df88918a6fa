"""Lines of JavaScript have at most 120 characters: Biome breaks code, but neither comments nor texts."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATTERNS = (
    "py/unpanic_tools/**/*.*js",
    "js/*.mjs",
    "js/bin/*.js",
    "js/src/**/*.*s",
    "js/test/**/*.js",
    "web/*.*js",
    "tests/**/*.mjs",
)
LONGEST = 120


@pytest.mark.parametrize("pattern", PATTERNS)
def test_lines_are_not_too_long(pattern: str):
    """Comments and texts are wrapped by whoever writes them."""
    files = [file for file in ROOT.glob(pattern) if "node_modules" not in file.parts]
    assert files
    assert [
        f"{file.relative_to(ROOT)}:{number}"
        for file in files
        for number, line in enumerate(file.read_text("utf-8").split("\n"), 1)
        if len(line) > LONGEST
    ] == []
