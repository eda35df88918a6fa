"""Python annotations for TypeScript types, as source text.

A type has two texts: what Python may pass (a `Sequence[str]`) and what Python gets (a
`list[str]`). Aliases and interfaces become `type` statements and TypedDicts; one that
goes both ways has the text of what Python gets, which Python may pass as well.
"""

import builtins
import keyword
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from .._bridge import kinds
from .._bridge.kinds import ARRAYS, RANGES, Kind
from .families import large_families
from .model import (
    ANY,
    Array,
    Function,
    Interface,
    Intersection,
    Literal,
    Name,
    Object,
    Other,
    Property,
    Tuple,
    Type,
    Union,
    substitute,
)
from .naming import class_name
from .reader import Declarations
from .source import (
    Direction,
    alternatives,
    dictionary_of,
    indented_docstring,
    list_of,
    literal_text,
    may_be_attribute,
    quoted,
    wrapped,
)

__all__ = ["NAMES", "Annotator"]

# The names in annotations, and the modules that have them.
NAMES = {
    "array": "array",
    "datetime": "datetime",
    **dict.fromkeys(
        ("AsyncIterator", "Awaitable", "Buffer", "Callable", "Iterable", "Iterator", "Mapping", "Sequence"),
        "collections.abc",
    ),
    **dict.fromkeys(("AbstractSet", "Any", "Literal", "Never", "NotRequired", "TypedDict"), "typing"),
}
INTEGER_KINDS = frozenset((*RANGES, kinds.WORD, kinds.BIGINT))
# The types that stand for kinds where nothing declares a type, by the names of the kinds.
TYPES: dict[str, Type] = {
    **dict.fromkeys(INTEGER_KINDS, Name("bigint")),
    kinds.FLOAT: Name("number"),
    kinds.NUMBER: Name("number"),
    kinds.BOOL: Name("boolean"),
    kinds.STRING: Name("string"),
    kinds.CHAR: Name("string"),
    kinds.FUNCTION: Name("Function"),
    kinds.VOID: Name("void"),
}
# In types that an author wrote, a number by its name in Rust.
RUST_NUMBERS = {
    **dict.fromkeys(("i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"), "int"),
    **dict.fromkeys(("f32", "f64"), "float"),
}
SIMPLE = {
    "string": "str", "String": "str", "boolean": "bool", "Boolean": "bool", "bigint": "int", "BigInt": "int",
    "void": "None", "undefined": "None", "null": "None", "never": "Never", "Date": "datetime",
    "any": "Any", "unknown": "Any", "symbol": "Any", "Function": "Callable[..., Any]",
}  # fmt: skip
BYTES = frozenset((
    "Uint8Array", "Uint8ClampedArray", "UInt8Array", "ArrayBuffer", "ArrayBufferLike", "ArrayBufferView",
    "BufferSource",
))  # fmt: skip
# Types of a browser: Python holds such values as what they are.
FOREIGN = frozenset((
    "AbortController", "AbortSignal", "Blob", "CanvasRenderingContext2D", "CryptoKey", "Document", "Element", "Error",
    "Event", "File", "FileSystemSyncAccessHandle", "FormData", "HTMLCanvasElement", "HTMLElement", "Headers",
    "ImageBitmap", "ImageData", "MessagePort", "Node", "OffscreenCanvas", "RegExp", "Request", "RequestInfo",
    "Response", "TextDecoder", "TextEncoder", "URL", "WeakMap", "WeakRef", "WeakSet", "Worker", "WritableStream",
    "ReadableStreamDefaultReader",
))  # fmt: skip
# Generics whose argument is what they are, or as much as Python's types can tell.
TRANSPARENT = ("Readonly", "Required", "NonNullable", "Exclude", "Extract", "NoInfer", "Awaited")
MOST_LEVELS = 60
# Of more TypedDicts that hold each other, such as a syntax tree's, the inner ones are `Any`: mypy 2.4 follows each of
# them through all the others and does not end. 38 take it no time, 154 for ever.
MOST_RELATED = 60
# In texts that are not finished, names of the module have this before them: a class may be called `Literal`.
OWN = "\x01"
WORD = re.compile(rf'"(?:[^"\\]|\\.)*"|({OWN})?([^\W\d]\w*)')


