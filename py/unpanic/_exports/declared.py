"""What a module exports, as Python has it: the glue's description and its declarations put together.

The glue tells how values cross, which is exact; TypeScript's declarations, or the glue's own comments where there are
none, tell the types that a person means. Where minified glue lost names and types, they come back from declarations.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .._bridge import kinds
from .._bridge.kinds import Kind
from .._declarations.annotations import Annotator
from .._declarations.docs import Comment, Tagged, docstring, read_comment
from .._declarations.model import ANY, UNKNOWN, Name, PlainParameters, Property, Signature, Type
from .._declarations.model import Class as DeclaredClass
from .._declarations.model import Parameter as DeclaredParameter
from .._declarations.naming import python_names
from .._declarations.reader import INTERNAL_TYPES, Declarations, parse_type, read
from .._declarations.resolve import UNTOLD, VAGUE, declared_kind, element, is_optional, strings
from .._declarations.signatures import Argument, arguments, awaited, in_python, is_promise, joined, parameter_text
from .._declarations.source import or_none
from .description import Class, Description, Function, Parameter

__all__ = ["Declared", "declare"]

type Changes = dict[str, Any]
# What declarations tell of a function, each way to call it: read when somebody asks, because there may be hundreds.
type Told = Callable[[], tuple[Signature, ...]]

# How wasm-bindgen writes types into the glue; minified glue has lost them.
TYPED = ("@param {", "@returns {")


@dataclasses.dataclass(frozen=True)
class Declared:
    """A module's exports as Python has them.

    `changes` is what the runtime does not know of itself, by the places in its description: what declarations tell of
    parameters and results, and the Python names under which calls are reported. `types_source` gives the declared
    types, as Python.
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
        return lambda: tuple(self.declared.functions.get(found.name, ()))

    def _of_member(self, owner: str, role: str, found: Function) -> Told:
        def told() -> tuple[Signature, ...]:
            seen: set[str] = set()
            name: str | None = owner
            while name and name not in seen and (declared := self.declared.classes.get(name)):
                if signatures := _member(declared, role, found):
                    return signatures
                seen.add(name)
                name = declared.base
            return ()

        return told

    def _is_as_commented(self, found: Function, place: Sequence[str | int], owner: str) -> bool:
        """Whether the glue's comment tells the declared parameters, as it does unless others were written by hand.

        Then the declaration need not be read, which takes a hundred times as long as a look at its text.
        """
        if place[-2] in ("getters", "setters"):
            return True
        is_constructor = place[-1] == "construct"
        if any(param.kind.name in UNTOLD for param in found.params):
            return False
        if found.result.name in UNTOLD and not is_constructor:
            return False
        if owner:
            name = "constructor" if is_constructor else found.name
            written = self.declared.plain_members(owner).get(name)
        else:
            written = self.declared.plain_function(found.name)
        commented = zip(found.params, in_python(_told_by_glue(found)), strict=True)
        params = tuple((param.name, argument.has_default, param.rest) for param, argument in commented)
        return written == (params, found.is_async)

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
        overloads = () if is_typed and self._is_as_commented(found, place, owner) else told()
        signature = joined(overloads)
        comment = read_comment((signature.doc if signature else "") or found.doc)
        shape = arguments(signature) if signature else in_python(_told_by_glue(found))
        if signature:
            params = tuple(
                self._parameter(_crossing(found, at, param), param, comment, shape[at], is_typed=is_typed)
                for at, param in enumerate(signature.params)
            )
        else:
            params = tuple(
                self._parameter(param, None, comment, shape[at], is_typed=is_typed)
                for at, param in enumerate(found.params)
            )
        self._change_parameters(place, found.params, params)
        result, is_async = self._result(found, signature, place, is_typed=is_typed)
        is_constructor = place[-1] == "construct"
        path = f"{owner}.{found.name}" if owner and not is_constructor else owner or found.name
        python = names.get(found.name, found.name)
        if python != found.name:
            self._change(place, {"shown": python})
        renamed = {param.name: argument.name for param, argument in zip(found.params, shape, strict=False)}
        renamed |= {param.name: param.python for param in params}
        ways = (
            "" if len(overloads) < 2 else self._ways_to_call(found, path if is_constructor else python, overloads, path)
        )
        made = Function(
            found.name,
            self._with_declared(params, told, comment),
            result,
            is_async,
            "\n\n".join(filter(None, (ways, docstring(comment, renamed)))),
            python,
            functools.cache(lambda: self._annotations(made, joined(told()), comment, path)),
            _spellings(overloads, shape),
        )
        return made

    def _parameter(
        self,
        found: Parameter,
        declared: DeclaredParameter | None,
        comment: Comment,
        argument: Argument,
        *,
        is_typed: bool,
    ) -> Parameter:
        """A parameter as Python has it: how it crosses the glue tells, whether it may be absent the declaration."""
        kind, optional = found.kind, found.optional
        if argument.rest:
            optional = False
            kind = element(_type_of(declared, comment, found.name), self.classes)[1]
        elif declared:
            # A value of any type may be `undefined`, too.
            optional = optional or is_optional(declared) or (declared.type in (ANY, UNKNOWN) and kind.name in UNTOLD)
            kind = self._kind(declared.type, kind, is_typed=is_typed)
        return Parameter(
            declared.name if declared else found.name,
            kind,
            optional,
            argument.rest,
            found.mutable,
            found.shared,
            argument.name,
            argument.has_default,
        )

    def _with_declared(self, params: Sequence[Parameter], told: Told, comment: Comment) -> tuple[Parameter, ...]:
        """The parameters, with their declared types for who asks."""

        def declared(at: int) -> Type | None:
            return self._type_of_argument(joined(told()), comment, params, at)

        return tuple(
            dataclasses.replace(param, declared=functools.partial(declared, at)) for at, param in enumerate(params)
        )

    def _type_of_argument(
        self, signature: Signature | None, comment: Comment, made: Sequence[Parameter], at: int
    ) -> Type | None:
        """The declared type of an argument, else the one that its comment tells; of a rest parameter that of each."""
        declared = signature.params if signature and len(signature.params) == len(made) else None
        type_ = _type_of(declared[at] if declared else None, comment, made[at].name)
        return element(type_, self.classes)[0] if made[at].rest else type_

    def _change_parameters(
        self, place: Sequence[str | int], found: tuple[Parameter, ...], made: tuple[Parameter, ...]
    ) -> None:
        """Tells the lanes of parameters that are not as the glue described them."""
        if [param.rest for param in found] != [param.rest for param in made]:
            self._change(place, {"params": [_for_lanes(param) for param in made]})
            return
        for at, (before, after) in enumerate(zip(found, made, strict=True)):
            if (after.kind, after.optional) != (before.kind, before.optional) and not after.rest:
                self._change((*place, "params", at), {"kind": after.kind.to_data(), "optional": after.optional})
                if after.kind.is_list_of(kinds.OBJECT):
                    self._change((*place, "params", at), {"consumes": True})

    def _result(
        self, found: Function, signature: Signature | None, place: Sequence[str | int], *, is_typed: bool
    ) -> tuple[Kind, bool]:
        if signature is None or found.result.name == kinds.VOID:
            return found.result, found.is_async
        kind = self._kind(awaited(signature.result), found.result, is_typed=is_typed)
        is_async = found.is_async or is_promise(signature.result)
        if (kind, is_async) != (found.result, found.is_async):
            self._change(place, {"result": kind.to_data(), "isAsync": is_async})
        return kind, is_async

    def _kind(self, type_: Type | None, found: Kind, *, is_typed: bool) -> Kind:
        """The kind of a value: how wide a number is the glue tells, that it is an enum a declaration.

        What comments of the glue tell (`is_typed`), they tell exactly.
        """
        is_word = found.name == kinds.WORD
        kind = declared_kind(type_, word=is_word, classes=self.classes, enums=self.every_enum)
        return kind if found.name in UNTOLD or not (is_typed or kind.name in VAGUE) else found

    def _change(self, place: Sequence[str | int], changes: Changes) -> None:
        at = self.changes
        for key in place:
            at = at.setdefault(str(key), {})
        at.update(changes)

    def _ways_to_call(self, found: Function, name: str, overloads: Sequence[Signature], path: str) -> str:
        """The heads of the overloads, each on a line of its own, as builtin functions with several have them."""
        lines = []
        for signature in overloads:
            texts = []
            for at, (param, argument) in enumerate(zip(signature.params, arguments(signature), strict=True)):
                type_ = element(param.type, self.classes)[0] if param.rest else param.type
                kind = _known(_crossing(found, at, param).kind)
                text = self.annotator.parameter(type_, None if param.rest else kind, f"{path}.{param.name}")
                texts.append(parameter_text(argument, or_none(text) if param.optional and not param.rest else text))
            result = "" if path in self.classes else f" -> {self.annotator.result(signature.result, None, path)}"
            lines.append(f"{name}({', '.join(texts)}){result}")
        different = dict.fromkeys(lines)
        return "\n".join(different) if len(different) > 1 else ""

    def _annotations(
        self, made: Function, signature: Signature | None, comment: Comment, path: str
    ) -> Mapping[str, str]:
        """The texts of a function's annotations, by the Python names of its parameters."""
        texts = {}
        for at, param in enumerate(made.params):
            type_ = self._type_of_argument(signature, comment, made.params, at)
            text = self.annotator.parameter(type_, _known(param.kind), f"{path}.{param.name}")
            texts[param.python] = or_none(text) if param.optional else text
        said = comment.returns.type
        result = signature.result if signature else parse_type(said) if said else None
        result = awaited(result) if made.is_async else result
        texts["return"] = "None" if path in self.classes else self.annotator.result(result, _known(made.result), path)
        return texts


