"""Which parts of a project's files go to Pyodide with a function."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from unpanic_tools.testing.slicing import NotPortable, Project, pack

HELPERS = """\
import re

import host_only
from kit.more import PATTERN

LIMITS = {"a": [1, 2]}


def matches(text):
    return re.match(PATTERN, text)


def unused(PATTERN):
    return host_only
"""
MORE = """\
import re

PATTERN = re.compile("x")
"""
TESTS = """\
from __future__ import annotations

from typing import TYPE_CHECKING

import host_only
import pytest
from kit import helpers
from kit.helpers import matches

if TYPE_CHECKING:
    from elsewhere import Thing

COUNT = 3
total = sum([1])


class Base:
    pass


class Case(Base):
    def check(self) -> Thing:
        return COUNT


@pytest.mark.skip
def test_it(thing: Thing):
    assert matches("x") and Case() and total


def test_late():
    total = 1
    from kit.helpers import LIMITS

    def inner():
        return COUNT

    return inner


def test_around(number=1):
    def inner():
        return number

    return inner


def test_all():
    return helpers.LIMITS


nameless = lambda: 1
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a file of a project with tests and helpers."""
    (tmp_path / "kit").mkdir()
    for name, text in {
        "kit/helpers": HELPERS,
        "kit/more": MORE,
        "test_it": TESTS,
        "host_only": "",
        "kit/__init__": "",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        del sys.modules[name]


def taken(tmp_path: Path, *functions: Callable[..., object], **options) -> dict[str, tuple[list[str], list[str]]]:
    """The first lines of the statements, and the names of the values, of each file."""
    return {
        part.module: ([text.partition("\n")[0] for _, text in sorted(part.statements.items())], sorted(part.values))
        for part in Project(tmp_path, **options).slices(*functions)
    }


def test_a_test_takes_what_it_uses(project, tmp_path: Path):
    """Classes with their bases, imports, values and helpers of other files, each file after those that it imports."""
    parts = taken(tmp_path, project("test_it").test_it)
    assert list(parts) == ["kit.more", "kit.helpers", "test_it"]
    assert parts == {
        "kit.more": (["import re", 'PATTERN = re.compile("x")'], []),
        "kit.helpers": (["import re", "from kit.more import PATTERN", "def matches(text):"], []),
        "test_it": (
            [
                "from kit.helpers import matches",
                "class Base:",
                "class Case(Base):",
                "@pytest.mark.skip",
            ],
            ["COUNT", "total"],
        ),
    }


def test_imports_in_functions_are_followed(project, tmp_path: Path):
    parts = taken(tmp_path, project("test_it").test_late)
    assert parts == {"kit.helpers": ([], ["LIMITS"]), "test_it": (["def test_late():"], ["COUNT"])}


def test_a_module_is_taken_whole(project, tmp_path: Path):
    """Whoever uses a module by its name may use all of it."""
    parts = taken(tmp_path, project("test_it").test_all)
    assert parts["test_it"][0] == ["from kit import helpers", "def test_all():"]
    assert parts["kit.helpers"] == (
        ["import re", "import host_only", "from kit.more import PATTERN", "def matches(text):", "def unused(PATTERN):"],
        ["LIMITS"],
    )


def test_functions_inside_of_functions(project, tmp_path: Path):
    """They are taken without what is around them, at the lines that they have."""
    inner = project("test_it").test_late()
    (part,) = Project(tmp_path).slices(inner)
    line = TESTS.splitlines().index("    def inner():") + 1
    assert part.statements == {line: "def inner():\n    return COUNT\n"}
    assert part.future


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (lambda module: module.test_around(), "inner uses number of the function around it: pass it as an argument."),
        (lambda module: module.nameless, "a lambda cannot be found in its file: give the function a name."),
        (lambda _: pack, "pack is not of this project, but of unpanic_tools.testing.slicing."),
    ],
)
def test_what_cannot_go(project, tmp_path: Path, find, text: str):
    with pytest.raises(NotPortable) as raised:
        Project(tmp_path).slices(find(project("test_it")))
    assert str(raised.value) == text


def test_files_of_a_wheel_stay(project, tmp_path: Path):
    """What a wheel has is imported from it."""
    parts = taken(tmp_path, project("test_it").test_it, installed=["kit"])
    assert list(parts) == ["test_it"]
