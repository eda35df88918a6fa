"""Runs the tests of this folder in Pyodide under Node, in each version of Pyodide, without a browser."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import wheel
from scripts.serve import FOLDERS, Server
from tests.harness import Py, PyodideError, RunTimeoutError
from tests.places import PYODIDES

ROOT = Path(__file__).parents[2]
TIMEOUT = 60.0


class NodeHost:
    """A Pyodide in a Node process, with the verbs of `tests.harness.Host`."""

    realm = "node"

    def __init__(self, folder: Path, wheel: Path) -> None:
        options = {
            "folder": folder.as_uri(),
            "harness": str(ROOT / "tests/browser/pages/harness.py"),
            "fixtures": str(ROOT / "rust/fixtures"),
            "wheel": str(wheel),
        }
        command = ["node", str(Path(__file__).with_name("node.mjs")), json.dumps(options)]
        self.broken = False
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(self, verb: str, text: str = "", timeout: float = TIMEOUT) -> str:
        """Calls a verb of the harness. If the process has ended or does not answer, it counts as broken."""
        timer = threading.Timer(timeout, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps([verb, text]) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        timed_out = timer.finished.is_set()
        timer.cancel()
        if answer:
            return json.loads(answer)
        self.broken = True
        if timed_out:
            raise RunTimeoutError(f"not finished after {timeout:g} s in Node")
        raise PyodideError("Node ended: its standard error has the exception that nobody caught.")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # input that the process did not read any more
            self._process.stdin.close()


@pytest.fixture(scope="session")
def built_wheel() -> Path:
    """The wheel in dist/."""
    return wheel.built()


@pytest.fixture(scope="session", params=list(PYODIDES))
def pyodide_folder(request: pytest.FixtureRequest) -> Path:
    """The npm package of one version of Pyodide."""
    return ROOT / FOLDERS[PYODIDES[request.param]]


@pytest.fixture(scope="session")
def node_host(pyodide_folder: Path, built_wheel: Path) -> Iterator[NodeHost]:
    """The Node process of all tests with one version of Pyodide."""
    host = NodeHost(pyodide_folder, built_wheel)
    try:
        host.call("begin_test")
        yield host
    finally:
        host.close()


@pytest.fixture
def py(node_host: NodeHost, server: Server) -> Iterator[Py]:
    """Runs functions in Pyodide. An uncaught error there ends Node, and so fails the test."""
    py = Py(node_host, server, None)
    yield py
    py.check()
