"""`unpanic new`: a project to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from ..scaffold import NameRefused, make_project, module_of
from .output import AsJson, console, print_json
from .problems import CommandError

__all__ = ["make_new"]


def make_new(
    place: Annotated[
        Path, typer.Argument(metavar="NAME", help="The new folder. Its last part is the name of crate and package.")
    ],
    as_json: AsJson = False,
) -> None:
    """Make a project: a crate, a Python package, a page, a notebook and tests.

    It works as it is: `unpanic dev` shows its page, and `pytest` passes.
    """
    name = place.absolute().name
    try:
        module = module_of(name)
        if place.exists() and not place.is_dir():
            raise CommandError(f"{place} is there already, and is a file: choose another name.")
        if place.is_dir() and any(place.iterdir()):
            raise CommandError(f"{place} is there already, and not empty: choose another name, or empty it.")
        written = make_project(name, place)
    except NameRefused as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        reason = error.strerror or error
        raise CommandError(f"{error.filename or place} cannot be written: {reason}.") from None
    if as_json:
        print_json({"folder": str(place), "module": module, "files": [str(file) for file in written]})
        return
    for file in written:
        console.print(str(file), soft_wrap=True)
    console.print(f"\ncd {place}", "unpanic dev", sep="\n", soft_wrap=True)
    console.print(f"Change src/lib.rs, and the open page has the new `{module}`.", soft_wrap=True)
