"""`unpanic stubs`: types for type checkers and editors."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..beside import Beside
from ..stubs import NotDeclarations, make_stub
from .problems import CommandError, read_wasm, write_file

__all__ = ["stub_of", "write_stubs"]


def write_stubs(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.d.ts", help="The declarations that wasm-bindgen wrote.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PLACE",
            help="A file, a folder, or - for the terminal. By default FILE.pyi is written beside FILE.d.ts.",
        ),
    ] = None,
    wasm: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The Wasm file, if it is not beside the .d.ts.")
    ] = None,
    docs: Annotated[bool, typer.Option(help="With docstrings.")] = True,
) -> None:
    """Write types for type checkers and editors.

    A stub (.pyi) is written for each .d.ts file of wasm-bindgen. The glue and the Wasm file beside it tell which
    numbers are integers.
    """
    place = Path(output) if output not in (None, "-") else None
    folder = place if place and place.is_dir() else None
    if place and not folder and len(files) > 1:
        raise CommandError(f"{output} cannot hold the stubs of {len(files)} files: leave -o out.")
    if wasm:
        read_wasm(wasm)  # says what it is if it is none
    for path in files:
        text = stub_of(path, wasm, docs)
        if output == "-":
            sys.stdout.write(text)
        else:
            target = place if place and not folder else (folder or path.parent) / f"{_stem(path)}.pyi"
            write_file(target, text, "-o names another place.")
            print(target)


def stub_of(path: Path, wasm: Path | None, docs: bool) -> str:
    """Returns the stub for a `.d.ts` file."""
    if path.name.endswith(".wasm.d.ts"):
        glue = path.with_name(path.name.removesuffix(".wasm.d.ts").removesuffix("_bg") + ".d.ts")
        raise CommandError(f"{path} declares the Wasm file's own exports: the file for people is {glue}.")
    if path.is_dir():
        raise CommandError(f"{path} is a folder: name a .d.ts file in it{_such_as(path)}.")
    if not path.name.endswith(".d.ts"):
        raise CommandError(f"{path} is not a .d.ts file. wasm-bindgen writes one beside the glue, such as bank.d.ts.")
    try:
        source = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CommandError(f"{path} is not there.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} cannot be read: it is not UTF-8.") from None
    try:
        return make_stub(source, _stem(path), Beside(path, wasm), docs=docs)
    except NotDeclarations as error:
        raise CommandError(f"{path} is not what wasm-bindgen writes: {error}.") from None


def _such_as(folder: Path) -> str:
    files = sorted(path for path in folder.glob("*.d.ts") if not path.name.endswith(".wasm.d.ts"))
    return f", such as {files[0]}" if files else ""


def _stem(path: Path) -> str:
    return path.name.removesuffix(".d.ts")
