"""`unpanic rewrite`: a Wasm file whose calls can be stopped or undone, made ahead of time."""

from pathlib import Path
from typing import Annotated

import typer

from ..rewrite import DEADLINES, ROLLBACK, NotRewritten, WasmtimeMissing, run_rewriter
from .output import AsJson, print_json
from .problems import REWRITER, CommandError, read_asset, read_wasm, write_file

__all__ = ["write_rewritten"]


def write_rewritten(
    source: Annotated[Path, typer.Argument(metavar="IN.wasm", help="The file that wasm-bindgen wrote.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.wasm", help="The new file; IN.wasm again replaces it.")],
    deadlines: Annotated[
        bool, typer.Option("--deadlines", help="A deadline can end a call: loops and recursion count.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="A failed call can be undone: the module tracks what it writes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make calls into a Wasm file stoppable, or able to be undone, ahead of time.

    The new file computes the same as the old one. In the browser, load() does this by itself where it is needed; a file
    that was rewritten already is taken as it is.
    """
    flags = DEADLINES * deadlines | ROLLBACK * rollback
    if not flags:
        raise CommandError("nothing to do: pass --deadlines, --rollback, or both.")
    wasm = read_wasm(source)
    try:
        rewritten = run_rewriter(read_asset(REWRITER), wasm, flags)
    except WasmtimeMissing:
        raise CommandError("rewriting needs wasmtime: run `pip install wasmtime`.") from None
    except NotRewritten as error:
        raise CommandError(f"{source} was not rewritten: {error}.") from None
    write_file(target, rewritten)
    is_copied = rewritten == wasm  # it was rewritten before
    if as_json:
        sizes = {"bytes": len(rewritten), "bytes_before": len(wasm)}
        print_json({"file": str(target), **sizes, "rollback": rollback, "deadlines": deadlines, "copied": is_copied})
    elif is_copied:
        print(f"{target}: {source} was rewritten before, and is copied ({len(wasm):,} bytes)")
    else:
        growth = len(rewritten) / len(wasm) - 1
        print(f"{target}: {len(rewritten):,} bytes, {growth:.1%} more than {source} ({len(wasm):,} bytes)")
