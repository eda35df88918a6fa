"""The files beside a `.d.ts`, as far as they are there: the glue and the Wasm file tell what TypeScript does not."""

import re
from collections.abc import Iterable
from pathlib import Path

from unpanic._declarations.reader import Declarations
from unpanic._declarations.resolve import strings

from .wasm import Signatures

__all__ = ["Beside", "string_enums"]

STRING_ENUM = re.compile(r"__wbindgen_enum_([\w$]+)\s*=\s*(?:Object\.freeze\()?\[([^\]]*)\]")
# The enums of strings come before all that an author wrote by hand.
FIRST_UNIONS = re.compile(r'(?:\s|/\*.*?\*/)*export type ([\w$]+) = ("[^"\n]*"(?: \| "[^"\n]*")*);\n', re.DOTALL)
STRING = re.compile(r"\"([^\"\\\n]*)\"|'([^'\\\n]*)'")
EXPORT = re.compile(
    r"\bexport\s*(?:\{([^}]*)\}|(?:default\s+)?(?:async\s+)?(?:function\*?|class|const|let|var)\s+([\w$]+))"
)
METHOD = re.compile(r"(?<![\w$.])([\w$]+)\s*\([^()]*\)\s*\{")
# An entry for bundlers exports what is in the glue.
FROM_ENTRY = re.compile(r"\bfrom\s*[\"']\./([\w$-]+_bg\.js)[\"']")
FETCHED = re.compile(r"[\"']([^\"'\n]+\.wasm)[\"']")


class Beside:
    """The glue and the Wasm file beside a `.d.ts` file.

    Args:
        declarations: the `.d.ts` file.
        wasm: the Wasm file, if it is elsewhere.
    """

    def __init__(self, declarations: Path, wasm: Path | None = None) -> None:
        stem = declarations.name.removesuffix(".d.ts")
        glue = _first_file(declarations.with_name(stem + suffix) for suffix in (".js", ".mjs"))
        self.glue = glue.read_text(errors="replace") if glue else ""
        exported = FROM_ENTRY.search(self.glue)
        if exported and (glue := _first_file([declarations.with_name(exported[1])])):
            self.glue += f"\n{glue.read_text(errors='replace')}"
        self.methods = frozenset(METHOD.findall(self.glue))
        names = [f"{stem}_bg.wasm", *FETCHED.findall(self.glue), f"{stem}.wasm"]
        wasm = wasm or _first_file(declarations.parent / name for name in names)
        self.signatures = Signatures.of(wasm) if wasm else Signatures()

    def has_member(self, name: str) -> bool:
        """Whether a class of the glue may have a method of this name: the `.d.ts` may declare others, too."""
        return not self.glue or name in self.methods

    def exports(self) -> set[str] | None:
        """Returns the names that the glue exports, or None if there is no glue."""
        names: set[str] = set()
        for listed, single in EXPORT.findall(self.glue):
            names.update(part.split()[-1].strip("\"'") for part in listed.split(",") if part.split())
            names.add(single)
        return names - {"", "default"} or None


def string_enums(source: str, beside: Beside | None, declared: Declarations) -> dict[str, list[str]]:
    """Returns the enums whose members are strings, with their values: TypeScript has them as unions only.

    Args:
        source: the text of the `.d.ts`, which tells of them if there is no glue.
        beside: the files beside it.
        declared: the declarations in it.
    """
    if beside and beside.glue:
        enums = dict(STRING_ENUM.findall(beside.glue))
    else:
        enums, position = {}, 0
        while match := FIRST_UNIONS.match(source, position):
            enums[match[1]] = match[2]
            position = match.end()
    return {
        name: ["".join(value) for value in STRING.findall(values)]
        for name, values in enums.items()
        if name in declared.aliases and strings(declared.aliases[name].type)
    }


def _first_file(places: Iterable[Path]) -> Path | None:
    return next((place for place in places if place.is_file()), None)
