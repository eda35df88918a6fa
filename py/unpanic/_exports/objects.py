"""Exported structs as Python classes.

A Python object holds no JavaScript object, only the number of one and of the
generation that made it. So a stale object keeps no dead instance alive, and whether it
is stale is one comparison, before anything is lowered into Rust.
"""

import abc
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self, cast

from .._bridge import kinds
from .._bridge.crashes import FREED, make_stale, moved_into
from .._declarations.naming import class_name
from .._declarations.resolve import UNTOLD
from .._log import log
from .._traceback import OWN_FILES
from .._unseen import unseen
from ..errors import StaleObjectError, StateLostWarning
from .description import Class, Function
from .functions import GENERATED, make_callable
from .iteration import iteration
from .repr import represent

if TYPE_CHECKING:
    from .module import Module

__all__ = ["RustObject", "make_class", "set_rebuild"]


# What `dir` and `help` do not show: how objects and classes work inside.
INTERNAL = frozenset((
    "_abc_impl", "_adopt", "_live", "__abstractmethods__", "__annotate_func__", "__annotations_cache__", "__del__",
    "__dict__", "__dir__", "__firstlineno__", "__getstate__", "__init_subclass__", "__reduce__", "__reduce_ex__",
    "__repr__", "__setattr__", "__static_attributes__", "__str__", "__weakref__",
))  # fmt: skip


class RustType(abc.ABCMeta):
    """The class of exported classes; of `abc` so that one can inherit from abstract classes too."""

    def __dir__(cls) -> list[str]:
        return _shown(cls, super().__dir__())


def _shown(cls: Any, names: Iterable[str]) -> list[str]:
    """Without what is internal, and each member once: under its Python name."""
    return sorted(name for name in names if not name.startswith("_rust_") and name not in INTERNAL | cls._rust_hidden)