class Annotator:
    """Writes annotations, and remembers which declared types they use.

    Args:
        declarations: what the `.d.ts` declares.
        classes: the classes that the module has.
        enums: the enums that the module has, with the values of those of strings.
        reserved: names that other things have, so that a type of such a name gets another one.
        hiding: names that hide others where annotations stand, such as those of methods.
    """

    def __init__(
        self,
        declarations: Declarations,
        classes: Collection[str],
        enums: Mapping[str, Sequence[str]],
        reserved: Collection[str] = (),
        hiding: Collection[str] = (),
    ) -> None:
        self.declarations = declarations
        self.classes = classes
        self.enums = enums
        self.reserved = {*reserved, *classes, *enums}
        self.taken = {*self.reserved, *declarations.interfaces, *declarations.aliases, *declarations.enums, *hiding}
        self.hiding = frozenset(hiding)
        # Declared names that methods hide: the module needs `_Name = Name`.
        self.hidden: set[str] = set()
        # What could not be expressed, as it is written, and where.
        self.unexpressed: list[tuple[str, str]] = []
        self._used: dict[str, set[Direction]] = {}
        self._written: set[tuple[str, Direction]] = set()
        self._params: dict[str, tuple[str, ...]] = {}
        self._writing = ""
        self._references: dict[str, set[str]] = {}
        self._families: dict[str, int] = {}
        self._objects: dict[Object, str] = {}
        self._object_names: dict[str, Object] = {}
        self._type_params: frozenset[str] = frozenset()

    def parameter(self, found: Type | None, kind: Kind | None, place: str = "") -> str:
        """Returns what Python may pass.

        Args:
            found: the parameter's type, or None where nothing declares it.
            kind: its kind, or None where nothing tells it.
            place: where it stands, such as `Store.load.options`, to name a type that has no name; without it such a
                type is a `Mapping[str, Any]`.

        Example:
            >>> annotator.parameter(Array(Name("string")), None)
            'Sequence[str]'
        """
        return self._spelled(self._text(found, kind, "in", place))

    def result(self, found: Type | None, kind: Kind | None, place: str = "") -> str:
        """Returns what Python gets; of a promise, what it is awaited for.

        Args:
            found: the result's type, or None where nothing declares it.
            kind: its kind, or None where nothing tells it.
            place: where it stands, as in `parameter`.
        """
        match found:
            case Name("Promise" | "PromiseLike", (inner,)):
                found = inner
        return self._spelled(self._text(found, kind, "out", place))

    def use(self, name: str) -> None:
        """Has a declared type among the sources, even where no annotation uses it."""
        if name not in self._used:
            self._used[name] = {"in"}

    def spell(self, name: str) -> str:
        """Returns how a name of Python's own or of `NAMES` is spelt, where something else may have that name."""
        if name not in self.taken or keyword.iskeyword(name):  # `None` means the same everywhere
            return name
        return f"builtins.{name}" if hasattr(builtins, name) else f"_{name}"

    def types_source(self) -> str:
        """Returns the `type` statements and TypedDicts that the annotations use.

        Names that something else has are spelt as `spell` says; what is in `hidden` needs an alias.
        """
        while pending := [
            (name, way) for name, ways in self._used.items() for way in ways if (name, way) not in self._written
        ]:
            for name, way in pending:
                self._written.add((name, way))
                self._declaration(name, way)
        self._families = large_families(self._references, MOST_RELATED)
        return "\n".join(
            self._declaration(name, "out" if "out" in ways else "in") for name, ways in sorted(self._used.items())
        )

    # Declarations.

    def _declaration(self, name: str, way: Direction) -> str:
        """The source of one declared type; those that it uses are remembered."""
        params, found, doc = self._declared(name)
        python = self.type_name(name)
        self._type_params = frozenset(params)
        self._writing = name
        try:
            if isinstance(found, Object) and found.properties and found.index is None:
                return self._typed_dict(name, python, params, found, way, doc)
            text = self._spelled(self._write(found, way, name))
        finally:
            self._type_params, self._writing = frozenset(), ""
        generic = f"[{', '.join(params)}]" if params else ""
        return wrapped(f"type {python}{generic} = ", text)

    def _declared(self, name: str) -> tuple[tuple[str, ...], Type, str]:
        """Type parameters, what the name stands for, and the comment."""
        if name in self._object_names:
            return (), self._object_names[name], ""
        if name in self.declarations.interfaces:
            interface = self.declarations.interfaces[name]
            return (
                interface.params,
                self._as_object(Name(name, tuple(Name(each) for each in interface.params))),
                interface.doc,
            )
        if name in self.declarations.aliases:
            alias = self.declarations.aliases[name]
            if self._is_circular(name):
                return alias.params, ANY, alias.doc
            merged = self._as_object(alias.type) if isinstance(alias.type, Intersection) else alias.type
            return alias.params, merged, alias.doc
        enum = self.declarations.enums[name]
        return (), Union(tuple(Literal(value) for _, value, _ in enum.members)), enum.doc

    def _is_circular(self, name: str) -> bool:
        """Whether a type is one of its own alternatives, which says nothing."""
        seen: set[str] = set()
        rest: list[Type] = [self.declarations.aliases[name].type]
        while rest:
            match rest.pop():
                case Name(other):
                    if other == name:
                        return True
                    if other not in seen and other in self.declarations.aliases:
                        seen.add(other)
                        rest.append(self.declarations.aliases[other].type)
                case Union(items) | Intersection(items) | Other(_, items):
                    rest.extend(items)
                case _:
                    pass
        return False

    def _typed_dict(
        self, name: str, python: str, params: tuple[str, ...], found: Object, way: Direction, doc: str
    ) -> str:
        keys = {}
        for each in found.properties:
            text = self._write(each.type, way, f"{name}.{each.name}")
            keys[each.name] = self._spelled(f"NotRequired[{text}]" if each.optional else text)
        base = self.spell("TypedDict")
        used = {word[2] for text in keys.values() for word in WORD.finditer(text)}
        if all(map(may_be_attribute, keys)) and (params or not used & keys.keys()):
            generic = f"[{', '.join(params)}]" if params else ""
            lines = [f"class {python}{generic}({base}):", *indented_docstring(doc, "    ")]
            return "\n".join([*lines, *(f"    {key}: {text}" for key, text in keys.items()), ""])
        if params:  # the functional form takes no type parameters
            return self._spelled(f"type {python}[{', '.join(params)}] = dict[str, Any]")
        lines = [f"    {quoted(key)}: {text}," for key, text in keys.items()]
        return "\n".join([f'{python} = {base}("{python}", {{', *lines, "})"])

    def type_name(self, name: str) -> str:
        """The Python name of a declared type."""
        python = class_name(name.replace(".", "_"))
        while python in self.reserved:
            python += "_"
        return python

    # Objects.

    def _as_object(self, found: Type, levels: int = MOST_LEVELS) -> Type:
        """An interface with what it extends, or several at once, as one object; another type as it is.

        What cannot be joined is a dictionary of anything.
        """
        joined: dict[str, Property] = {}
        index: Type | None = None
        match found:
            case Object():
                return found
            case Name(name, args) if name in self.declarations.interfaces and levels:
                interface = self.declarations.interfaces[name]
                types = _arguments(interface.params, args)
                parts = [self._as_object(substitute(base, types), levels - 1) for base in interface.extends]
                parts.append(substitute(_own(interface), types))
            case Name(name, args) if name in self.declarations.aliases and levels:
                alias = self.declarations.aliases[name]
                return self._as_object(substitute(alias.type, _arguments(alias.params, args)), levels - 1)
            case Name("Record", (_, value)):
                return Object((), value)
            case Name("Partial", (inner,)):
                whole = self._as_object(inner, levels - 1)
                if not isinstance(whole, Object):
                    return Object((), ANY)
                optional = (Property(each.name, each.type, True, each.readonly, each.doc) for each in whole.properties)
                return Object(tuple(optional), whole.index)
            case Name(name, (inner,)) if name in TRANSPARENT and levels:
                return self._as_object(inner, levels - 1)
            case Intersection(items) if levels:
                for item in items:
                    if isinstance(item, Name) and item.name in ("string", "number", "bigint", "boolean"):
                        return item  # `string & { brand }`
                parts = [self._as_object(item, levels - 1) for item in items]
            case _:
                return found
        for part in parts:
            if not isinstance(part, Object):
                return Name("any") if part == Name("Error") or len(parts) == 1 else Object((), ANY)
            joined.update((each.name, each) for each in part.properties)
            index = index or part.index
        if index and joined:
            return Object((), ANY)
        return Object(tuple(joined.values()), index)

    def _object(self, found: Object, way: Direction, place: str) -> str:
        """An object type without a name: a TypedDict named by its place."""
        if found.properties and found.index is None and place and not self._type_params:
            name = self._objects.get(found)
            if name is None:
                name = self._object_name(found, place)
                self._objects[found] = name
                self._object_names[name] = found
            return self._reference(name, way)
        if found.index is not None and not found.properties:
            return dictionary_of(way, "str", self._write(found.index, way, place))
        return dictionary_of(way, "str", "Any")

    def _object_name(self, found: Object, place: str) -> str:
        words = re.split(r"[\W_]+", place)
        # Of several alternatives the one whose kind, tag, … is a literal goes by it.
        tag = next(
            (p.type.value for p in found.properties if isinstance(p.type, Literal) and isinstance(p.type.value, str)),
            "",
        )
        base = "".join(word[:1].upper() + word[1:] for word in [*words, *re.split(r"[\W_]+", tag)[:3]])
        base = base if base[:1].isidentifier() else f"Type{base}"
        declared = (
            self.declarations.interfaces,
            self.declarations.aliases,
            self.declarations.enums,
            self._object_names,
        )
        name, number = base, 2
        while name in self.reserved or any(name in names for names in declared):
            name, number = f"{base}{number}", number + 1
        return name

    # Types.

    def _text(self, found: Type | None, kind: Kind | None, way: Direction, place: str) -> str:
        if found is None:
            found = _of_kind(kind)
        elif kind and kind.name in INTEGER_KINDS and self._is_number(found):
            found = substitute(self._resolved(found), {"number": Name("bigint")})
        return self._write(found, way, place)

    def _is_number(self, found: Type) -> bool:
        match self._resolved(found):
            case Name("number"):
                return True
            case Union(items):
                return any(self._is_number(item) for item in items)
            case _:
                return False

    def _resolved(self, found: Type) -> Type:
        """What an alias of a number stands for."""
        for _ in range(MOST_LEVELS):
            if not (isinstance(found, Name) and found.name in self.declarations.aliases and not found.args):
                break
            found = self.declarations.aliases[found.name].type
        return found

    def _write(self, found: Type, way: Direction, place: str) -> str:
        match found:
            case Name():
                return self._name(found, way, place)
            case Literal(value):
                return "float" if isinstance(value, float) else f"Literal[{literal_text(value)}]"
            case Array(item):
                return list_of(way, self._write(item, way, place))
            case Tuple(items):
                return list_of(way, self._union(items, way, place) if items else "Any")
            case Union(items):
                return self._union(items, way, place)
            case Intersection():
                joined = self._as_object(found)
                return dictionary_of(way, "str", "Any") if joined is found else self._write(joined, way, place)
            case Object():
                return self._object(found, way, place)
            case Function():
                return self._callable(found, way, place)
            case Other(text, among):
                return self._union(among, way, place) if among else self._unknown(text, place)

    def _union(self, items: Iterable[Type], way: Direction, place: str) -> str:
        texts: dict[str, None] = {}
        literals: dict[str, None] = {}
        for item in _flat(items):
            if isinstance(item, Literal) and not isinstance(item.value, float):
                if not literals:
                    texts["Literal"] = None
                literals[literal_text(item.value)] = None
            else:
                for text in alternatives(self._write(item, way, place)):
                    texts[text] = None
        if "Any" in texts:
            return "Any"
        if "str" in texts:
            literals = {text: None for text in literals if not text.startswith('"')}
        if {"int", "float"} & texts.keys():
            literals = {text: None for text in literals if not text.lstrip("-").isdigit()}
        if "bool" in texts or {"True", "False"} <= literals.keys():
            texts = {("bool" if text == "Literal" and len(literals) == 2 else text): None for text in texts}
            if {"True", "False"} <= literals.keys():
                texts["bool"] = None
            literals = {text: None for text in literals if text not in ("True", "False")}
        if "float" in texts:
            texts.pop("int", None)
        last = texts.pop("None", "") is None
        written = [f"Literal[{', '.join(literals)}]" if text == "Literal" else text for text in texts]
        written = [text for text in written if text != "Literal[]"]
        if len(written) > 1 and "Never" in written:
            written.remove("Never")
        return " | ".join([*written, "None"] if last else written) or "Never"

    def _name(self, found: Name, way: Direction, place: str) -> str:
        name, args = found.name, found.args
        if name in self._type_params:
            return OWN + name
        if values := way == "in" and self.enums.get(name):
            # A plain text is taken as well.
            return f"{OWN}{class_name(name)} | Literal[{', '.join(map(quoted, values))}]"
        if name in self.classes or name in self.enums:
            return OWN + class_name(name)
        owner = name.rpartition(".")[0]
        if owner in self.enums:
            return OWN + class_name(owner)
        if name in RUST_NUMBERS:
            return RUST_NUMBERS[name]
        if self._is_declared(name):
            return self._reference(name, way, args, place)
        if name == "number" or name == "Number":
            return "float"
        if name in SIMPLE:
            return SIMPLE[name]
        if name == "this":
            owner = place.partition(".")[0]
            return OWN + class_name(owner) if owner in self.classes else "Any"
        if name in BYTES:
            return "Buffer" if way == "in" else "bytes"
        if typed := re.fullmatch(r"(Big)?(Int|Uint|Float)(8|16|32|64)Array", name):
            item = "float" if typed[2] == "Float" else "int"
            return f"Buffer | Sequence[{item}]" if way == "in" else f"array[{item}]"
        if name in ("object", "Object"):
            return dictionary_of(way, "str", "Any")
        if args or name in ("Map", "Set", "Promise", "Array"):
            return self._generic(found, way, place)
        if name in ("ReadableStream", "AsyncIterable", "AsyncIterator", "AsyncGenerator"):
            return "Any" if way == "in" else "AsyncIterator[Any]"
        if name in FOREIGN or name.startswith(("WebAssembly.", "Intl.", "Iterable", "globalThis.")):
            return "Any"
        return self._unknown(name, place)

    def _generic(self, found: Name, way: Direction, place: str) -> str:
        name = found.name
        if name == "Partial":
            whole = self._as_object(found)
            return self._object(whole, way, place) if isinstance(whole, Object) else dictionary_of(way, "str", "Any")
        if name in ("Pick", "Omit"):
            return dictionary_of(way, "str", "Any")
        first, second = (*(self._write(arg, way, place) for arg in found.args[:2]), "Any", "Any")[:2]
        match name:
            case "Map" | "ReadonlyMap":
                return dictionary_of(way, first, second)
            case "Record":
                return dictionary_of(way, "str", second)
            case "Set" | "ReadonlySet":
                return f"AbstractSet[{first}]" if way == "in" else f"set[{first}]"
            case "Array" | "ReadonlyArray" | "ArrayLike":
                return list_of(way, first)
            case "Promise" | "PromiseLike":
                return f"Awaitable[{first}]"
            case "Iterable":
                return f"Sequence[{first}]" if way == "in" else f"Iterable[{first}]"
            case "Iterator" | "IterableIterator" | "Generator" | "IteratorObject":
                return "Any" if way == "in" else f"Iterator[{first}]"
            case "ReadableStream" | "AsyncIterable" | "AsyncIterator" | "AsyncIterableIterator" | "AsyncGenerator":
                return "Any" if way == "in" else f"AsyncIterator[{first}]"
            case "NonNullable" | "Exclude":
                return " | ".join(text for text in alternatives(first) if text != "None") or "Never"
            case _ if name in TRANSPARENT:
                return first
            case "Uppercase" | "Lowercase" | "Capitalize" | "Uncapitalize":
                return "str"
            case _ if name in FOREIGN:
                return "Any"
        return self._unknown(name, place)

    def _is_declared(self, name: str) -> bool:
        d = self.declarations
        return name in d.interfaces or name in d.aliases or name in d.enums or name in self._object_names

    def _reference(self, name: str, way: Direction, args: tuple[Type, ...] = (), place: str = "") -> str:
        """The name of a declared type, which is used from now on."""
        self._used.setdefault(name, set()).add(way)
        self._references.setdefault(self._writing, set()).add(name)
        family = self._families.get(name)
        if family is not None and family == self._families.get(self._writing) and "." in place:
            return "Any"
        if name not in self._params:
            self._params[name] = self._declared(name)[0]
        params = self._params[name]
        if not params:
            return OWN + self.type_name(name)
        filled = _arguments(params, args)
        return f"{OWN}{self.type_name(name)}[{', '.join(self._write(filled[each], way, place) for each in params)}]"

    def _callable(self, found: Function, way: Direction, place: str) -> str:
        """What a function is given goes the other way."""
        against: Direction = "out" if way == "in" else "in"
        # Whatever a callback returns in place of nothing is ignored.
        is_ignored = way == "in" and found.result in (Name("void"), Name("undefined"))
        result = "object" if is_ignored else self._write(found.result, way, f"{place}.result" if place else "")
        texts = [self._write(param.type, against, f"{place}.{param.name}" if place else "") for param in found.params]
        if any(param.optional or param.rest for param in found.params):
            return f"Callable[..., {result}]"
        return f"Callable[[{', '.join(texts)}], {result}]"

    def _spelled(self, text: str) -> str:
        """A text whose names mean what they should, whatever else has them."""

        def spell(word: re.Match[str]) -> str:
            own, name = word[1], word[2]
            if name is None:
                return word[0]
            if not own:
                return self.spell(name)
            if name not in self.hiding:
                return name
            self.hidden.add(name)
            return f"_{name}"

        return WORD.sub(spell, text)

    def _unknown(self, text: str, place: str) -> str:
        self.unexpressed.append((place, text))
        return "Any"


