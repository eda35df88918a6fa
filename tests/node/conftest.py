"""Runs the tests of this folder in Pyodide under Node, in each version of Pyodide, without a browser."""

from __future__ import annotations

import contextlib
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
from tests.pyodides import OwnSite, checked

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
def node_files(node_pyodide: Path, built_wheel: Path) -> Iterator[Files]:
    """What is in Node: the folders of `rust` are at the top."""
    with pack_pytest() as packed:
        yield Files(ROOT / "rust", node_pyodide, [*packed, built_wheel])


@pytest.fixture(scope="session")
def node_host(node_files: Files, uncaught_errors: Watch) -> Iterator[Host]:
    """The Node process of all tests with one version of Pyodide."""
    with contextlib.closing(NodeHost(node_files, uncaught_errors.note)) as host:
        yield host


@pytest.fixture
def py(node_host: Host, node_files: Files, server: Server, uncaught: Watch, checks: bool) -> Iterator[InBrowser]:
    """Runs functions in Pyodide. An uncaught error there fails the test."""
    node_host.begin()
    # Node takes files; of the server it has the address.
    site = OwnSite(node_files, server.url, "", "", [], server)
    py = checked(InBrowser(node_host, site, Project(ROOT), uncaught), checks)
    yield py
    py.finish()
