"""A small crate, built with the default options, and its wheel installed as a page installs it.

This is the one build of a crate in `make test`. Where the standard library for Wasm has to be compiled first, that
takes a minute once on a machine. `make crate` installs the wheel in each other way, too, and builds it by each tool.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import wheel
from scripts.serve import ROOT, Server
from tests.places import PYODIDES
from tests.tools.building import SMALL, Project, install_tools, need_rust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

UV = ROOT / ".cache/examples/bin/uv"
WHEELS = ROOT / ".cache/wheels"
# The ways by which a page installs wheels: Python's code, with their addresses in it.
INSTALLS = {
    "loadPackage": "import pyodide_js\nawait pyodide_js.loadPackage({wheels})",
    "micropip": "import micropip\nawait micropip.install({wheels})",
}
USE = """
import logging, small, unpanic

logging.getLogger("unpanic").setLevel(logging.CRITICAL)  # the page must have no error that nobody expects
answer = [small.add(2, 3), small.__file__.rpartition("/")[2], small.count(False)]
for call in lambda: small.small(256), lambda: small.count(True):
    try:
        call()
    except (OverflowError, unpanic.Crash) as error:
        answer.append(f"{type(error).__name__}: {error}".partition(" (")[0])
answer += [small.count(False), unpanic.status(small).recovery]
"""
LOAD = """async ([folder, installers, code]) => {
    const { loadPyodide } = await import(`${folder}pyodide.mjs`);
    const pyodide = await loadPyodide();
    for (const wheel of installers) pyodide.unpackArchive(await (await fetch(wheel)).arrayBuffer(), "wheel");
    await pyodide.runPythonAsync(code);
    return pyodide.globals.get("answer").toJs();
}"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with unpanic and its tools, as dist/ has them."""
    return install_tools(tmp_path_factory.mktemp("tools"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tools: Path) -> Project:
    return Project.copy(tmp_path_factory.mktemp("small") / "crate", tools, source=SMALL)


@pytest.fixture(scope="module")
def built(project: Project) -> Path:
    """The wheel of the small crate."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(command, cwd=project.folder, env=project.variables(), check=True)
    (built,) = (project.folder / "dist").glob("*.whl")
    return built


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.mark.parametrize(
    ("version", "way"),
    [
        ("314", "micropip"),
        ("0.29", "loadPackage"),
        pytest.param("314", "loadPackage", marks=pytest.mark.long),
        pytest.param("0.29", "micropip", marks=pytest.mark.long),
    ],
)
def test_a_page_installs_it(built: Path, server: Server, page: Page, version: str, way: str):
    """`import small` works, its types are exact, and a panic costs one exception."""
    addresses = [server.route(f"/{file.name}", file.read_bytes()) for file in (wheel.built("unpanic"), built)]
    installers = [f"/wheels/{next(WHEELS.glob(f'{name}-*.whl')).name}" for name in ("micropip", "packaging")]
    page.goto(server.route("/index.html", "<!doctype html><link rel=icon href=data:,>"))
    code = INSTALLS[way].format(wheels=addresses) + USE
    answer = page.evaluate(LOAD, [PYODIDES[version], installers if way == "micropip" else [], code])
    assert answer == [
        5,
        "small.js",
        1,
        "OverflowError: small() argument 'n': 256 does not fit a u8",
        "RustPanic: a panic without a message",
        2,
        "rollback",
    ]


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        [UV, "build", "--find-links", "DIST", "--out-dir", "OUT"],
        [UV, "run", "--no-project", "--with", "build", "python", "-m", "build", "--outdir", "OUT"],
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", "OUT", "."],
    ],
    ids=["uv build", "python -m build", "pip wheel"],
)
def test_an_isolated_build(command: list[str | Path], built: Path, project: Project, tmp_path: Path):
    """Each tool installs the build hook from a folder, and what that needs from an index; the wheel is the same."""
    assert UV.is_file(), "`python3 scripts/setup.py examples` installs uv"
    words = [{"DIST": ROOT / "dist", "OUT": tmp_path}.get(str(word), word) for word in command]
    links = f"{ROOT / 'dist'} {os.environ.get('PIP_FIND_LINKS', '')}"
    variables = project.variables() | {"PIP_FIND_LINKS": links, "UV_PYTHON": sys.executable}
    del variables["PYTHONPATH"]
    subprocess.run(words, cwd=project.folder, env=variables, check=True)
    (other,) = tmp_path.glob("*.whl")
    assert hashlib.sha256(other.read_bytes()).hexdigest() == hashlib.sha256(built.read_bytes()).hexdigest()


@pytest.fixture(scope="module", autouse=True)
def rust() -> None:
    need_rust(SMALL)
