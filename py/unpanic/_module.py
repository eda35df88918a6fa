"""One loaded module: its exports as Python attributes, and what converts their values."""

import enum
import sys
import types
import weakref
from typing import TYPE_CHECKING, Any

from ._callables import Callbacks
from ._description import Description
from ._functions import make_function
from ._namespace import RustModule
from ._objects import RustObject, make_class
from ._values import from_rust, send_any

if TYPE_CHECKING:
    from ._host import Driver, Host
    from ._supervisor import Supervisor

__all__ = ["Module", "of", "register"]


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
        self.callbacks = Callbacks(self)
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

    # What has no type in the glue: for those who have the module only.

    def send_any(self, value: Any, call: str = "callback") -> Any:
        """An argument of a call, for a parameter whose type is not known."""
        return send_any(value, self, call)

    def receive_any(self, value: Any) -> Any:
        """A result whose type is not known."""
        return from_rust(value, self)

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


_modules: "weakref.WeakKeyDictionary[types.ModuleType, Module]" = weakref.WeakKeyDictionary()


def register(namespace: types.ModuleType, module: Module) -> None:
    """Remembers what belongs to a user's module."""
    _modules[namespace] = module


def of(namespace: types.ModuleType) -> Module:
    """What belongs to a user's module.

    Raises:
        TypeError: unpanic did not load it.
    """
    try:
        return _modules[namespace]
    except (KeyError, TypeError):
        raise TypeError(f"{namespace!r} is not a module that unpanic.load returned") from None
