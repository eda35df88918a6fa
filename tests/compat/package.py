"""The description of a package in the suite, and the facts that its files state."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

NODE_MODULES = Path(__file__).parent / "node_modules"

# The year of each version of wasm-bindgen.
RELEASED = {
    "0.2.68": 2020,
    "0.2.74": 2021,
    "0.2.78": 2021,
    "0.2.79": 2022,
    "0.2.80": 2022,
    "0.2.82": 2022,
    "0.2.86": 2023,
    "0.2.87": 2023,
    "0.2.91": 2024,
    "0.2.92": 2024,
    "0.2.95": 2024,
    "0.2.100": 2025,
    "0.2.101": 2025,
    "0.2.104": 2025,
    "0.2.105": 2025,
    "0.2.106": 2025,
    "0.2.108": 2026,
    "0.2.111": 2026,
    "0.2.117": 2026,
    "0.2.118": 2026,
    "0.2.120": 2026,
    "0.2.121": 2026,
    "0.2.123": 2026,
    "0.2.125": 2026,
    "0.2.126": 2026,
    "0.2.127": 2026,
    "0.2.128": 2026,
    "0.2.129": 2026,
}


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package from npm, with a correct result and a crash that its public API causes.

    The functions run inside Pyodide and get the loaded module; each may be async.

    Attributes:
        folder: its folder in node_modules: its name, or the alias that tells two versions apart.
        glue: the file that is loaded, below that folder: the glue, or an entry that imports it.
        wasm: the Wasm file, below that folder, or the JavaScript file that has it inside as base64.
        use: returns the result, as JSON.
        gives: that result.
        crash: causes the crash.
        how: a description of `crash`, in the words of the table.
        raises: the names of the exceptions that it may raise. Engines differ in which of the two stacks overflows
            first, so an overflow may be a `StackOverflow` or a `Trap`.
        keep: makes an object that is kept over the crash.
        ask: asks that object for an answer afterwards, as JSON.
        answers: the answer before and after the crash, or the exception's name. After a rollback it is that of before.
        target: the target of wasm-bindgen that its glue was written for.
        is_wrapped: whether files of the package's author are around the glue, so that its exports are not all
            wasm-bindgen's.
        types: the declarations, below that folder; default: those beside the glue. None: they are in many files.
        takes_long: whether its tests take many seconds, and another package has glue of the same form. Then only long
            runs have them.
        grows_table: whether a table grows in the call that crashes. Where the engine makes no other instance at once
            (on a page's main thread, of a file above 8 MB), such a call cannot be rolled back.
    """

    folder: str
    glue: str
    wasm: str
    use: Callable[..., Any]
    gives: Any
    crash: Callable[..., Any]
    how: str
    raises: tuple[str, ...]
    keep: Callable[..., Any] | None = None
    ask: Callable[..., Any] | None = None
    answers: tuple[Any, Any] = (None, None)
    target: str = "web"
    is_wrapped: bool = False
    types: str | None = ""
    takes_long: bool = False
    grows_table: bool = False

    @property
    def root(self) -> Path:
        return NODE_MODULES / self.folder

    def declarations(self) -> Path | None:
        if self.types is None:
            return None
        return self.root / self.types if self.types else (self.root / self.glue).with_suffix(".d.ts")

    def is_inside(self) -> bool:
        """Whether the Wasm file is in the JavaScript, as base64."""
        return not self.wasm.endswith(".wasm")

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.root / "package.json").read_text())

    def binary(self) -> bytes:
        """Returns the Wasm file, which some packages have inside their JavaScript as base64."""
        data = (self.root / self.wasm).read_bytes()
        if not self.is_inside():
            return data
        return base64.b64decode(max(re.findall(rb"[A-Za-z0-9+/]+=*", data), key=len))

    def megabytes(self) -> float:
        return len(self.binary()) / 1e6

    def bindgen(self) -> str:
        """Returns the version of wasm-bindgen that wrote the glue, from the producers section of the Wasm file."""
        version = re.search(rb"\x0cwasm-bindgen[\x05-\x20](\d+\.\d+\.\d+)", self.binary())
        if not version:
            raise ValueError(f"{self.folder}: the Wasm file does not tell which wasm-bindgen made it.")
        return version[1].decode()

    def vintage(self) -> str:
        """Returns the year of the glue, and its form in a few words."""
        version = self.bindgen()
        source = self.source()
        form = [initializer(source)] if self.target == "web" and not self.is_wrapped else []
        form += glue_form(source)
        form += ["base64"] if self.is_inside() else []
        form += ["an own loader"] if self.is_wrapped else []
        return f"{RELEASED[version]} ({version}){': ' if form else ''}{', '.join(form)}"

    def source(self) -> str:
        """Returns the text of the glue. Entries of bundlers import it, and their Wasm file imports snippets."""
        entry = (self.root / self.glue).read_text()
        beside = re.search(r"""["'](\./[^"']*_bg\.js)["']""", entry) if self.target == "bundler" else None
        if not beside:
            return entry
        imports = re.findall(rb"\./snippets/[\w./-]+", self.binary())
        glue = ((self.root / self.glue).parent / beside[1]).read_text()
        return "\n".join([entry, glue, *(f'import * from "{path.decode()}"' for path in imports)])


def glue_form(source: str) -> list[str]:
    """Returns the features that distinguish one vintage of glue from another."""
    form = []
    if "__wbindgen_start" in source:
        form.append("start")
    if re.search(r"\bheap = new Array\(", source):
        form.append("heap array")
    elif re.search(r"__wbindgen_externrefs|__externref_table", source):
        form.append("externrefs")
    if "FinalizationRegistry" in source:
        form.append("registry")
    if re.search(r"""^(import .* from |.* require\().*['"`]\./snippets/""", source, re.M):
        form.append("snippets")
    if "PanicError" in source:
        form.append("unwind")
    return form


def initializer(source: str) -> str:
    if re.search(r"\bexport \{[^}]*\binitWasm\b", source):
        return "an `initWasm` of its own"
    function = re.search(r"function initSync\((.*?)\n\}", source, re.S)
    if not function:
        return "no `initSync`"
    return "`initSync({module})`" if "getPrototypeOf" in function[1] else "`initSync(module)`"
