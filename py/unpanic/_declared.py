"""What a module exports, as Python has it: the glue's description and its declarations put together.

The glue tells how values cross, which is exact; TypeScript's declarations, or the glue's own comments where there are
none, tell the types that a person means. Where minified glue lost names and types, they come back from declarations.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._annotations import Annotator
from ._description import Class, Description, Function, Parameter
from ._docs import Tagged, docstring, read_comment
from ._naming import python_name, python_names
from ._typescript import Array, Declarations, Literal, Name, Property, Signature, Type, Union, parse_type, read
from ._typescript import Function as DeclaredFunction
from ._typescript import Parameter as DeclaredParameter

__all__ = ["Declared", "declare"]

type Changes = dict[str, Any]

# What the glue does not tell: `word` crosses as an i32, `unknown` somehow.
UNTOLD = ("unknown", "word")
KINDS = {
    "string": "string", "boolean": "bool", "bigint": "bigint", "void": "void", "undefined": "void",
    "Uint8Array": "bytes", "Uint8ClampedArray": "bytes", "Function": "function",
    "ReadableStream": "stream",
    "i8": "i8", "u8": "u8", "i16": "i16", "u16": "u16", "i32": "s32", "u32": "u32", "isize": "s32", "usize": "u32",
    "i64": "i64", "u64": "u64", "i128": "i128", "u128": "u128",
}  # fmt: skip
ELEMENTS = {
    "Int8Array": "i8", "Uint8Array": "u8", "Int16Array": "i16", "Uint16Array": "u16", "Int32Array": "i32",
    "Uint32Array": "u32", "BigInt64Array": "i64",
    "BigUint64Array": "u64", "Float32Array": "f32", "Float64Array": "f64",
}  # fmt: skip
# Which kinds the arguments of a rest parameter have: what else there is crosses as part of a list.
ELEMENT_KINDS = ("float", "number", "string", "bool", "i8", "u8", "i16", "u16", "s32", "u32")
ABSENT = ("undefined", "null")


@dataclasses.dataclass(frozen=True)
class Declared:
    """A module's exports as Python has them.

    `changes` is what declarations tell of parameters and results that the glue does not, by the places in the
    runtime's description; `types_source` has the declared types that annotations name, as Python.
    """

    description: Description
    changes: Changes
    annotator: Annotator


def declare(description: Description, declarations: Declarations | None) -> Declared:
    """Returns a module's exports with their Python names, annotations and documentation.

    Args:
        description: what the glue exports.
        declarations: what its `.d.ts` declares, or None where there is none.
    """
    return _Declaring(description, declarations).all()


class _Declaring:
    def __init__(self, description: Description, declarations: Declarations | None) -> None:
        self.found = description
        self.declarations = declarations
        self.classes = {found.name for found in description.classes}
        self.enums = {**description.enums, **self._string_unions()}
        self.changes: Changes = {}
        functions = [function.name for function in description.functions]
        self.annotator = Annotator(
            declarations or read(""), self.classes, {*description.constants, *self.enums}, functions
        )

    def _string_unions(self) -> dict[str, tuple[str, ...]]:
        """The enums of strings that minified glue lost: wasm-bindgen declares each as a union of its values."""
        if self.declarations is None or any(function.doc for function in self.found.every_function()):
            return {}
        found = {name: _strings(alias.type) for name, alias in self.declarations.aliases.items()}
        return {name: values for name, values in found.items() if values}

    def all(self) -> Declared:
        found = self.found
        declared = self.declarations.functions if self.declarations else {}
        names = self._module_names()
        functions = tuple(
            self._function(function, _fitting(declared.get(function.name, ()), function), ["functions", index], names)
            for index, function in enumerate(found.functions)
        )
        classes = tuple(self._class(cls, index) for index, cls in enumerate(found.classes))
        docs = {name: docstring(read_comment(self._doc_of(name)), {}) for name in (*found.constants, *self.enums)}
        description = dataclasses.replace(found, functions=functions, classes=classes, enums=self.enums, docs=docs)
        return Declared(description, self.changes, self.annotator)

    def _module_names(self) -> dict[str, str]:
        """The Python names of functions; one that is the name of another export is not taken."""
        exported = [function.name for function in self.found.functions]
        taken = {*exported, *self.found.constants, *self.classes}
        return {name: name if python in taken else python for name, python in python_names(exported).items()}

    def _doc_of(self, name: str) -> str:
        if self.found.docs.get(name):
            return self.found.docs[name]
        if self.declarations is None:
            return ""
        for kind in (self.declarations.enums, self.declarations.aliases, self.declarations.classes):
            if name in kind:
                return kind[name].doc
        return ""

    def _class(self, found: Class, index: int) -> Class:
        declared = self.declarations.classes.get(found.name) if self.declarations else None
        members = [*found.methods, *found.statics, *found.getters, *found.setters]
        names = _member_names(members)
        at: list[str | int] = ["classes", index]
        changed: dict[str, Any] = {"doc": docstring(read_comment(self._doc_of(found.name)), {})}
        for role in ("methods", "statics"):
            signatures = declared.methods if declared else ()
            changed[role] = tuple(
                self._function(member, _fitting(_of_name(signatures, member), member), [*at, role, place], names)
                for place, member in enumerate(getattr(found, role))
            )
        properties = {each.name: each for each in declared.properties} if declared else {}
        for role, accessor in (("getters", _getter), ("setters", _setter)):
            changed[role] = tuple(
                self._function(member, accessor(properties.get(member.name)), [*at, role, place], names)
                for place, member in enumerate(getattr(found, role))
            )
        if found.construct:
            signature = _fitting(declared.constructors if declared else (), found.construct)
            changed["construct"] = self._function(found.construct, signature, [*at, "construct"], {})
        return dataclasses.replace(found, **changed)

    def _function(
        self, found: Function, signature: Signature | None, place: Sequence[str | int], names: Mapping[str, str]
    ) -> Function:
        comment = read_comment(found.doc)
        told = comment if comment or signature is None else read_comment(signature.doc)
        declared = signature.params if signature and len(signature.params) == len(found.params) else None
        python = _parameter_names([param.name for param in declared or found.params])
        params = tuple(
            self._parameter(
                param,
                declared[index] if declared else None,
                comment.params.get(param.name, Tagged()),
                python[index],
                [*place, "params", index],
            )
            for index, param in enumerate(found.params)
        )
        type_ = signature.result if signature else parse_type(comment.returns.type) if comment.returns.type else None
        result, is_async, type_ = self._result(found, type_, place)
        argument_names = {
            **{param.name: new for param, new in zip(found.params, python, strict=True)},
            **{param.name: new for param, new in zip(declared or (), python, strict=bool(declared))},
        }
        return dataclasses.replace(
            found,
            params=params,
            result=result,
            is_async=is_async,
            doc=docstring(told, argument_names),
            python=names.get(found.name, found.name),
            returns="None" if place[-1] == "construct" else self.annotator.result(type_, result),
        )

    def _parameter(
        self,
        found: Parameter,
        declared: DeclaredParameter | None,
        tagged: Tagged,
        python: str,
        place: Sequence[str | int],
    ) -> Parameter:
        type_ = declared.type if declared else parse_type(tagged.type) if tagged.type else None
        if found.rest:
            return self._rest(found, type_, python)
        optional = found.optional or _is_optional(declared, type_)
        kind = self._kind(found.kind, type_)
        if found.kind in UNTOLD and kind != "unknown":
            self._change(place, {"kind": kind, "optional": optional})
            if isinstance(type_, Array) and isinstance(type_.item, Name) and type_.item.name in self.classes:
                self._change(place, {"consumes": True})
        annotation = self.annotator.parameter(type_, kind)
        if optional and "None" not in annotation and annotation not in ("Any", "object"):
            annotation += " | None"
        return dataclasses.replace(found, kind=kind, optional=optional, python=python, annotation=annotation)

    def _rest(self, found: Parameter, type_: Type | None, python: str) -> Parameter:
        """A parameter that takes all further arguments, by what each of them is."""
        item, kind = _element(type_)
        kind = kind or self._declared_kind(item, word=False)
        if kind not in ELEMENT_KINDS and not kind.startswith("object:"):
            kind = "any"
        return dataclasses.replace(found, kind=kind, python=python, annotation=self.annotator.parameter(item, kind))

    def _result(self, found: Function, type_: Type | None, place: Sequence[str | int]) -> tuple[str, bool, Type | None]:
        is_async = found.is_async
        if isinstance(type_, Name) and type_.name == "Promise":
            is_async = is_async or found.result in UNTOLD
            if is_async:
                type_ = type_.args[0] if type_.args else None
        kind = self._kind(found.result, type_)
        if found.result in UNTOLD and (kind != "unknown" or is_async):
            self._change(place, {"result": kind, "isAsync": is_async})
        return kind, is_async, type_

    def _change(self, place: Sequence[str | int], changes: Changes) -> None:
        at = self.changes
        for key in place:
            at = at.setdefault(str(key), {})
        at.update(changes)

    def _kind(self, found: str, type_: Type | None) -> str:
        """The kind of a value: the glue's, if it tells one."""
        return self._declared_kind(_without_absence(type_), found == "word") if found in UNTOLD else found

    def _declared_kind(self, type_: Type | None, word: bool) -> str:
        match type_:
            case None:
                return "unknown"
            case Name("number"):
                return "i32" if word else "number"
            case Name(name) if name in KINDS:
                return KINDS[name]
            case Name(name) if name in ELEMENTS:
                return f"array:{ELEMENTS[name]}"
            case Name(name) if name in self.classes:
                return f"object:{name}"
            case Name(name) if name in self.found.constants or name in self.enums:
                return f"enum:{name}"
            case Array(Name("string")):
                return "array:string"
            case Array(Name(name)) if name in self.classes:
                return f"array:object:{name}"
            case DeclaredFunction():
                return "function"
        return "any"


