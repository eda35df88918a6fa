"""What a Rust module is where there is no Pyodide: its names, signatures and types, whose calls say what they need.

It is made of the stub in the wheel. So `import bank`, editors, documentation tools, and tests that replace functions
work on a desktop.
"""

import __future__

import ast
import inspect
import platform
import sys
from importlib import resources
from typing import NoReturn

__all__ = ["NeedsPyodide", "stand_in"]

# Names of helpers that the stand-in's code uses.
RAISE, ASYNC = "__needs_pyodide__", "__mark_async__"
SHOWN = ("__doc__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__")


class NeedsPyodide(RuntimeError):
    """A function of a Rust module was called in a Python that cannot run it."""


def stand_in(name: str) -> None:
    """Fills the module of this name, whose import is running, with what its stub declares.

    Args:
        name: the module's name; its package has the stub.
    """
    module = sys.modules[name]
    stub = resources.files(name).joinpath("__init__.pyi").read_text("utf-8")
    tree = _Emptied(name).visit(ast.parse(stub))
    names, doc = _names(tree), module.__doc__
    helpers = {RAISE: _raise, ASYNC: inspect.markcoroutinefunction}
    attributes = {"__all__": sorted(names), "__dir__": lambda: sorted({*names, *SHOWN})}
    module.__dict__.update(helpers | attributes)
    # A stub may name what it declares below. Newer versions of Python evaluate annotations late by themselves.
    flags = __future__.annotations.compiler_flag if sys.version_info < (3, 14) else 0
    exec(compile(ast.fix_missing_locations(tree), f"<stub of {name}>", "exec", flags), module.__dict__)
    module.__doc__ = doc
    for each in names - module.__dict__.keys():
        setattr(module, each, _Constant(f"{name}.{each}"))


def _raise(place: str) -> NoReturn:
    python = f"{platform.python_implementation()} {platform.python_version()} on {sys.platform}"
    raise NeedsPyodide(
        f"{place} is Rust, compiled to WebAssembly: it runs in Pyodide, in a browser or in Node, and this is {python}. "
        "Install the same wheel there with micropip.install or pyodide.loadPackage."
    )


def _names(tree: ast.Module) -> set[str]:
    """Returns the names that a stub declares: functions, classes, types, aliases and constants."""
    names = set()
    for each in tree.body:
        match each:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.TypeAlias(name=ast.Name(name)):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]):
                names.add(name)
    return {name for name in names if not name.startswith("_")}


class _Constant:
    """A value that only Rust knows. It can be imported, listed and shown; every use of it says what it needs."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __repr__(self) -> str:
        return f"<{self._place}, which needs Pyodide>"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # tools ask every object for such names
            raise AttributeError(f"{self!r} has no attribute {name!r}", name=name, obj=self)
        _raise(self._place)


def _use(self: _Constant, *args: object) -> NoReturn:  # noqa: ARG001 - whatever an operator passes
    _raise(self._place)


for _name in (
    "add", "and", "bool", "call", "complex", "contains", "divmod", "enter", "float", "floordiv", "format", "ge",
    "getitem", "gt", "index", "int", "iter", "le", "len", "lshift", "lt", "matmul", "mod", "mul", "neg", "next", "or",
    "pow", "radd", "rfloordiv", "rmod", "rmul", "round", "rshift", "rsub", "rtruediv", "setitem", "str", "sub",
    "truediv", "xor",
):  # fmt: skip
    setattr(_Constant, f"__{_name}__", _use)


class _Emptied(ast.NodeTransformer):
    """Has each function of a stub raise."""

    def __init__(self, place: str) -> None:
        self._place = place

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        outer, self._place = self._place, f"{self._place}.{node.name}"
        node.decorator_list = []  # `type_check_only`, which is in no module at run time
        self.generic_visit(node)
        self._place = outer
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        is_property = any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)
        place = self._place if node.name == "__init__" else f"{self._place}.{node.name}"
        node.decorator_list = [each for each in node.decorator_list if not _is_overload(each)]
        doc = node.body[:1] if ast.get_docstring(node) is not None else []
        call = ast.Call(ast.Name(RAISE, ast.Load()), [ast.Constant(place if is_property else f"{place}()")], [])
        node.body = [*doc, ast.Expr(call)]
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.FunctionDef:
        """A function that raises when it is called, and not when its result is awaited."""
        emptied = self.visit_FunctionDef(ast.FunctionDef(**dict(ast.iter_fields(node))))
        emptied.decorator_list.append(ast.Name(ASYNC, ast.Load()))
        return emptied

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        node.names = [each for each in node.names if each.name != "type_check_only"]
        return node if node.names else None


def _is_overload(decorator: ast.expr) -> bool:
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name.strip("_") == "overload"
