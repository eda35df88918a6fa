"""Shapes: a declared type decides which container a dict, a list or a set becomes, and which array a buffer becomes.

Where a declaration says nothing or leaves a choice, the Python type of the value decides.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._bridge.context import Context
from .._bridge.kinds import ARRAYS, TYPED_ARRAYS
from .._declarations.model import (
    Array,
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
from .._declarations.reader import Declarations
from .._values.buffers import SharedSender
from .._values.containers import ARRAY, BIG_INTEGER, MAP, NULL, OBJECT, SET, fields_of, is_data, is_record, pairs_of

__all__ = ["Shape", "Shapes"]

LISTS = ("Array", "ReadonlyArray")
MAPS = ("Map", "ReadonlyMap")
SETS = ("Set", "ReadonlySet")
# Types that have the shape of their first argument.
ALIKE = ("Partial", "Required", "Readonly", "NonNullable", "Pick", "Omit", "Awaited")
ANYTHING = ("any", "unknown")
ABSENT = ("undefined", "void")
# A chain of declarations that name each other is followed so far: one that names itself has no end.
MOST_NAMES = 50


@dataclass
class Fields:
    """The facts that declarations tell of a plain object."""

    properties: dict[str, Property] = field(default_factory=dict)
    index: Type | None = None

    def of(self, name: str) -> Type | None:
        """The type of a property."""
        declared = self.properties.get(name)
        if declared is None:
            return self.index
        return Union((declared.type, Name("undefined"))) if declared.optional else declared.type

    def fits(self, value: Mapping[Any, Any]) -> bool:
        """Whether a value has the values of properties that the declaration fixes, such as a `kind`."""
        return all(
            value[name] == declared.type.value
            for name, declared in self.properties.items()
            if isinstance(declared.type, Literal) and name in value
        )


@dataclass
class Choices:
    """The shapes that a value may have, by the container that it becomes."""

    anything: bool = False
    names: set[str] = field(default_factory=set)
    lists: list[Type] = field(default_factory=list)
    tuples: list[tuple[Type, ...]] = field(default_factory=list)
    maps: list[Type] = field(default_factory=list)
    sets: list[Type] = field(default_factory=list)
    objects: list[Fields] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)

    def decide(self) -> bool:
        """Whether these choices decide anything about a value."""
        has_container = self.lists or self.tuples or self.maps or self.sets or self.objects or self.elements
        return bool(has_container or "bigint" in self.names or "null" in self.names)


class Shapes:
    """The shapes of a module's types.

    Args:
        declarations: what its `.d.ts` declares.
    """

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations
        self._known: dict[Type, Shape | None] = {}

    def of(self, types: Iterable[Type | None]) -> "Shape | None":
        """Returns the shape of a value that has one of these types, or None if they decide nothing."""
        declared = tuple(dict.fromkeys(type_ for type_ in types if type_ is not None))
        if not declared:
            return None
        key = declared[0] if len(declared) == 1 else Union(declared)
        if key not in self._known:
            choices = Choices()
            self._add(key, choices, MOST_NAMES)
            self._known[key] = Shape(self, choices) if choices.decide() else None
        return self._known[key]

    def of_declared(self, declared: Callable[[], Type | None]) -> "Shape | None":
        """The same of one type, which `declared` reads."""
        return self.of([declared()])

    def _add(self, type_: Type, to: Choices, names: int) -> None:
        match type_:
            case Name(name, args):
                self._add_name(name, args, to, names)
            case Union(items) | Other(_, items):
                for item in items:
                    self._add(item, to, names)
            case Array(item):
                to.lists.append(item)
            case Tuple(items):
                to.tuples.append(items)
            case Object(properties, index):
                to.objects.append(Fields({each.name: each for each in properties}, index))
            case Intersection(items):
                self._add_intersection(items, to, names)
            case _:
                pass

    def _add_name(self, name: str, args: tuple[Type, ...], to: Choices, names: int) -> None:
        first, second = (*args, Name("any"), Name("any"))[:2]
        declared = self._declarations
        if name in declared.classes:
            to.names.add(name)
        elif name in declared.aliases and names:
            alias = declared.aliases[name]
            self._add(substitute(alias.type, dict(zip(alias.params, args, strict=False))), to, names - 1)
        elif name in declared.interfaces and names:
            to.objects.append(self._fields(declared.interfaces[name], args, names - 1))
        elif name in ANYTHING:
            to.anything = True
        elif name in LISTS:
            to.lists.append(first)
        elif name in MAPS:
            to.maps.append(second)
        elif name in SETS:
            to.sets.append(first)
        elif name == "Record":
            to.objects.append(Fields(index=second))
        elif name in TYPED_ARRAYS:
            to.elements.append(TYPED_ARRAYS[name])
        elif name in ("object", "Object"):
            to.objects.append(Fields())
        elif name in ALIKE and args:
            self._add(first, to, names)
        else:
            to.names.add(name)

    def _fields(self, interface: Interface, args: tuple[Type, ...], names: int) -> Fields:
        """The members of an interface, together with those of the interfaces that it extends."""
        types = dict(zip(interface.params, args, strict=False))
        bases = Choices()
        for base in interface.extends:
            self._add(substitute(base, types), bases, names)
        fields = _joined(bases.objects)
        for each in interface.properties:
            type_ = substitute(each.type, types)
            fields.properties[each.name] = Property(each.name, type_, each.optional, each.readonly)
        if interface.index is not None:
            fields.index = substitute(interface.index, types)
        return fields

    def _add_intersection(self, items: tuple[Type, ...], to: Choices, names: int) -> None:
        parts = Choices()
        for item in items:
            self._add(item, parts, names)
        if parts.objects:
            parts.objects = [_joined(parts.objects)]
        for name in ("lists", "tuples", "maps", "sets", "objects", "elements"):
            getattr(to, name).extend(getattr(parts, name))


def _joined(all_fields: Sequence[Fields]) -> Fields:
    joined = Fields()
    for each in all_fields:
        joined.properties.update(each.properties)
        joined.index = each.index or joined.index
    return joined


class Shape:
    """The decisions of a value's declared types about it.

    Args:
        shapes: those of the module.
        choices: what the value may be.
    """

    def __init__(self, shapes: Shapes, choices: Choices) -> None:
        self._shapes = shapes
        self._may_be = choices

    def decided(self, value: Any, context: Context) -> tuple[Any, int]:
        """The value that is sent instead of this one, and its container: `BIG_INTEGER`, `NULL`, or 0 for any other."""
        may_be = self._may_be
        if value is None:
            return value, 0 if may_be.anything or "null" not in may_be.names or may_be.names & {*ABSENT} else NULL
        if isinstance(value, bool | str) or may_be.anything:
            return value, 0
        if isinstance(value, int):
            return value, BIG_INTEGER if "bigint" in may_be.names and "number" not in may_be.names else 0
        if isinstance(value, list | tuple):
            is_array = may_be.lists or may_be.tuples or may_be.sets or not may_be.elements
            return (value if is_array else self._typed_array(value, may_be.elements[0], context)), 0
        if is_data(value) or not (may_be.elements or may_be.lists):
            return value, 0
        return self._buffer(value, context), 0

    def _typed_array(self, value: Any, element: str, context: Context) -> Any:
        return SharedSender(element, context, context.untyped.receive)(value)

    def _buffer(self, value: Any, context: Context) -> Any:
        """A buffer as the array that is declared. Any other value is returned as it is."""
        if context.browser.is_foreign(value):
            return value
        elements = self._may_be.elements
        try:
            view = memoryview(value)
            if not elements:
                return view.tolist() if view.ndim else value
        except (TypeError, NotImplementedError):
            return value
        fits = any(view.format == ARRAYS[element][0] for element in elements)
        return value if fits or len(elements) > 1 else self._typed_array(value, elements[0], context)

    def taken_apart(self, value: Any) -> "tuple[int, Sequence[Any], Sequence[Shape | None] | None]":
        """The container that a value becomes, its parts, and their shapes if a declaration tells any."""
        may_be = self._may_be
        if isinstance(value, dict) or is_record(value):
            return self._dict_apart(value if isinstance(value, dict) else fields_of(value))
        items = list(value)
        is_set = isinstance(value, set | frozenset)
        is_array = bool(may_be.lists or may_be.tuples) or may_be.anything
        if may_be.sets and (is_set or not is_array):
            return SET, items, self._each(items, self._shapes.of(may_be.sets))
        if is_set and not (may_be.lists or may_be.tuples):
            return SET, items, None
        for places in may_be.tuples:
            if len(places) == len(items):
                return ARRAY, items, [self._shapes.of([place]) for place in places]
        return ARRAY, items, self._each(items, self._shapes.of(may_be.lists))

    def _each(self, items: Sequence[Any], shape: "Shape | None") -> "Sequence[Shape | None] | None":
        return [shape] * len(items) if shape else None

    def _dict_apart(self, value: dict[Any, Any]) -> "tuple[int, Sequence[Any], Sequence[Shape | None] | None]":
        may_be = self._may_be
        looks_like_map = not all(isinstance(key, str) for key in value)
        is_map = looks_like_map if may_be.anything or bool(may_be.maps) == bool(may_be.objects) else bool(may_be.maps)
        if is_map:
            shape = self._shapes.of(may_be.maps)
            return MAP, pairs_of(value), [None, shape] * len(value) if shape else None
        if looks_like_map:
            _check_names(value)
        fitting = [each for each in may_be.objects if each.fits(value)] or may_be.objects
        shapes = [self._shapes.of(each.of(str(key)) for each in fitting) for key in value]
        shapes_of_pairs = [part for shape in shapes for part in (None, shape)] if any(shapes) else None
        return OBJECT, pairs_of(value), shapes_of_pairs


def _check_names(value: Mapping[Any, Any]) -> None:
    """Refuses a key that cannot be the name of a property. A number can: JavaScript writes it as a text."""
    for key in value:
        if not isinstance(key, str | int | float) or isinstance(key, bool):
            raise TypeError(f"cannot use {key!r} as the name of a property: the declared type is an object, not a Map")