def _own(interface: Interface) -> Object:
    """An interface as an object; its methods are functions in it."""
    methods: dict[str, Property] = {}
    for found in interface.methods:
        function: Type = Function(found.params, found.result)
        if found.name in methods:  # overloads
            function = Name("Function")
        methods[found.name] = Property(found.name, function, False, True, found.doc)
    return Object((*interface.properties, *methods.values()), interface.index)


def _arguments(params: tuple[str, ...], args: tuple[Type, ...]) -> dict[str, Type]:
    """Type parameters with what they are filled with; what nobody says is anything."""
    return dict(zip(params, [*args, *[ANY] * len(params)], strict=False))


def _of_kind(kind: Kind | None) -> Type:
    """The type that stands for a kind where nothing declares a type."""
    if kind is None:
        return ANY
    if kind.name == kinds.ARRAY:
        return Name(ARRAYS[kind.element][1])
    item = Name(kind.class_name) if kind.class_name else TYPES.get(kind.element or kind.name, ANY)
    return Array(item) if kind.name == kinds.LIST else item


def _flat(items: Iterable[Type]) -> Iterator[Type]:
    for item in items:
        match item:
            case Union(inner):
                yield from _flat(inner)
            case Other(_, among) if among:
                yield from _flat(among)
            case _:
                yield item
