"""Runs the tests of this folder in Pyodide under Node, in each version of Pyodide, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from unpanic_tools.testing.host import Host, Watch
from unpanic_tools.testing.in_browser import InBrowser
from unpanic_tools.testing.node import NodeHost
from unpanic_tools.testing.site import Files, pack_pytest
from unpanic_tools.testing.slicing import Project

from scripts import wheel
from scripts.serve import FOLDERS, Server
from tests.places import PYODIDES
from tests.pyodides import checked

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def built_wheel() -> Path:
    """The wheel in dist/."""
    return wheel.built()


@pytest.fixture(scope="session", params=list(PYODIDES))
def node_pyodide(request: pytest.FixtureRequest) -> Path:
    """The npm package of one version of Pyodide."""
    return ROOT / FOLDERS[PYODIDES[request.param]]


@pytest.fixture(scope="session")
def node_host(node_pyodide: Path, built_wheel: Path, uncaught_errors: Watch) -> Iterator[Host]:
    """The Node process of all tests with one version of Pyodide. The folders of `rust` are at the top of its files."""
    with pack_pytest() as packed:
        host = NodeHost(Files(ROOT / "rust", node_pyodide, [*packed, built_wheel]), uncaught_errors.note)
        yield host
        host.close()


@pytest.fixture
def py(node_host: Host, server: Server, uncaught: Watch, checks: bool) -> Iterator[InBrowser]:
    """Runs functions in Pyodide. An uncaught error there fails the test."""
    node_host.begin()
    py = checked(InBrowser(node_host, server, Project(ROOT), uncaught), checks)
    yield py
    py.finish()
