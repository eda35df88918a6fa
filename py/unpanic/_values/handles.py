"""Handles stand in Python for things that live in a generation: objects, closures, iterators.

A handle holds no JavaScript object, only two numbers: that of its generation, and its own in that generation. So a
stale handle keeps no dead instance alive. Whether it is stale is one comparison, which is made before anything is
lowered into Rust.

An object of an exported class gives its handle as the attribute `__rust_handle__`. A name with underscores on both
sides collides with no member of a struct.
"""

from typing import Any

from .._bridge.context import Context
from .._bridge.crashes import FREED, moved_into
from ..errors import StaleObjectError

__all__ = ["CURRENT", "GONE", "HANDLE", "HandedOut", "Handle", "ObjectHandle", "handle_of"]

# The attribute that gives the handle of an object, for those who write source text.
HANDLE = "__rust_handle__"
# The comparison of `Handle.is_current` as source text: of the name of a handle, where `SUPERVISOR` is the supervisor.
CURRENT = "{0}.generation == SUPERVISOR.generation"
# The number of no generation: of objects that were freed or moved, and of those whose `__init__` never ran. (While no
# generation lives, that of the supervisor is -1.)
GONE = -2
# The fate of an object that was made after the state to which its module went back.
UNDONE = "made or received after the state to which the module went back"


class Handle:
    """Something that lives in a generation of a module.

    Attributes:
        context: that of the module.
        generation: the number of the generation.
        id: its own number there.

    Args:
        context: that of the module.
        id_: its own number, in the newest generation.
        noun: what it is, for messages.
    """

    def __init__(self, context: Context, id_: int, noun: str) -> None:
        self.context = context
        self.generation = context.supervisor.last_generation
        self.id = id_
        self._noun = noun

    def is_current(self) -> bool:
        """Whether its generation is the one that lives."""
        return self.generation == self.context.supervisor.generation

    def live(self, call: str) -> int:  # noqa: ARG002 - objects can be made again for a call
        """Its number, for a call into Rust.

        Raises:
            StaleObjectError: its generation is gone.
        """
        if not self.is_current():
            raise StaleObjectError(
                f"This {self._noun} of {self.context.name} was made by generation {self.generation}, which is gone."
            )
        return self.id

    def share(self, call: str) -> Any:
        """Returns the JavaScript value that it is, which JavaScript and Rust may keep."""
        return self.context.driver.handed(self.live(call))

    def forget(self) -> None:
        """Tells the runtime that Python does not need it any more."""
        if self.is_current():
            self.context.driver.forget(self.id)


class ObjectHandle(Handle):
    """An object of an exported struct.

    Attributes:
        class_name: the name of the struct.
        fate: what became of the object, as messages say it; empty while Python may use it.
        is_shared: whether JavaScript and Rust may keep the object.
    """

    class_name = ""
    fate = ""
    is_shared = False

    def share(self, call: str) -> Any:
        """The glue's object, for JavaScript itself: from now on JavaScript and Rust may keep it."""
        self.is_shared = True
        # In a list: of an object with a method `then` that JavaScript returns, Pyodide makes a future.
        return self.context.driver.object(self.live(call), self.class_name, call)[0]

    def lend(self) -> Any:
        """The same for a call, whose lane looks the glue's object up. The object has to live."""
        self.is_shared = True
        return self.context.driver.lend(self.id, self.class_name)

    def free(self) -> None:
        """Frees the Rust value now. Safe to call twice, and after a reset."""
        generation = self.generation
        if self.fate:
            return
        self.generation, self.fate = GONE, FREED
        if self.context.supervisor.phase != "unloaded":
            consumer = self.context.driver.release(generation, self.id, self.class_name)
            self.fate = moved_into(consumer) if consumer else FREED

    def go_back(self, *, is_there: bool) -> None:
        """The module went back to a state that has the object, or that does not have it."""
        supervisor = self.context.supervisor
        if is_there:
            self.generation, self.fate = supervisor.generation, ""
        elif self.generation == supervisor.generation:
            self.generation, self.fate = GONE, UNDONE

    def forget(self) -> None:
        """Python does not need the object any more: it is freed, unless JavaScript may keep it."""
        if self.is_shared and self.is_current() and not self.context.driver.consumer(self.id):
            self.context.driver.forget(self.id)  # JavaScript's collector frees it
        else:
            self.free()


def handle_of(value: object) -> ObjectHandle | None:
    """The handle of an object of an exported class, or None if `value` is anything else."""
    # The type is asked and not the value: a mock says that it has every attribute.
    return getattr(value, HANDLE) if hasattr(type(value), HANDLE) else None


class HandedOut:
    """Something without a class that a module handed out. It lives as long as its generation."""

    noun = "value"

    def __init__(self, context: Context, id_: int) -> None:
        self._context = context
        self._handle = Handle(context, id_, self.noun)

    def share(self) -> Any:
        """Returns the JavaScript value that it is, for a parameter of any module."""
        return self._handle.share("callback")

    def __repr__(self) -> str:
        stale = "" if self._handle.is_current() else ", stale"
        return f"<{self.noun} of the Rust module {self._context.name!r}{stale}>"

    def __del__(self) -> None:
        self._handle.forget()
