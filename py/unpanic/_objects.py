"""Exported structs as Python classes.

A Python object holds no JavaScript object, only the number of one and of the
generation that made it. So a stale object keeps no dead instance alive, and whether it
is stale is one comparison, before anything is lowered into Rust.
"""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ._crashes import FREED, make_stale, moved_into
from ._description import Class, Function
from ._functions import Arguments, wrap
from ._log import log
from ._values import receiver
from .errors import StaleObjectError, StateLostWarning

if TYPE_CHECKING:
    from ._module import Module

__all__ = ["RustClosure", "RustObject", "make_class", "set_rebuild"]


class RustObject:
    """The base of all exported structs.

    `free()` lets go of the Rust value at once; so does `with`, and the collector.
    """

    _module: ClassVar["Module"]
    _construct: ClassVar[Callable[..., int]]
    _arguments: ClassVar[Arguments | None] = None

    # Where __init__ was never reached, __del__ finds these.
    _generation: int = -1
    _id: int = 0
    _fate: str = ""
    _rebuild: Callable[[], "RustObject"] | None = None
    _warned: bool = False

    def __init__(self, /, *args: Any) -> None:
        arguments = self._arguments
        if arguments is None:
            raise TypeError(f"cannot create {type(self).__name__!r} instances: the Rust struct exports no constructor")
        module = self._module
        self._id = type(self)._construct(*arguments.convert(args))
        self._generation = module.supervisor.last_generation
        self._made_with = args
        module.objects_alive[self._id] = self

    @classmethod
    def _adopt(cls, id_: int) -> Self:
        """The Python object for a value that Rust handed out."""
        known = cls._module.objects_alive.get(id_)
        if isinstance(known, cls) and known._id == id_ and not known._fate:
            return known
        made = cls.__new__(cls)
        cls._module.objects_alive[id_] = made
        made._id = id_
        made._generation = cls._module.supervisor.last_generation
        return made

    def _live(self, call: str) -> int:
        """The number of the Rust object, made anew if its generation is gone.

        Raises:
            StaleObjectError: it is gone and nothing tells how to make it again.
        """
        supervisor = self._module.supervisor
        if self._fate:
            raise StaleObjectError(
                f"{self._describe()} was {self._fate}; it cannot be used in {self._module.name}.{call}."
            )
        if self._generation != supervisor.generation:
            supervisor.ensure_ready(call)
            self._make_again(call)
        return self._id

    def _make_again(self, call: str) -> None:
        module = self._module
        if self._generation == module.supervisor.generation:
            return
        if consumer := module.driver.consumer(self._id):
            raise make_stale(module.name, type(self).__name__, consumer, call)
        rebuild = self._rebuild or self._default_rebuild()
        if rebuild is None:
            raise StaleObjectError(
                f"{self._describe()} was made by generation {self._generation}, which is gone "
                f"(now {module.supervisor.generation}); make a new one before {call}."
            )
        log(
            logging.INFO,
            "rebuild",
            "A %(module)s.%(class)s is made again for %(call)s.",
            module.name,
            module.supervisor.last_generation,
            type(self).__name__,
            call,
        )
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"{self._describe()} was made again after a reset; what it held since is lost.",
                StateLostWarning,
                skip_file_prefixes=(str(Path(__file__).parent),),
            )
        self._take_over(rebuild())

    def _default_rebuild(self) -> Callable[[], "RustObject"] | None:
        made_with = self.__dict__.get("_made_with")
        if made_with is None or self._module.objects != "recreate":
            return None
        cls = next(base for base in type(self).__mro__ if "_construct" in vars(base))
        return lambda: cls(*made_with)

    def _take_over(self, other: "RustObject") -> None:
        if not isinstance(other, RustObject) or type(other)._construct is not type(self)._construct:
            raise TypeError(f"the rebuild of {self._describe()} returned {other!r}, not an object of the same class")
        alive = self._module.objects_alive
        alive.pop(self._id, None)
        self._id, self._generation = other._live("rebuild"), other._generation
        alive[self._id] = self
        other._id, other._generation, other._fate = 0, -1, "taken over by the object that it rebuilt"

    @classmethod
    def _describe(cls) -> str:
        return f"This {cls._module.name}.{cls.__name__}"

    def free(self) -> None:
        """Frees the Rust value now. Safe to call twice, and after a reset."""
        generation, id_ = self._generation, self._id
        if self._fate:
            return
        self._fate = FREED
        module = self._module
        if module.supervisor.phase != "unloaded":
            consumer = module.driver.release(generation, id_, type(self).__name__)
            self._fate = moved_into(consumer) if consumer else FREED

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.free()

    def __del__(self) -> None:
        if self._generation >= 0:
            self.free()


