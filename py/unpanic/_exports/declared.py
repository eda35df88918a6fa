"""The exports of a module as Python has them: the glue's description and its declarations put together.

The glue tells how values cross, which is exact. TypeScript's declarations, or the glue's own comments where there are
none, tell the types that a person means. Minified glue has lost names and types; they come back from declarations.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._declarations.annotations import Annotator
from .._declarations.docs import docstring, read_comment
from .._declarations.model import Class as DeclaredClass
from .._declarations.model import Name, Property, Signature
from .._declarations.model import Parameter as DeclaredParameter
from .._declarations.naming import python_names
from .._declarations.reader import INTERNAL_TYPES, Declarations, read
from .._declarations.resolve import UNTOLD, strings
from .._declarations.signatures import in_python
from .declared_functions import Changes, Exported, Keys, Overloads, declare_function, glue_arguments
from .description import ROLES, Class, Description, Function

__all__ = ["Declared", "declare"]

# How wasm-bindgen writes types into the glue; minified glue has lost them.
TYPED = ("@param {", "@returns {")
ACCESSORS = ("getters", "setters", "staticGetters", "staticSetters")


@dataclasses.dataclass(frozen=True)
class Declared:
    """A module's exports as Python has them.

    Attributes:
        description: the exports, with Python names, annotations and documentation.
        changes: corrections of the runtime's description: what declarations tell of parameters and results, and the
            Python names under which calls are reported.
        types_source: gives the declared types, as Python.
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
    declaring = _Declaring(description, declarations or read(""))
    declared = declaring.description()
    return Declared(declared, declaring.exported.changes, functools.partial(declaring.types_source, declared))


