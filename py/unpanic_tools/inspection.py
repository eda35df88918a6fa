"""What can be said of a package before it is loaded: who made it, what a crash will cost, what its exports take."""

import ast
import gzip
from dataclasses import dataclass
from pathlib import Path

from unpanic._declarations.annotations import Annotator
from unpanic._declarations.builtin_types import RUST_NUMBERS
from unpanic._declarations.model import Name, Type
from unpanic._declarations.source import Direction
from unpanic._declarations.spelling import OWN

from .beside import Beside
from .facts import WasmFacts
from .mark import Mark
from .package import PackageFiles, target_of
from .rewrite import DEADLINES, ROLLBACK, NotRewritten, run_rewriter
from .stubs import NotDeclarations, make_stub
from .wasm import Signatures

__all__ = ["Change", "Inspection", "inspect_package"]

# Exports that wasm-bindgen makes for its glue.
INTERNAL = ("__wbindgen_", "__wbg_", "__externref", "__data_end", "__heap_base")


@dataclass(frozen=True)
class Change:
    """What the rewriter makes of a file for one purpose.

    Attributes:
        possible: whether it can be done, or was done.
        why: why not, or that it was done before; else empty.
        wasm_bytes: the size of the file afterwards.
    """

    possible: bool
    why: str
    wasm_bytes: int


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        wasm: the Wasm file.
        glue: its glue; empty if there is none.
        target: the target of wasm-bindgen; empty if there is no glue, or glue of another form.
        wasm_bindgen: the version that made it; empty if it was not made by wasm-bindgen, or does not tell.
        rustc: the version of the compiler; empty if the file does not tell.
        panic: `unwind` or `abort`.
        hook: what tells the message of a panic: `setPanicHook`, `console_error_panic_hook`, or nothing.
        recovery: what `recovery="auto"` makes of a crash: `rollback`, `unwind` or `reset`.
        why: why that is so.
        rollback: whether a failed call can be undone.
        deadlines: whether a call can be stopped.
        has_names: whether the frames of a crash have names.
        has_debug: whether they have files and lines.
        wasm_bytes: the size of the Wasm file.
        gzip_bytes: the same, compressed as most servers do.
        glue_bytes: the size of the glue.
        exports: what each export takes and returns, as Python sees it.
    """

    wasm: Path
    glue: Path | None
    target: str
    wasm_bindgen: str
    rustc: str
    panic: str
    hook: str
    recovery: str
    why: str
    rollback: Change
    deadlines: Change
    has_names: bool
    has_debug: bool
    wasm_bytes: int
    gzip_bytes: int
    glue_bytes: int
    exports: tuple[str, ...]


def inspect_package(files: PackageFiles, rewriter: bytes) -> Inspection:
    """Looks into the files of a package.

    Args:
        files: the files.
        rewriter: the rewriter's Wasm file, which tells what it can do with the package's.

    Raises:
        ValueError: the Wasm file is damaged.
        WasmtimeMissing: wasmtime is not installed.
    """
    wasm = files.wasm.read_bytes()
    facts = WasmFacts.of(wasm)
    mark = Mark.of(wasm)
    glue = files.glue.read_text(errors="replace") if files.glue else ""
    rollback = _change(rewriter, wasm, ROLLBACK, mark is not None and mark.tracked is not None)
    recovery, why = _recovery(facts, rollback)
    return Inspection(
        wasm=files.wasm,
        glue=files.glue,
        target=target_of(glue),
        wasm_bindgen=facts.tools.get("wasm-bindgen", "").partition(" ")[0],
        rustc=facts.tools.get("rustc", "").partition(" ")[0],
        panic="unwind" if facts.unwinds else "abort",
        hook=facts.hook or ("setPanicHook" if "setPanicHook" in glue else ""),
        recovery=recovery,
        why=why,
        rollback=rollback,
        deadlines=_change(rewriter, wasm, DEADLINES, mark is not None and mark.deadlines),
        has_names=facts.functions,
        has_debug=facts.debug,
        wasm_bytes=len(wasm),
        gzip_bytes=len(gzip.compress(wasm, 6)),
        glue_bytes=files.glue.stat().st_size if files.glue else 0,
        exports=tuple(_declared(files) or _raw(files.wasm)),
    )


def _change(rewriter: bytes, wasm: bytes, flags: int, is_done: bool) -> Change:
    if is_done:
        return Change(True, "the file was rewritten before", len(wasm))
    try:
        return Change(True, "", len(run_rewriter(rewriter, wasm, flags)))
    except NotRewritten as error:
        return Change(False, str(error).removeprefix("the module cannot be rewritten: "), len(wasm))


def _recovery(facts: WasmFacts, rollback: Change) -> tuple[str, str]:
    if facts.unwinds:
        return "unwind", "it was built with panic=unwind, so a panic runs destructors"
    if rollback.possible:
        return "rollback", "its Wasm file can be rewritten, so that a failed call can be undone"
    return "reset", f"its calls cannot be rolled back: {rollback.why}"


def _declared(files: PackageFiles) -> list[str]:
    """Returns the signatures in the package's stub."""
    if files.declarations is None:
        return []
    try:
        source = files.declarations.read_text(encoding="utf-8-sig")
        beside = Beside(files.declarations, files.wasm)
        stub = make_stub(source, files.declarations.stem, beside, docs=False, annotator=_RustNumbers)
    except (NotDeclarations, UnicodeDecodeError):
        return []
    lines: list[str] = []
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ClassDef):
            lines += _of_class(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines.append(_signature(node))
    return lines


class _RustNumbers(Annotator):
    """Writes the numbers of Rust where a package has them, as those of the build hook do: `u8` instead of `int`."""

    def _resolved(self, type_: Type) -> Type:
        is_exact = isinstance(type_, Name) and type_.name in RUST_NUMBERS
        return type_ if is_exact else super()._resolved(type_)

    def _name(self, type_: Name, way: Direction, path: str) -> str:
        return OWN + type_.name if type_.name in RUST_NUMBERS else super()._name(type_, way, path)


def _of_class(node: ast.ClassDef) -> list[str]:
    """Returns a line for the constructor, and one for each method that is not Python's own."""
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = []
    for method in methods:
        is_property = any(ast.unparse(each) == "property" for each in method.decorator_list)
        if method.name == "__init__":
            lines.append(f"{node.name}({_parameters(method)})")
        elif is_property:
            lines.append(f"{node.name}.{method.name}: {ast.unparse(method.returns) if method.returns else 'Any'}")
        elif not method.name.startswith("__") and not any("setter" in ast.unparse(d) for d in method.decorator_list):
            lines.append(_signature(method, f"{node.name}."))
    return lines


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str = "") -> str:
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{'async ' * isinstance(node, ast.AsyncFunctionDef)}{owner}{node.name}({_parameters(node)}){result}"


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    text = ast.unparse(node.args)
    return text.removeprefix("self").removeprefix(", ")


def _raw(wasm: Path) -> list[str]:
    """Returns the signatures in the Wasm file."""
    return [
        f"{name}({', '.join(signature.params)}) -> {', '.join(signature.results) or 'nothing'}"
        for name, signature in Signatures.of(wasm).items()
        if not name.startswith(INTERNAL)
    ]
