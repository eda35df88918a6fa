"""`unpanic inspect`: what a package is, what a crash of it will cost, and what its exports take."""

import re
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..inspection import Change, Inspection, inspect_package
from ..npm import PREFIX, NotFetched, fetch_package
from ..package import NoPackage, find_package
from ..rewrite import WasmtimeMissing
from .output import AsJson, console, print_json
from .problems import REWRITER, CommandError, read_asset, read_wasm

__all__ = ["print_inspection"]


def print_inspection(
    package: Annotated[
        str,
        typer.Argument(
            metavar="PKG", help="A folder with one package, its glue, its Wasm file, a wheel, or npm:NAME@VERSION."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Tell what a package is, what a crash of it will cost, and what its exports take.

    Nothing is run. The target, the versions, the panic strategy and the hook are read from the files; the rewriter
    tells whether failed calls can be undone, and whether long ones can be stopped.
    """
    with tempfile.TemporaryDirectory() as unpacked:
        inspection = _inspect(package, Path(unpacked))
        if as_json:
            print_json(_as_data(inspection))
        else:
            _show(inspection)


def _inspect(package: str, unpacked: Path) -> Inspection:
    try:
        place = fetch_package(package, unpacked) if package.startswith(PREFIX) else Path(package)
        files = find_package(place, unpacked)
        read_wasm(files.wasm)
        return inspect_package(files, read_asset(REWRITER))
    except (NoPackage, NotFetched) as error:
        # A package from npm lies where nobody knows.
        problem = str(error).replace(f"{unpacked}/package", package.rstrip("/"))
        is_name = not Path(package).exists() and re.fullmatch(r"[\w-]+", package)
        raise CommandError(f"{problem} On npm, a package is named {PREFIX}{package}." if is_name else problem) from None
    except WasmtimeMissing:
        raise CommandError("inspecting needs wasmtime: run `pip install wasmtime`.") from None
    except ValueError as error:
        raise CommandError(f"{package} cannot be inspected: {error}. Take the file from a whole build.") from None


def _as_data(inspection: Inspection) -> dict[str, Any]:
    """Returns the same as values of JSON, without folders: a wheel's would be gone."""
    data = asdict(inspection)
    return {**data, "wasm": inspection.wasm.name, "glue": inspection.glue.name if inspection.glue else ""}


def _show(inspection: Inspection) -> None:
    rows = {
        "Wasm file": f"{inspection.wasm.name}, {inspection.wasm_bytes:,} bytes ({inspection.gzip_bytes:,} compressed)",
        "glue": _glue(inspection),
        "made by": _makers(inspection),
        "panics": _panics(inspection),
        "a crash": f"{inspection.recovery}, because {inspection.why}",
        "rollback": _change(inspection.rollback, inspection.wasm_bytes, "a failed call can be undone"),
        "deadlines": _change(inspection.deadlines, inspection.wasm_bytes, "a long call can be stopped"),
        "frames": _frames(inspection),
    }
    width = max(map(len, rows))
    for name, text in rows.items():
        console.print(f"{name:{width}}  {text}", soft_wrap=True)
    console.print(f"{'exports':{width}}  {len(inspection.exports)}", soft_wrap=True)
    for line in inspection.exports:
        console.print(f"  {line}", soft_wrap=True)


def _glue(inspection: Inspection) -> str:
    if inspection.glue is None:
        return "none: the exports take what the Wasm file says"
    target = f"target {inspection.target}" if inspection.target else "not of a form that wasm-bindgen writes"
    return f"{inspection.glue.name}, {inspection.glue_bytes:,} bytes, {target}"


def _makers(inspection: Inspection) -> str:
    versions = [("wasm-bindgen", inspection.wasm_bindgen), ("rustc", inspection.rustc)]
    return ", ".join(f"{name} {version}" for name, version in versions if version) or "unknown: the file does not tell"


def _panics(inspection: Inspection) -> str:
    hook = {
        "": "no hook was found: a panic may arrive without message and place (the crate `unpanic` adds one)",
        "setPanicHook": "setPanicHook tells message and place",
        "console_error_panic_hook": "console_error_panic_hook tells message and place",
    }[inspection.hook]
    return f"panic={inspection.panic}; {hook}"


def _change(change: Change, before: int, meaning: str) -> str:
    if not change.possible:
        return f"not possible: {change.why}"
    if change.why:
        return f"{meaning}: {change.why}"
    return (
        f"{meaning}; load() rewrites the file: {change.wasm_bytes:,} bytes, {change.wasm_bytes / before - 1:.1%} more"
    )


def _frames(inspection: Inspection) -> str:
    if inspection.has_debug:
        return "with names, files and lines"
    return "with names" if inspection.has_names else "without names: the build has stripped them"
