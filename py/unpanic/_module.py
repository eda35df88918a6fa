"""One loaded module: its exports as Python attributes, and what converts their values."""

import enum
import sys
import types
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from ._description import Description
from ._functions import make_function
from ._namespace import RustModule
from ._objects import RustClosure, RustObject, make_class
from ._values import check_depth, from_rust

if TYPE_CHECKING:
    from ._host import Driver, Host
    from ._supervisor import Supervisor

__all__ = ["Module", "has_ended", "of", "register"]


class Module:
    """What unpanic knows of a module; the user holds `namespace`, a plain Python module."""

    supervisor: "Supervisor"

    def __init__(self, host: "Host", driver: "Driver", objects: str) -> None:
        self.host = host
        self.driver = driver
        self.objects = objects
        self.description = Description.parse(driver.describe())
        self.name = self.description.name
        self.classes: dict[str, type[RustObject]] = {}
        self.enums: dict[str, type[enum.Enum]] = {}
        self.functions: list[Any] = []
        # By the numbers that stand for them: an object that comes back as it is keeps its one owner.
        self.objects_alive: weakref.WeakValueDictionary[int, RustObject] = weakref.WeakValueDictionary()

    def build(self, supervisor: "Supervisor") -> RustModule:
        """Makes the Python module with all exports as attributes."""
        self.supervisor = supervisor
        namespace = RustModule(self.name, f"The Rust module {self.name}, loaded by unpanic.")
        for name in self.description.constants:
            constant = self._constant(name)
            if isinstance(constant, type) and issubclass(constant, enum.Enum):
                self.enums[name] = constant
            setattr(namespace, name, constant)
        for index, described in enumerate(self.description.classes):
            self.classes[described.name] = make_class(index, described, self)
        for index, function in enumerate(self.description.functions):
            self.functions.append(make_function(index, function, self))
            setattr(namespace, function.name, self.functions[-1])
        for name, cls in self.classes.items():
            setattr(namespace, name, cls)
        return namespace

    def _constant(self, name: str) -> Any:
        """An exported enum as `IntEnum`, anything else as its value."""
        value = from_rust(self.driver.constant(name), self)
        if not isinstance(value, dict):
            return value
        # wasm-bindgen writes both directions: {"Red": 0, "0": "Red"}.
        members = {key: number for key, number in value.items() if str(key).isidentifier()}
        if not members or not all(isinstance(number, int) for number in members.values()):
            return value
        return enum.IntEnum(name, members, module=self.name)

    # What has no type in the glue.

    def send_any(self, value: Any, call: str = "callback") -> Any:
        """An argument of a call, for a parameter whose type is not known."""
        if value is None or isinstance(value, bool | int | float | str):
            return value.value if isinstance(value, enum.Enum) else value
        if isinstance(value, RustObject):
            return self.driver.object(value._live(call), type(value).__name__, call)
        if self.host.is_foreign(value):
            return value
        if isinstance(value, bytearray | memoryview):
            value = bytes(value)
        if isinstance(value, list | tuple | dict):
            check_depth(value)
        if isinstance(value, bytes | list | tuple | dict):
            return self.host.to_javascript(value, partial(self.send_any, call=call))
        if callable(value):
            return self.send_callable(value)
        raise TypeError(f"cannot pass {type(value).__name__!r} to Rust")

    def receive_any(self, value: Any) -> Any:
        """A result whose type is not known."""
        return from_rust(value, self)

    def adopt(self, value: Any) -> Any:
        """The Python object for something that belongs to this module, or None."""
        found = self.driver.adopt(value)
        if self.host.is_null(found):
            return None
        role, id_, *call = found
        if role == "promise":
            return self.supervisor.started(id_, call[0] if call else "promise", self.receive_any)
        if role == "closure":
            return RustClosure(self, id_)
        return self.classes[role]._adopt(id_)

    def send_callable(self, function: Any) -> Any:
        """A Python callable as a JavaScript function.

        What it raises flies on as an error that carries the exception, so that it
        arrives as that same exception where Rust hands it back.
        """

        def invoke(*args: Any) -> Any:
            try:
                return self.send_any(function(*[from_rust(arg, self) for arg in args]))
            except BaseException as error:
                self.driver.raised(_text_of(error), error)
                return None

        return self.driver.callback(invoke)

    def decline(self, index: int, *args: Any) -> Any:
        """A call that the numeric lane did not take: convert what can be, say what is wrong with the rest."""
        try:
            function = self._general(index)
            return function(*[from_rust(arg, self) for arg in args])
        except BaseException as error:
            sys.last_exc = error
            self.driver.refuse(id(error))
            return None

    def _general(self, index: int) -> Any:
        from ._functions import wrap

        described = self.description.functions[index]
        return wrap(described.name, described, self.driver.functionLane(index), self)


def _text_of(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


_modules: "weakref.WeakKeyDictionary[types.ModuleType, Module]" = weakref.WeakKeyDictionary()


def register(namespace: types.ModuleType, module: Module) -> None:
    """Remembers what belongs to a user's module."""
    _modules[namespace] = module


def has_ended(value: object) -> bool:
    """Is that a Rust module that nothing can be done with any more?"""
    return isinstance(value, RustModule) and _modules[value].supervisor.phase in ("terminated", "unloaded")


def of(namespace: types.ModuleType) -> Module:
    """What belongs to a user's module.

    Raises:
        TypeError: unpanic did not load it.
    """
    try:
        return _modules[namespace]
    except (KeyError, TypeError):
        raise TypeError(f"{namespace!r} is not a module that unpanic.load returned") from None