class _Declaring:
    def __init__(self, glue: Description, declarations: Declarations) -> None:
        self.glue = glue
        self.declarations = declarations
        # The source of an imported class has comments, that of an imported function has none.
        self.typed_classes = {described.name for described in glue.classes if _is_typed(described.every_member())}
        self.is_typed = _is_typed(glue.functions) or (not glue.functions and bool(self.typed_classes))
        self.classes = {described.name for described in glue.classes}
        self.string_enums = self._string_enums()
        self.enums = dict.fromkeys(glue.constants, ()) | self.string_enums
        functions = [function.name for function in glue.functions]
        annotator = Annotator(declarations, self.classes, self.enums, functions)
        self.exported = Exported(self.classes, self.enums, annotator, {})

    def _string_enums(self) -> dict[str, tuple[str, ...]]:
        """Enums of strings and their values. wasm-bindgen declares each as a union of its values."""
        enums = dict(self.glue.enums)
        if not self.is_typed:
            unions = {name: strings(alias.type) for name, alias in self.declarations.aliases.items()}
            enums.update((name, values) for name, values in unions.items() if values)
        return enums

    def description(self) -> Description:
        """All exports, as Python has them."""
        names = self._function_names()
        functions = tuple(
            self._function(function, ("functions", index), names, "", self._overloads_of_function(function))
            for index, function in enumerate(self.glue.functions)
        )
        classes = tuple(self._class(described, index) for index, described in enumerate(self.glue.classes))
        docs = {name: docstring(read_comment(self._doc_of(name)), {}) for name in self.enums}
        return dataclasses.replace(self.glue, functions=functions, classes=classes, enums=self.string_enums, docs=docs)

    def types_source(self, described: Description) -> str:
        """The Python source of all declared types, and of types without a name, which are named by their paths."""
        for function in described.every_function():
            function.annotations()
        annotator = self.exported.annotator
        for name in (*self.declarations.interfaces, *self.declarations.aliases):
            if name not in INTERNAL_TYPES and name not in self.enums and name not in self.classes:
                annotator.use(name)
        return annotator.types_source()

    def _function_names(self) -> dict[str, str]:
        """The Python names of functions; one that is the name of another export is not taken."""
        names = [function.name for function in self.glue.functions]
        return python_names(names, {*self.glue.constants, *self.classes, *self.glue.memories, *self.glue.globals})

    def _doc_of(self, name: str) -> str:
        """The comment of a class or an enum."""
        if self.glue.docs.get(name):
            return self.glue.docs[name]
        if name in self.typed_classes and self.is_typed:
            return ""  # the glue has the comments of all classes
        for declared in (self.declarations.enums, self.declarations.aliases, self.declarations.classes):
            if name in declared:
                return declared[name].doc
        return ""

    def _class(self, glue: Class, index: int) -> Class:
        """A struct, as Python has it."""
        names = python_names(dict.fromkeys(member.name for member in glue.named_members()))
        changed: dict[str, Any] = {"doc": docstring(read_comment(self._doc_of(glue.name)), {})}
        for role, attribute in ROLES.items():
            changed[attribute] = tuple(
                self._member(glue, member, role, ("classes", index, role, number), names)
                for number, member in enumerate(getattr(glue, attribute))
            )
        if glue.construct:
            changed["construct"] = self._member(glue, glue.construct, "construct", ("classes", index, "construct"), {})
        return dataclasses.replace(glue, **changed)

    def _member(self, struct: Class, glue: Function, role: str, keys: Keys, names: Mapping[str, str]) -> Function:
        return self._function(glue, keys, names, struct.name, self._overloads_of_member(struct.name, role, glue))

    def _function(
        self, glue: Function, keys: Keys, names: Mapping[str, str], owner: str, overloads: Overloads
    ) -> Function:
        """A function or a member, as Python has it."""
        is_typed = owner in self.typed_classes if owner else self.is_typed
        python = names.get(glue.name, glue.name)
        is_as_commented = is_typed and self._is_as_commented(glue, keys, owner)
        return declare_function(
            glue, self.exported, keys, python, owner, overloads, is_typed=is_typed, is_as_commented=is_as_commented
        )

    # Where a declaration is.

    def _overloads_of_function(self, glue: Function) -> Overloads:
        return lambda: tuple(self.declarations.functions.get(glue.name, ()))

    def _overloads_of_member(self, owner: str, role: str, glue: Function) -> Overloads:
        def overloads() -> tuple[Signature, ...]:
            seen: set[str] = set()
            name: str | None = owner
            while name and name not in seen and (declared := self.declarations.classes.get(name)):
                if signatures := _member(declared, role, glue):
                    return signatures
                seen.add(name)
                name = declared.base
            return ()

        return overloads

    def _is_as_commented(self, glue: Function, keys: Keys, owner: str) -> bool:
        """Whether the glue's comment tells the declared parameters, as it does unless others were written by hand.

        Then the declaration need not be read, which takes a hundred times as long as a look at its text.
        """
        if keys[-2] in ACCESSORS:
            return True
        is_constructor = keys[-1] == "construct"
        if any(param.kind.name in UNTOLD for param in glue.params):
            return False
        if glue.result.name in UNTOLD and not is_constructor:
            return False
        if owner:
            name = "constructor" if is_constructor else glue.name
            written = self.declarations.plain_members(owner).get(name)
        else:
            written = self.declarations.plain_function(glue.name)
        commented = zip(glue.params, in_python(glue_arguments(glue)), strict=True)
        params = tuple((param.name, argument.has_default, param.rest) for param, argument in commented)
        return written == (params, glue.is_async)


def _is_typed(functions: Iterable[Function]) -> bool:
    return any(tag in function.doc for function in functions for tag in TYPED)


def _member(declared: DeclaredClass, role: str, glue: Function) -> tuple[Signature, ...]:
    """Returns the signatures that a class declares for a member."""
    if role == "construct":
        return declared.constructors
    is_static = role.startswith("static")
    if role in ("methods", "statics"):
        named = [method for method in declared.methods if method.name == glue.name]
        return tuple(method for method in named if method.static == is_static) or tuple(named)
    of_name = [property_ for property_ in declared.properties if property_.name == glue.name]
    if not of_name:
        return ()
    property_ = min(of_name, key=lambda each: each.static != is_static)
    return (_getter(property_) if role in ("getters", "staticGetters") else _setter(property_),)


def _getter(declared: Property) -> Signature:
    return Signature(declared.name, (), declared.type, declared.doc)


def _setter(declared: Property) -> Signature:
    value = DeclaredParameter("value", declared.type, optional=False, rest=False)
    return Signature(declared.name, (value,), Name("void"), declared.doc)
