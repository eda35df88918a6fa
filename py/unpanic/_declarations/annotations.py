"""Python annotations for TypeScript types, as source text.

A type has two texts: one for values that Python passes (a `Sequence[str]`) and one for values that Python gets (a
`list[str]`). Aliases and interfaces become `type` statements and TypedDicts; if one goes both ways, it has the text
for values that Python gets, which Python may pass as well.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from .._bridge import kinds
from .._bridge.kinds import ARRAYS, RANGES, Kind
from .builtin_types import RUST_NUMBERS, foreign_type, generic_type, is_integer_array, plain_type
from .declared_types import DeclaredTypes
from .model import ANY, Array, Function, Intersection, Literal, Name, Object, Other, Tuple, Type, Union, substitute
from .naming import class_name
from .object_types import MOST_LEVELS, ObjectTypes, type_arguments
from .reader import Declarations
from .source import Direction, alternatives, dictionary_of, list_of, literal_text, quoted, union_of
from .spelling import OWN, Spelling

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
    kinds.F32: Name("number"),
    kinds.NUMBER: Name("number"),
    kinds.BOOL: Name("boolean"),
    kinds.STRING: Name("string"),
    kinds.CHAR: Name("string"),
    kinds.FUNCTION: Name("Function"),
    kinds.VOID: Name("void"),
}


class Annotator:
    """Writes annotations, and remembers which declared types they use.

    Args:
        declarations: what the `.d.ts` declares.
        classes: the classes that the module has.
        enums: the enums that the module has, with the values of those of strings.
        reserved: names that other things have, so that a type of such a name gets another one.
        hiding: names that hide others where annotations stand, such as those of methods.

    Attributes:
        unexpressed: the types that Python cannot express, each with the path of its use and as it is written.
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
        reserved = {*reserved, *classes, *enums}
        declared = (*declarations.interfaces, *declarations.aliases, *declarations.enums)
        self.unexpressed: list[tuple[str, str]] = []
        self._spelling = Spelling({*reserved, *declared}, hiding)
        self._objects = ObjectTypes(declarations)
        self._declared = DeclaredTypes(declarations, reserved, self._objects, self._spelling, self._write)

    @property
    def hidden(self) -> set[str]:
        """Declared names that methods hide: the module needs `_Name = Name`."""
        return self._spelling.hidden

    def parameter(self, type_: Type | None, kind: Kind | None, path: str = "") -> str:
        """Returns what Python may pass.

        Args:
            type_: the parameter's type, or None where nothing declares it.
            kind: its kind, or None where nothing tells it.
            path: what has the type, such as `Store.load.options`, to name a type that has no name. Without it such a
                type is a `Mapping[str, Any]`.

        Example:
            >>> annotator.parameter(Array(Name("string")), None)
            'Sequence[str]'
        """
        return self._spelling.finish(self._text(type_, kind, "in", path))

    def result(self, type_: Type | None, kind: Kind | None, path: str = "") -> str:
        """Returns what Python gets; of a promise, what it is awaited for.

        Args:
            type_: the result's type, or None where nothing declares it.
            kind: its kind, or None where nothing tells it.
            path: what has the type, as in `parameter`.
        """
        match type_:
            case Name("Promise" | "PromiseLike", (inner,)):
                type_ = inner
        return self._spelling.finish(self._text(type_, kind, "out", path))

    def use(self, name: str) -> None:
        """Has a declared type among the sources, even if no annotation uses it."""
        self._declared.use(name)

    def spell(self, name: str) -> str:
        """Returns how a name of Python's own or of `NAMES` is spelt, where something else may have that name."""
        return self._spelling.spell(name)

    def types_source(self) -> str:
        """Returns the `type` statements and TypedDicts that the annotations use.

        Names that something else has are spelt as `spell` says; names in `hidden` need an alias.
        """
        return self._declared.source()

    def type_name(self, name: str) -> str:
        """Returns the Python name of a declared type."""
        return self._declared.type_name(name)

    # Types.

    def _text(self, type_: Type | None, kind: Kind | None, way: Direction, path: str) -> str:
        if type_ is None:
            type_ = _of_kind(kind)
        elif kind and kind.name in INTEGER_KINDS and self._is_number(type_):
            type_ = substitute(self._resolved(type_), {"number": Name("bigint")})
        return self._write(type_, way, path)

    def _is_number(self, type_: Type) -> bool:
        match self._resolved(type_):
            case Name("number"):
                return True
            case Union(items):
                return any(self._is_number(item) for item in items)
            case _:
                return False

    def _resolved(self, type_: Type) -> Type:
        """Returns the type that an alias of a number stands for."""
        for _ in range(MOST_LEVELS):
            if not (isinstance(type_, Name) and type_.name in self.declarations.aliases and not type_.args):
                break
            type_ = self.declarations.aliases[type_.name].type
        return type_

    def _write(self, type_: Type, way: Direction, path: str) -> str:
        match type_:
            case Name():
                return self._name(type_, way, path)
            case Literal(value):
                return "float" if isinstance(value, float) else f"Literal[{literal_text(value)}]"
            case Array(item):
                return list_of(way, self._write(item, way, path))
            case Tuple(items):
                return list_of(way, self._union(items, way, path) if items else "Any")
            case Union(items):
                return self._union(items, way, path)
            case Intersection():
                joined = self._objects.as_object(type_)
                return dictionary_of(way, "str", "Any") if joined is type_ else self._write(joined, way, path)
            case Object():
                return self._object(type_, way, path)
            case Function():
                return self._callable(type_, way, path)
            case Other(text, among):
                return self._union(among, way, path) if among else self._unknown(text, path)

    def _union(self, items: Iterable[Type], way: Direction, path: str) -> str:
        texts: dict[str, None] = {}
        literals: dict[str, None] = {}
        members = list(_flat(items))
        holds_integers = any(isinstance(item, Name) and is_integer_array(item.name) for item in members)
        for item in members:
            if holds_integers and item == Array(Name("number")):
                item = Array(Name("bigint"))
            if isinstance(item, Literal) and not isinstance(item.value, float):
                if not literals:
                    texts["Literal"] = None
                literals[literal_text(item.value)] = None
            else:
                texts.update(dict.fromkeys(alternatives(self._write(item, way, path))))
        return union_of(texts, literals)

    def _object(self, type_: Object, way: Direction, path: str) -> str:
        """Returns the text of an object type without a name: a TypedDict named by its path."""
        if type_.properties and type_.index is None and path and not self._declared.type_params:
            return self._reference(self._declared.name_of(type_, path), way)
        if type_.index is not None and not type_.properties:
            return dictionary_of(way, "str", self._write(type_.index, way, path))
        return dictionary_of(way, "str", "Any")

    def _name(self, type_: Name, way: Direction, path: str) -> str:
        name = type_.name
        if name in self._declared.type_params:
            return OWN + name
        if text := self._own_type(name, way):
            return text
        if name in RUST_NUMBERS:
            return RUST_NUMBERS[name]
        if name in self._declared:
            return self._reference(name, way, type_.args, path)
        if name == "this":
            owner = path.partition(".")[0]
            return OWN + class_name(owner) if owner in self.classes else "Any"
        if text := plain_type(name, way):
            return text
        if type_.args or name in ("Map", "Set", "Promise", "Array"):
            return self._generic(type_, way, path)
        return foreign_type(name, way) or self._unknown(name, path)

    def _own_type(self, name: str, way: Direction) -> str | None:
        """Returns the text of a class or an enum that the module has, or of an enum's member."""
        if values := way == "in" and self.enums.get(name):
            # Python may pass a plain text as well.
            return f"{OWN}{class_name(name)} | Literal[{', '.join(map(quoted, values))}]"
        if name in self.classes or name in self.enums:
            return OWN + class_name(name)
        owner = name.rpartition(".")[0]
        return OWN + class_name(owner) if owner in self.enums else None

    def _generic(self, type_: Name, way: Direction, path: str) -> str:
        if type_.name == "Partial":
            whole = self._objects.as_object(type_)
            return self._object(whole, way, path) if isinstance(whole, Object) else dictionary_of(way, "str", "Any")
        if type_.name in ("Pick", "Omit"):
            return dictionary_of(way, "str", "Any")
        first, second = (*(self._write(arg, way, path) for arg in type_.args[:2]), "Any", "Any")[:2]
        return generic_type(type_.name, way, first, second) or self._unknown(type_.name, path)

    def _reference(self, name: str, way: Direction, args: tuple[Type, ...] = (), path: str = "") -> str:
        """Returns the name of a declared type with its arguments."""
        params = self._declared.refer(name, way, path)
        if params is None:
            return "Any"
        python = OWN + self.type_name(name)
        if not params:
            return python
        types = type_arguments(params, args)
        return f"{python}[{', '.join(self._write(types[each], way, path) for each in params)}]"

    def _callable(self, type_: Function, way: Direction, path: str) -> str:
        """Returns the text of a function, whose arguments go the other way."""
        against: Direction = "out" if way == "in" else "in"
        # If a callback has to return nothing, whatever it returns is ignored.
        is_ignored = way == "in" and type_.result in (Name("void"), Name("undefined"))
        result = "object" if is_ignored else self._write(type_.result, way, f"{path}.result" if path else "")
        texts = [self._write(param.type, against, f"{path}.{param.name}" if path else "") for param in type_.params]
        if any(param.optional or param.rest for param in type_.params):
            return f"Callable[..., {result}]"
        return f"Callable[[{', '.join(texts)}], {result}]"

    def _unknown(self, text: str, path: str) -> str:
        self.unexpressed.append((path, text))
        return "Any"


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
