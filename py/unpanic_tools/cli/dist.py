"""`unpanic dist`: a folder with Pyodide, wheels and a page, for any static host."""

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from .. import distribution
from ..distribution.installed import NotPacked
from .building import built_wheels
from .output import AsJson, console, note, print_json
from .problems import CommandError

__all__ = ["distribute", "fill", "own_wheel"]

# The folder of Pyodide beside a page.
BESIDE_PAGE = "pyodide"


def distribute(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to fill.")],
    wheels: Annotated[
        list[Path] | None,
        typer.Argument(metavar="WHEEL", help="Wheels to add. By default that of the project in this folder."),
    ] = None,
    pyodide: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder with Pyodide. By default node_modules/pyodide, or a download that is kept.",
        ),
    ] = None,
    packages: Annotated[
        str,
        typer.Option(
            metavar="PLACE", help="Where Pyodide's own packages come from, such as numpy: an address, or a folder."
        ),
    ] = distribution.pyodide.cdn_url(distribution.PYODIDE_VERSION),
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A page, which is copied into DIR; Pyodide then goes into DIR/pyodide. Without WHEEL, by default the "
            "project's folder `page`.",
        ),
    ] = None,
    compiles: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Compile Python to bytecode ahead of time, so that pages start sooner; this may need Node.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a self-contained Pyodide distribution, for any static host.

    The folder holds Pyodide, the wheels, what they need, and a lock file, so that loadPyodide({packages: ["bank"]})
    finds them there and asks no other host. unpanic itself is always in it.
    """
    if wheels is None and page is None and Path("page").is_dir():
        page = Path("page")
    made = fill(folder, wheels or built_wheels(Path.cwd()), pyodide, packages, page, compiles=compiles)
    if as_json:
        fields = {"folder": str(made.folder), "python": made.python, "packages": made.packages, "bytes": made.size}
        print_json(fields)
        return
    names = ", ".join(f"{name} {version}" for name, version in made.packages.items())
    console.print(f"{made.folder}: Python {made.python} with {names}; {made.size / 1e6:.1f} MB", soft_wrap=True)
    if page is not None:
        console.print(f"See the page: unpanic serve {folder}", soft_wrap=True)


def fill(
    folder: Path, wheels: list[Path], pyodide: Path | None, packages: str, page: Path | None, *, compiles: bool = False
) -> distribution.Distribution:
    """Makes the distribution, and copies the page."""
    for wheel in wheels:
        if wheel.suffix != ".whl" or not zipfile.is_zipfile(wheel):
            raise CommandError(f"{wheel} is not a wheel: `unpanic build` writes one into dist/.")
    target = folder
    try:
        if page is not None:
            if not page.is_dir():
                raise CommandError(f"{page} is not a folder: name that of a page.")
            shutil.copytree(page, folder, dirs_exist_ok=True)
            target = folder / BESIDE_PAGE
        with tempfile.TemporaryDirectory() as packed:
            own = [] if any(wheel.name.startswith("unpanic-") for wheel in wheels) else [own_wheel(Path(packed))]
            source = distribution.find_pyodide(pyodide, Path.cwd(), note)
            return distribution.make_distribution(source, [*wheels, *own], target, packages=packages, compiles=compiles)
    except (distribution.DistributionError, distribution.PyodideMissing) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename or folder} cannot be written: {error.strerror or error}.") from None


def own_wheel(folder: Path) -> Path:
    """Returns the wheel of unpanic itself, packed from what is installed."""
    try:
        return distribution.pack_installed("unpanic", folder)
    except NotPacked as error:
        raise CommandError(f"{error} Or name its wheel, too.") from None