class RustClosure:
    """A Rust closure that an export returned; it lives as long as its generation."""

    def __init__(self, module: "Module", id_: int) -> None:
        self._module = module
        self._id = id_
        self._generation = module.supervisor.last_generation

    def __call__(self, *args: Any) -> Any:
        module = self._module
        if self._generation != module.supervisor.generation:
            raise StaleObjectError(
                f"This closure of {module.name} was made by generation {self._generation}, which is gone."
            )
        return module.receive_any(module.driver.closureLane(self._id, *map(module.send_any, args)))

    def __del__(self) -> None:
        if self._generation == self._module.supervisor.generation:
            self._module.driver.forget(self._id)


def set_rebuild(obj: RustObject, rebuild: Callable[[], RustObject] | None) -> None:
    """How this one object is made again after a reset."""
    obj._rebuild = rebuild or obj._default_rebuild()


def make_class(index: int, described: Class, module: "Module") -> type[RustObject]:
    """The attribute of a module for an exported struct."""
    namespace: dict[str, Any] = {
        "__module__": module.name,
        "__qualname__": described.name,
        "_module": module,
        "_construct": staticmethod(module.driver.constructorLane(index)),
    }
    if described.construct:
        namespace["_arguments"] = Arguments(described.name, described.construct.params, module)
    for method in described.methods:
        namespace[method.name] = _method(index, described.name, method, module)
    for static in described.statics:
        lane = module.driver.member(index, static.name, "statics")
        namespace[static.name] = staticmethod(wrap(f"{described.name}.{static.name}", static, lane, module))
    for name in dict.fromkeys(member.name for member in described.getters + described.setters):
        namespace[name] = _property(index, described, name, module)
    return type(described.name, (RustObject,), namespace)


def _method(index: int, class_name: str, method: Function, module: "Module") -> Callable[..., Any]:
    name = f"{class_name}.{method.name}"
    lane = module.driver.member(index, method.name, "methods")
    arguments = Arguments(name, method.params, module)
    receive = receiver(method.result, module)

    def enter(self: RustObject, args: tuple[Any, ...]) -> Any:
        converted = arguments.convert(args)
        return lane(self._live(name), *converted)

    def call(self: RustObject, *args: Any) -> Any:
        result = enter(self, args)
        return result if receive is None else receive(result)

    def call_async(self: RustObject, *args: Any) -> Any:
        supervisor = module.supervisor
        return supervisor.when_ready(lambda: supervisor.started(enter(self, args), name, receive))

    if method.is_async:
        call = call_async
    call.__name__, call.__qualname__, call.__module__ = method.name, name, module.name
    return call


def _property(index: int, described: Class, name: str, module: "Module") -> property:
    full_name = f"{described.name}.{name}"
    getter = next((member for member in described.getters if member.name == name), None)
    setter = next((member for member in described.setters if member.name == name), None)
    get = _method_of_property(index, getter, "getters", full_name, module) if getter else None
    set_ = _method_of_property(index, setter, "setters", full_name, module) if setter else None
    return property(get, set_)


def _method_of_property(index: int, member: Function, role: str, name: str, module: "Module") -> Callable[..., Any]:
    lane = module.driver.member(index, member.name, role)
    arguments = Arguments(name, member.params, module)
    receive = receiver(member.result, module)

    def access(self: RustObject, *args: Any) -> Any:
        converted = arguments.convert(args)
        result = lane(self._live(name), *converted)
        return result if receive is None else receive(result)

    return access
