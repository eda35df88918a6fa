"""A Pyodide in a Node process."""

import contextlib
import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .host import Host, HostError
from .site import Files

__all__ = ["NodeHost"]

PROGRAM = Path(__file__).with_name("page") / "node.mjs"


class NodeHost(Host):
    """A Pyodide in a Node process. Folders of the project are folders of its file system: `/pkg` is `pkg`.

    Args:
        files: Pyodide, the wheels, and the project.
        note: is called with each uncaught error.

    Raises:
        HostError: there is no Node, or Pyodide failed.
    """

    def __init__(self, files: Files, note: Callable[[str], None]) -> None:
        super().__init__("node")
        self._note = note
        node = shutil.which("node")
        if node is None:
            raise HostError("there is no Node here: install it from nodejs.org, or run `apt install nodejs`.")
        options = {"pyodide": files.pyodide.as_uri(), "root": str(files.root)}
        self._process = subprocess.Popen(
            [node, "--expose-gc", str(PROGRAM), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        self._listener.start()
        self.start([wheel.as_uri() for wheel in files.wheels])

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            self._said.append(line.rstrip())

    def _call(self, verb: str, text: str, seconds: float) -> dict[str, str]:
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            outcome = self._ask(json.dumps([verb, text]) + "\n")
        finally:
            late = timer.finished.is_set()
            timer.cancel()
        if outcome is None:
            self._process.wait()
            self._listener.join(1)
            self._dead(f"did not end in {seconds:g} s in Node" if late else "ended with its Node process")
        return outcome

    def _ask(self, request: str) -> dict[str, str] | None:
        """Sends a line, and returns the answer; None if the process has ended."""
        assert self._process.stdin and self._process.stdout  # for the type checker
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(request)
            self._process.stdin.flush()
        for line in self._process.stdout:
            outcome: dict[str, str] = json.loads(line)
            if "uncaught" not in outcome:
                return outcome
            self._note(outcome["uncaught"])
        return None

    def close(self) -> None:
        """Kills the process."""
        self.is_broken = True
        self._process.kill()
        self._process.wait()
        self._listener.join(1)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(BrokenPipeError):  # input that the process did not read any more
                if stream:
                    stream.close()

    @property
    def _place(self) -> str:
        return "process"
