"""`unpanic dev`: the page of a project, which takes new Rust while it is open."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import distribution
from ..build import BuildError
from ..build.project import options_of
from .building import build_project, check_project
from .dist import BESIDE_PAGE, fill
from .output import console, note
from .problems import CommandError
from .serve import open_port

if TYPE_CHECKING:
    from ..serving import Changes

__all__ = ["develop"]

# Folders in a project that builds write to. Those whose names begin with a dot are passed over, too, but for cargo's.
NO_SOURCES = {"__pycache__", "node_modules"}
PASSED_OVER = {*NO_SOURCES, "target", "dist", "site", "pkg"}
OF_CARGO = ".cargo"


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
    and the module begins anew; callbacks of unpanic.on_reset fill it. If the build fails, the terminal and the page
    show why, and the page keeps the module that it has. A change of the page itself loads it anew. Ctrl-C ends it.
    """
    from .. import serving

    site = folder / page
    check_project(folder)
    if not site.is_dir():
        raise CommandError(f"{site} is not a folder: --page names that of the page, and `unpanic new` makes one.")
    work = folder / "target" / "unpanic-dev"
    project = _Project(folder, site, work, pyodide, packages)
    opened = open_port(port)
    changes = serving.Changes()
    mounts = [serving.Mount(f"/{BESIDE_PAGE}/", work / BESIDE_PAGE), serving.Mount("/", site)]
    renew = Path(serving.__file__).with_name("renew.py").read_text("utf-8")
    extra = {"/__unpanic__/renew.py": ("text/plain", renew)}
    application = serving.make_site(mounts, changes, isolated=True, extra=extra)

    async def watch(end: asyncio.Event) -> None:
        stream = _changes(_roots(folder), site.resolve(), end)
        # What changes while the project is built for the first time must not be missed.
        first = asyncio.ensure_future(anext(stream, None))
        await asyncio.sleep(0)  # it begins to watch
        try:
            await project.begin(changes)
            if not end.is_set():
                address = f"http://127.0.0.1:{opened.getsockname()[1]}/"
                console.print(f"{site} is served at {address} (Ctrl-C ends it)", soft_wrap=True)
        except BaseException:
            first.cancel()
            raise
        files = await first
        while files is not None:
            await project.take(files, changes)
            files = await anext(stream, None)

    serving.run(serving.make_server(application, changes), opened, watch)


class _Project:
    """The project, its wheel, and the distribution that the page loads it from."""

    def __init__(self, folder: Path, site: Path, work: Path, pyodide: Path | None, packages: str) -> None:
        self.folder = folder
        self.site = site
        self.work = work
        self.pyodide = pyodide
        self.packages = packages
        # The hash of the wheel that pages have. Without one, they have no module of Rust's to renew.
        self.digest = ""

    async def begin(self, changes: "Changes") -> None:
        """Builds for the first time. If that fails, pages have Pyodide alone until a build works."""
        if not await self._build(changes):
            await asyncio.to_thread(self._fill, [])
        # Pages that were open before.
        changes.tell("reload")

    async def take(self, files: Collection[Path], changes: "Changes") -> None:
        """Does what a change of files asks for, and tells open pages."""
        site = self.site.resolve()
        is_page = any(file.is_relative_to(site) for file in files)
        before, began = self.digest, time.perf_counter()
        if any(not file.is_relative_to(site) for file in files) and (wheel := await self._build(changes)):
            pages = f"{len(changes)} open page{'s' * (len(changes) != 1)}"
            what = f"for {pages}" if self.digest != before else "and the wheel is the same as before"
            console.print(f"built in {time.perf_counter() - began:.1f} s, {what}", soft_wrap=True)
            if before and self.digest != before:
                changes.tell("module", wheel=f"/{BESIDE_PAGE}/{wheel.name}")
            else:
                changes.tell("unchanged")
        # A page that has found no module loads anew when there is one.
        if is_page or bool(before) != bool(self.digest):
            changes.tell("reload")

    async def _build(self, changes: "Changes") -> Path | None:
        """Builds the wheel and puts it into the distribution; tells of a failure, and returns None then."""
        try:
            wheel = await asyncio.to_thread(build_project, self.folder, self.work)
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            if digest != self.digest:
                await asyncio.to_thread(self._fill, [wheel])
                self.digest = digest
        except CommandError as error:
            error.tell()
            note("The next change is built again. Until then, pages keep what they have.")
            changes.tell("failed", problem=str(error), output=error.output)
            return None
        return wheel

    def _fill(self, wheels: list[Path]) -> None:
        fill(self.work / BESIDE_PAGE, wheels, self.pyodide, self.packages, None)


def _roots(folder: Path) -> list[Path]:
    """Returns what to watch: the project, and crates of it that lie elsewhere."""
    root = folder.resolve()
    try:
        crates = [(root / options.crate).resolve() for options in options_of(folder)]
    except BuildError:
        crates = []  # the build says so
    return [root, *(crate for crate in crates if crate.is_dir() and not crate.is_relative_to(root))]


async def _changes(roots: list[Path], site: Path, end: asyncio.Event) -> AsyncIterator[list[Path]]:
    """Yields the files that change, without those that builds write, and those of editors."""
    from watchfiles import Change, DefaultFilter, awatch

    usual = DefaultFilter(ignore_dirs=())

    def is_source(change: Change, path: str) -> bool:
        file = Path(path)
        root = next(root for root in (site, *roots) if file.is_relative_to(root))
        *folders, name = file.relative_to(root).parts or (".",)
        is_hidden = name.startswith(".") or any(each.startswith(".") and each != OF_CARGO for each in folders)
        is_passed_over = set(folders) & (NO_SOURCES if root == site else PASSED_OVER)
        # Builds write Cargo.lock.
        return not is_hidden and not is_passed_over and name != "Cargo.lock" and usual(change, name)

    async for changed in awatch(*roots, watch_filter=is_source, stop_event=end):
        yield sorted(Path(path) for _, path in changed)
