"""Puts the package into the wheel: what other tools built, and the sources without what only their readers need.

A page downloads the wheel, so comments, and docstrings and annotations of what is private, stay at home: a quarter of
its size. Lines keep their numbers, so a traceback leads to the right place in the repository. The source distribution
has everything.
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
# Where `help` finds docstrings, and type checkers annotations, that users need.
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
# From a line and column to a line and column, and what stands there instead.
type Cut = tuple[tuple[int, int], tuple[int, int], str]


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
    """Blanks the comments, docstrings and annotations of a module; every line keeps its number.

    Args:
        source: the module.
        name: its file's name; it says whether the docstrings and annotations of public names stay.
    """
    lines = source.splitlines(keepends=True)
    cuts = [*_comments(source), *_docstrings(source, name), *_annotations(source, name)]
    for (start, from_), (end, to), instead in sorted(cuts, reverse=True):
        after = lines[end - 1][to:]
        lines[start - 1] = (lines[start - 1][:from_] + instead).rstrip() + (after if start == end else "\n")
        for number in range(start, end):
            lines[number] = "\n"
        if start != end:
            lines[end - 1] = after.lstrip(" ")
    return _less_indented("".join(line.rstrip() + "\n" for line in lines))


def _less_indented(source: str) -> str:
    """One space where there were four, but not inside texts."""
    inside: set[int] = set()
    began: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.FSTRING_START:
            began.append(token.start[0])
        if token.type in (tokenize.STRING, tokenize.FSTRING_END):
            first = token.start[0] if token.type == tokenize.STRING else began.pop()
            inside.update(range(first + 1, token.end[0] + 1))
    lines = source.splitlines(keepends=True)
    return "".join(line if number in inside else _shortened(line) for number, line in enumerate(lines, 1))


def _shortened(line: str) -> str:
    code = line.lstrip(" ")
    return " " * ((len(line) - len(code)) // 4) + code


def _comments(source: str) -> Iterator[Cut]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start, token.end, ""


def _docstrings(source: str, file: str) -> Iterator[Cut]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        name = getattr(node, "name", file.replace("__init__", "init"))
        if ast.get_docstring(node) is None or (file in PUBLIC and not name.startswith("_")):
            continue
        text = node.body[0]
        alone = len(node.body) == 1
        yield (text.lineno, text.col_offset), _end(source, text), "..." if alone else ""


def _annotations(source: str, file: str) -> Iterator[Cut]:
    """Annotations of private functions, and inside them; those of classes stay, because dataclasses read them."""
    for function, private in _functions(ast.parse(source), file not in PUBLIC):
        if not private:
            continue
        for node in ast.walk(function.args):
            if isinstance(node, ast.arg) and node.annotation:
                name = _begin(source, node)
                yield (name[0], name[1] + len(node.arg)), _end(source, node.annotation), ""
        if function.returns:
            line, column = _begin(source, function.returns)
            before = source.splitlines()[line - 1][:column]
            if "->" in before:  # else it has lines of its own, which is rare
                yield (line, len(before[: before.rindex("->")].rstrip())), _end(source, function.returns), ""
        for node in function.body:
            yield from _annotated_names(source, node)


def _functions(node: ast.AST, private: bool) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Functions and methods; those inside functions are told with these."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            # What a class does by its special methods is seen by type checkers too.
            hidden = child.name.startswith("_") and not child.name.startswith("__")
            yield child, private or hidden
            yield from _functions(child, True)
        else:
            hidden = isinstance(child, ast.ClassDef) and child.name.startswith("_")
            yield from _functions(child, private or hidden)


def _annotated_names(source: str, node: ast.AST) -> Iterator[Cut]:
    """`name: type = value` in a function's body, but not in a class or function inside it."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if isinstance(node, ast.AnnAssign) and node.value:
        yield _end(source, node.target), _end(source, node.annotation), ""
    for child in ast.iter_child_nodes(node):
        yield from _annotated_names(source, child)


def _begin(source: str, node: ast.expr | ast.arg) -> tuple[int, int]:
    """Where a node begins, in characters; the syntax tree counts bytes."""
    return node.lineno, len(source.splitlines()[node.lineno - 1].encode()[: node.col_offset].decode())


def _end(source: str, node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Where a node ends, in characters."""
    line = node.end_lineno or 0
    return line, len(source.splitlines()[line - 1].encode()[: node.end_col_offset].decode())
