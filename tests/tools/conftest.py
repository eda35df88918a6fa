"""The command as a user has it: both built wheels installed into an empty folder, outside of the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from scripts.browser import launch
from scripts.wheel import built

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
PYODIDE = ROOT / "js/node_modules/pyodide"
FIXTURES = ROOT / "rust/fixtures"
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "bank"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = ["unpanic"]
"""

type Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip has installed both wheels."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", folder]
    subprocess.run([*command, built(), built("unpanic_tools")], check=True)
    return folder


@pytest.fixture
def unpanic(installed: Path, tmp_path: Path) -> Command:
    """Runs the command in the test's folder."""

    def run(*words: str | Path, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200"}
        command = [sys.executable, "-m", "unpanic", *map(str, words)]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    return run


def put_module(folder: Path, crate: str) -> None:
    """Makes `folder` the package of a fixture, as the build hook makes one of a crate."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in (FIXTURES / crate / "pkg" / "abort").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "__init__.py").write_text(f'import unpanic\n\nunpanic.load_sync("{crate}.js", name=__name__)\n')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose wheel needs no Rust: its module was built before."""
    folder = tmp_path / "project"
    put_module(folder / "bank", "bank")
    (folder / "pyproject.toml").write_text(PROJECT)
    return folder


@pytest.fixture
def engine() -> str:
    """The browser of the fixture `page`; a test may be parametrized with another one."""
    return "chromium"


@pytest.fixture
def page(engine: str) -> Iterator[Page]:
    """A page of a browser, whose errors fail the test."""
    errors: list[str] = []
    with sync_playwright() as playwright, launch(playwright, engine) as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        yield page
        assert errors == []
