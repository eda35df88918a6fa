"""Functions and promises across the boundary: Python's callables for Rust, and the functions that Rust hands out.

JavaScript gets a function that holds a number, and a table here has the Python callable for each number. A callable
leaves the table when JavaScript's garbage collector has taken the function, which is after Rust has dropped it. All
callables leave the table when their generation dies.
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
        # The futures that promises wait for, by their numbers: each value ends the wait when nobody needs the result.
        self._awaited: dict[int, Callable[[], object]] = {}

    def send(self, function: Callable[..., Any]) -> Any:
        """Returns a JavaScript function that calls a Python callable."""
        number = next(self._numbers)
        callback = self._module.driver.callback(number)
        self.functions[number] = function
        return callback

    def called(self, number: int, *args: Any) -> Any:
        """Calls the function with this number for JavaScript, which gets an exception as an error that carries it."""
        module = self._module
        try:
            function = self.functions.get(number)
            if function is None:
                module.driver.raised(self._gone(), None)
                return None
            return self._answer(function(*map(module.receive_any, args)))
        except BaseException as error:
            module.driver.raised(text_of(error), error)
            return None

    def _answer(self, result: Any) -> Any:
        try:
            return self._module.send_any(result)
        except (TypeError, ValueError, OverflowError) as error:
            error.add_note(f"in what a callback returned to {self._module.name}")
            raise

    def _gone(self) -> str:
        return f"This Python callback of {self._module.name} was given to a generation that is gone."

    def dropped(self, number: int) -> None:
        """Forgets a function that JavaScript's garbage collector has taken."""
        self.functions.pop(number, None)

    def send_awaitable(self, awaitable: Awaitable[Any]) -> Any:
        """Returns a promise for an awaitable; if Rust hands its error back, Python gets the same exception again."""
        is_ours = not isinstance(awaitable, asyncio.Future)
        future = asyncio.ensure_future(awaitable)
        promise, resolve, reject = self._module.browser.promise()
        number = next(self._numbers)
        settle = functools.partial(self._settle, number, resolve, reject)
        future.add_done_callback(settle)
        # A future that the user made goes on after its generation. If it kept the callback, it would keep the promise
        # and with it the dead instance alive.
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
        """Forgets all callables, because their generation is gone. Can be called again if it was interrupted."""
        self.functions.clear()
        while self._awaited:
            number, let_go = next(iter(self._awaited.items()))
            let_go()
            self._awaited.pop(number, None)


def text_of(error: BaseException) -> str:
    """Returns the text that JavaScript and Rust see of an exception, cut at the length that every engine can hold."""
    try:
        return f"{type(error).__name__}: {error}"[:SURELY_FITS]
    except Exception:
        return type(error).__name__


class Handed:
    """A value that a module handed out and that has no exported class; it lives as long as its generation."""

    noun = "value"

    def __init__(self, module: "Module", id_: int) -> None:
        self._module = module
        self._id = id_
        self._generation = module.supervisor.last_generation

    def _is_alive(self) -> bool:
        return self._generation == self._module.supervisor.generation

    def _live(self) -> int:
        """Returns the number that stands for the value.

        Raises:
            StaleObjectError: the generation of the value is gone.
        """
        if not self._is_alive():
            raise StaleObjectError(
                f"This {self.noun} of {self._module.name} was made by generation {self._generation}, which is gone."
            )
        return self._id

    def share(self) -> Any:
        """Returns the value as JavaScript knows it, for a parameter of any module."""
        return self._module.driver.handed(self._live())

    def __repr__(self) -> str:
        stale = "" if self._is_alive() else ", stale"
        return f"<{self.noun} of the Rust module {self._module.name!r}{stale}>"

    def __del__(self) -> None:
        if self._is_alive():
            self._module.driver.forget(self._id)


class RustClosure(Handed):
    """A function that a module handed out: a Rust closure, or a function of JavaScript's."""

    noun = "closure"

    @seamless
    def __call__(self, *args: Any) -> Any:
        module = self._module
        converted = [module.draft_any(arg) for arg in args]
        # The closure itself is checked last, because the conversion of an argument may have ended its generation.
        for item in converted:
            if isinstance(item, Draft):
                arguments = Arguments(module, self.noun, [Late(self._live), *converted])
                return arguments.run(module.driver.closureLane, module.receive_any)
        return module.receive_any(module.driver.closureLane(self._live(), *converted))