def _known(kind: Kind) -> Kind | None:
    """The kind, or None where the glue does not tell it."""
    return None if kind.name in UNTOLD else kind


def _is_typed(functions: Iterable[Function]) -> bool:
    return any(tag in function.doc for function in functions for tag in TYPED)


def _member(declared: DeclaredClass, role: str, found: Function) -> tuple[Signature, ...]:
    if role == "construct":
        return declared.constructors
    if role in ("methods", "statics"):
        named = [each for each in declared.methods if each.name == found.name]
        return tuple(each for each in named if each.static == (role == "statics")) or tuple(named)
    for each in declared.properties:
        if each.name == found.name:
            return (_getter(each) if role == "getters" else _setter(each),)
    return ()


def _told_by_glue(found: Function) -> PlainParameters:
    """The parameters of the glue's function, as its comment tells of them."""
    return tuple((param.name, param.optional, param.rest) for param in found.params)


def _crossing(found: Function, at: int, declared: DeclaredParameter) -> Parameter:
    """What the glue tells of a parameter at this place; nothing, if it has none there or gathers it with others."""
    told = found.params[: at + 1]
    if len(told) > at and told[at].rest <= declared.rest and not any(param.rest for param in told[:at]):
        return told[at]
    return Parameter(declared.name, Kind(kinds.UNKNOWN), optional=False, rest=False, shared=True)


def _for_lanes(param: Parameter) -> Changes:
    consumes = {"consumes": True} if param.kind.is_list_of(kinds.OBJECT) else {}
    kind = param.kind.to_data()
    return {"name": param.name, "kind": kind, "optional": param.optional, "rest": param.rest} | consumes


def _spellings(overloads: Sequence[Signature], names: Sequence[Argument]) -> tuple[tuple[Argument, ...], ...]:
    """The parameters of each overload, where some of them have other names than the function that takes them all."""
    ways = tuple(dict.fromkeys(arguments(signature) for signature in overloads))
    known = [None if argument.rest else argument.name for argument in names]
    is_same = all([argument.name for argument in way] == known[: len(way)] for way in ways)
    return () if is_same else ways


def _getter(found: Property) -> Signature:
    return Signature(found.name, (), found.type, found.doc)


def _setter(found: Property) -> Signature:
    return Signature(found.name, (DeclaredParameter("value", found.type, False, False),), Name("void"), found.doc)


def _type_of(declared: DeclaredParameter | None, comment: Comment, name: str) -> Type | None:
    if declared:
        return declared.type
    said = comment.params.get(name, Tagged()).type
    return parse_type(said) if said else None
