"""Functions, promises and errors across the boundary.

JavaScript gets a function that holds a number; the Python callable behind it is in a
table here. It leaves the table when JavaScript's collector has taken the function, which
is after Rust has dropped it, and all leave it when their generation dies.
"""

import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from .._bridge.context import Context
from .._unseen import seamless
from .drafts import Arguments, Draft, Late
from .handles import Held
from .numbers import SURELY_FITS

__all__ = ["Callbacks", "RustClosure", "text_of"]


class Callbacks:
    """The Python callables and awaitables that the current generation may use."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._numbers = itertools.count(1)
        self.functions: dict[int, Callable[..., Any]] = {}
        # By numbers: what promises wait for, and what lets go of it when nobody will hear of its end.
        self._awaited: dict[int, Callable[[], object]] = {}

    def send(self, function: Callable[..., Any]) -> Any:
        """A Python callable as a JavaScript function."""
        number = next(self._numbers)
        made = self._context.driver.callback(number)
        self.functions[number] = function
        return made

    def called(self, number: int, *args: Any) -> Any:
        """JavaScript calls a function: what it raises flies on as an error that carries the exception."""
        context = self._context
        try:
            function = self.functions.get(number)
            if function is None:
                context.driver.raised(self._gone(), None)
                return None
            return self._answer(function(*map(context.untyped.receive, args)))
        except BaseException as error:
            context.driver.raised(text_of(error), error)
            return None

    def _answer(self, result: Any) -> Any:
        try:
            return self._context.untyped.send(result)
        except (TypeError, ValueError, OverflowError) as error:
            error.add_note(f"in what a callback returned to {self._context.name}")
            raise

    def _gone(self) -> str:
        return f"This Python callback of {self._context.name} was given to a generation that is gone."

    def dropped(self, number: int) -> None:
        """JavaScript's collector has taken a function."""
        self.functions.pop(number, None)

    def send_awaitable(self, awaitable: Awaitable[Any]) -> Any:
        """An awaitable as a promise; what it raises arrives as that same exception where Rust hands it back."""
        is_ours = not isinstance(awaitable, asyncio.Future)
        future = asyncio.ensure_future(awaitable)
        promise, resolve, reject = self._context.browser.promise()
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
            resolve(self._context.untyped.send(future.result()))
        except BaseException as error:
            reject(self._context.driver.error(text_of(error), error))

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


class RustClosure(Held):
    """A function that a module handed out: a Rust closure, or one of JavaScript's."""

    noun = "closure"

    @seamless
    def __call__(self, *args: Any) -> Any:
        context = self._context
        given = [context.untyped.draft(arg) for arg in args]
        # The closure itself comes last: to convert an argument may have ended its generation.
        for item in given:
            if isinstance(item, Draft):
                arguments = Arguments(context, self.noun, [Late(lambda: self._handle.live(self.noun)), *given])
                return arguments.run(context.driver.closureLane, context.untyped.receive)
        return context.untyped.receive(context.driver.closureLane(self._handle.live(self.noun), *given))
