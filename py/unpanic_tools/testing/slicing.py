"""What of a project goes to Pyodide: a function, and what it uses of its file and of the project's other files.

The rest stays behind, because a test file may import what only the host has, such as Playwright.
"""

import ast
import base64
import functools
import importlib.util
import inspect
import pickle
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

__all__ = ["NotPortable", "Project", "Slice", "pack"]

PLAIN = (type(None), bool, int, float, complex, str, bytes)
CONTAINERS = (list, tuple, set, frozenset)
# These statements give names a value that may go as a copy. All others run in Pyodide.
ASSIGNING = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.With)


class NotPortable(TypeError):
    """Something cannot go to Pyodide; the message names it."""


@dataclass
class Slice:
    """A part of a file.

    Attributes:
        module: the file's name as a module.
        file: its path, relative to the project.
        source: all of it, for the lines that a failure shows.
        future: whether its annotations are not to be evaluated.
        statements: what runs in Pyodide, by its line: pieces of the file.
        values: copies of the values of other names that these use, from `pack`.
    """

    module: str
    file: str
    source: str
    future: bool
    statements: dict[int, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


class Project:
    """The files of a project, of which parts go to Pyodide.

    Args:
        root: the project's folder.
        installed: names of packages that Pyodide has from a wheel, so that their files stay here.
    """

    def __init__(self, root: Path, installed: Collection[str] = ()) -> None:
        self._root = root.resolve()
        self._installed = {"unpanic", *installed}

    def slices(self, *functions: Callable[..., Any]) -> list[Slice]:
        """Returns the parts of files that functions use, each file after those that it imports.

        A method, such as a test of a class, takes its class along.

        Raises:
            NotPortable: a function is a lambda, or uses variables of a function around it.
        """
        found: dict[str, _File] = {}
        order: list[_File] = []
        for function in functions:
            module = sys.modules[function.__module__]
            file = self._file(module, found)
            if file is None:
                raise NotPortable(f"{function.__qualname__} is not of this project, but of {module.__name__}.")
            file.take_function(function)
            self._follow(file, found, order)
        return [file.slice for file in order]

    def _follow(self, file: "_File", found: dict[str, "_File"], order: list["_File"]) -> None:
        """Takes what a file imports from other files of the project, and these before it."""
        while file.imports:
            name, member = file.imports.pop()
            module = sys.modules.get(name)
            other = self._file(module, found) if module else None
            if other is not None:
                other.take(member)
                self._follow(other, found, order)
        if file not in order:
            order.append(file)

    def _file(self, module: ModuleType, found: dict[str, "_File"]) -> "_File | None":
        """The file of a module, if it goes to Pyodide as source."""
        name = module.__name__
        if name not in found:
            path = Path(getattr(module, "__file__", None) or "/").resolve()
            is_ours = path.is_relative_to(self._root) and path.suffix == ".py"
            if not is_ours or "site-packages" in path.parts or name.partition(".")[0] in self._installed:
                return None
            found[name] = _File(module, path.relative_to(self._root).as_posix())
        return found[name]


class _File:
    """A file whose parts are collected.

    Attributes:
        slice: what has been collected.
        imports: names that its parts import, which nobody has followed yet: pairs of a module and a name, which is
            empty if all of the module is used.
    """

    def __init__(self, module: ModuleType, file: str) -> None:
        source = inspect.getsource(module)
        self._module = module
        self._lines = source.splitlines(keepends=True)
        self._body, self._places = _read(source)
        self._seen: set[str] = set()
        self.imports: list[tuple[str, str]] = []
        future = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in self._body)
        self.slice = Slice(module.__name__, file, source, future)

    def take_function(self, function: Callable[..., Any]) -> None:
        """Takes a function, which may be inside of another one."""
        if function.__name__ == "<lambda>":
            raise NotPortable("a lambda cannot be found in its file: give the function a name.")
        if "<locals>" not in function.__qualname__:
            return self.take(function.__qualname__.partition(".")[0])
        code = inspect.unwrap(function).__code__
        if around := set(code.co_freevars) - {"__class__"}:
            names = ", ".join(sorted(around))
            raise NotPortable(f"{function.__name__} uses {names} of the function around it: pass it as an argument.")
        for node in ast.walk(ast.Module(self._body, [])):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code.co_firstlineno in range(
                min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.lineno + 1
            ):
                return self._take_statement(node)
        raise NotPortable(f"{function.__name__} was not found in its file, {self.slice.file}.")

    def take(self, name: str) -> None:
        """Takes what gives a name its value, or, if the name is empty, all of the file."""
        for each in [name] if name else list(self._places):
            if each not in self._seen:
                self._seen.add(each)
                self._take_name(each)

    def _take_name(self, name: str) -> None:
        value = getattr(self._module, name, None)
        for statement in self._places.get(name, []):
            if isinstance(statement, ASSIGNING) and is_plain(value):
                self.slice.values[name] = pack(name, value)
            else:
                self._take_statement(statement)

    def _take_statement(self, statement: ast.stmt) -> None:
        """Takes a statement, and what it uses."""
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(each.lineno for each in decorators)])
        if first in self.slice.statements:
            return
        lines = self._lines[first - 1 : statement.end_lineno]
        self.slice.statements[first] = textwrap.dedent("".join(lines))
        names = _Names(self._module)
        names.visit(statement)
        self.imports += names.imports
        for name in names.found:
            self.take(name)


@functools.lru_cache(maxsize=64)
def _read(source: str) -> tuple[list[ast.stmt], dict[str, list[ast.stmt]]]:
    """The statements of a file, and those that give each name a value."""
    body = ast.parse(source).body
    places: dict[str, list[ast.stmt]] = {}
    for statement in body:
        for name in _bound(statement):
            places.setdefault(name, []).append(statement)
    return body, places


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yields the names that a statement of the top level gives a value."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    if _is_for_checkers(statement):
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _is_for_checkers(statement: ast.stmt) -> bool:
    """Whether a statement is `if TYPE_CHECKING:`, which does nothing anywhere."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test).rpartition(".")[2] == "TYPE_CHECKING"


class _Names(ast.NodeVisitor):
    """Collects what a statement reads when it runs, or when its function is called.

    Names in annotations are left out, because they may be those of the host, and so are a test's own decorators.

    Attributes:
        found: names of the file.
        imports: what it imports: pairs of a module and a name.
    """

    def __init__(self, module: ModuleType) -> None:
        self._package = module.__spec__.parent if module.__spec__ else ""
        self.found: list[str] = []
        self.imports: list[tuple[str, str]] = []

    def visit_Name(self, node: ast.Name) -> None:
        self.found.append(node.id)

    def visit_Import(self, node: ast.Import) -> None:
        self.imports += [(alias.name, "") for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        name = importlib.util.resolve_name("." * node.level + (node.module or ""), self._package)
        for alias in node.names:
            is_module = f"{name}.{alias.name}" in sys.modules
            self.imports.append((f"{name}.{alias.name}", "") if is_module else (name, alias.name))

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
    """Returns a value as text; Pyodide makes a copy of it.

    Raises:
        NotPortable: it is not plain, and a copy would be something else there.
    """
    if isinstance(value, PurePath):
        value = str(value)
    if not is_plain(value):
        raise NotPortable(
            f"{name!r} is {value!r:.100}, and only copies of numbers, texts, bytes and containers of these go to "
            "Pyodide. Make it in the test, or pass what it is made of."
        )
    return base64.b64encode(pickle.dumps(value, protocol=4)).decode()
