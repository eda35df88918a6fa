"""What a module exports, as Python has it: the glue's description and its declarations put together.

The glue tells how values cross, which is exact; TypeScript's declarations, or the glue's own comments where there are
none, tell the types that a person means. Where minified glue lost names and types, they come back from declarations.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ._annotations import Annotator
from ._description import Class, Description, Function, Parameter
from ._docs import Comment, Tagged, docstring, read_comment
from ._kinds import UNTOLD, VAGUE, declared_kind, element, is_optional, strings
from ._naming import parameter_names, python_names
from ._python_text import or_none
from ._types import ANY, Array, Name, Property, Signature, Type
from ._types import Class as DeclaredClass
from ._types import Parameter as DeclaredParameter
from ._typescript import INTERNAL_TYPES, Declarations, parse_type, read

__all__ = ["Declared", "declare"]

type Changes = dict[str, Any]
# What a declaration tells of a function: read when somebody asks, because there may be hundreds.
type Told = Callable[[], Signature | None]

# How wasm-bindgen writes types into the glue; minified glue has lost them.
TYPED = ("@param {", "@returns {")


@dataclasses.dataclass(frozen=True)
class Declared:
    """A module's exports as Python has them.

    `changes` is what declarations tell of parameters and results that the glue does not, by the places in the
    runtime's description; `types_source` gives the declared types, as Python.
    """

    description: Description
    changes: Changes
    types_source: Callable[[], str]


def declare(description: Description, declarations: Declarations | None) -> Declared:
    """Returns a module's exports with their Python names, annotations and documentation.

    Args:
        description: what the glue exports.
        declarations: what its `.d.ts` declares, or None where there is none.
    """
    declaring = _Declaring(description, declarations)
    declared = declaring.description()
    return Declared(declared, declaring.changes, functools.partial(declaring.types_source, declared))


class _Declaring:
    def __init__(self, description: Description, declarations: Declarations | None) -> None:
        self.found = description
        self.declared = declarations or read("")
        # The source of an imported class has comments, that of an imported function has none.
        self.typed_classes = {found.name for found in description.classes if _is_typed(found.every_member())}
        self.is_typed = _is_typed(description.functions) or (not description.functions and bool(self.typed_classes))
        self.classes = {found.name for found in description.classes}
        self.enums = dict(description.enums)
        if not self.is_typed:
            # wasm-bindgen declares an enum of strings as a union of its values.
            unions = {name: strings(alias.type) for name, alias in self.declared.aliases.items()}
            self.enums.update((name, values) for name, values in unions.items() if values)
        self.every_enum = dict.fromkeys(description.constants, ()) | self.enums
        self.changes: Changes = {}
        functions = [function.name for function in description.functions]
        self.annotator = Annotator(self.declared, self.classes, self.every_enum, functions)

    def description(self) -> Description:
        found = self.found
        names = self._module_names()
        functions = tuple(
            self._function(function, self._of_function(function), ("functions", index), names, "")
            for index, function in enumerate(found.functions)
        )
        classes = tuple(self._class(cls, index) for index, cls in enumerate(found.classes))
        docs = {name: docstring(read_comment(self._doc_of(name)), {}) for name in self.every_enum}
        return dataclasses.replace(found, functions=functions, classes=classes, enums=self.enums, docs=docs)

    def types_source(self, described: Description) -> str:
        """The declared types, as Python: all of them, and those that annotations name after their place."""
        for function in described.every_function():
            function.annotations()
        for name in (*self.declared.interfaces, *self.declared.aliases):
            if name not in INTERNAL_TYPES and name not in self.every_enum and name not in self.classes:
                self.annotator.use(name)
        return self.annotator.types_source()

    def _module_names(self) -> dict[str, str]:
        """The Python names of functions; one that is the name of another export is not taken."""
        return python_names(
            [function.name for function in self.found.functions], {*self.found.constants, *self.classes}
        )

    def _doc_of(self, name: str) -> str:
        if self.found.docs.get(name):
            return self.found.docs[name]
        if name in self.typed_classes and self.is_typed:
            return ""  # the glue has the comments of all classes
        for kind in (self.declared.enums, self.declared.aliases, self.declared.classes):
            if name in kind:
                return kind[name].doc
        return ""

    # Where a declaration is.

    def _of_function(self, found: Function) -> Told:
        return functools.cache(lambda: _fitting(self.declared.functions.get(found.name, ()), found))

    def _of_member(self, owner: str, role: str, found: Function) -> Told:
        def told() -> Signature | None:
            declared = self.declared.classes.get(owner)
            return _member(declared, role, found) if declared else None

        return functools.cache(told)

    def _class(self, found: Class, index: int) -> Class:
        members = (*found.methods, *found.statics, *found.getters, *found.setters)
        names = python_names(dict.fromkeys(member.name for member in members))
        changed: dict[str, Any] = {"doc": docstring(read_comment(self._doc_of(found.name)), {})}
        for role in ("methods", "statics", "getters", "setters"):
            changed[role] = tuple(
                self._function(
                    member,
                    self._of_member(found.name, role, member),
                    ("classes", index, role, place),
                    names,
                    found.name,
                )
                for place, member in enumerate(getattr(found, role))
            )
        if found.construct:
            told = self._of_member(found.name, "construct", found.construct)
            place = ("classes", index, "construct")
            changed["construct"] = self._function(found.construct, told, place, {}, found.name)
        return dataclasses.replace(found, **changed)

    # Functions.

    def _function(
        self, found: Function, told: Told, place: Sequence[str | int], names: Mapping[str, str], owner: str
    ) -> Function:
        is_typed = owner in self.typed_classes if owner else self.is_typed
        signature = None if is_typed else told()
        comment = read_comment(found.doc or (signature.doc if signature else ""))
        declared = _same_parameters(signature, found)
        python = parameter_names(param.name for param in declared or found.params)
        params = tuple(
            dataclasses.replace(
                self._parameter(param, declared[at] if declared else None, comment, python[at], (*place, "params", at)),
                declared=functools.partial(self._decides, told, comment, found, at),
            )
            for at, param in enumerate(found.params)
        )
        result, is_async = self._result(found, signature, place)
        renamed = dict(zip((param.name for param in declared or found.params), python, strict=True))
        made = dataclasses.replace(
            found,
            params=params,
            result=result,
            is_async=is_async,
            doc=docstring(comment, renamed),
            python=names.get(found.name, found.name),
        )
        is_constructor = place[-1] == "construct"
        path = f"{owner}.{found.name}" if owner and not is_constructor else owner or found.name
        annotations = functools.cache(
            lambda: self._annotations(made, told, comment, path, is_constructor=is_constructor)
        )
        return dataclasses.replace(made, annotations=annotations)

    def _parameter(
        self,
        found: Parameter,
        declared: DeclaredParameter | None,
        comment: Comment,
        python: str,
        place: Sequence[str | int],
    ) -> Parameter:
        if found.rest:
            kind = element(_type_of(declared, comment, found.name), self.classes)[1]
            return dataclasses.replace(found, kind=kind, python=python)
        if declared is None:
            return dataclasses.replace(found, python=python)
        type_ = declared.type
        # A value of any type may be `undefined`, too.
        optional = found.optional or is_optional(declared) or (type_ == ANY and found.kind in UNTOLD)
        kind = self._kind(type_, found.kind)
        if (kind, optional) != (found.kind, found.optional):
            self._change(place, {"kind": kind, "optional": optional})
        if isinstance(type_, Array) and isinstance(type_.item, Name) and type_.item.name in self.classes:
            self._change(place, {"consumes": True})
        return dataclasses.replace(found, kind=kind, optional=optional, python=python)

    def _decides(self, told: Told, comment: Comment, found: Function, at: int) -> Type | None:
        """The declared type of an argument, which decides what it becomes; of a rest parameter that of each."""
        declared = _same_parameters(told(), found)
        param = found.params[at]
        type_ = _type_of(declared[at] if declared else None, comment, param.name)
        return element(type_, self.classes)[0] if param.rest else type_

    def _result(self, found: Function, signature: Signature | None, place: Sequence[str | int]) -> tuple[str, bool]:
        if signature is None or found.result == "void":
            return found.result, found.is_async
        kind = self._kind(_awaited(signature.result), found.result)
        is_async = found.is_async or _awaited(signature.result) != signature.result
        if (kind, is_async) != (found.result, found.is_async):
            self._change(place, {"result": kind, "isAsync": is_async})
        return kind, is_async

    def _kind(self, type_: Type | None, found: str) -> str:
        """The kind of a value: how wide a number is the glue tells, that it is an enum a declaration."""
        kind = declared_kind(type_, word=found == "word", classes=self.classes, enums=self.every_enum)
        return kind if found in UNTOLD or kind not in VAGUE else found

    def _change(self, place: Sequence[str | int], changes: Changes) -> None:
        at = self.changes
        for key in place:
            at = at.setdefault(str(key), {})
        at.update(changes)

    def _annotations(
        self, made: Function, told: Told, comment: Comment, path: str, *, is_constructor: bool
    ) -> Mapping[str, str]:
        """The texts of a function's annotations, by the Python names of its parameters."""
        signature = told()
        declared = _same_parameters(signature, made)
        texts = {}
        for at, param in enumerate(made.params):
            type_ = _type_of(declared[at] if declared else None, comment, param.name)
            if param.rest:
                type_ = element(type_, self.classes)[0]
            text = self.annotator.parameter(type_, _known(param.kind), f"{path}.{param.name}")
            texts[param.python] = or_none(text) if param.optional else text
        said = comment.returns.type
        result = signature.result if signature else parse_type(said) if said else None
        result = _awaited(result) if made.is_async else result
        texts["return"] = "None" if is_constructor else self.annotator.result(result, _known(made.result), path)
        return texts


