"""The types that a `.d.ts` declares, as `type` statements and TypedDicts, as far as annotations use them."""

import re
from collections.abc import Callable, Collection

from .families import large_families
from .model import ANY, Intersection, Literal, Name, Object, Other, Type, Union
from .naming import class_name
from .object_types import ObjectTypes
from .reader import Declarations
from .source import Direction, indented_docstring, may_be_attribute, quoted, wrapped
from .spelling import WORD, Spelling

__all__ = ["DeclaredTypes"]

# If more TypedDicts than this hold each other, such as those of a syntax tree, the inner ones are `Any`: mypy 2.4
# follows each of them through all the others and does not end. 38 take it no time, 154 for ever.
MOST_RELATED = 60

# Writes the text of a type for a direction and a path, see `Annotator.parameter`.
type Write = Callable[[Type, Direction, str], str]


class DeclaredTypes:
    """Remembers which declared types the annotations use, and writes their source.

    Args:
        declarations: the declarations of the `.d.ts`.
        reserved: the names of other things, so that a type of such a name gets another one.
        objects: joins the parts of object types.
        spelling: how names are spelt.
        write: writes the text of a type; it refers to declared types by `refer`.

    Attributes:
        type_params: the type parameters of the declaration that is being written.
    """

    def __init__(
        self,
        declarations: Declarations,
        reserved: Collection[str],
        objects: ObjectTypes,
        spelling: Spelling,
        write: Write,
    ) -> None:
        self.type_params: frozenset[str] = frozenset()
        self._declarations = declarations
        self._reserved = reserved
        self._objects = objects
        self._spelling = spelling
        self._write = write
        self._used: dict[str, set[Direction]] = {}
        self._written: set[tuple[str, Direction]] = set()
        self._params: dict[str, tuple[str, ...]] = {}
        # The declaration that is being written, and which others each declaration refers to.
        self._writing = ""
        self._references: dict[str, set[str]] = {}
        self._families: dict[str, int] = {}
        # Object types without a name, by the names that they got, and the other way round.
        self._anonymous: dict[str, Object] = {}
        self._names: dict[Object, str] = {}

    def __contains__(self, name: str) -> bool:
        d = self._declarations
        return name in d.interfaces or name in d.aliases or name in d.enums or name in self._anonymous

    def use(self, name: str) -> None:
        """Has a declared type in the source, even if no annotation uses it."""
        if name not in self._used:
            self._used[name] = {"in"}

    def refer(self, name: str, way: Direction, path: str) -> tuple[str, ...] | None:
        """Notes that the text being written refers to a declared type.

        Returns:
            the type parameters of the declared type; None if `Any` has to stand for it (see `MOST_RELATED`).
        """
        self._used.setdefault(name, set()).add(way)
        self._references.setdefault(self._writing, set()).add(name)
        family = self._families.get(name)
        if family is not None and family == self._families.get(self._writing) and "." in path:
            return None
        if name not in self._params:
            self._params[name] = self._declared(name)[0]
        return self._params[name]

    def type_name(self, name: str) -> str:
        """Returns the Python name of a declared type."""
        python = class_name(name.replace(".", "_"))
        while python in self._reserved:
            python += "_"
        return python

    def name_of(self, type_: Object, path: str) -> str:
        """Returns the name of an object type that has none of its own: it is named by its path."""
        if type_ not in self._names:
            name = self._names[type_] = self._free_name(_name_by_path(type_, path))
            self._anonymous[name] = type_
        return self._names[type_]

    def source(self) -> str:
        """Returns the `type` statements and TypedDicts that the annotations use."""
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

    def _declaration(self, name: str, way: Direction) -> str:
        """Returns the source of one declared type; `refer` hears of those that it uses."""
        params, type_, doc = self._declared(name)
        self.type_params = frozenset(params)
        self._writing = name
        try:
            if isinstance(type_, Object) and type_.properties and type_.index is None:
                return self._typed_dict(name, params, type_, way, doc)
            text = self._spelling.finish(self._write(type_, way, name))
        finally:
            self.type_params, self._writing = frozenset(), ""
        return wrapped(f"type {self.type_name(name)}{_generic(params)} = ", text)

    def _declared(self, name: str) -> tuple[tuple[str, ...], Type, str]:
        """Returns the type parameters of a declared type, the type that it stands for, and its comment."""
        if name in self._anonymous:
            return (), self._anonymous[name], ""
        if name in self._declarations.interfaces:
            interface = self._declarations.interfaces[name]
            whole = self._objects.as_object(Name(name, tuple(map(Name, interface.params))))
            return interface.params, whole, interface.doc
        if name in self._declarations.aliases:
            alias = self._declarations.aliases[name]
            if self._is_circular(name):
                return alias.params, ANY, alias.doc
            type_ = self._objects.as_object(alias.type) if isinstance(alias.type, Intersection) else alias.type
            return alias.params, type_, alias.doc
        enum = self._declarations.enums[name]
        return (), Union(tuple(Literal(value) for _, value, _ in enum.members)), enum.doc

    def _is_circular(self, name: str) -> bool:
        """Whether a type is one of its own alternatives, which is no information."""
        seen: set[str] = set()
        rest: list[Type] = [self._declarations.aliases[name].type]
        while rest:
            match rest.pop():
                case Name(other):
                    if other == name:
                        return True
                    if other not in seen and other in self._declarations.aliases:
                        seen.add(other)
                        rest.append(self._declarations.aliases[other].type)
                case Union(items) | Intersection(items) | Other(_, items):
                    rest.extend(items)
                case _:
                    pass
        return False

    def _typed_dict(self, name: str, params: tuple[str, ...], type_: Object, way: Direction, doc: str) -> str:
        python = self.type_name(name)
        keys = {}
        for each in type_.properties:
            text = self._write(each.type, way, f"{name}.{each.name}")
            keys[each.name] = self._spelling.finish(f"NotRequired[{text}]" if each.optional else text)
        base = self._spelling.spell("TypedDict")
        used = {word[2] for text in keys.values() for word in WORD.finditer(text)}
        if all(map(may_be_attribute, keys)) and (params or not used & keys.keys()):
            lines = [f"class {python}{_generic(params)}({base}):", *indented_docstring(doc, "    ")]
            return "\n".join([*lines, *(f"    {key}: {text}" for key, text in keys.items()), ""])
        if params:  # the functional form takes no type parameters
            return self._spelling.finish(f"type {python}{_generic(params)} = dict[str, Any]")
        lines = [f"    {quoted(key)}: {text}," for key, text in keys.items()]
        return "\n".join([f'{python} = {base}("{python}", {{', *lines, "})"])

    def _free_name(self, base: str) -> str:
        name, number = base, 2
        while name in self._reserved or name in self:
            name, number = f"{base}{number}", number + 1
        return name


def _generic(params: tuple[str, ...]) -> str:
    return f"[{', '.join(params)}]" if params else ""


def _name_by_path(type_: Object, path: str) -> str:
    """Returns a name such as `StoreLoadOptions`.

    If the object is one of several alternatives, the literal text of its `kind`, `tag` or the like is part of the name.
    """
    tag = next(
        (p.type.value for p in type_.properties if isinstance(p.type, Literal) and isinstance(p.type.value, str)), ""
    )
    words = [*re.split(r"[\W_]+", path), *re.split(r"[\W_]+", tag)[:3]]
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[:1].isidentifier() else f"Type{name}"