def _strings(type_: Type) -> tuple[str, ...]:
    """The values of a type that is one of some strings; none, if it is another type."""
    items = type_.items if isinstance(type_, Union) else (type_,)
    values = tuple(item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str))
    return values if len(values) == len(items) else ()


def _fitting(signatures: Iterable[Signature], found: Function) -> Signature | None:
    """The overload with as many parameters as the glue's function, else the first."""
    listed = list(signatures)
    same = [each for each in listed if len(each.params) == len(found.params)]
    return next(itertools.chain(same, listed), None)


def _of_name(signatures: Iterable[Signature], found: Function) -> Iterable[Signature]:
    return (signature for signature in signatures if signature.name == found.name)


def _getter(found: Property | None) -> Signature | None:
    return Signature(found.name, (), found.type, found.doc) if found else None


def _setter(found: Property | None) -> Signature | None:
    if found is None:
        return None
    return Signature(found.name, (DeclaredParameter("value", found.type, False, False),), Name("void"), found.doc)


def _member_names(members: Sequence[Function]) -> dict[str, str]:
    exported = list(dict.fromkeys(member.name for member in members))
    return {name: name if python in exported else python for name, python in python_names(exported).items()}


def _parameter_names(names: Sequence[str]) -> list[str]:
    """PEP 8 names, each once; `self` is the method's own."""
    taken = {"self"}
    result = []
    for name in map(python_name, names):
        while name in taken:
            name += "_"
        taken.add(name)
        result.append(name)
    return result


def _is_optional(declared: DeclaredParameter | None, type_: Type | None) -> bool:
    absent = isinstance(type_, Union) and any(map(_is_absence, type_.items))
    return absent or type_ == Name("any") or (declared is not None and declared.optional)


def _is_absence(type_: Type) -> bool:
    return isinstance(type_, Name) and type_.name in ABSENT


def _without_absence(type_: Type | None) -> Type | None:
    """A type without `null` and `undefined`, and without the lists that stand beside typed arrays."""
    if not isinstance(type_, Union):
        return type_
    items = [item for item in type_.items if not _is_absence(item)]
    if len(items) > 1:
        items = [item for item in items if item not in (Array(Name("number")), Array(Name("bigint")))]
    return items[0] if len(items) == 1 else Union(tuple(items))


def _element(type_: Type | None) -> tuple[Type | None, str]:
    """What each of the arguments is that a rest parameter takes: its type, and its kind where an array tells it."""
    match _without_absence(type_):
        case Array(item):
            return item, ""
        case Name(name) if name in ELEMENTS:
            kind = ELEMENTS[name]
            return Name("number"), "float" if kind.startswith("f") else kind.replace("i32", "s32")
    return None, ""
