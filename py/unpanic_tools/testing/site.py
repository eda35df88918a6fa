"""What tests in Pyodide are served from: the plugin's own pages, Pyodide, the wheels, and the project's folder."""

import contextlib
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..distribution.installed import pack_installed
from ..distribution.pyodide import find_pyodide
from ..serving.server import listen, make_server
from ..serving.site import Mount, make_site

__all__ = ["PAGES", "Files", "Site", "pack_pytest", "serve"]

# Pytest itself, which rewrites assertions and compares values in Pyodide.
PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
PREFIX = "/__tests__/"
# What runs in the browser.
PAGES = Path(__file__).with_name("page")


@dataclass(frozen=True)
class Files:
    """What is served, as files.

    Attributes:
        root: the project's folder, whose files tests can load.
        pyodide: a folder with Pyodide.
        wheels: what is installed in Pyodide, in this order.
    """

    root: Path
    pyodide: Path
    wheels: Sequence[Path]

    def packages(self) -> set[str]:
        """Returns the names of the packages and modules at the top of the wheels."""
        names = set()
        for wheel in self.wheels:
            with zipfile.ZipFile(wheel) as archive:
                names |= {name.partition("/")[0].removesuffix(".py") for name in archive.namelist()}
        return {name for name in names if name.isidentifier()}


@dataclass(frozen=True)
class Site:
    """Where it is served. A project that has a server of its own overrides the fixture `pyodide_site`.

    Attributes:
        files: the files.
        url: the server's address, without a slash at the end.
        pages: the address of the plugin's own pages (`PAGES`), with a slash at the end.
        pyodide: the address of Pyodide's folder, with a slash at the end.
        wheels: the addresses of the wheels.
    """

    files: Files
    url: str
    pages: str
    pyodide: str
    wheels: Sequence[str]


@contextlib.contextmanager
def pack_pytest() -> Iterator[list[Path]]:
    """Packs pytest, as it is installed here, as wheels for Pyodide, which exist until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        yield [pack_installed(name, Path(folder)) for name in PYTEST]


@contextlib.contextmanager
def serve(root: Path, pyodide: Path | None, wheels: Sequence[Path]) -> Iterator[Site]:
    """Serves the tests of a project until the block ends.

    Args:
        root: the project's folder, whose files tests can fetch.
        pyodide: a folder with Pyodide; None: see `find_pyodide`.
        wheels: what is installed beside pytest and unpanic.
    """
    found = find_pyodide(pyodide, root, print)
    with tempfile.TemporaryDirectory() as folder, pack_pytest() as packed:
        is_own = any(wheel.name.startswith("unpanic-") for wheel in wheels)
        own = [] if is_own else [pack_installed("unpanic", Path(folder))]
        files = Files(root, found, [*packed, *own, *wheels])
        mounts = [
            Mount(f"{PREFIX}pyodide/", found),
            *(Mount(f"{PREFIX}wheels/", parent) for parent in {wheel.parent for wheel in files.wheels}),
            Mount(PREFIX, PAGES),
            Mount("/", root),
        ]
        server = make_server(make_site(mounts, None, isolated=True), None)
        with listen(0) as opened:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
            thread.start()
            host, port = opened.getsockname()[:2]
            url = f"http://{host}:{port}"
            addresses = [f"{url}{PREFIX}wheels/{wheel.name}" for wheel in files.wheels]
            try:
                yield Site(files, url, f"{url}{PREFIX}", f"{url}{PREFIX}pyodide/", addresses)
            finally:
                server.should_exit = True
                thread.join(5)