def _known(kind: str) -> str:
    return "unknown" if kind in UNTOLD else kind


def _is_typed(functions: Iterable[Function]) -> bool:
    return any(tag in function.doc for function in functions for tag in TYPED)


def _member(declared: DeclaredClass, role: str, found: Function) -> Signature | None:
    if role == "construct":
        return _fitting(declared.constructors, found)
    if role in ("methods", "statics"):
        return _fitting((each for each in declared.methods if each.name == found.name), found)
    for each in declared.properties:
        if each.name == found.name:
            return _getter(each) if role == "getters" else _setter(each)
    return None


def _fitting(signatures: Iterable[Signature], found: Function) -> Signature | None:
    """The overload with as many parameters as the glue's function, else the first."""
    listed = list(signatures)
    same = [each for each in listed if len(each.params) == len(found.params)]
    return next(itertools.chain(same, listed), None)


def _getter(found: Property) -> Signature:
    return Signature(found.name, (), found.type, found.doc)


def _setter(found: Property) -> Signature:
    return Signature(found.name, (DeclaredParameter("value", found.type, False, False),), Name("void"), found.doc)


def _same_parameters(signature: Signature | None, found: Function) -> tuple[DeclaredParameter, ...] | None:
    """What a declaration tells of each parameter, if it has as many."""
    return signature.params if signature and len(signature.params) == len(found.params) else None


def _type_of(declared: DeclaredParameter | None, comment: Comment, name: str) -> Type | None:
    if declared:
        return declared.type
    said = comment.params.get(name, Tagged()).type
    return parse_type(said) if said else None


def _awaited(type_: Type | None) -> Type | None:
    """What a promise is awaited for; another type as it is."""
    if isinstance(type_, Name) and type_.name == "Promise":
        return type_.args[0] if type_.args else None
    return type_
