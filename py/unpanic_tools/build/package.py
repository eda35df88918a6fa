"""From the Wasm file that cargo has built to the folder of a Python package."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import unpanic
from unpanic._version import __version__

from ..beside import Beside
from ..mark import Mark
from ..rewrite import DEADLINES, PLAIN, ROLLBACK, NotRewritten, run_rewriter
from ..stubs import NotDeclarations, make_stub
from .bindgen import bind
from .cargo import Crate
from .commands import ask, run, say
from .descriptors import decode, read_words
from .exact import Described, read_glue, write_closures, write_types
from .failure import BuildError
from .lines import has_debug_info, line_table, without_debug_info
from .options import CrateOptions
from .recording import NotRecorded, record
from .trimming import exported_functions

__all__ = ["Package", "make_package", "optimize"]

# Says from what the folder was made.
STAMP = ".made-from.json"
# wasm-opt must not lose the names of functions, from which frames are read.
KEEP_NAMES = "-g"
# Debian 12 has version 108, which does not know `table.fill`, as today's Rust writes it; npm has the newest.
INSTALL_WASM_OPT = "run `npm install --global binaryen`, or on Debian 13 `apt install binaryen`"
INIT = '''\
"""{doc}"""

import sys

if sys.platform == "emscripten":
    import unpanic

    unpanic.load_sync({arguments})
else:
    from unpanic_tools.stand_in import stand_in

    stand_in(__name__)
'''
DOC = "The Rust module {name}. It needs Pyodide; elsewhere it imports, and says so when something is called."


@dataclass(frozen=True)
class Package:
    """The folder of a Python package that is a Rust module.

    Attributes:
        module: its name, as Python imports it.
        folder: where its files are.
    """

    module: str
    folder: Path

    @property
    def name(self) -> str:
        """The last part of the module's name, which its glue has too."""
        return self.module.rpartition(".")[2]

    def files(self) -> dict[str, str]:
        """Returns the files of the package: the path of each in a wheel, by its path here."""
        root = self.module.replace(".", "/")
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file() and path.name != STAMP)
        return {str(path): f"{root}/{path.relative_to(self.folder).as_posix()}" for path in paths}


def make_package(raw: Path, crate: Crate, options: CrateOptions, bindgen: str, package: Package) -> None:
    """Writes the package: glue, Wasm, types, stub, and what makes it one for Python.

    Nothing is done if it was made of the same file with the same options before.

    Args:
        raw: the file that cargo has built.
        crate: the crate.
        options: what else is done with the file.
        bindgen: the command of wasm-bindgen.
        package: where to write.

    Raises:
        BuildError: a tool failed, or the crate exports nothing.
    """
    stamp = _stamp(raw, crate, options)
    place = package.folder / STAMP
    if place.is_file() and place.read_text("utf-8") == stamp:
        return
    place.unlink(missing_ok=True)
    name, folder = package.name, package.folder
    bind(bindgen, raw, folder, name, debug=options.has_lines)
    if options.exact_types:
        _write_exact_types(raw, crate, folder, name)
    wasm = folder / f"{name}_bg.wasm"
    debug = wasm.read_bytes() if options.has_lines else b""
    if debug:
        wasm.write_bytes(without_debug_info(debug))
    if options.wasm_opt:
        optimize(wasm, options.wasm_opt)
    _rewrite_ahead(wasm, options)
    if debug:
        _write_lines(debug, wasm, crate, options)
    _write_python(folder, name, options.load)
    place.write_text(stamp, "utf-8")


def _stamp(raw: Path, crate: Crate, options: CrateOptions) -> str:
    """Returns what decides how the package becomes, as a text."""
    inputs = {
        "wasm": hashlib.sha256(raw.read_bytes()).hexdigest(),
        "bindgen": crate.bindgen,
        "unpanic": __version__,
        "tools": _hash_of_tools(),
        "options": asdict(options),
    }
    return json.dumps(inputs, indent=1)


