"""Turns a function of a test file into plain data, so that it can run elsewhere."""

from __future__ import annotations

import dis
import inspect
import re
import textwrap
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
DEFINITION = re.compile(r"\s*(async\s+)?(def|class)\b")


def portable(function: Callable[..., Any], *others: Callable[..., Any]) -> dict[str, Any]:
    """Returns a function and others as source, with everything that they use from their files.

    They may use functions and classes of the tests (which become source too), constants that are JSON, and
    imports from elsewhere (which are imported again where the function runs).
    """
    package = Package()
    for item in (*others, function):
        package.add(item)
    return {"function": function.__name__, **vars(package)}


class Package:
    """Sources in an order in which they can run, and imports and constants by name."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.imports: dict[str, list[str]] = {}
        self.constants: dict[str, Any] = {}

    def add(self, item: Any, seen: frozenset[Any] = frozenset()) -> None:
        """Adds a function or class, after the functions and classes that it uses."""
        part = source_of(item)
        if item in seen or part in self.parts:
            return
        for name, value in used_names(item).items():
            if is_of_tests(value):
                self.add(value, seen | {item})
            elif isinstance(value, types.ModuleType):
                self.imports[name] = [value.__name__, ""]
            elif callable(value):
                self.imports[name] = [value.__module__, value.__qualname__]
            else:
                self.constants[name] = value
        self.parts.append(part)


def is_of_tests(value: Any) -> bool:
    is_code = inspect.isfunction(value) or inspect.isclass(value)
    return is_code and value.__module__.split(".")[0] == "tests"


def source_of(item: Any) -> dict[str, Any]:
    """Returns the source of a function or class, without decorators, and its file and line."""
    lines, first = inspect.getsourcelines(item)
    skipped = next(i for i, line in enumerate(lines) if DEFINITION.match(line))
    if skipped and inspect.isclass(item):
        raise TypeError(f"class {item.__name__} would lose its decorator on the way.")
    file = Path(inspect.getsourcefile(item)).relative_to(ROOT)
    source = textwrap.dedent("".join(lines[skipped:]))
    return {"source": source, "file": str(file), "line": max(first, 1) + skipped}


def used_names(item: Any) -> dict[str, Any]:
    """Returns the global names that a function, or a class with its methods, uses, with their values."""
    names_used = {}
    functions = [item]
    if inspect.isclass(item):
        names_used = {base.__name__: base for base in item.__bases__ if base is not object}
        functions = list(filter(inspect.isfunction, vars(item).values()))
    for function in functions:
        around = set(function.__code__.co_freevars) - {"__class__"}
        if around:
            names = ", ".join(sorted(around))
            raise TypeError(f"{function.__name__} uses {names} of the function around it: pass it.")
        names = set(global_names(function.__code__))
        names_used |= {name: value for name, value in function.__globals__.items() if name in names}
    return names_used


def global_names(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from global_names(constant)
