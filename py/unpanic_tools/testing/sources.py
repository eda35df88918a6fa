"""Which file of the project a file in Pyodide was made of."""

import functools
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

__all__ = ["Sources", "find_sources"]

# A wheel is unpacked here, in every version of Pyodide.
SITE_PACKAGES = "/site-packages/"
# Folders that hold what was built or installed.
OTHERS = {"node_modules", "site-packages", "target", "build", "dist", "__pycache__"}


class Sources:
    """The project's Python files, by the names that they have in Pyodide.

    Args:
        root: the project's folder.
        wheels: what is installed in Pyodide.
    """

    def __init__(self, root: Path, wheels: Sequence[Path]) -> None:
        self._root = root.resolve()
        self._wheels = wheels

    def find(self, file: str) -> Path | None:
        """Returns the project's file for the name of a file in Pyodide; None: it is not the project's."""
        _, installed, name = file.rpartition(SITE_PACKAGES)
        if installed:
            return self._installed.get(name)
        path = self._root / file
        return path if path.is_file() and not file.startswith("/") else None

    @staticmethod
    def module(file: str) -> str:
        """Returns the name of a file in Pyodide as a module."""
        name = file.rpartition(SITE_PACKAGES)[2].removesuffix(".py").removesuffix("/__init__")
        return name.replace("/", ".")

    @property
    def packages(self) -> list[str]:
        """The packages and modules at the top of the wheels that have files of the project."""
        return sorted({name.partition("/")[0].removesuffix(".py") for name in self._installed})

    @functools.cached_property
    def _installed(self) -> dict[str, Path]:
        """Files of the wheels that are copies of files of the project: of equal ones the one whose path is nearest."""
        ours: dict[str, list[Path]] = {}
        for path in self._files():
            ours.setdefault(path.name, []).append(path)
        found = {}
        for wheel in self._wheels:
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    likely = ours.get(PurePosixPath(name).name, []) if name.endswith(".py") else []
                    text = archive.read(name) if likely else b""
                    if equal := [path for path in likely if path.read_bytes() == text]:
                        found[name] = max(equal, key=lambda path: _likeness(path, name))
        return found

    def _files(self) -> Iterator[Path]:
        """Yields the Python files of the project's folder."""
        for folder, folders, names in os.walk(self._root):
            folders[:] = [name for name in folders if name[0] != "." and name not in OTHERS]
            yield from (Path(folder) / name for name in names if name.endswith(".py"))


def _likeness(path: Path, name: str) -> int:
    """How many parts at the end of two paths are the same."""
    pairs = zip(reversed(path.parts), reversed(PurePosixPath(name).parts), strict=False)
    return next((count for count, (one, other) in enumerate(pairs) if one != other), len(PurePosixPath(name).parts))


@functools.cache
def find_sources(root: Path, wheels: tuple[Path, ...]) -> Sources:
    """Returns the sources of a project, which are the same object for the same wheels."""
    return Sources(root, wheels)
