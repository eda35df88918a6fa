"""Classes of the exports and of the values do not reach into each other, and import only at the top."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "py" / "unpanic"
FILES = sorted(ROOT.rglob("*.py"))
# Packages where no import is late, not even one for annotations.
WITHOUT_LATE_IMPORTS = [file for package in ("_exports", "_values") for file in sorted((ROOT / package).glob("*.py"))]
# Names that others have published, with an underscore as they are.
PUBLISHED = {
    "_missing_": "`enum` calls it",
    "_repr_pretty_": "IPython calls it",
    "_asdict": "public in a named tuple",
    "_fields": "public in a named tuple",
    "_replace": "public in a named tuple",
}


def intrusions(source: str) -> Iterator[str]:
    """The underscored attributes that a source uses, of something else than `self` and `cls`, and does not define."""
    nodes = [*ast.walk(ast.parse(source))]
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    defined |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not is_own and node.attr not in PUBLISHED and node.attr not in defined:
                yield ast.unparse(node)


def late_imports(source: str) -> Iterator[str]:
    """Returns the imports that are not at the beginning of a source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom) and node.col_offset:
            yield ast.unparse(node)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_is_private_stays_private(file: Path):
    """Only its own class uses an attribute with an underscore."""
    assert list(intrusions(file.read_text("utf-8"))) == []


@pytest.mark.parametrize("file", WITHOUT_LATE_IMPORTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_stand_at_the_top(file: Path):
    """No import inside of a function, or behind `TYPE_CHECKING`, hides a circle."""
    assert list(late_imports(file.read_text("utf-8"))) == []


def test_an_intrusion_is_found():
    """The tests above can fail."""
    assert len(FILES) > 100
    assert list(intrusions("self._a = other._b + cls._c + self.other._d + x._missing_")) == [
        "self.other._d",
        "other._b",
    ]
    assert list(late_imports("import a\ndef f():\n    from b import c\n")) == ["from b import c"]
