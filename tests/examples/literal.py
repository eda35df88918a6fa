"""Follows a page of docs/getting-started literally: writes its files and runs its commands.

At first the folder holds only the wheel, with which every page begins, and the package `bank`, if the page uses it.
Three substitutes make this work without a network: npm packages answer for the CDN (conftest.py); `pip install` finds
the tools, which set-up has installed in the versions that the pages name; and Playwright uses the system's browser.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from scripts.examples import BANK
from scripts.serve import ROOT
from scripts.wheel import built as built_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES = ROOT / "docs" / "getting-started"
TOOLS = ROOT / ".cache" / "examples" / "bin"
SECONDS = 120

BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<name>[^"]+)")?\n(?P<text>.*?)^```', re.M | re.S)
SERVES = re.compile(r"^(?:python -m http\.server|npx vite preview)\b.*?(?P<port>\d{4,5})(?: &)?$")


class Reader:
    """A reader who follows a page in an empty folder.

    Args:
        folder: the empty folder. The reader works in its subfolder `project`, with `unpanic` beside that.
        place: the page's name.
        package: the folder of the package that the pages call `bank`; None if the page loads a package by its name.
    """

    def __init__(self, folder: Path, place: str, package: Path | None = BANK) -> None:
        self.folder = folder / "project"
        self.folder.mkdir(parents=True)
        (folder / "unpanic").symlink_to(ROOT)
        shutil.copy(built_wheel(), self.folder)
        if package:
            shutil.copytree(package, self.folder / "bank")
        self.page = (PLACES / f"{place}.md").read_text("utf-8")
        self.blocks = list(BLOCK.finditer(self.page))
        self.output = "".join(block["text"] for block in self.blocks if block["language"] == "text").splitlines()
        self.shims = folder / "shims"
        self.shims.mkdir()
        path = os.pathsep.join(map(str, [self.shims, TOOLS, os.environ["PATH"]]))
        self.environment = {
            **os.environ,
            "PATH": path,
            "npm_config_prefer_offline": "true",
            "npm_config_audit": "false",
        }
        self.port = free_port()
        self.replace_command("playwright")

    def replace_command(self, name: str, script: str = ":") -> None:
        """Replaces a command, by default by one that does nothing because its download is already here."""
        shim = self.shims / name
        shim.write_text(f"#!/bin/sh\n{script}\n")
        shim.chmod(0o755)

    def files(self) -> dict[str, str]:
        """Returns the files of the page by their names."""
        return {block["name"]: block["text"] for block in self.blocks if block["name"]}

    def write_files(self) -> Self:
        for name, text in self.files().items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.here(text), "utf-8")
        return self

    def here(self, text: str) -> str:
        """Returns the text with a port that is free on this machine, because tests run side by side."""
        return re.sub(r"\b(?:8000|4173)\b", str(self.port), text)

    def commands(self) -> list[str]:
        return [line for block in self.blocks if block["language"] == "sh" for line in block["text"].splitlines()]

    def run(self, command: str) -> str:
        """Runs a command of the page and returns its output."""
        done = subprocess.run(
            ["bash", "-ec", self.here(command)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[str]:
        """Runs all commands of the page. Yields the address of the last one, which serves until the end."""
        servers: list[subprocess.Popen[bytes]] = []
        try:
            for command in self.commands():
                if SERVES.match(command):
                    servers.append(self._start(self.here(command).removesuffix(" &")))
                else:
                    self.run(command)
            yield f"http://localhost:{self.port}/"
        finally:
            for server in servers:
                server.terminate()
                server.wait()

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        # Only on loopback, whatever the tool's default is.
        bound = command.replace("http.server", "http.server --bind localhost")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen(["bash", "-c", f"exec {bound}"], cwd=self.folder, env=self.environment, **quiet)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and server.poll() is None:
            try:
                socket.create_connection(("localhost", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return server
        server.kill()
        raise AssertionError(f"{command} does not serve anything")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
