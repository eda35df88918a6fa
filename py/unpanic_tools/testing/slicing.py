"""What of a project goes to Pyodide: a function, and what it uses of its file and of the project's other files.

The rest stays behind, because a test file may import what only the host has, such as Playwright.
"""

import ast
import copy
import functools
import importlib.util
import inspect
import symtable
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

from .page.plain import encode, is_plain

__all__ = ["NotPortable", "Project", "Slice", "pack"]

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
        files = []
        for function in functions:
            module = sys.modules[function.__module__]
            file = self._file(module, found)
            if file is None:
                raise NotPortable(f"{function.__qualname__} is not of this project, but of {module.__name__}.")
            file.take_function(function)
            files.append(file)
        waiting = list(files)
        while waiting:
            waiting += self._follow(waiting.pop(), found)
        order: list[_File] = []
        for file in files:
            file.add_to(order)
        return [file.slice for file in order]

    def _follow(self, file: "_File", found: dict[str, "_File"]) -> Iterator["_File"]:
        """Takes what a file imports from other files of the project, and gives these."""
        while file.imports:
            name, member = file.imports.pop()
            module = sys.modules.get(name)
            other = self._file(module, found) if module else None
            if other is not None:
                other.take(member)
                file.before.append(other)
                yield other

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
        before: the files that it imports.
    """

    def __init__(self, module: ModuleType, file: str) -> None:
        source = inspect.getsource(module)
        self._module = module
        self._lines = source.splitlines(keepends=True)
        self._body, self._places = _read(source)
        self._seen: set[str] = set()
        self.imports: list[tuple[str, str]] = []
        self.before: list[_File] = []
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

    def add_to(self, order: list["_File"]) -> None:
        """Adds this file to others, after those that it imports."""
        if self not in order:
            place = len(order)
            order.append(self)  # files may import each other
            for file in self.before:
                file.add_to(order)
            order.append(order.pop(place))

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
        self.imports += _imports(statement, getattr(self._module.__spec__, "parent", None) or "")
        for name in _names(statement):
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


def _names(statement: ast.stmt) -> Iterator[str]:
    """Yields the names of its file that a statement reads when it runs, or when its function is called.

    Names in annotations are left out, because they may be those of the host, and so are a test's own decorators.
    """
    bare = _Bare().visit(copy.deepcopy(statement))
    tables = [symtable.symtable(ast.unparse(bare), "", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        is_top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (is_top or symbol.is_global()):
                yield symbol.get_name()


class _Bare(ast.NodeTransformer):
    """Takes away annotations, and the decorators of tests."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], self.visit(node.value), lineno=node.lineno)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        node.returns = None
        if node.name.startswith("test"):
            node.decorator_list = []
        self.generic_visit(node)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is that of `ast`


def _imports(statement: ast.stmt, package: str) -> Iterator[tuple[str, str]]:
    """Yields what a statement, or code inside of it, imports: a module, and a name of it, or an empty one for all."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                is_module = f"{name}.{alias.name}" in sys.modules
                yield (f"{name}.{alias.name}", "") if is_module else (name, alias.name)


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
    return encode(value)
