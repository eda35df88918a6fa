"""`unpanic replay`: a kept crash, made again on this machine."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from .. import distribution
from ..package import NoPackage, find_package
from ..replaying import NotReplayed, Outcome, replay
from .dist import own_wheel
from .output import AsJson, console, note, print_json
from .problems import CommandError

__all__ = ["replay_crash"]

# In what unpanic says of a state that does not belong to a module.
OTHER_BUILD = "of another Wasm file"


def replay_crash(
    capsule: Annotated[Path, typer.Argument(metavar="CAPSULE", help="A file with what crash.capsule() returned.")],
    package: Annotated[
        Path, typer.Argument(metavar="PKG", help="The same package: its folder, glue, Wasm file or wheel.")
    ],
    interruptible: Annotated[
        bool, typer.Option("--timeout", help="The module had been loaded with timeout= when it crashed.")
    ] = False,
    pyodide: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder with Pyodide. By default node_modules/pyodide, or a download that is kept.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a kept crash again, in Pyodide under Node.

    The exit code is 0 if the call was made again, whether it crashed or not, and 1 if the capsule does not belong to
    this package.
    """
    if not capsule.is_file():
        found = "a folder" if capsule.is_dir() else "not there"
        raise CommandError(f"{capsule} is {found}: write what crash.capsule() returns into a file, and name that.")
    with tempfile.TemporaryDirectory() as folder:
        outcome = _replay(capsule, package, Path(folder), pyodide, interruptible)
    if as_json:
        print_json(outcome)
    elif outcome["crashed"]:
        console.print(outcome["traceback"], soft_wrap=True)
        for frame in outcome["frames"]:
            console.print(f"  {frame}", soft_wrap=True)
    else:
        console.print(f"It did not crash: the call ended with {outcome['result']}", soft_wrap=True)


def _replay(capsule: Path, package: Path, folder: Path, pyodide: Path | None, interruptible: bool) -> Outcome:
    try:
        unpacked = folder / "unpacked"
        files = find_package(package, unpacked)
        source = distribution.find_pyodide(pyodide, Path.cwd(), note)
        return replay(capsule, files.glue or files.wasm, source, own_wheel(folder), interruptible=interruptible)
    except (NoPackage, distribution.PyodideMissing) as error:
        raise CommandError(str(error)) from None
    except NotReplayed as error:
        raise CommandError(f"{capsule} was not replayed: {error}{_remedy(str(error), interruptible)}") from None


def _remedy(problem: str, interruptible: bool) -> str:
    """Returns what to try, where the user can have made a mistake that the message does not name."""
    if OTHER_BUILD not in problem:
        return ""
    option = (
        "leave --timeout out, if it was loaded without timeout="
        if interruptible
        else ("add --timeout, if it was loaded with timeout=")
    )
    return f" Name the very files that the page had loaded; {option}."
