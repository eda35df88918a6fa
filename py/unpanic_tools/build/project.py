"""Builds the crates of a project: as packages for a wheel that somebody else makes, or as the wheel itself."""

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

from ..caching import cache_folder
from .bindgen import find_bindgen
from .cargo import compile_crate, read_crate
from .failure import BuildError
from .options import TABLE, CrateOptions, read_options
from .package import Package, make_package
from .toolchain import find_toolchain

__all__ = ["assemble", "build", "options_of"]


def assemble(root: Path, crates: Sequence[CrateOptions]) -> list[Package]:
    """Builds crates, and returns the Python packages that they become.

    Args:
        root: the folder of `pyproject.toml`.
        crates: the options of each crate, whose `crate` is relative to it.

    Raises:
        BuildError: a tool is missing or failed, or an option names what does not exist.
    """
    packages = [_assemble(root, options) for options in crates]
    modules = [package.module for package in packages]
    for module in modules:
        if modules.count(module) > 1:
            raise BuildError(f"{TABLE}: two crates are the module {module!r}. Give one of them another `module`.")
    return packages


def build(project: Path, out: Path | None = None) -> list[Path]:
    """Builds the wheel of a project as `uv build --wheel` does, and returns its path.

    Args:
        project: the folder of its `pyproject.toml`, which uses hatchling and has the table of the hook.
        out: the folder for the wheel; by default `dist` in the project.

    Raises:
        BuildError: the project has no such table, a tool is missing or failed, or the project's metadata are wrong.
    """
    from hatchling.builders.wheel import WheelBuilder

    options_of(project)
    try:
        return [Path(path) for path in WheelBuilder(str(project)).build(directory=str(out or project / "dist"))]
    except (ValueError, TypeError, OSError) as error:
        raise BuildError(f"{project / 'pyproject.toml'}: {error}") from error


def options_of(project: Path) -> list[CrateOptions]:
    """Reads the options of a project's crates from its `pyproject.toml`.

    Raises:
        BuildError: it has none.
    """
    place = project / "pyproject.toml"
    try:
        table = tomllib.loads(place.read_text("utf-8"))
    except FileNotFoundError:
        raise BuildError(f"There is no {place}.") from None
    except tomllib.TOMLDecodeError as error:
        raise BuildError(f"{place} cannot be read: {error}.") from None
    for key in ("tool", "hatch", "build", "hooks", "unpanic"):
        if not isinstance(table, dict) or key not in table:
            raise BuildError(f'{place} has no table {TABLE}: add it, with crate = "." in it.')
        table = table[key]
    return read_options(table)


def _touch(root: Path) -> None:
    """Has cargo see that the files of an unpacked source distribution are new: all of them have the same old time."""
    for path in root.rglob("*"):
        if path.is_file():
            path.touch()


def _assemble(root: Path, options: CrateOptions) -> Package:
    folder = (root / options.crate).resolve()
    toolchain = find_toolchain(folder if folder.is_dir() else root, unwind=options.panic == "unwind")
    crate = read_crate(folder, toolchain)
    # A source distribution is unpacked into a new folder for each build; what is compiled for one serves the next.
    is_unpacked = (root / "PKG-INFO").is_file()
    if is_unpacked:
        _touch(root)
    is_kept = not is_unpacked or "CARGO_TARGET_DIR" in os.environ
    target = crate.target if is_kept else cache_folder() / "target" / crate.library
    if options.panic:
        target = target / f"panic-{options.panic}"
    raw = compile_crate(crate, options, toolchain, target)
    package = Package(options.module or crate.library, target / "unpanic" / (options.module or crate.library))
    make_package(raw, crate, options, find_bindgen(crate.bindgen), package)
    return package
