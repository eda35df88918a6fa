"""The module as its supervisor sees it."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .._bridge.lines import SourceLines
    from .._bridge.protocols import Browser, Driver

__all__ = ["Converter", "RustErrorMaker", "Supervised"]

# Makes a Python value of the result of a call.
type Converter = Callable[[Any], Any]
# Makes the exception for a Rust `Err` of the four values with which the runtime describes it (`Handlers.failed`).
type RustErrorMaker = Callable[[Any, Any, str, Any], BaseException]


class Callbacks(Protocol):
    """The Python functions that Rust got."""

    def clear(self) -> None:
        """Lets go of them all, because the generation that had them is dead."""


class Objects(Protocol):
    """The objects of exported structs that Python holds."""

    def go_back(self, ids: Collection[int]) -> Collection[int]:
        """The module went back to a state with these objects; gives those that nobody holds any more."""


class Untyped(Protocol):
    """The conversion of values whose type is not known."""

    def receive(self, value: Any) -> Any:
        """Makes a Python value of one of JavaScript's."""


class Restorable(Protocol):
    """The supervisor of a module that can go back to earlier states."""

    generation: int
    context: Any
    policy: Any
    in_flight: Any

    @property
    def has_ended(self) -> bool:
        """Whether no generation will follow."""

    @property
    def has_died(self) -> bool:
        """Whether the generation has died, and no other one is there."""

    def describe_recovery(self, used: Any) -> tuple[str, str]:
        """Tells what a crash leads to now, and why."""

    def ensure_ready(self, call: str) -> None:
        """Recovers if a generation died without a call that could have done it."""


class Supervised(Protocol):
    """A module, as its supervisor sees it."""

    @property
    def browser(self) -> "Browser":
        """Where Python runs."""

    @property
    def driver(self) -> "Driver":
        """The handle on the module in the JavaScript runtime."""

    @property
    def name(self) -> str:
        """The module's name."""

    @property
    def callbacks(self) -> Callbacks:
        """The Python functions that Rust got."""

    @property
    def supervisor(self) -> Any:
        """The supervisor itself."""

    @property
    def lines(self) -> "SourceLines | None":
        """The lines of source files in which frames stand, if the build has written them."""

    @property
    def keeps_capsules(self) -> bool:
        """Whether each crash is kept at once, so that it can be replayed."""

    @property
    def waits(self) -> bool:
        """Whether the next instance may be on its way when a call comes."""

    def detour(self) -> None:
        """Has all calls come through Python until the next instance is there."""

    @property
    def untyped(self) -> Untyped:
        """The conversion of values whose type is not known."""

    @property
    def objects(self) -> Objects:
        """The objects of exported structs that Python holds."""
