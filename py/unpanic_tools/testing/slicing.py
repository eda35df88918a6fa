"""What of a test file goes to the browser: the test function, and what it uses of its file.

The rest stays behind, because a test file may import what only the host has, such as Playwright.
"""

import ast
import base64
import inspect
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from types import ModuleType
from typing import Any

__all__ = ["NotPortable", "Slice", "pack", "slice_of"]

PLAIN = (type(None), bool, int, float, complex, str, bytes)
CONTAINERS = (list, tuple, set, frozenset)


class NotPortable(TypeError):
    """A value cannot go to the browser; the message names it."""


@dataclass
class Slice:
    """A part of a test file.

    Attributes:
        source: the whole file.
        statements: which statements of its top level run in the browser, by their places in the file.
        values: the values of the other names that these use, for `pack`.
    """

    source: str
    statements: list[int] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


def slice_of(function: Callable[..., Any], module: ModuleType) -> Slice:
    """Returns the part of a test file that a test needs.

    Args:
        function: the test, or a method of a class of tests.
        module: its file, imported.
    """
    source = inspect.getsource(module)
    body = ast.parse(source).body
    places = {name: place for place, statement in enumerate(body) for name in _bound(statement)}
    found = Slice(source)
    waiting = [function.__qualname__.partition(".")[0]]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in places:
            continue
        seen.add(name)
        statement = body[places[name]]
        value = getattr(module, name, None)
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.With) and is_plain(value):
            found.values[name] = value
            continue
        found.statements.append(places[name])
        waiting += _used(statement)
    found.statements = sorted(set(found.statements))
    return found


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yields the names that a statement of the top level gives a value."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]


def _used(statement: ast.stmt) -> list[str]:
    """Returns the names that a statement reads when it runs, or when its function is called."""
    names = _Names()
    names.visit(statement)
    return names.found


class _Names(ast.NodeVisitor):
    """Collects names, but none of annotations, which may be those of the host, or of a test's own decorators."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Name(self, node: ast.Name) -> None:
        self.found.append(node.id)

    def visit_arg(self, node: ast.arg) -> None:
        """Its annotation is passed over."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        is_test = node.name.startswith("test")
        for part in [*([] if is_test else node.decorator_list), node.args, *node.body]:
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is that of `ast`


def is_plain(value: Any, depth: int = 20) -> bool:
    """Whether a value is made of numbers, texts, bytes and containers of these alone."""
    if depth == 0:
        return False
    if type(value) in PLAIN:
        return True
    if type(value) in CONTAINERS:
        return all(is_plain(item, depth - 1) for item in value)
    return type(value) is dict and all(is_plain(item, depth - 1) for pair in value.items() for item in pair)


def pack(name: str, value: Any) -> str:
    """Returns a value as text; the browser makes a copy of it.

    Raises:
        NotPortable: it is not plain, and a copy would be something else there.
    """
    if isinstance(value, PurePath):
        value = str(value)
    if not is_plain(value):
        raise NotPortable(
            f"{name!r} is {value!r:.100}, and only copies of numbers, texts, bytes and containers of these go to the "
            "browser. Make it in the test, or pass what it is made of."
        )
    return base64.b64encode(pickle.dumps(value, protocol=4)).decode()
