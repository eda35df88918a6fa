"""The exports of one loaded module as attributes of a Python module."""

import enum
import json
import weakref
from collections.abc import Iterator
from typing import Any

from .._bridge.context import Context
from .._bridge.protocols import Browser, Driver, Handlers
from .._declarations.naming import class_name
from .._declarations.reader import Declarations, read
from .._unseen import unseen
from .._values.callbacks import Callbacks, RustClosure
from .._values.receivers import from_rust
from .._values.untyped import UntypedValues
from .classes import make_class
from .declared import declare
from .description import Description
from .enums import integer_enum, string_enum
from .functions import FunctionMaker
from .memory import WasmGlobal, WasmMemory
from .numeric import NumericFunctions
from .objects import ObjectTable
from .rust_module import RustModule
from .scope import Scope
from .shapes import Shapes
from .structs import Struct

__all__ = ["Exports", "make_context"]


def make_context(browser: Browser, driver: Driver, name: str) -> Context:
    """Makes what everything of one module shares. Its supervisor is still missing."""
    context = Context(browser, driver, name)
    context.callbacks = Callbacks(context)
    context.untyped = UntypedValues(context)
    return context


class Exports:
    """Makes the Python module that the user gets.

    Attributes:
        description: what the module exports, as Python has it.
        shown: the names that `dir` shows of the module, once it is built.

    Args:
        context: that of the module, with its supervisor.
        description: what the module exports, as the runtime read it from the glue.
        declarations: what its `.d.ts` declares, or None where there is none.
        recreates: whether the constructor is called again for a stale object that Python made.
    """

    def __init__(
        self, context: Context, description: Description, declarations: Declarations | None, *, recreates: bool
    ) -> None:
        declared = declare(description, declarations)
        if declared.changes:
            context.driver.refine(json.dumps(declared.changes))
        self._context = context
        self.description = declared.description
        self._scope = Scope(context.name, declared.types_source)
        self._functions = FunctionMaker(context, self._scope, Shapes(declarations or read("")))
        self._numeric = NumericFunctions(context, self.description.functions, self._functions)
        has_wrappers = self.description.has_wrappers()
        self._objects = ObjectTable(context, recreates=recreates, has_wrappers=has_wrappers)
        context.objects = self._objects
        self.shown: tuple[str, ...] = ()
        # Constants that are functions of JavaScript's, and the generation to which each belongs.
        self._closures: dict[str, tuple[int, RustClosure]] = {}

    def build(self) -> RustModule:
        """Makes the Python module with all exports as attributes."""
        name = self._context.name
        module = RustModule(name, f"The Rust module {name}, loaded by unpanic.")
        self.shown = (
            *self._add_constants(module),
            *self._add_classes(module),
            *self._add_functions(module),
            *self._add_memories(module),
        )
        self._scope.settle()
        # The module is not held, because it would hold itself.
        self._module = weakref.ref(module)
        module.__getattr__ = self._declared_type  # type: ignore[method-assign]
        return module

    def handlers(self) -> Handlers:
        """The functions that the runtime calls, by the names of `PythonHandlers` in js/src/types.d.ts."""
        callbacks = self._context.callbacks
        return {
            "decline": self._numeric.decline,
            "called": callbacks.called,
            "escaped": callbacks.escaped,
            "dropped": callbacks.dropped,
        }

    @unseen
    def _declared_type(self, name: str) -> Any:
        """A constant that is a function; or a type that the `.d.ts` declares, which is for annotations alone."""
        if name in self._closures:
            return self._closure(name)
        declared = {} if name.startswith("__") else self._scope.declared()
        if name in declared:
            return declared[name]
        # With the module, Python asks whether another name was meant.
        raise AttributeError(f"module {self._context.name!r} has no attribute {name!r}", name=name, obj=self._module())

    def _add_constants(self, module: RustModule) -> Iterator[str]:
        docs, own_name = self.description.docs, self._context.name
        for name in self.description.constants:
            value = from_rust(self._context.driver.constant(name), self._context)
            if isinstance(value, RustClosure):
                self._closures[name] = (self._context.supervisor.generation, value)
                yield name
                continue
            constant = integer_enum(name, value, docs.get(name, ""), own_name) or value
            yield self._add(module, name, class_name(name), constant)
        for name, values in self.description.enums.items():
            yield self._add(module, name, class_name(name), string_enum(name, values, docs.get(name, ""), own_name))

    def _closure(self, name: str) -> RustClosure:
        """A constant that is a function. Each generation has its own: CommonJS has no other exports."""
        generation, value = self._closures[name]
        if generation != self._context.supervisor.generation:
            value = from_rust(self._context.driver.constant(name), self._context)
            self._closures[name] = (self._context.supervisor.generation, value)
        return value

    def _add_classes(self, module: RustModule) -> Iterator[str]:
        """Makes all classes first, because a member of one may take objects of another."""
        classes = self._context.classes
        for index, described in enumerate(self.description.classes):
            struct = Struct(self._context, described, index)
            classes[described.name] = self._scope[struct.python_name] = make_class(
                struct, self._objects, self._functions
            )
        for described in self.description.classes:
            if not described.hidden:
                cls = classes[described.name]
                yield self._add(module, described.name, cls.__name__, cls)

    def _add_functions(self, module: RustModule) -> Iterator[str]:
        driver = self._context.driver
        for index, function in enumerate(self.description.functions):
            if driver.isNumeric(index):
                yield self._add(module, function.name, function.python, self._numeric.make(index))
            else:
                converting = self._functions.make(function, driver.functionLane(index))
                yield self._add(module, function.name, function.python, converting)

    def _add_memories(self, module: RustModule) -> Iterator[str]:
        for name in self.description.memories:
            yield self._add(module, name, name, WasmMemory(self._context, name))
        for name, (type_, is_mutable) in self.description.globals.items():
            yield self._add(module, name, name, WasmGlobal(self._context, name, type_, is_mutable=is_mutable))

    def _add(self, module: RustModule, name: str, python: str, value: Any) -> str:
        """Makes an export an attribute, as exported and under its Python name. Returns the name to show."""
        setattr(module, name, value)
        setattr(module, python, value)
        if isinstance(value, type) and issubclass(value, enum.Enum):
            self._context.enums[name] = self._scope[python] = value
        return python