class RustObject(metaclass=RustType):
    """The base of all exported structs.

    `free()` lets go of the Rust value at once; so does `with`, and the collector.
    """

    # Not annotated: what type hints of a class tell is about the Rust struct.
    _rust_module = cast("Module", None)
    _rust_class = ""
    _rust_index = 0
    _rust_hidden = cast("frozenset[str]", frozenset())
    _rust_getters = cast("tuple[Function, ...]", ())
    _rust_text = ""

    # Whether its objects have attributes of their own: those of a user's subclass do.
    _rust_open = True

    # Where __init__ was never reached, __del__ finds these.
    _rust_generation = -1
    _rust_id = 0
    _rust_fate = ""
    _rust_shared = False
    _rust_made_with = cast("tuple[Any, ...] | None", None)
    _rust_rebuild = cast("Any", None)
    _rust_warned = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._rust_open = cls.__dict__.get("_rust_open", True)

    @unseen
    def __setattr__(self, name: str, value: object) -> None:
        """Refuses what the struct has no setter for: a misspelt one would be silent otherwise."""
        cls = type(self)
        found = getattr(cls, name, None)
        if cls._rust_open or isinstance(found, property) or name.startswith(("_rust_", "__")):
            # By name: what is unseen finds no class of its own.
            super(RustObject, self).__setattr__(name, value)  # noqa: UP008
        elif found is None:
            # With the object, Python asks whether another name was meant.
            raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}", name=name, obj=self)
        else:
            raise AttributeError(f"{cls.__name__!r} object attribute {name!r} is read-only", name=name, obj=self)

    @unseen
    def __init__(self, /, *_args: object, **_kwargs: object) -> None:
        raise TypeError(f"cannot create {type(self).__name__!r} instances: the Rust struct exports no constructor")

    def _rust_begin(self, id_: int, made_with: tuple[Any, ...]) -> None:
        """The constructor has made a Rust object."""
        module = self._rust_module
        own = self.__dict__  # past __setattr__, which takes its time
        own["_rust_id"] = id_
        own["_rust_generation"] = module.supervisor.last_generation
        own["_rust_made_with"] = made_with
        module.objects_alive[id_] = self

    def __dir__(self) -> list[str]:
        return _shown(type(self), super().__dir__())

    def __repr__(self) -> str:
        return represent(self)

    def __str__(self) -> str:
        """What the struct's own `toString` says, which may raise; else as `repr`."""
        text: str = getattr(self, self._rust_text)() if self._rust_text else repr(self)
        return text

    @unseen
    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError(
            f"cannot pickle or copy {type(self).__name__!r} object: its value is in Rust's memory, and has one owner"
        )

    @classmethod
    def _adopt(cls, id_: int) -> Self:
        """The Python object for a value that Rust handed out."""
        known = cls._rust_module.objects_alive.get(id_)
        if isinstance(known, cls) and known._rust_id == id_ and not known._rust_fate:
            return known
        made = cls.__new__(cls)
        cls._rust_module.objects_alive[id_] = made
        own = made.__dict__
        own["_rust_id"] = id_
        own["_rust_generation"] = cls._rust_module.supervisor.last_generation
        return made

    def _live(self, call: str) -> int:
        """The number of the Rust object, made anew if its generation is gone.

        Raises:
            StaleObjectError: it is gone and nothing tells how to make it again.
        """
        supervisor = self._rust_module.supervisor
        if self._rust_fate:
            raise StaleObjectError(
                f"{self._rust_describe()} was {self._rust_fate}; it cannot be used in {self._rust_module.name}.{call}."
            )
        if self._rust_generation != supervisor.generation:
            supervisor.ensure_ready(call)
            self._rust_make_again(call)
        return self._rust_id

    def _rust_make_again(self, call: str) -> None:
        module = self._rust_module
        if self._rust_generation == module.supervisor.generation:
            return
        if consumer := module.driver.consumer(self._rust_id):
            raise make_stale(module.name, self._rust_class, consumer, call)
        rebuild = self._rust_rebuild or self._rust_default_rebuild()
        if rebuild is None:
            raise StaleObjectError(
                f"{self._rust_describe()} was made by generation {self._rust_generation}, which is gone "
                f"(now {module.supervisor.generation}); make a new one before {call}."
            )
        supervisor = module.supervisor
        said = "A %(module)s.%(class)s is made again for %(call)s."
        record = (module.name, supervisor.last_generation, self._rust_class, call)
        supervisor.say(None, log, logging.INFO, "rebuild", said, *record)
        supervisor.raise_remembered()
        # With the user's own `rebuild`, what comes back is what the user wants.
        is_changed = module.driver.wasChanged(self._rust_id) and not self._rust_rebuild
        if is_changed or not self._rust_warned:
            self._rust_warned = True
            # Python shows a warning of the same text from the same line once: this text is another one each time.
            warnings.warn(
                f"{self._rust_describe()} was made again after the reset to generation {module.supervisor.generation}; "
                f"{'what was changed in it' if is_changed else 'what it held'} since is lost.",
                StateLostWarning,
                skip_file_prefixes=(*OWN_FILES, GENERATED),
            )
        self._rust_take_over(rebuild())

    def _rust_default_rebuild(self) -> Callable[[], "RustObject"] | None:
        made_with = self._rust_made_with
        if made_with is None or self._rust_module.objects != "recreate":
            return None
        cls = self._rust_module.classes[self._rust_class]
        return lambda: cls(*made_with)

    def _rust_take_over(self, other: "RustObject") -> None:
        if not isinstance(other, self._rust_module.classes[self._rust_class]):
            raise TypeError(
                f"the rebuild of {self._rust_describe()} returned {other!r}, not an object of the same class"
            )
        alive = self._rust_module.objects_alive
        alive.pop(self._rust_id, None)
        self._rust_id, self._rust_generation = other._live("rebuild"), other._rust_generation
        alive[self._rust_id] = self
        other._rust_id, other._rust_generation, other._rust_fate = 0, -1, "taken over by the object that it rebuilt"

    @classmethod
    def _rust_describe(cls) -> str:
        return f"This {cls._rust_path()}"

    @classmethod
    def _rust_path(cls) -> str:
        return f"{cls._rust_module.name}.{cls._rust_class}"

    def free(self) -> None:
        """Frees the Rust value now. Safe to call twice, and after a reset."""
        generation, id_ = self._rust_generation, self._rust_id
        if self._rust_fate:
            return
        self._rust_fate = FREED
        module = self._rust_module
        if module.supervisor.phase != "unloaded":
            consumer = module.driver.release(generation, id_, self._rust_class)
            self._rust_fate = moved_into(consumer) if consumer else FREED

    def __enter__(self) -> Self:
        """Frees the Rust value when the `with` block ends."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Frees the Rust value."""
        self.free()

    def _rust_share(self, call: str) -> Any:
        """The glue's object, for JavaScript itself: from now on JavaScript and Rust may keep it."""
        self._rust_shared = True
        # In a list: of an object with a method `then` that JavaScript returns, Pyodide makes a future.
        return self._rust_module.driver.object(self._live(call), self._rust_class, call)[0]

    def _rust_lend(self) -> Any:
        """The same for a call of a live object, which looks the glue's object up itself."""
        self._rust_shared = True
        return self._rust_module.driver.lend(self._rust_id, self._rust_class)

    def __del__(self) -> None:
        if self._rust_generation < 0:
            return
        module = self._rust_module
        is_held = self._rust_shared and not self._rust_fate and self._rust_generation == module.supervisor.generation
        if is_held and not module.driver.consumer(self._rust_id):
            module.driver.forget(self._rust_id)  # JavaScript's collector frees it
        else:
            self.free()


