"""Reads TypeScript declarations (`.d.ts`), each when it is asked for.

It reads everything that wasm-bindgen writes, and as much of the declarations that people write by hand as can become a
type in Python. It never raises an exception: a type that it does not understand becomes `Other`, and a declaration that
ends in the middle has the parts before that.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from .builtin_types import RUST_NUMBERS
from .cursor import MOST_LEVELS, Unreadable
from .members import Members
from .model import (
    UNKNOWN,
    Alias,
    Array,
    Class,
    Enum,
    Function,
    Interface,
    Intersection,
    Literal,
    Name,
    Object,
    Other,
    Parameter,
    PlainParameters,
    Property,
    Signature,
    Tuple,
    Type,
    Union,
)
from .parser import Parser
from .tokens import COMMENTS, Chunk, Tokens, plain_comment, split

__all__ = [
    "INTERNAL_TYPES", "Alias", "Array", "Class", "Declarations", "Enum", "Function", "Interface", "Intersection",
    "Literal", "Name", "Object", "Other", "Parameter", "Property", "Signature", "Tuple", "Type",
    "Union", "parse_type", "read",
]  # fmt: skip

# The parameters of a function as wasm-bindgen writes most of them, and the beginning of what may be a member.
PLAIN = re.compile(r"([\w$]+)\(((?:[^()<>{}\[\]\"'`=/]|\[\]|<[^<>(){},]*>)*)\)(\s*:\s*Promise\b)?")
PLAIN_FUNCTION = re.compile(rf"[^(]*?\bfunction\s+{PLAIN.pattern}")
PLAIN_PARAMETER = re.compile(r"\s*(\.\.\.)?([\w$]+)(\??):\s*([^,]*)(?:,|$)")
MEMBER = re.compile(r"([\w$]+)\s*\??\s*(?::\s*)?[(<]")

# The parameters of a function, and whether it returns a promise.
type Plain = tuple[PlainParameters, bool]

CONSTANT = ("const", "let", "var")
# Declared for JavaScript alone, by wasm-bindgen and by the build hook of unpanic-tools.
INTERNAL_TYPES = frozenset(("InitInput", "InitOutput", "SyncInitInput", "BindgenModule", *RUST_NUMBERS))


def read(source: str) -> "Declarations":
    """Reads a `.d.ts` file.

    Args:
        source: its text.

    Example:
        >>> read("export function add(a: number, b: number): number;").functions["add"][0].params[0].type
        Name(name='number', args=())
    """
    return Declarations(source)


def parse_type(text: str) -> Type:
    """Reads one type, such as the text between the braces of a JSDoc tag."""
    try:
        return Parser(text).type()
    except (Unreadable, RecursionError):
        return Other(text)


class Declarations:
    """The declarations of a file, each read when it is asked for."""

    def __init__(self, source: str) -> None:
        self._chunks: dict[str, list[Chunk]] = {}
        self._renamed: dict[str, str] = {}
        self._only_exported = False
        self._plain: dict[str, Mapping[str, Plain]] = {}
        self._collect(source, "", MOST_LEVELS)
        self.enums: Mapping[str, Enum] = _Lazy(self._named("enum", "const enum"), self._enum)
        self.aliases: Mapping[str, Alias] = _Lazy(self._named("type"), self._alias)
        constants = self._named(*CONSTANT)
        constant_functions = [name for name in constants if self._is_function(name)]
        self.functions: Mapping[str, tuple[Signature, ...]] = _Lazy(
            [*self._named("function"), *constant_functions], self._functions
        )
        self.constants: Mapping[str, Type] = _Lazy(
            [name for name in constants if name not in constant_functions], self._constant
        )
        constructors = [name for name, chunks in self._chunks.items() if _is_constructor(chunks)]
        self.classes: Mapping[str, Class] = _Lazy([*self._named("class"), *constructors], self._class)
        self.interfaces: Mapping[str, Interface] = _Lazy(
            [name for name in self._named("interface") if name not in self.classes], self._interface
        )

    def is_something(self) -> bool:
        """Whether anything is declared at all."""
        return bool(self._chunks or self._renamed)

    def is_exported(self, name: str) -> bool:
        """Whether others may import this name: all names, unless the file has a list of exports."""
        return name in self._renamed or any(
            chunk.exported or not self._only_exported for chunk in self._chunks.get(name, ())
        )

    def plain_function(self, name: str) -> Plain | None:
        """Returns the parameters of a function that is declared once and plainly; no types are read for it."""
        chunks = self._of(name, "function", *CONSTANT)
        match = PLAIN_FUNCTION.match(chunks[0].text) if len(chunks) == 1 else None
        return _plain(match) if match else None

    def plain_members(self, name: str) -> Mapping[str, Plain]:
        """Returns the parameters of those methods of a class that are declared once and plainly, by their names."""
        if name not in self._plain:
            text = COMMENTS.sub(" ", "\n".join(chunk.text for chunk in self._of(name, "class", "interface")))
            count = Counter(MEMBER.findall(text))
            methods = {match[1]: _plain(match) for match in PLAIN.finditer(text) if count[match[1]] == 1}
            self._plain[name] = {method: plain for method, plain in methods.items() if plain is not None}
        return self._plain[name]

    def _collect(self, source: str, namespace: str, levels: int) -> None:
        for chunk in split(source):
            if chunk.kind == "namespace":
                opening = chunk.text.find("{")
                if levels and opening >= 0:
                    self._collect(chunk.text[opening + 1 : chunk.text.rfind("}")], chunk.name, levels - 1)
            elif namespace == "global" and chunk.kind not in ("interface", "type"):
                continue  # it belongs to JavaScript, and the module does not export it
            elif chunk.kind:
                self._chunks.setdefault(chunk.name, []).append(chunk)
            elif chunk.exported and not chunk.name:
                self._only_exported = True
                self._renamed.update(_renamed(chunk.text))

    def _named(self, *kinds: str) -> list[str]:
        own = {name: None for name, chunks in self._chunks.items() if any(chunk.kind in kinds for chunk in chunks)}
        return [*own, *(name for name, local in self._renamed.items() if local in own and name not in own)]

    def _of(self, name: str, *kinds: str) -> list[Chunk]:
        chunks = self._chunks.get(name) or self._chunks.get(self._renamed.get(name, ""), [])
        return [chunk for chunk in chunks if chunk.kind in kinds]

    def _functions(self, name: str) -> tuple[Signature, ...]:
        signatures = [
            Parser(chunk.text).function(name, plain_comment(chunk.comment)) for chunk in self._of(name, "function")
        ]
        for chunk in self._of(name, *CONSTANT):
            signatures += self._constant_function(name, chunk)
        return tuple(signatures)

    def _is_function(self, name: str) -> bool:
        """Whether a constant is declared by the type of a function: `declare const add: (a: number) => number`."""
        return any(self._constant_function(name, chunk) for chunk in self._of(name, *CONSTANT))

    def _constant_function(self, name: str, chunk: Chunk) -> list[Signature]:
        doc = plain_comment(chunk.comment)
        if calls := Parser(chunk.text).constant_members().calls:
            return [replace(call, name=name, doc=call.doc or doc) for call in calls]
        type_ = Parser(chunk.text).constant()
        if isinstance(type_, Name) and not type_.args and type_.name in self.aliases:
            type_ = self.aliases[type_.name].type
        if isinstance(type_, Function):
            return [Signature(name, type_.params, type_.result, doc)]
        return []

    def _alias(self, name: str) -> Alias:
        chunk = self._of(name, "type")[0]
        return Parser(chunk.text).alias(name, plain_comment(chunk.comment))

    def _enum(self, name: str) -> Enum:
        chunk = self._of(name, "enum", "const enum")[0]
        return Parser(chunk.text).enum(name, plain_comment(chunk.comment))

    def _constant(self, name: str) -> Type:
        return Parser(self._of(name, *CONSTANT)[0].text).constant()

    def _interface(self, name: str) -> Interface:
        interface = None
        for chunk in self._of(name, "interface"):
            params, extends, members = Parser(chunk.text).body()
            more = Interface(
                name,
                params,
                extends,
                tuple(members.properties),
                tuple(members.methods),
                members.index,
                plain_comment(chunk.comment),
            )
            interface = more if interface is None else _merged(interface, more)
        assert interface is not None
        return interface

    def _class(self, name: str) -> Class:
        doc, base, all_members = "", None, Members()
        for chunk in self._of(name, "class", "interface"):
            params, extends, members = Parser(chunk.text).body()
            # In an interface that is merged with the class, methods may be written as properties.
            own = members if chunk.kind == "class" else members.with_functions()
            all_members.add(own.filled(dict.fromkeys(params, UNKNOWN)))
            doc = doc or plain_comment(chunk.comment)
            if chunk.kind == "class" and extends and isinstance(extends[0], Name):
                base = extends[0].name
        for chunk in self._of(name, *CONSTANT):
            members = Parser(chunk.text).constructed()
            all_members.add(members)
            doc = doc or plain_comment(chunk.comment)
        return Class(
            name,
            doc,
            base,
            tuple(all_members.constructors),
            tuple(all_members.methods),
            tuple(all_members.properties),
        )


def _plain(match: re.Match[str]) -> "Plain | None":
    """Returns the parameters that a match of `PLAIN` has; None if a part of them was not understood."""
    text = match[2]
    params = [
        (param[2], bool(param[3]) or param[4].strip() == "any", bool(param[1]))
        for param in PLAIN_PARAMETER.finditer(text)
    ]
    is_whole = len(params) == (text.count(",") + 1 if text.strip() else 0)
    return (tuple(params), bool(match[3])) if is_whole else None


def _is_constructor(chunks: list[Chunk]) -> bool:
    """Whether a class is written as `const Resvg: { new (svg: string): { … } }`, as tools that join declarations do."""
    return any(chunk.kind in CONSTANT and "new" in chunk.text for chunk in chunks) and bool(
        Parser(chunks[0].text).constructed().constructors
    )


def _renamed(text: str) -> dict[str, str]:
    """Returns the names of `export { local as name }`, each with the local name."""
    tokens = Tokens.read(text)
    names: dict[str, str] = {}
    words: list[str] = []
    for kind, text in zip(tokens.kinds, tokens.texts, strict=True):
        if kind in ("word", "string") and text not in ("export", "type"):
            words.append(text.strip("\"'"))
        elif text in (",", "}"):
            if len(words) == 3 and words[1] == "as":
                names[words[2]] = words[0]
            elif len(words) == 1:
                names[words[0]] = words[0]
            words = []
    return names


def _merged(first: Interface, second: Interface) -> Interface:
    return replace(
        first,
        extends=first.extends + second.extends,
        properties=first.properties + second.properties,
        methods=first.methods + second.methods,
        index=first.index or second.index,
        doc=first.doc or second.doc,
    )


class _Lazy[Value](Mapping[str, Value]):
    """Values by name, each of which is made when it is asked for the first time."""

    def __init__(self, names: list[str], make: Callable[[str], Value]) -> None:
        self._names = dict.fromkeys(names)
        self._make = make
        self._values: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            if name not in self._names:
                raise KeyError(name)
            self._values[name] = self._make(name)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
