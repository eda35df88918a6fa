"""What the wheel carries of the sources (hatch_build.py)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import hatch_build
from hatch_build import Wheel, strip

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "py/unpanic").glob("*.py"))


class WithoutText(ast.NodeTransformer):
    """Drops docstrings, what stands in the place of one, and annotations outside classes."""

    inside_class = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        before, self.inside_class = self.inside_class, True
        self.generic_visit(node)
        self.inside_class = before
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        before, self.inside_class = self.inside_class, False
        node.returns = None
        self.generic_visit(node)
        self.inside_class = before
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the base class looks this name up

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if self.inside_class or not node.value:
            return node
        assignment = ast.Assign([node.target], node.value)
        return ast.fix_missing_locations(ast.copy_location(assignment, node))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str | type(...)):
                del body[0]
        return node


def meaning(source: str) -> str:
    return ast.dump(WithoutText().visit(ast.parse(source)))


def places(source: str) -> list[tuple[str, int]]:
    return [
        (type(node).__name__, node.lineno)
        for node in ast.walk(WithoutText().visit(ast.parse(source)))
        if isinstance(node, ast.stmt)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_stripped_module_means_the_same(path: Path):
    """Each statement is there, on its own line."""
    source = path.read_text("utf-8")
    stripped = strip(source, path.name)
    assert meaning(stripped) == meaning(source)
    assert places(stripped) == places(source)
    assert len(stripped) <= len(source)


def test_what_help_shows_stays():
    """Public docstrings of public modules are kept, private ones and comments are not."""
    source = '"""M."""\n\n# a comment\ndef public():\n    """P."""\n\n\ndef _private():\n    """Q."""\n'
    assert strip(source, "errors.py") == '"""M."""\n\n\ndef public():\n """P."""\n\n\ndef _private():\n ...\n'
    assert strip(source, "_tokens.py") == "\n\n\ndef public():\n ...\n\n\ndef _private():\n ...\n"


def test_annotations_that_users_need_stay():
    """Those of public names in public modules, and of classes, which dataclasses read."""
    source = (
        "def public(a: int, *, b: str = '') -> None:\n    c: int = len(b)\n"
        "class Public:\n    field: int = 1\n    def __call__(self, x: int) -> int: ...\n"
        "    def _private(self, y: int): ...\n"
        "class _Private:\n    def method(self, y: int) -> int: ...\n"
    )
    stays = source.replace(", y: int", ", y").replace("y) -> int", "y)")
    assert strip(source, "errors.py") == stays.replace("    ", " ")
    without = strip(source, "_tokens.py")
    assert without.startswith("def public(a, *, b = ''):\n c = len(b)\nclass Public:\n field: int = 1\n")
    assert "def __call__(self, x): ..." in without


def test_text_beyond_ascii_is_cut_where_it_ends():
    """The syntax tree counts bytes, the lines characters."""
    assert strip('def f():\n    """Größe → ∞"""  # ü\n    return 1\n', "_x.py") == "def f():\n\n return 1\n"


def test_texts_keep_their_indentation():
    """Only code is indented less."""
    source = 'def f():\n    x = f"""\n        {f"""\n            a"""}\n        b"""\n    return x\n'
    assert strip(source, "_x.py") == source.replace("    x =", " x =").replace("    return", " return")


def test_every_file_of_the_package_is_in_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The sources, and the mark without which type checkers look at no annotation of an installed package."""
    monkeypatch.setattr(hatch_build, "BUILT", {})
    build: dict[str, Any] = {"force_include": {}}
    Wheel(str(ROOT), {}, None, None, str(tmp_path), "wheel").initialize("standard", build)  # type: ignore[arg-type]
    files = [path.name for path in (ROOT / "py/unpanic").iterdir() if path.is_file()]
    assert sorted(build["force_include"].values()) == sorted(f"unpanic/{name}" for name in files)
    assert "py.typed" in files
