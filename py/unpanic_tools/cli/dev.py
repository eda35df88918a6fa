"""`unpanic dev`: the page of a project, which takes new Rust while it is open."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import distribution
from .building import build_project
from .dist import BESIDE_PAGE, fill
from .output import console, note
from .problems import CommandError
from .serve import open_port

if TYPE_CHECKING:
    from ..serving import Changes

__all__ = ["develop"]

# Folders in a project that builds write to.
PASSED_OVER = {"target", "dist", "site", "__pycache__", ".git", ".venv", "node_modules", ".pytest_cache", "pkg"}
# What a build reads; Cargo.lock is written by it.
SOURCES = {".rs", ".toml", ".py", ".pyi", ".js", ".ts", ".wasm", ".json"}


def develop(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder.")] = Path(),
    page: Annotated[str, typer.Option(metavar="FOLDER", help="The folder of its page, in DIR.")] = "page",
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="The port. By default 8000, or a free one; 0 is any free one."
        ),
    ] = None,
    pyodide: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder with Pyodide. By default node_modules/pyodide, or a download that is kept.",
        ),
    ] = None,
    packages: Annotated[
        str, typer.Option(metavar="PLACE", help="Where Pyodide's own packages come from: an address, or a folder.")
    ] = distribution.pyodide.cdn_url(distribution.PYODIDE_VERSION),
) -> None:
    """Serve the page of a project; while it is open, it takes new Rust without a reload.

    When a file of the crate changes, the project is built, and open pages take the new Wasm: the names in Python stay,
    and the module begins anew; callbacks of unpanic.on_reset fill it. A change of the page itself loads it anew. Ctrl-C
    ends it. A build that fails is told, the last module that was built stays, and the next change is waited for.
    """
    from .. import serving

    site = folder / page
    if not site.is_dir():
        raise CommandError(f"{site} is not a folder: --page names that of the page, and `unpanic new` makes one.")
    work = folder / "target" / "unpanic-dev"
    project = _Project(folder, site, work, pyodide, packages)
    opened = open_port(port)
    project.begin()
    changes = serving.Changes()
    mounts = [serving.Mount(f"/{BESIDE_PAGE}/", work / BESIDE_PAGE), serving.Mount("/", site)]
    renew = Path(serving.__file__).with_name("renew.py").read_text("utf-8")
    extra = {"/__unpanic__/renew.py": ("text/plain", renew)}
    application = serving.make_site(mounts, changes, isolated=True, extra=extra)

    async def watch(end: asyncio.Event) -> None:
        async for files in _changes(folder, end):
            await project.take(files, changes)

    address = f"http://127.0.0.1:{opened.getsockname()[1]}/"
    console.print(f"{site} is served at {address} (Ctrl-C ends it)", soft_wrap=True)
    serving.run(serving.make_server(application, changes), opened, watch)


class _Project:
    """The project, its wheel, and the distribution that the page loads it from."""

    def __init__(self, folder: Path, site: Path, work: Path, pyodide: Path | None, packages: str) -> None:
        self.folder = folder
        self.site = site
        self.work = work
        self.pyodide = pyodide
        self.packages = packages
        # Whether pages have a module of Rust's to renew.
        self.is_built = False

    def begin(self) -> None:
        """Builds for the first time. If that fails, pages have Pyodide alone until a build works."""
        try:
            self.build()
        except CommandError as error:
            note(f"unpanic: {error}")
            self._fill([])

    def build(self) -> Path:
        """Builds the wheel, and puts it into the distribution."""
        wheel = build_project(self.folder, self.work)
        self._fill([wheel])
        self.is_built = True
        return wheel

    def _fill(self, wheels: list[Path]) -> None:
        fill(self.work / BESIDE_PAGE, wheels, self.pyodide, self.packages, None)

    async def take(self, files: Collection[Path], changes: "Changes") -> None:
        """Does what a change of files asks for, and tells open pages."""
        site = self.site.resolve()
        is_page = any(file.is_relative_to(site) for file in files)
        was_built = self.is_built
        if any(not file.is_relative_to(site) for file in files):
            await self._rebuild(changes)
        # A page that has found no module loads anew when there is one.
        if is_page or was_built != self.is_built:
            changes.tell("reload")

    async def _rebuild(self, changes: "Changes") -> None:
        was_built = self.is_built
        began = time.perf_counter()
        try:
            wheel = await asyncio.to_thread(self.build)
        except CommandError as error:
            note(f"unpanic: {error}")
            changes.tell("failed", problem=str(error))
            return
        pages = changes.tell("module", wheel=f"/{BESIDE_PAGE}/{wheel.name}") if was_built else len(changes)
        console.print(f"built in {time.perf_counter() - began:.1f} s, for {pages} open pages", soft_wrap=True)


async def _changes(folder: Path, end: asyncio.Event) -> AsyncIterator[list[Path]]:
    """Yields the files that change, without those that builds write."""
    from watchfiles import awatch

    root = folder.resolve()

    def is_source(_change: object, path: str) -> bool:
        file = Path(path)
        is_passed_over = PASSED_OVER & set(file.relative_to(root).parts[:-1])
        is_page = file.suffix in (".html", ".css", ".png", ".svg")
        return not is_passed_over and (is_page or file.suffix in SOURCES)

    async for changed in awatch(root, watch_filter=is_source, stop_event=end):
        yield sorted(Path(path) for _, path in changed)
