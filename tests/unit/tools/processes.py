"""The command as a process of its own: for verbs that go on until Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECONDS = 60
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class Running:
    """A command that runs, and the address at which it serves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = self.wait_for(ADDRESS)

    def wait_for(self, pattern: re.Pattern[str]) -> str:
        """Reads lines until one has the pattern; returns what matches."""
        for line in self.process.stdout:
            if found := pattern.search(line):
                return found[0]
        raise AssertionError(f"it ended: {self.process.stderr.read()}")

    def interrupt(self) -> int:
        """Presses Ctrl-C, and returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


@contextmanager
def running(*words: str | Path, path: str = str(ROOT / "py"), **options: object) -> Iterator[Running]:
    """Starts `unpanic` with these words, and ends it."""
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "unpanic", *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


@contextmanager
def connected(server: Running, path: str, method: str = "GET") -> Iterator[HTTPResponse]:
    with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=30)) as connection:
        connection.request(method, path)
        with connection.getresponse() as response:
            yield response


def request(server: Running, path: str, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    """Returns the answer and its body."""
    with connected(server, path, method) as response:
        return response, response.read()
