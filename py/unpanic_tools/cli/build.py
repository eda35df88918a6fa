"""`unpanic build`: the wheel of a crate."""

from pathlib import Path
from typing import Annotated

import typer

from .building import build_project
from .output import AsJson, print_json

__all__ = ["build_wheel"]


def build_wheel(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with pyproject.toml.")] = Path(),
    out: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Where the wheel goes. By default DIR/dist.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the wheel of a crate, which any Pyodide installs.

    Does what `pip wheel .` does, in this environment: runs cargo and wasm-bindgen as [tool.hatch.build.hooks.unpanic]
    in pyproject.toml says, and packs glue, Wasm and types. The path of the wheel is printed.
    """
    wheel = build_project(folder, out or folder / "dist")
    if as_json:
        print_json({"wheel": str(wheel), "bytes": wheel.stat().st_size})
    else:
        print(wheel)