def set_rebuild(obj: RustObject, rebuild: Callable[[], RustObject] | None) -> None:
    """How this one object is made again after a reset."""
    obj._rust_rebuild = rebuild


def make_class(index: int, described: Class, module: "Module") -> Any:
    """Makes the attribute of a module for an exported struct."""
    name = class_name(described.name)
    namespace: dict[str, Any] = {
        "__module__": module.name,
        "__qualname__": name,
        "__doc__": described.doc or None,
        "_rust_module": module,
        "_rust_open": False,
        "_rust_class": described.name,
        "_rust_index": index,
        "_rust_hidden": frozenset(_hidden(described)),
        "_rust_getters": tuple(_in_order(described)),
        "_rust_text": _text_method(described),
    }
    if described.construct:
        lane = module.driver.constructorLane(index)
        namespace["__init__"] = make_callable(
            described.construct, lane, module, name, "constructor", RustObject._rust_begin
        )
    for method in described.methods:
        lane = module.driver.member(index, method.name, "methods")
        namespace[method.name] = namespace[method.python] = make_callable(method, lane, module, name, "method")
    for static in described.statics:
        lane = module.driver.member(index, static.name, "statics")
        made = staticmethod(make_callable(static, lane, module, name))
        namespace[static.name] = namespace[static.python] = made
    for member in {member.name: member for member in described.getters + described.setters}.values():
        namespace[member.name] = namespace[member.python] = _property(index, described, member.name, module)
    return RustType(name, (RustObject,), iteration(described) | namespace)


def _in_order(described: Class) -> list[Function]:
    """The getters: those of the constructor's parameters first, as people write them."""
    first = [param.python for param in described.construct.params] if described.construct else []
    places = {name: place for place, name in enumerate(first)}
    return sorted(described.getters, key=lambda getter: places.get(getter.python, len(first)))


def _text_method(described: Class) -> str:
    """The name of the method that tells what an object is as a text, if there is one that needs no arguments."""
    for method in described.methods:
        if (
            method.python == "to_string"
            and method.result.name in (kinds.STRING, *UNTOLD)
            and all(param.has_default or param.rest for param in method.params)
        ):
            return method.name
    return ""


def _hidden(described: Class) -> Iterator[str]:
    """The names as exported of what has a Python name too."""
    for member in (*described.methods, *described.statics, *described.getters, *described.setters):
        if member.python != member.name:
            yield member.name


def _property(index: int, described: Class, name: str, module: "Module") -> property:
    def accessor(members: tuple[Function, ...], role: str) -> Callable[..., Any] | None:
        for member in members:
            if member.name == name:
                lane = module.driver.member(index, name, role)
                return make_callable(member, lane, module, class_name(described.name), "method")
        return None

    get, set_ = accessor(described.getters, "getters"), accessor(described.setters, "setters")
    return property(get, set_, doc=(get and get.__doc__) or (set_ and set_.__doc__))
