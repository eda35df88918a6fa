"""Puts the package into the wheel: what other tools built, and the sources without what only their readers need.

A page downloads the wheel, so private comments and docstrings stay at home: a fifth of its size. Lines keep their
numbers, so a traceback leads to the right place in the repository. The source distribution has everything.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = {
    "js/dist/runtime.js": "unpanic/_runtime.js",
    "js/dist/service-worker.js": "unpanic/service-worker.js",
}
PACKAGE = "py/unpanic"
# Tells type checkers that the package has annotations.
MARKER = "py.typed"
# Where `help` finds docstrings that users read.
PUBLIC = {
    "__init__.py",
    "errors.py",
    "_api.py",
    "_calls.py",
    "_http.py",
    "_keyed.py",
    "_namespace.py",
    "_objects.py",
    "_router.py",
    "_server.py",
    "_status.py",
    "_timeline.py",
    "service.py",
}


class Wheel(BuildHookInterface):
    """Maps files to their places in the wheel, and says so when one is missing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Adds the files, by name: a wheel depends on nothing else that lies around."""
        for source in BUILT:
            if not Path(self.root, source).is_file():
                raise SystemExit(f"{source} is missing: run `make dist`, which builds it first.")
        build_data["force_include"].update(BUILT)
        build_data["force_include"][f"{PACKAGE}/{MARKER}"] = f"unpanic/{MARKER}"
        folder = Path(self.directory, ".sources")
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(Path(self.root, PACKAGE).glob("*.py")):
            stripped = folder / path.name
            stripped.write_text(strip(path.read_text("utf-8"), path.name), "utf-8")
            build_data["force_include"][str(stripped)] = f"unpanic/{path.name}"


def strip(source: str, name: str) -> str:
    """Blanks the comments and docstrings of a module; every line keeps its number.

    Args:
        source: the module.
        name: its file's name; it says whether the docstrings of public names stay.
    """
    lines = source.splitlines(keepends=True)
    for (start, from_), (end, to), instead in sorted([*_comments(source), *_docstrings(source, name)], reverse=True):
        after = lines[end - 1][to:]
        lines[start - 1] = (lines[start - 1][:from_] + instead).rstrip() + (after if start == end else "\n")
        for number in range(start, end):
            lines[number] = "\n"
        if start != end:
            lines[end - 1] = after.lstrip(" ")
    return "".join(line.rstrip() + "\n" for line in lines)


def _comments(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start, token.end, ""


def _docstrings(source: str, file: str) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        name = getattr(node, "name", file.replace("__init__", "init"))
        if ast.get_docstring(node) is None or (file in PUBLIC and not name.startswith("_")):
            continue
        text = node.body[0]
        alone = len(node.body) == 1
        # Docstrings begin and end with ASCII, so that columns in bytes are columns in characters up to there.
        yield (text.lineno, text.col_offset), (text.end_lineno or 0, _column(source, text)), "..." if alone else ""


def _column(source: str, node: ast.stmt) -> int:
    """The end of a statement in characters; the syntax tree counts bytes."""
    line = source.splitlines()[(node.end_lineno or 1) - 1]
    return len(line.encode()[: node.end_col_offset].decode())
