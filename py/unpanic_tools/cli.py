"""The command `unpanic`, which is also `python -m unpanic`."""

import argparse
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from unpanic._version import __version__

from .beside import Beside
from .rewrite import DEADLINES, NotRewritten, WasmtimeMissing, run_rewriter
from .stubs import NotDeclarations, make_stub

__all__ = ["main"]

# The service worker's name in the wheel, and on a site.
WORKER = "service-worker.js"
PUBLISHED = "unpanic-service-worker.js"
# The rewriter's name in the wheel.
REWRITER = "rewriter.wasm"


class CommandError(Exception):
    """The command cannot go on; the message says why and what to do."""


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    options = make_parser().parse_args(args)
    try:
        options.run(options)
    except CommandError as error:
        print(f"unpanic: {error}", file=sys.stderr)
        return 1
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(prog="unpanic", description="Tools for Rust modules in Python.")
    parser.add_argument("--version", action="version", version=f"unpanic {__version__}")
    parser.set_defaults(run=lambda _options: parser.print_help())
    commands = parser.add_subparsers(title="commands", dest="command")
    add_stubs(commands)
    add_assets(commands)
    add_rewrite(commands)
    return parser


def add_stubs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the options of `unpanic stubs`."""
    stubs = commands.add_parser(
        "stubs",
        help="write types for type checkers and editors",
        description="Writes a stub (.pyi) for each .d.ts file of wasm-bindgen. The glue and the Wasm file beside it "
        "tell which numbers are integers.",
    )
    stubs.add_argument("files", nargs="+", type=Path, metavar="FILE.d.ts")
    stubs.add_argument(
        "-o", "--output", metavar="PLACE", help="a file, a folder, or - for the terminal (default: FILE.pyi beside it)"
    )
    stubs.add_argument("--wasm", type=Path, metavar="FILE", help="the Wasm file, if it is not beside the .d.ts")
    stubs.add_argument(
        "--docs", action=argparse.BooleanOptionalAction, default=True, help="with docstrings (default: yes)"
    )
    stubs.set_defaults(run=write_stubs)


def add_assets(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the options of `unpanic assets`."""
    assets = commands.add_parser(
        "assets",
        help="write the service worker into your site",
        description=f"Writes {PUBLISHED}, through which unpanic.service answers requests, into a folder of your site: "
        "that of the page, or one above. Do it again whenever you update unpanic.",
    )
    assets.add_argument("folder", type=Path, metavar="DIR")
    assets.set_defaults(run=write_assets)


def add_rewrite(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the options of `unpanic rewrite`."""
    rewrite = commands.add_parser(
        "rewrite",
        help="make the loops of a Wasm file stoppable, ahead of time",
        description="Writes a Wasm file that does the same as another one and can be stopped. In the browser, "
        "load(..., timeout=) does this by itself; a file that was rewritten already is taken as it is.",
    )
    rewrite.add_argument("source", type=Path, metavar="IN.wasm")
    rewrite.add_argument("target", type=Path, metavar="OUT.wasm")
    rewrite.add_argument(
        "--deadlines", action="store_true", required=True, help="a deadline can end a call: loops and recursion count"
    )
    rewrite.set_defaults(run=write_rewritten)


def read_asset(name: str) -> bytes:
    """Reads a built file of the wheel `unpanic`."""
    asset = resources.files("unpanic").joinpath(name)
    if not asset.is_file():
        raise CommandError(f"this unpanic has no {name}: install the wheel that `make dist` builds.")
    return asset.read_bytes()


def write_rewritten(options: argparse.Namespace) -> None:
    """Writes the rewritten file, and prints its size."""
    source, target = options.source, options.target
    wasm = _read_wasm(source)
    try:
        rewritten = run_rewriter(read_asset(REWRITER), wasm, DEADLINES)
    except WasmtimeMissing:
        raise CommandError("rewriting needs wasmtime: run `pip install 'unpanic-tools[rewrite]'`.") from None
    except NotRewritten as error:
        raise CommandError(f"{source} was not rewritten: {error}.") from None
    try:
        target.write_bytes(rewritten)
    except OSError as error:
        raise CommandError(f"{target} cannot be written: {error.strerror or error}.") from None
    if rewritten == wasm:
        print(f"{target}: {source} was rewritten before, and is copied ({len(wasm):,} bytes)")
    else:
        growth = len(rewritten) / len(wasm) - 1
        print(f"{target}: {len(rewritten):,} bytes, {growth:.1%} more than {source} ({len(wasm):,} bytes)")


def write_assets(options: argparse.Namespace) -> None:
    """Writes the service worker, which a site must serve itself."""
    worker = read_asset(WORKER)
    if not options.folder.is_dir():
        raise CommandError(f"{options.folder} is not a folder: name one of your site.")
    target = options.folder / PUBLISHED
    try:
        target.write_bytes(worker)
    except OSError as error:
        raise CommandError(f"{target} cannot be written: {error.strerror or error}.") from None
    print(target)


def write_stubs(options: argparse.Namespace) -> None:
    """Writes the stubs that the options ask for."""
    place = Path(options.output) if options.output not in (None, "-") else None
    folder = place if place and place.is_dir() else None
    if place and not folder and len(options.files) > 1:
        raise CommandError(f"{options.output} cannot hold the stubs of {len(options.files)} files: leave -o out.")
    if options.wasm:
        _check_wasm(options.wasm)
    for path in options.files:
        text = _stub_of(path, options.wasm, options.docs)
        if options.output == "-":
            sys.stdout.write(text)
        else:
            target = place if place and not folder else (folder or path.parent) / f"{_stem(path)}.pyi"
            try:
                target.write_text(text, encoding="utf-8")
            except OSError as error:
                reason = error.strerror or error
                raise CommandError(f"{target} cannot be written: {reason}. -o names another place.") from None
            print(target)


def _read_wasm(path: Path) -> bytes:
    try:
        wasm: bytes = path.read_bytes()
    except FileNotFoundError:
        raise CommandError(f"{path} is not there.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from None
    if wasm[:4] != b"\0asm":
        raise CommandError(f"{path} is not a Wasm file. wasm-bindgen writes one beside the glue: bank_bg.wasm.")
    return wasm


def _check_wasm(wasm: Path) -> None:
    if not wasm.is_file():
        raise CommandError(f"{wasm} is not there.")
    with wasm.open("rb") as file:
        if file.read(4) != b"\0asm":
            raise CommandError(f"{wasm} is not a Wasm file. wasm-bindgen writes one beside the glue: bank_bg.wasm.")


def _stub_of(path: Path, wasm: Path | None, docs: bool) -> str:
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
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from None
    try:
        return make_stub(source, _stem(path), Beside(path, wasm), docs=docs)
    except NotDeclarations as error:
        raise CommandError(f"{path} is not what wasm-bindgen writes: {error}.") from None


def _such_as(folder: Path) -> str:
    files = sorted(path for path in folder.glob("*.d.ts") if not path.name.endswith(".wasm.d.ts"))
    return f", such as {files[0]}" if files else ""


def _stem(path: Path) -> str:
    return path.name.removesuffix(".d.ts")


if __name__ == "__main__":
    sys.exit(main())
