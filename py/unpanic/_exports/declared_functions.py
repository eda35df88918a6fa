"""One exported function as Python has it: what the glue tells of it, and what its declarations tell.

The glue tells how values cross. The declarations, or the glue's comment where there are none, tell the types that a
person means, and how the function may be called.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._bridge import kinds
from .._bridge.kinds import Kind
from .._declarations.annotations import Annotator
from .._declarations.docs import Tagged, docstring, read_comment
from .._declarations.model import ANY, UNKNOWN, Signature, Type
from .._declarations.model import Parameter as DeclaredParameter
from .._declarations.reader import parse_type
from .._declarations.resolve import UNTOLD, VAGUE, declared_kind, element, is_optional
from .._declarations.signatures import Argument, arguments, awaited, in_python, is_promise, joined, parameter_text
from .._declarations.source import or_none
from .description import Function, Parameter

__all__ = ["Changes", "Exported", "Keys", "Overloads", "declare_function", "glue_arguments"]

# Corrections of the runtime's description: a tree with the same keys, which holds only what has to change.
type Changes = dict[str, Any]
# The keys that lead to a function in the runtime's description: `("classes", 0, "methods", 2)`.
type Keys = Sequence[str | int]
# Gives what declarations tell of a function, each way to call it. It is asked late, because there may be hundreds.
type Overloads = Callable[[], tuple[Signature, ...]]


@dataclasses.dataclass(frozen=True)
class Exported:
    """The facts that all functions of a module share.

    Attributes:
        classes: the names of exported structs.
        enums: those of exported enums.
        annotator: makes Python's annotations of declared types.
        changes: collects what the runtime has to know, see `Changes`.
    """

    classes: set[str]
    enums: Mapping[str, Sequence[str]]
    annotator: Annotator
    changes: Changes

    def change(self, keys: Keys, changes: Changes) -> None:
        """Adds changes of what these keys lead to."""
        at = self.changes
        for key in keys:
            at = at.setdefault(str(key), {})
        at.update(changes)


def declare_function(
    glue: Function, exported: Exported, keys: Keys, python: str, owner: str, overloads: Overloads, *,
    is_typed: bool, is_as_commented: bool,
) -> Function:  # fmt: skip
    """Returns an exported function as Python has it.

    Args:
        glue: what the glue tells of it.
        exported: what all functions of the module share.
        keys: those that lead to it in the runtime's description.
        python: its name in Python.
        owner: the struct that it is a member of; empty for a function.
        overloads: gives what declarations tell of it.
        is_typed: whether the glue's comments tell types. What they tell, they tell exactly.
        is_as_commented: whether its declaration says the same as its comment, and need not be read.
    """
    function = _Declaring(glue, exported, keys, python, owner, overloads, is_typed=is_typed)
    return function.declare(() if is_as_commented else overloads())


class _Declaring:
    def __init__(
        self, glue: Function, exported: Exported, keys: Keys, python: str, owner: str, overloads: Overloads, *,
        is_typed: bool,
    ) -> None:  # fmt: skip
        self.glue = glue
        self.exported = exported
        self.keys = keys
        self.python = python
        self.overloads = overloads
        self.is_typed = is_typed
        self.is_constructor = keys[-1] == "construct"
        self.path = f"{owner}.{glue.name}" if owner and not self.is_constructor else owner or glue.name

    def declare(self, overloads: tuple[Signature, ...]) -> Function:
        """The function; `overloads` are those of its declarations that have to be read."""
        signature = joined(overloads)
        self.comment = read_comment((signature.doc if signature else "") or self.glue.doc)
        names = arguments(signature) if signature else in_python(glue_arguments(self.glue))
        params = self._parameters(signature, names)
        self._change_parameters(params)
        result, is_async = self._result(signature)
        if self.python != self.glue.name:
            self.exported.change(self.keys, {"shown": self.python})
        declared = Function(
            self.glue.name,
            self._with_declared_types(params),
            result,
            is_async,
            self._doc(overloads, names, params),
            self.python,
            functools.cache(lambda: self._annotations(declared)),
            _spellings(overloads, names),
            self.glue.is_wrapper,
        )
        return declared

    # Parameters.

    def _parameters(self, signature: Signature | None, names: Sequence[Argument]) -> tuple[Parameter, ...]:
        if signature:
            return tuple(
                self._parameter(self._crossing(at, param), param, names[at])
                for at, param in enumerate(signature.params)
            )
        return tuple(self._parameter(param, None, names[at]) for at, param in enumerate(self.glue.params))

    def _parameter(self, glue: Parameter, declared: DeclaredParameter | None, argument: Argument) -> Parameter:
        """A parameter as Python has it. The glue tells how it crosses; the declaration, whether it may be absent."""
        kind, optional = glue.kind, glue.optional
        if argument.rest:
            optional = False
            kind = element(self._type_of(declared, glue.name), self.exported.classes)[1]
        elif declared:
            # Nothing but its declaration tells what a wrapper needs. A value of any type may be `undefined`, too.
            optional = (
                (optional and not self.glue.is_wrapper)
                or is_optional(declared)
                or (declared.type in (ANY, UNKNOWN) and kind.name in UNTOLD)
            )
            kind = self._kind(declared.type, kind)
        return Parameter(
            declared.name if declared else glue.name,
            kind,
            optional,
            argument.rest,
            glue.mutable,
            glue.shared,
            argument.name,
            argument.has_default,
        )

    def _crossing(self, at: int, declared: DeclaredParameter) -> Parameter:
        """Returns the glue's parameter; one of an unknown kind if the glue has none here, or gathers it with others."""
        params = self.glue.params[: at + 1]
        if len(params) > at and params[at].rest <= declared.rest and not any(param.rest for param in params[:at]):
            return params[at]
        return Parameter(declared.name, Kind(kinds.UNKNOWN), optional=False, rest=False, shared=True)

    def _change_parameters(self, params: tuple[Parameter, ...]) -> None:
        """Tells the lanes of parameters that are not as the glue described them."""
        glue, change = self.glue.params, self.exported.change
        if [param.rest for param in glue] != [param.rest for param in params]:
            change(self.keys, {"params": [_for_lanes(param) for param in params]})
            return
        for at, (before, after) in enumerate(zip(glue, params, strict=True)):
            if (after.kind, after.optional) != (before.kind, before.optional) and not after.rest:
                change((*self.keys, "params", at), {"kind": after.kind.to_data(), "optional": after.optional})
                if after.kind.is_list_of(kinds.OBJECT):
                    change((*self.keys, "params", at), {"consumes": True})

    def _with_declared_types(self, params: Sequence[Parameter]) -> tuple[Parameter, ...]:
        """The parameters, each with a function that gives its declared type."""

        def declared(at: int) -> Type | None:
            return self._type_of_argument(joined(self.overloads()), params, at)

        return tuple(
            dataclasses.replace(param, declared=functools.partial(declared, at)) for at, param in enumerate(params)
        )

    def _type_of_argument(self, signature: Signature | None, params: Sequence[Parameter], at: int) -> Type | None:
        """The declared type of an argument, or the type in its comment. For a rest parameter, the type of each item."""
        declared = signature.params if signature and len(signature.params) == len(params) else None
        type_ = self._type_of(declared[at] if declared else None, params[at].name)
        return element(type_, self.exported.classes)[0] if params[at].rest else type_

    def _type_of(self, declared: DeclaredParameter | None, name: str) -> Type | None:
        if declared:
            return declared.type
        text = self.comment.params.get(name, Tagged()).type
        return parse_type(text) if text else None

    # The result, and kinds.

    def _result(self, signature: Signature | None) -> tuple[Kind, bool]:
        """The kind of the result, and whether it comes later."""
        glue = self.glue
        if signature is None or glue.result.name == kinds.VOID:
            return glue.result, glue.is_async
        kind = self._kind(awaited(signature.result), glue.result)
        is_async = glue.is_async or is_promise(signature.result)
        if (kind, is_async) != (glue.result, glue.is_async):
            self.exported.change(self.keys, {"result": kind.to_data(), "isAsync": is_async})
        return kind, is_async

    def _kind(self, type_: Type | None, glue: Kind) -> Kind:
        """The kind of a value. The glue tells how wide a number is; a declaration tells that it stands for an enum."""
        is_word = glue.name == kinds.WORD
        # Objects cross by themselves where no Rust takes or gives them.
        classes = set() if self.glue.is_wrapper else self.exported.classes
        kind = declared_kind(type_, word=is_word, classes=classes, enums=self.exported.enums)
        return kind if glue.name in UNTOLD or not (self.is_typed or kind.name in VAGUE) else glue

    # Texts for people.

    def _doc(self, overloads: Sequence[Signature], names: Sequence[Argument], params: tuple[Parameter, ...]) -> str:
        """The docstring, with the ways to call the function if there are several."""
        renamed = {param.name: argument.name for param, argument in zip(self.glue.params, names, strict=False)}
        renamed |= {param.name: param.python for param in params}
        heads = self._heads(overloads) if len(overloads) > 1 else ""
        return "\n\n".join(filter(None, (heads, docstring(self.comment, renamed))))

    def _heads(self, overloads: Sequence[Signature]) -> str:
        """The heads of the overloads, each on a line of its own, as builtin functions with several have them."""
        annotator, classes, path = self.exported.annotator, self.exported.classes, self.path
        name = path if self.is_constructor else self.python
        lines = []
        for signature in overloads:
            texts = []
            for at, (param, argument) in enumerate(zip(signature.params, arguments(signature), strict=True)):
                type_ = element(param.type, classes)[0] if param.rest else param.type
                kind = _known(self._crossing(at, param).kind)
                text = annotator.parameter(type_, None if param.rest else kind, f"{path}.{param.name}")
                texts.append(parameter_text(argument, or_none(text) if param.optional and not param.rest else text))
            result = "" if path in classes else f" -> {annotator.result(signature.result, None, path)}"
            lines.append(f"{name}({', '.join(texts)}){result}")
        different = dict.fromkeys(lines)
        return "\n".join(different) if len(different) > 1 else ""

    def _annotations(self, function: Function) -> Mapping[str, str]:
        """The texts of the annotations, by the Python names of the parameters."""
        annotator, path, signature = self.exported.annotator, self.path, joined(self.overloads())
        texts = {}
        for at, param in enumerate(function.params):
            type_ = self._type_of_argument(signature, function.params, at)
            text = annotator.parameter(type_, _known(param.kind), f"{path}.{param.name}")
            texts[param.python] = or_none(text) if param.optional else text
        commented = self.comment.returns.type
        result = signature.result if signature else parse_type(commented) if commented else None
        result = awaited(result) if function.is_async else result
        is_constructor = path in self.exported.classes
        texts["return"] = "None" if is_constructor else annotator.result(result, _known(function.result), path)
        return texts


def glue_arguments(glue: Function) -> tuple[tuple[str, bool, bool], ...]:
    """The parameters of the glue's function, as its comment tells of them."""
    return tuple((param.name, param.optional, param.rest) for param in glue.params)


def _known(kind: Kind) -> Kind | None:
    """The kind, or None where the glue does not tell it."""
    return None if kind.name in UNTOLD else kind


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
