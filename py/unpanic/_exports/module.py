"""One loaded module: its exports as Python attributes, and what converts their values."""

import enum
import json
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._bridge.crashes import throw
from .._declarations.naming import class_name
from .._declarations.reader import read
from .._unseen import unseen, without_own_frames
from .._values.callbacks import Callbacks
from .._values.convert import draft_any, from_rust, send_any
from . import registry
from .declared import declare
from .description import Description
from .enums import integer_enum, string_enum
from .functions import make_callable, make_function
from .namespace import RustModule
from .objects import RustObject, make_class
from .scope import Scope
from .shapes import Shapes

if TYPE_CHECKING:
    from .._bridge.protocols import Browser, Driver
    from .._declarations.reader import Declarations
    from .._recovery.supervisor import Supervisor

__all__ = ["Module"]


class Module:
    """What unpanic knows of a module; the user holds `namespace`, a plain Python module."""

    supervisor: "Supervisor"

    def __init__(self, browser: "Browser", driver: "Driver", objects: str, types: "Declarations | None" = None) -> None:
        self.browser = browser
        self.driver = driver
        self.objects = objects
        declared = declare(Description.parse(driver.describe()), types)
        if declared.changes:
            driver.refine(json.dumps(declared.changes))
        self.description = declared.description
        self.name = self.description.name
        self.scope = Scope(self.name, declared.types_source)
        self.shapes = Shapes(types or read(""))
        self.classes: dict[str, type[RustObject]] = {}
        self.enums: dict[str, type[enum.Enum]] = {}
        self.functions: list[Any] = []
        self.callbacks = Callbacks(self)
        # What `dir` shows of the user's module.
        self.shown: list[str] = []
        # By the numbers that stand for them: an object that comes back as it is keeps its one owner.
        self.objects_alive: weakref.WeakValueDictionary[int, RustObject] = weakref.WeakValueDictionary()
        # By class and name: `repr` reads them no more.
        self.crashing_getters: set[tuple[str, str]] = set()
        # How often a call was given an array that Rust may write into, by its name.
        self.given_arrays: Counter[str] = Counter()
        self._general: dict[int, Any] = {}
        registry.register_driver(driver.number, self)

    def build(self, supervisor: "Supervisor") -> RustModule:
        """Makes the Python module with all exports as attributes."""
        self.supervisor = supervisor
        namespace = RustModule(self.name, f"The Rust module {self.name}, loaded by unpanic.")
        self.shown = [*self._constants(namespace), *self._structs(namespace), *self._callables(namespace)]
        self.scope.settle()
        namespace.__getattr__ = self._declared_type  # type: ignore[method-assign]
        return namespace

    @unseen
    def _declared_type(self, name: str) -> Any:
        """A type that the `.d.ts` declares: for annotations, so it shows nowhere else."""
        declared = {} if name.startswith("__") else self.scope.declared()
        if name in declared:
            return declared[name]
        # With the module, Python asks whether another name was meant.
        raise AttributeError(
            f"module {self.name!r} has no attribute {name!r}", name=name, obj=self.supervisor.namespace()
        )

    def _constants(self, namespace: RustModule) -> Iterator[str]:
        docs = self.description.docs
        for name in self.description.constants:
            value = from_rust(self.driver.constant(name), self)
            found = integer_enum(name, value, docs.get(name, ""), self.name) or value
            yield from self._put(namespace, name, class_name(name), found)
        for name, values in self.description.enums.items():
            yield from self._put(
                namespace, name, class_name(name), string_enum(name, values, docs.get(name, ""), self.name)
            )

    def _structs(self, namespace: RustModule) -> Iterator[str]:
        for index, described in enumerate(self.description.classes):
            made = self.classes[described.name] = make_class(index, described, self)
            self.scope[made.__name__] = made
        for described in self.description.classes:
            if not described.hidden:
                cls = self.classes[described.name]
                yield from self._put(namespace, described.name, cls.__name__, cls)

    def _callables(self, namespace: RustModule) -> Iterator[str]:
        for index, function in enumerate(self.description.functions):
            self.functions.append(make_function(index, function, self))
            yield from self._put(namespace, function.name, function.python, self.functions[-1])

    def _put(self, namespace: RustModule, name: str, python: str, value: Any) -> Iterator[str]:
        """Makes an export an attribute, as exported and under its Python name; gives the one to show."""
        setattr(namespace, name, value)
        setattr(namespace, python, value)
        if isinstance(value, type) and issubclass(value, enum.Enum):
            self.enums[name] = self.scope[python] = value
        yield python

    # What has no type in the glue: for those who have the module only.

    def send_any(self, value: Any, call: str = "callback") -> Any:
        """A value for JavaScript itself, where its type is not known."""
        return send_any(value, self, call)

    def draft_any(self, value: Any) -> Any:
        """An argument of a call, for a parameter whose type is not known."""
        return draft_any(value, self)

    def receive_any(self, value: Any) -> Any:
        """A result whose type is not known."""
        return from_rust(value, self)

    def decline(self, place: int, names: str, *args: Any) -> Any:
        """A call that the numeric lane did not take: convert what can be, say what is wrong with the rest.

        Args:
            place: which function, by its place in the description.
            names: those of the last arguments, which were given as keywords.
            args: all arguments.
        """
        try:
            # A text is no number, and refused as that even where Rust could not hold it.
            given = [arg if isinstance(arg, str) else from_rust(arg, self) for arg in args]
            keywords = names.split(",") if names else []
            count = len(given) - len(keywords)
            return self.general(place)(*given[:count], **dict(zip(keywords, given[count:], strict=True)))
        except BaseException as error:
            return self.driver.refuse(throw(without_own_frames(error)))

    def general(self, index: int) -> Any:
        """A numeric function as one that converts."""
        if index not in self._general:
            described = self.description.functions[index]
            self._general[index] = make_callable(described, self.driver.functionLane(index), self)
            self.scope.settle()
        return self._general[index]
