"""Puts Pyodide, wheels and a lock file into one folder."""

import contextlib
import hashlib
import json
import logging
import shutil
import urllib.request
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .bytecode import CannotCompile, check_compiler, compile_folder
from .pyodide import LOCK, runtime_files

if TYPE_CHECKING:
    from pyodide_lock import PyodideLockSpec

__all__ = ["Distribution", "DistributionError", "make_distribution"]

SECONDS = 60


class DistributionError(Exception):
    """No distribution can be made; the message says why and what to do."""


@dataclass(frozen=True)
class Distribution:
    """What was made.

    Attributes:
        folder: where it is.
        python: the version of Python in it.
        packages: the version of each package, by its name.
        size: the bytes of all files.
    """

    folder: Path
    python: str
    packages: dict[str, str]
    size: int


def make_distribution(
    pyodide: Path, wheels: Sequence[Path], folder: Path, *, packages: str, compiles: bool
) -> Distribution:
    """Fills a folder; files of an earlier run are replaced.

    Args:
        pyodide: a folder with Pyodide.
        wheels: the wheels to add.
        folder: where everything goes.
        packages: the address, or a folder, of the packages that belong to this Pyodide: what the wheels need of them is
            taken from there.
        compiles: whether Python files are compiled to bytecode ahead of time.

    Raises:
        DistributionError: a wheel does not fit, or lacks what it needs, or cannot be compiled.
    """
    try:
        return _make(pyodide, wheels, folder, packages, compiles)
    except CannotCompile as error:
        raise DistributionError(str(error)) from None


def _make(pyodide: Path, wheels: Sequence[Path], folder: Path, packages: str, compiles: bool) -> Distribution:
    from pyodide_lock import PyodideLockSpec

    whole = PyodideLockSpec.from_json(pyodide / LOCK)
    if compiles:
        check_compiler(whole.info.python)
    folder.mkdir(parents=True, exist_ok=True)
    _forget(folder)
    for file in runtime_files(pyodide):
        shutil.copyfile(file, folder / file.name)
    copies = [folder / wheel.name for wheel in wheels]
    for wheel, copy in zip(wheels, copies, strict=True):
        shutil.copyfile(wheel, copy)
    spec = _add(whole, copies, folder)
    needed = _reach(spec, [_package_of(spec, copy) for copy in copies])
    for name in [name for name in spec.packages if name not in needed]:
        del spec.packages[name]
    for name in sorted(needed):
        _fetch(spec.packages[name].file_name, spec.packages[name].sha256, packages, folder)
    spec.to_json(folder / LOCK)
    if compiles:
        compile_folder(folder, spec.info.python)
    versions = {name: spec.packages[name].version for name in sorted(spec.packages)}
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    return Distribution(folder, spec.info.python, versions, size)


def _forget(folder: Path) -> None:
    """Deletes the files of an earlier run: Pyodide's own, and the wheels that the lock file names."""
    lock = folder / LOCK
    for file in runtime_files(folder):
        file.unlink()
    if not lock.is_file():
        return
    with contextlib.suppress(ValueError, KeyError, AttributeError):
        for package in json.loads(lock.read_text("utf-8"))["packages"].values():
            (folder / Path(package["file_name"]).name).unlink(missing_ok=True)


def _add(spec: "PyodideLockSpec", wheels: Sequence[Path], folder: Path) -> "PyodideLockSpec":
    """Returns the lock file's content with the wheels added."""
    from pyodide_lock.utils import add_wheels_to_spec

    pure = [wheel for wheel in wheels if wheel.stem.endswith("-none-any")]
    compiled = [wheel for wheel in wheels if wheel not in pure]
    system = spec.info.platform
    logging.getLogger("pyodide_lock.utils").setLevel(logging.ERROR)
    try:
        # pyodide-lock knows wheels for this Pyodide only by a platform of their own name, and markers only by the
        # system's. The pure wheels that the others need are not there yet.
        spec.info.platform = f"pyemscripten_{spec.info.abi_version}"
        spec = add_wheels_to_spec(spec, compiled, base_path=folder, ignore_missing_dependencies=True)
        spec.info.platform = system
        return add_wheels_to_spec(spec, pure, base_path=folder)
    except (RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise DistributionError(_explain(str(error))) from None


def _explain(problem: str) -> str:
    if "is not in this distribution" in problem:
        return f"{problem.rstrip('.')}: neither Pyodide has it, nor was its wheel named. Name a wheel for it, too."
    if "don't match Python version" in problem:
        return (
            f"{problem.partition(': ')[0]}. Pure wheels fit (py3-none-any), and those that were built for this Pyodide."
        )
    return problem


def _package_of(spec: "PyodideLockSpec", wheel: Path) -> str:
    return next(name for name, package in spec.packages.items() if package.file_name == wheel.name)


def _reach(spec: "PyodideLockSpec", names: Iterable[str]) -> set[str]:
    """Returns these packages and all that they need."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in spec.packages:
            raise DistributionError(_explain(f"{name} is not in this distribution"))
        if name not in reached:
            reached.add(name)
            waiting += spec.packages[name].depends
    return reached


def _fetch(name: str, digest: str, packages: str, folder: Path) -> None:
    """Brings a file of Pyodide's own packages, unless it is there."""
    target = folder / name
    if target.is_file():
        return
    try:
        if "://" in packages:
            with urllib.request.urlopen(packages.rstrip("/") + f"/{name}", timeout=SECONDS) as response:
                content = response.read()
        else:
            content = Path(packages, name).read_bytes()
    except OSError as error:
        raise DistributionError(
            f"{name} belongs to Pyodide, and cannot be fetched from {packages}: {error}. "
            "--packages names another address, or a folder."
        ) from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise DistributionError(
            f"{name} from {packages} is not the file that Pyodide's lock file means: its hash differs."
        )
    target.write_bytes(content)
