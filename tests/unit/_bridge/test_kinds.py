"""Kinds of values are data, and both languages have the same kinds."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from unpanic._bridge import kinds
from unpanic._bridge.kinds import ARRAYS, RANGES, Kind, array_of, enum_of, list_of, object_of

ROOT = Path(__file__).parents[3]
SOURCE = re.sub(r"/\*\*.*?\*/", "", (ROOT / "js" / "src" / "types.d.ts").read_text("utf-8"), flags=re.DOTALL)
WORDS = re.compile(r'"(\w+)"')
# Code that parses or builds the text of a kind. Kinds used to be texts such as `array:object:Account`.
APART = re.compile(
    r"""["'`](?:array|list|object|enum|optional):"""
    r"""|\b(?:kind|result)(?:\.name)?\.(?:startswith|startsWith|removeprefix|partition|slice)\("""
)


def union(name: str) -> str:
    """Returns the text of a TypeScript type that is declared as a union."""
    found = re.search(rf"export type {name} =\s*\|?(.*?);\n\n", SOURCE, re.DOTALL)
    assert found
    return found[1]


PLAIN = WORDS.findall(union("PlainKind"))
ELEMENTS = WORDS.findall(re.search(r"export type Element =(.*?);", SOURCE, re.DOTALL)[1])  # type: ignore[index]
VALUES = {"PlainKind": PLAIN, "Element": ELEMENTS, "string": ["Account"]}


def each_kind() -> list[dict[str, str]]:
    """Returns all kinds that `Kind` in types.d.ts allows, as JSON. `Account` is the only name of a class."""
    found = []
    for record in re.findall(r"\{ (.*?) \}", union("Kind")):
        fields = dict(field.split(": ") for field in record.split("; "))
        values = [WORDS.findall(type_) or VALUES[type_] for type_ in fields.values()]
        found += [dict(zip(fields, choice, strict=True)) for choice in itertools.product(*values)]
    return found


DATA = each_kind()
EVERY_KIND = [Kind.read(data) for data in DATA]


def test_the_kinds_of_the_runtime_are_read():
    """The tests below read the kinds in types.d.ts."""
    assert {*PLAIN} >= {*RANGES, "bigint", "float", "void", "word"}
    assert len(DATA) == len(PLAIN) + 2 + len(ELEMENTS) + 1 + 2


@pytest.mark.parametrize("data", DATA, ids=lambda data: " ".join(data.values()))
def test_a_kind_crosses_and_comes_back_the_same(data: dict[str, str]):
    """A kind of the runtime becomes a record in Python, and the record becomes the same kind again."""
    kind = Kind.read(data)
    assert kind.to_data() == data
    assert Kind.read(kind.to_data()) == kind
    with pytest.raises(AttributeError):
        kind.name = "any"  # type: ignore[misc]


def test_both_languages_name_the_same_kinds():
    """Each kind has a constant in Python, and each constant is a kind of the runtime."""
    constants = {value for name, value in vars(kinds).items() if name.isupper() and isinstance(value, str)}
    assert constants == {kind.name for kind in EVERY_KIND}
    assert {*ARRAYS} == {*ELEMENTS}


def test_kinds_that_python_makes_are_kinds_of_the_runtime():
    """Kinds from declarations have the same form as kinds from the glue."""
    assert len({*EVERY_KIND}) == len(EVERY_KIND)
    account, color = object_of("Account"), enum_of("Account")
    made = [account, color, list_of(account), list_of(color), list_of(Kind("string")), *map(array_of, ARRAYS)]
    assert {*made} == {kind for kind in EVERY_KIND if kind.name not in PLAIN}
    assert [kind for kind in made if kind.is_list_of(kinds.OBJECT)] == [list_of(account)]


def test_no_kind_is_taken_apart_as_text():
    """Code reads the fields of the record instead of parsing a text."""
    files = [*(ROOT / "py").rglob("*.py"), *(ROOT / "js" / "src").rglob("*.js"), *(ROOT / "tests" / "fuzz").glob("*.*")]
    assert len(files) > 100
    found = {
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in files
        if file.suffix in (".py", ".js", ".mjs")
        for line in file.read_text("utf-8").splitlines()
        if APART.search(line)
    }
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        'if kind.startswith("object:"):',
        "kind = f'array:{element}'",
        "result: `object:${name}`",
        "name = param.kind.partition(sep)",
        "value.result.slice(7)",
    ],
)
def test_a_kind_that_is_taken_apart_is_found(line: str):
    """The test above can fail."""
    assert APART.search(line)
    assert not APART.search("if kind.name == kinds.OBJECT: return result.element")
