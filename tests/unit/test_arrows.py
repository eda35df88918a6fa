"""The packages of py/unpanic import in one direction, so that each can be read without those above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "py"
# From the bottom to the top: a package imports only itself and the rows before its own.
# Modules of one row that are no packages may import each other.
ROWS = [
    {"errors", "_version", "_traceback", "_unseen", "_log"},
    {"_bridge"},
    {"_values", "_declarations", "_recovery"},
    {"_views"},
    {"_exports"},
    {"_importing"},
    {"_load", "_api"},
    {"service", "__init__"},
]
LEVELS = {name: level for level, names in enumerate(ROWS) for name in names}
# `python -m unpanic` is the command of the tools, which Pyodide does not have.
UPWARDS = {("unpanic.__main__", "unpanic_tools.cli")}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for file in ROOT.rglob("*.py")}


def imports(name: str) -> Iterator[str]:
    """Returns the modules of unpanic that a module imports, also in functions and under `TYPE_CHECKING`."""
    package = name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(FILES[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FILES)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                target = f"{source}.{alias.name}"
                if target in FILES or source in FILES:
                    yield target if target in FILES else source


GRAPH = {name: set(imports(name)) for name in FILES}


def row(name: str) -> str:
    """Returns the package of a module, or the module itself if it is in no package."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def is_upwards(source: str, target: str) -> bool:
    if source.startswith("unpanic_tools") or target.startswith("unpanic_tools"):
        return not source.startswith("unpanic_tools") and (source, target) not in UPWARDS
    here, there = row(source), row(target)
    if here in (there, "__main__"):
        return False
    same = LEVELS[here] == LEVELS[there] and (ROOT / "unpanic" / here).is_dir()
    return LEVELS[there] > LEVELS[here] or same


def test_each_package_has_its_row():
    """A new package must be added to a row."""
    assert {row(name) for name in FILES if name.startswith("unpanic.")} - {"__main__"} == {*LEVELS} - {"__init__"}


def test_imports_are_read():
    """The tests below have imports to check."""
    assert "unpanic.errors" in GRAPH["unpanic._bridge.crashes"]
    assert sum(map(len, GRAPH.values())) > 150


@pytest.mark.parametrize("name", sorted(FILES))
def test_imports_point_down(name: str):
    """No module imports from above, not even for its annotations."""
    assert sorted(target for target in GRAPH[name] if is_upwards(name, target)) == []


def test_no_circles():
    """Following a module's imports comes to an end."""
    try:
        tuple(TopologicalSorter(GRAPH).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_an_import_from_above_is_found():
    """The tests above can fail."""
    assert is_upwards("unpanic._values.numbers", "unpanic._exports.exports")
    assert is_upwards("unpanic._values.numbers", "unpanic._recovery.supervisor")
    assert is_upwards("unpanic._exports.exports", "unpanic_tools.stubs")
    assert not is_upwards("unpanic._values.numbers", "unpanic._bridge.kinds")
