"""Which file of the project a file in Pyodide was made of."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from unpanic_tools.testing.sources import Sources

SITE = "/lib/python3.14/site-packages/"


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    files = {
        "src/bank/__init__.py": "import money",
        "src/bank/money.py": "coins = 1",
        "src/bank/empty.py": "",
        "other/empty.py": "",
        "build/bank/money.py": "coins = 1",
        ".venv/bank/money.py": "coins = 1",
        "tests/test_it.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    wheel = tmp_path / "dist.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("bank/__init__.py", "import unpanic")  # the hook wrote it
        archive.writestr("bank/money.py", "coins = 1")
        archive.writestr("bank/empty.py", "")
        archive.writestr("bank/bank.js", "")
    return Sources(tmp_path, [wheel])


def test_files(sources: Sources, tmp_path: Path):
    """Files of a wheel are those that are equal, and of equal ones the nearest; files of tests have their own names."""
    found = {
        name: path and path.relative_to(tmp_path).as_posix()
        for name in ("bank/money.py", "bank/empty.py", "bank/__init__.py", "json/__init__.py")
        for path in [sources.find(SITE + name)]
    }
    assert found == {
        "bank/money.py": "src/bank/money.py",
        "bank/empty.py": "src/bank/empty.py",
        "bank/__init__.py": None,
        "json/__init__.py": None,
    }
    assert sources.find("tests/test_it.py") == tmp_path / "tests/test_it.py"
    assert sources.find("tests/gone.py") is None
    assert sources.find("/home/pyodide/unpanic_guest.py") is None
    assert sources.packages == ["bank"]


def test_modules():
    """A file has the name with which Pyodide imports it."""
    assert Sources.module(SITE + "bank/money.py") == "bank.money"
    assert Sources.module(SITE + "bank/__init__.py") == "bank"
    assert Sources.module("tests/test_it.py") == "tests.test_it"
