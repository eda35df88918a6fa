"""Objects of exported structs, as the user holds them.

A Python object holds no JavaScript object, only a handle: two numbers (`_values/handles.py`).
"""

import abc
import weakref
from collections.abc import Callable, Collection, Iterable
from typing import Any, Self, cast

from .._bridge.context import Context
from .._unseen import unseen
from .._values.handles import GONE, HANDLE
from .rebuild import StructHandle
from .repr import represent
from .static_property import StaticProperty, member_of
from .structs import Struct

__all__ = ["ObjectTable", "RustObject", "RustType", "set_rebuild"]

# Members that `dir` and `help` do not show: how objects and classes work inside.
INTERNAL = frozenset((
    HANDLE, "__rust_struct__", "_abc_impl", "__abstractmethods__", "__annotate_func__", "__annotations_cache__",
    "__del__", "__dict__", "__dir__", "__firstlineno__", "__getstate__", "__init_subclass__", "__reduce__",
    "__reduce_ex__", "__repr__", "__setattr__", "__static_attributes__", "__str__", "__weakref__",
))  # fmt: skip


class RustType(abc.ABCMeta):
    """The class of exported classes. It is one of `abc`, so that a class can inherit from abstract classes too."""

    def __dir__(cls) -> list[str]:
        return _shown(cls, super().__dir__())

    @unseen
    def __setattr__(cls, name: str, value: Any) -> None:
        """Calls a static setter, where the class or one of its bases has it."""
        member = member_of(cls, name)
        if isinstance(member, StaticProperty):
            member.__set__(None, value)
        else:
            super(RustType, cls).__setattr__(name, value)  # noqa: UP008 - as in `RustObject.__setattr__`


def _shown(cls: Any, names: Iterable[str]) -> list[str]:
    """The names without internal ones, and with each member once: under its Python name."""
    struct: Struct | None = cls.__rust_struct__
    left_out = INTERNAL | struct.hidden if struct else INTERNAL
    return sorted(name for name in names if not name.startswith("_rust_") and name not in left_out)


class _Unmade:
    """Gives an object a handle whose `__init__` never ran. Any other object has its own in its `__dict__`."""

    def __get__(self, obj: Any, owner: Any) -> Any:
        if obj is None:
            return self
        handle = obj.__dict__[HANDLE] = StructHandle(owner.__rust_struct__, 0)
        handle.generation, handle.fate = GONE, "not made"
        return handle


class RustObject(metaclass=RustType):
    """The base of all exported structs.

    `free()` lets go of the Rust value at once; so does `with`, and the collector.
    """

    # There are no annotations here, because type hints of a class tell about the Rust struct.
    __rust_struct__ = cast("Struct", None)
    __rust_handle__ = cast("StructHandle", _Unmade())

    # Whether its objects have attributes of their own: those of a user's subclass do.
    _rust_open = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._rust_open = cls.__dict__.get("_rust_open", True)

    @unseen
    def __setattr__(self, name: str, value: object) -> None:
        """Refuses what the struct has no setter for: a misspelt one would be silent otherwise."""
        cls = type(self)
        member = member_of(cls, name)
        if cls._rust_open or isinstance(member, property | StaticProperty) or name.startswith("__"):
            # By name: what is unseen finds no class of its own.
            super(RustObject, self).__setattr__(name, value)  # noqa: UP008
        elif member is None:
            # With the object, Python asks whether another name was meant.
            raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}", name=name, obj=self)
        else:
            raise AttributeError(f"{cls.__name__!r} object attribute {name!r} is read-only", name=name, obj=self)

    @unseen
    def __init__(self, /, *_args: object, **_kwargs: object) -> None:
        raise TypeError(f"cannot create {type(self).__name__!r} instances: the Rust struct exports no constructor")

    def __dir__(self) -> list[str]:
        return _shown(type(self), super().__dir__())

    def __repr__(self) -> str:
        return represent(self.__rust_handle__)

    def __str__(self) -> str:
        """The text of the struct's own `toString`, which may raise; without one, the same as `repr`."""
        method = self.__rust_struct__.text_method
        text: str = getattr(self, method)() if method else repr(self)
        return text

    @unseen
    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError(
            f"cannot pickle or copy {type(self).__name__!r} object: its value is in Rust's memory, and has one owner"
        )

    def free(self) -> None:
        """Frees the Rust value now. Safe to call twice, and after a reset."""
        self.__rust_handle__.free()

    def __enter__(self) -> Self:
        """Frees the Rust value when the `with` block ends."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Frees the Rust value."""
        self.free()

    def __del__(self) -> None:
        handle = self.__dict__.get(HANDLE)
        if handle is not None:
            handle.forget()


def set_rebuild(obj: RustObject, rebuild: Callable[[], RustObject] | None) -> None:
    """Says how this one object is made again after a reset."""
    obj.__rust_handle__.rebuild = rebuild


class ObjectTable:
    """The objects of a module that Python holds, by their numbers: what comes back from Rust keeps its one owner.

    Attributes:
        recreates: whether the constructor is called again for a stale object that Python made.

    Args:
        context: that of the module.
        recreates: see above.
        has_wrappers: whether JavaScript of the package's own may keep what it hands out.
    """

    def __init__(self, context: Context, *, recreates: bool, has_wrappers: bool = False) -> None:
        self.recreates = recreates
        self._has_wrappers = has_wrappers
        self._context = context
        self._alive: weakref.WeakValueDictionary[int, RustObject] = weakref.WeakValueDictionary()

    def begin(self, obj: RustObject, id_: int, made_with: tuple[Any, ...]) -> None:
        """The constructor has made a Rust object."""
        handle = StructHandle(obj.__rust_struct__, id_)
        handle.made_with = made_with
        self._add(obj, handle)

    def receive(self, class_name: str, id_: int, *, is_typed: bool = True) -> Any:
        """The Python object for a Rust object that a call returned.

        Args:
            class_name: the name of its class.
            id_: its number.
            is_typed: whether the export is known to return such objects. Then Rust gave it to Python alone.
        """
        cls: Any = self._context.classes[class_name]
        obj = self._alive.get(id_)
        if not isinstance(obj, cls) or obj.__rust_handle__.id != id_ or obj.__rust_handle__.fate:
            obj = cls.__new__(cls)
            self._add(obj, StructHandle(cls.__rust_struct__, id_))
        if self._has_wrappers and not is_typed:
            obj.__rust_handle__.is_shared = True
        return obj

    def move(self, old_id: int, new_id: int) -> None:
        """An object has another number from now on."""
        obj = self._alive.pop(old_id, None)
        if obj is not None:
            self._alive[new_id] = obj

    def go_back(self, ids: Collection[int]) -> Collection[int]:
        """The module went back to an earlier state.

        Args:
            ids: the numbers of the objects that the state has.

        Returns:
            those of the objects that nobody holds any more.
        """
        unknown = set(ids)
        for obj in tuple(self._alive.values()):
            handle: StructHandle = obj.__rust_handle__
            handle.go_back(is_there=handle.id in unknown)
            unknown.discard(handle.id)
        return unknown

    def _add(self, obj: RustObject, handle: StructHandle) -> None:
        obj.__dict__[HANDLE] = handle  # past __setattr__, which takes its time
        self._alive[handle.id] = obj
