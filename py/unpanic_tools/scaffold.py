"""A new project from the files in `template`: a crate, a page, a notebook and tests."""

import keyword
import re
import string
import sys
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

__all__ = ["NameRefused", "make_project", "module_of"]

SUFFIX = ".template"
# In names of files: the name of the Python module.
PLACEHOLDER = "NAME"
# The helper crate is copied as it is.
COPIED = "unpanic"
NAME = re.compile(r"[a-z](?:[a-z0-9_-]*[a-z0-9])?")
# Rust's words.
RESERVED = (
    "abstract as async await become box break const continue core crate do dyn else enum extern final fn for gen if "
    "impl in let loop macro match mod move mut override priv pub ref return self static std struct super trait try "
    "type typeof unsafe unsized use virtual where while yield"
)
# Crates and modules that a project has beside its own: a second one of that name would be taken for it.
TAKEN = (
    "alloc proc_macro test wasm_bindgen unpanic unpanic_tools "  # in Rust
    "js micropip pyodide pyodide_js pytest tests"  # in Python
)


class NameRefused(ValueError):
    """A project cannot have this name; the message says why."""


def module_of(name: str) -> str:
    """Returns the name that Python imports.

    Raises:
        NameRefused: the name suits no crate, or no module.
    """
    module = name.replace("-", "_")
    if not NAME.fullmatch(name):
        raise NameRefused(
            f"{name!r} is no name for a crate: use small letters, digits, - and _ between them, such as `bank`."
        )
    if keyword.iskeyword(module) or module in RESERVED.split():
        raise NameRefused(f"{name!r} is a word of Python or Rust: choose another name.")
    if module in TAKEN.split():
        raise NameRefused(f"{name!r} is the name of something that every project uses: choose another name.")
    if module in sys.stdlib_module_names:
        raise NameRefused(f"{name!r} would hide Python's own module {module}: choose another name.")
    return module


def make_project(name: str, folder: Path) -> list[Path]:
    """Writes the files of a project.

    Args:
        name: its name.
        folder: a new folder, or an empty one.

    Returns:
        The files.
    """
    words = {"name": name, "module": module_of(name)}
    written: list[Path] = []
    made: list[Path] = []
    try:
        for place, source in sorted(_files(resources.files("unpanic_tools") / "template", Path())):
            text = source.read_text("utf-8")
            target = folder / str(place).replace(PLACEHOLDER, words["module"]).removesuffix(SUFFIX)
            made += _make_folder(target.parent)
            is_copied = place.parts[0] == COPIED
            written.append(target)
            target.write_text(text if is_copied else string.Template(text).substitute(words), "utf-8")
    except BaseException:
        # Half a project would be in the way of the next try.
        for file in written:
            file.unlink(missing_ok=True)
        for parent in reversed(made):
            parent.rmdir()
        raise
    return written


def _make_folder(folder: Path) -> list[Path]:
    """Makes a folder and those above it, and returns which were not there, the outermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()][::-1]
    for each in missing:
        each.mkdir()
    return missing


def _files(folder: Traversable, place: Path) -> list[tuple[Path, Traversable]]:
    files = []
    for entry in folder.iterdir():
        if entry.is_dir():
            files += _files(entry, place / entry.name)
        elif entry.name.endswith(SUFFIX):
            files.append((place / entry.name, entry))
    return files
