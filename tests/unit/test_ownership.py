"""Classes of the exports and of the values do not reach into each other, and import only at the top."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "py" / "unpanic"
FILES = [file for package in ("_exports", "_values") for file in sorted((ROOT / package).glob("*.py"))]
# Public names of other projects that begin with an underscore.
PUBLISHED = {
    "_missing_": "`enum` calls it",
    "_repr_pretty_": "IPython calls it",
    "_exception": "asyncio's own accessor counts as having looked at it",
}


def intrusions(source: str) -> Iterator[str]:
    """Returns the underscored attributes that a source reads of anything but `self` and `cls`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not is_own and node.attr not in PUBLISHED:
                yield ast.unparse(node)


def late_imports(source: str) -> Iterator[str]:
    """Returns the imports that are not at the beginning of a source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom) and node.col_offset:
            yield ast.unparse(node)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_is_private_stays_private(file: Path):
    """Only its own class uses an attribute with an underscore."""
    assert list(intrusions(file.read_text("utf-8"))) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_imports_stand_at_the_top(file: Path):
    """No import inside of a function, or behind `TYPE_CHECKING`, hides a circle."""
    assert list(late_imports(file.read_text("utf-8"))) == []


def test_an_intrusion_is_found():
    """The tests above can fail."""
    assert len(FILES) > 20
    assert list(intrusions("self._a = other._b + cls._c + self.other._d + x._missing_")) == [
        "self.other._d",
        "other._b",
    ]
    assert list(late_imports("import a\ndef f():\n    from b import c\n")) == ["from b import c"]