def _hash_of_tools() -> str:
    """Returns a hash of unpanic's own files, whose version stays the same while somebody works on them."""
    digest = hashlib.sha256()
    for root in (Path(__file__).parents[1], Path(unpanic.__file__).parent):
        for path in sorted(root.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _write_exact_types(raw: Path, crate: Crate, folder: Path, name: str) -> None:
    """Writes exact types into the glue and the `.d.ts`; if they cannot be told, says so and leaves both."""
    words = read_words(crate.bindgen_source, crate.bindgen_source.with_name(f"wasm-bindgen-shared-{crate.bindgen}"))
    if not words:
        say(f"exact types are left out: the source of wasm-bindgen {crate.bindgen} has no list of types.")
        return
    wasm = raw.read_bytes()
    try:
        recorded, functions = record(wasm), exported_functions(wasm)
    except NotRecorded as error:
        say(f"exact types are left out: wasmtime cannot run the file ({error}).")
        return
    decoded = {export: signature for export, told in recorded.items() if (signature := decode(told, words))}
    glue, declarations = folder / f"{name}.js", folder / f"{name}.d.ts"
    text, exacts = read_glue(glue.read_text("utf-8"), Described.of(decoded, functions))
    glue.write_text(write_closures(text), "utf-8")
    declarations.write_text(write_types(declarations.read_text("utf-8"), exacts), "utf-8")


def _write_lines(debug: bytes, wasm: Path, crate: Crate, options: CrateOptions) -> None:
    """Writes the table of lines beside the glue, or says why there is none."""
    # wasm-opt would write debug information anew, but what it writes names wrong lines (measured with version 132).
    if options.wasm_opt or not has_debug_info(debug):
        why = "wasm-opt moves code" if options.wasm_opt else f'the profile "{options.profile}" has no debug information'
        say(f"frames will have no lines: {why}.")
        return
    table = line_table(debug, _forms(wasm.read_bytes()), crate.workspace, _rewriter())
    wasm.with_name(f"{wasm.stem.removesuffix('_bg')}.lines.json").write_text(table, "utf-8")


def _forms(wasm: bytes) -> dict[int, bytes]:
    """Returns a file in each form in which unpanic may load it, by the options of the rewriter."""
    if mark := Mark.of(wasm):
        return {DEADLINES * mark.deadlines + ROLLBACK * bool(mark.tracked): wasm}
    forms = {0: wasm}
    for options in (DEADLINES, ROLLBACK, ROLLBACK | PLAIN):
        for also in (0, DEADLINES):
            with suppress(NotRewritten):
                forms[options | also] = run_rewriter(_rewriter(), wasm, options | also)
    return forms


def optimize(wasm: Path, flags: Sequence[str]) -> None:
    """Has `wasm-opt` make a Wasm file smaller; functions keep their names.

    Raises:
        BuildError: it is not installed, or it failed.
    """
    if not shutil.which("wasm-opt"):
        raise BuildError(f"wasm-opt is not installed: {INSTALL_WASM_OPT}; or leave the option `wasm-opt` out.")
    smaller = wasm.with_suffix(".smaller")
    try:
        run(["wasm-opt", wasm, *flags, KEEP_NAMES, "-o", smaller], wasm.parent)
    except BuildError as error:
        version = ask(("wasm-opt", "--version")) or "wasm-opt"
        raise BuildError(
            f"{error} This is {version}; if it is too old for what Rust writes today: {INSTALL_WASM_OPT}."
        ) from None
    smaller.replace(wasm)


def _rewrite_ahead(wasm: Path, options: CrateOptions) -> None:
    """Rewrites a file as the options say.

    A file that was rewritten for deadlines cannot be rewritten again where it is loaded, so it is rewritten for
    rollback, too, unless the user or the file forbids that.
    """
    flags = DEADLINES * options.deadlines + ROLLBACK * bool(options.rollback)
    if options.deadlines and options.rollback is None and options.panic != "unwind":
        with suppress(BuildError):
            return _rewrite(wasm, DEADLINES | ROLLBACK)
    return _rewrite(wasm, flags) if flags else None


def _rewriter() -> bytes:
    try:
        return resources.files("unpanic").joinpath("rewriter.wasm").read_bytes()
    except FileNotFoundError:
        raise BuildError("this unpanic has no rewriter.wasm: install the wheel that `make dist` builds.") from None


def _rewrite(wasm: Path, flags: int) -> None:
    try:
        wasm.write_bytes(run_rewriter(_rewriter(), wasm.read_bytes(), flags))
    except NotRewritten as error:
        raise BuildError(f"the Wasm file cannot be rewritten for `deadlines` or `rollback`: {error}.") from None


def _write_python(folder: Path, name: str, load: Mapping[str, str | float | bool]) -> None:
    declarations = folder / f"{name}.d.ts"
    try:
        stub = make_stub(declarations.read_text("utf-8"), name, Beside(declarations))
    except NotDeclarations:
        raise BuildError("the crate exports nothing: mark what Python is to call with `#[wasm_bindgen]`.") from None
    (folder / "__init__.pyi").write_text(stub, "utf-8")
    options = [f"{option}={value!r}" for option, value in load.items()]
    arguments = ", ".join([f'"{name}.js"', "name=__name__", *options])
    (folder / "__init__.py").write_text(INIT.format(doc=DOC.format(name=name), arguments=arguments), "utf-8")
    (folder / "py.typed").write_bytes(b"")
