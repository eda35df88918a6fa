"""The context of a module: everything that its parts share.

The context is made first, before there is an export or a supervisor. Converters, exports and the supervisor get it, and
none of them needs to know the others: what they use of each other is a protocol here.
"""

import enum
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol

from .futures import Call
from .lines import SourceLines
from .protocols import Browser, Driver

__all__ = ["Callbacks", "Context", "Objects", "Supervision", "Untyped", "find_context"]


class Supervision(Protocol):
    """The supervisor of a module, as calls and converters see it.

    Attributes:
        generation: the number of the generation that lives; another number than that of any while there is none.
        last_generation: the number of the newest.
    """

    generation: int
    last_generation: int

    @property
    def phase(self) -> str: ...
    def ensure_ready(self, call: str) -> None: ...
    def started(self, id_: int, call: str, receive: Callable[[Any], Any] | None) -> Call: ...
    def when_ready(self, run: Callable[[], Call], name: str = "") -> Call: ...
    def say(self, crash: Any, write: Callable[..., None], *record: Any) -> None: ...
    def raise_remembered(self) -> None: ...
    def escaped(self, error: BaseException) -> None: ...


class Callbacks(Protocol):
    """The Python functions that the current generation may call."""

    functions: dict[int, Callable[..., Any]]

    def send(self, function: Callable[..., Any]) -> Any: ...
    def keep(self, function: Callable[..., Any]) -> int: ...
    def send_awaitable(self, awaitable: Awaitable[Any]) -> Any: ...
    def called(self, number: int, *args: Any) -> Any: ...
    def escaped(self) -> Any: ...
    def dropped(self, number: int) -> None: ...
    def clear(self) -> None: ...


class Objects(Protocol):
    """The objects of exported structs that Python holds.

    Attributes:
        recreates: whether a reset takes only the state of an object that Python made: its constructor is called again.
    """

    recreates: bool

    def receive(self, class_name: str, id_: int, *, is_typed: bool = True) -> Any: ...
    def move(self, old_id: int, new_id: int) -> None: ...
    def go_back(self, ids: Collection[int]) -> Collection[int]: ...


class Untyped(Protocol):
    """The conversion of values whose type is not known."""

    def draft(self, value: Any) -> Any: ...
    def send(self, value: Any, call: str = "callback") -> Any: ...
    def receive(self, value: Any) -> Any: ...


class Context:
    """One module, as all that belongs to it sees it.

    Attributes:
        browser: where Python runs.
        driver: the module in the JavaScript runtime.
        name: what the module is called.
        classes: the Python classes of exported structs, by the names of the structs.
        enums: the Python enums, by the names as exported.
        lines: the lines of source files in which frames stand, if the build has written them.
        keeps_capsules: whether each crash is kept at once, so that it can be replayed.
        waits: whether the next instance may be on its way when a call comes: the browser makes none of that size at
            once, or prepares a spare.
        detour: has calls that go straight to JavaScript come through Python until the next instance is there, because
            only Python can wait for it.
        given_arrays: how often each call was given an array that Rust may write into, by the call's name.
        supervisor: knows which generation lives. Whoever makes it sets it, before the first call.
        callbacks: likewise, the Python functions that Rust and JavaScript may call.
        objects: likewise, the objects of exported structs.
        untyped: likewise, what converts values whose type is not known.
    """

    supervisor: Supervision
    callbacks: Callbacks
    objects: Objects
    untyped: Untyped

    def __init__(self, browser: Browser, driver: Driver, name: str) -> None:
        self.browser = browser
        self.driver = driver
        self.name = name
        self.lines: SourceLines | None = None
        self.keeps_capsules = False
        self.waits = False
        self.detour: Callable[[], None] = lambda: None
        self.classes: dict[str, type[Any]] = {}
        self.enums: dict[str, type[enum.Enum]] = {}
        self.given_arrays: Counter[str] = Counter()
        _contexts[driver.number] = self


_contexts: "weakref.WeakValueDictionary[int, Context]" = weakref.WeakValueDictionary()


def find_context(number: int) -> Context | None:
    """The context of the module whose driver has this number, if it is still there."""
    return _contexts.get(number)
