"""Functions, promises and errors across the boundary.

JavaScript gets a function that holds a number; the Python callable behind it is in a
table here. It leaves the table when JavaScript's collector has taken the function, which
is after Rust has dropped it, and all leave it when their generation dies.
"""

import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .._unseen import seamless
from ..errors import StaleObjectError
from .drafts import Arguments, Draft, Late
from .numbers import SURELY_FITS

if TYPE_CHECKING:
    from .._exports.module import Module

__all__ = ["Callbacks", "Handed", "RustClosure", "text_of"]


class Callbacks:
    """The Python callables and awaitables that the current generation may use."""

    def __init__(self, module: "Module") -> None:
        self._module = module
        self._numbers = itertools.count(1)
        self.functions: dict[int, Callable[..., Any]] = {}
        # By numbers: what promises wait for, and what lets go of it when nobody will hear of its end.
        self._awaited: dict[int, Callable[[], object]] = {}

    def send(self, function: Callable[..., Any]) -> Any:
        """A Python callable as a JavaScript function."""
        number = next(self._numbers)
        made = self._module.driver.callback(number)
        self.functions[number] = function
        return made

    def called(self, number: int, *args: Any) -> Any:
        """JavaScript calls a function: what it raises flies on as an error that carries the exception."""
        module = self._module
        try:
            function = self.functions.get(number)
            if function is None:
                return module.driver.raised(self._gone(), None)
            return self._answer(function(*map(module.receive_any, args)))
        except BaseException as error:
            return module.driver.raised(text_of(error), error)

    def _answer(self, result: Any) -> Any:
        try:
            return self._module.send_any(result)
        except (TypeError, ValueError, OverflowError) as error:
            error.add_note(f"in what a callback returned to {self._module.name}")
            raise

    def _gone(self) -> str:
        return f"This Python callback of {self._module.name} was given to a generation that is gone."

    def dropped(self, number: int) -> None:
        """JavaScript's collector has taken a function."""
        self.functions.pop(number, None)

    def send_awaitable(self, awaitable: Awaitable[Any]) -> Any:
        """An awaitable as a promise; what it raises arrives as that same exception where Rust hands it back."""
        is_ours = not isinstance(awaitable, asyncio.Future)
        future = asyncio.ensure_future(awaitable)
        promise, resolve, reject = self._module.browser.promise()
        number = next(self._numbers)
        settle = functools.partial(self._settle, number, resolve, reject)
        future.add_done_callback(settle)
        # A future of the user's goes on, but the promise, and with it the dead instance, would live as long.
        self._awaited[number] = future.cancel if is_ours else functools.partial(future.remove_done_callback, settle)
        return promise

    def _settle(
        self, number: int, resolve: Callable[[Any], Any], reject: Callable[[Any], Any], future: asyncio.Future[Any]
    ) -> None:
        self._awaited.pop(number, None)
        try:
            resolve(self._module.send_any(future.result()))
        except BaseException as error:
            reject(self._module.driver.error(text_of(error), error))

    def clear(self) -> None:
        """The generation that could call them is gone. If this is interrupted, it can be called again."""
        self.functions.clear()
        while self._awaited:
            number, let_go = next(iter(self._awaited.items()))
            let_go()
            self._awaited.pop(number, None)


def text_of(error: BaseException) -> str:
    """The text that JavaScript and Rust see of an exception, cut where it is longer than any text may be there."""
    try:
        return f"{type(error).__name__}: {error}"[:SURELY_FITS]
    except Exception:
        return type(error).__name__


class Handed:
    """Something without a class that a module handed out; it lives as long as its generation."""

    noun = "value"

    def __init__(self, module: "Module", id_: int) -> None:
        self._module = module
        self._id = id_
        self._generation = module.supervisor.last_generation

    def _is_alive(self) -> bool:
        return self._generation == self._module.supervisor.generation

    def _live(self) -> int:
        """The number that stands for it.

        Raises:
            StaleObjectError: its generation is gone.
        """
        if not self._is_alive():
            raise StaleObjectError(
                f"This {self.noun} of {self._module.name} was made by generation {self._generation}, which is gone."
            )
        return self._id

    def share(self) -> Any:
        """What JavaScript knows it as, for a parameter of whatever module."""
        return self._module.driver.handed(self._live())

    def __repr__(self) -> str:
        stale = "" if self._is_alive() else ", stale"
        return f"<{self.noun} of the Rust module {self._module.name!r}{stale}>"

    def __del__(self) -> None:
        if self._is_alive():
            self._module.driver.forget(self._id)


class RustClosure(Handed):
    """A function that a module handed out: a Rust closure, or one of JavaScript's."""

    noun = "closure"

    @seamless
    def __call__(self, *args: Any) -> Any:
        module = self._module
        given = [module.draft_any(arg) for arg in args]
        # The closure itself comes last: to convert an argument may have ended its generation.
        for item in given:
            if isinstance(item, Draft):
                arguments = Arguments(module, self.noun, [Late(self._live), *given])
                return arguments.run(module.driver.closureLane, module.receive_any)
        return module.receive_any(module.driver.closureLane(self._live(), *given))
