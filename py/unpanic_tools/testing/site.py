"""What the page of tests is served from: its own files, Pyodide, the wheels, and the project's folder."""

import contextlib
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..distribution.installed import pack_installed
from ..distribution.pyodide import find_pyodide
from ..serving.server import listen, make_server
from ..serving.site import Mount, make_site

__all__ = ["Site", "serve"]

# Pytest itself, which rewrites assertions and compares values in Pyodide.
PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
PREFIX = "/__tests__/"


class Site:
    """A running server.

    Attributes:
        url: its address, without a slash at the end.
        host: the address of the page that runs tests.
        wheels: the addresses of the wheels, in the order in which they are installed.
    """

    def __init__(self, url: str, wheels: Sequence[Path]) -> None:
        self.url = url
        self.host = f"{url}{PREFIX}host.html"
        self.wheels = [f"{url}{PREFIX}wheels/{wheel.name}" for wheel in wheels]


@contextlib.contextmanager
def serve(root: Path, pyodide: Path | None, wheels: Sequence[Path]) -> Iterator[Site]:
    """Serves the tests of a project until the block ends.

    Args:
        root: the project's folder, whose files tests can fetch.
        pyodide: a folder with Pyodide; None: see `find_pyodide`.
        wheels: what is installed beside pytest and unpanic.
    """
    found = find_pyodide(pyodide, root, print)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        is_own = any(wheel.name.startswith("unpanic-") for wheel in wheels)
        packed = [pack_installed(name, folder) for name in (*PYTEST, *([] if is_own else ["unpanic"]))]
        mounts = [
            Mount(f"{PREFIX}pyodide/", found),
            *(Mount(f"{PREFIX}wheels/", parent) for parent in {wheel.parent for wheel in [*packed, *wheels]}),
            Mount(PREFIX, Path(__file__).with_name("page")),
            Mount("/", root),
        ]
        server = make_server(make_site(mounts, None, isolated=True), None)
        with listen(0) as opened:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
            thread.start()
            host, port = opened.getsockname()[:2]
            try:
                yield Site(f"http://{host}:{port}", [*packed, *wheels])
            finally:
                server.should_exit = True
                thread.join(5)
