"""Functions and promises across the boundary: Python's callables for Rust, and the functions that Rust hands out.

JavaScript gets a function that holds a number, and a table here has the Python callable for each number. A callable
leaves the table when JavaScript's garbage collector has taken the function, which is after Rust has dropped it. All
callables leave the table when their generation dies.
"""

import asyncio
import functools
import itertools
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from .._bridge.context import Context
from .._bridge.crashes import throw
from .._unseen import seamless
from .drafts import Arguments, Draft, Late
from .handles import HandedOut
from .numbers import SENDERS, SURELY_FITS

__all__ = ["Callbacks", "RustClosure", "text_of"]


class Callbacks:
    """The Python callables and awaitables that the current generation may use."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._numbers = itertools.count(1)
        self.functions: dict[int, Callable[..., Any]] = {}
        # Those that every generation may call: the imports of a Wasm file without glue.
        self._kept: dict[int, Callable[..., Any]] = {}
        # The futures that promises wait for, by their numbers: each value ends the wait when nobody needs the result.
        self._awaited: dict[int, Callable[[], object]] = {}

    def send(self, function: Callable[..., Any]) -> Any:
        """Returns a JavaScript function that calls a Python callable."""
        number = next(self._numbers)
        callback = self._context.driver.callback(number)
        self.functions[number] = function
        return callback

    def keep(self, function: Callable[..., Any]) -> int:
        """Returns the number of a Python callable that every generation may call."""
        number = next(self._numbers)
        self._kept[number] = function
        return number

    def called(self, number: int, *args: Any) -> Any:
        """Calls the function with this number for JavaScript, which gets an exception as an error that carries it."""
        context = self._context
        try:
            function = self.functions.get(number) or self._kept.get(number)
            if function is None:
                return context.driver.raised(self._gone(), None)
            return self._answer(function(*map(context.untyped.receive, args)))
        except BaseException as error:
            return self._raise(error)

    def escaped(self) -> Any:
        """Gives what `called` raised before it could catch it: a stop button was pressed just then."""
        return self._raise(sys.last_exc)

    def _raise(self, error: BaseException) -> Any:
        """Gives JavaScript an exception of a callback."""
        context = self._context
        if isinstance(error, Exception):
            return context.driver.raised(text_of(error), error)
        throw(error)
        context.supervisor.escaped(error)
        return context.driver.raised(text_of(error), error, True)

    def _answer(self, result: Any) -> Any:
        try:
            return self._context.untyped.send(result)
        except (TypeError, ValueError, OverflowError) as error:
            error.add_note(f"in what a callback returned to {self._context.name}")
            raise

    def _gone(self) -> str:
        return f"This Python callback of {self._context.name} was given to a generation that is gone."

    def dropped(self, number: int) -> None:
        """Forgets a function that JavaScript's garbage collector has taken."""
        self.functions.pop(number, None)

    def send_awaitable(self, awaitable: Awaitable[Any]) -> Any:
        """Returns a promise for an awaitable; if Rust hands its error back, Python gets the same exception again."""
        is_ours = not isinstance(awaitable, asyncio.Future)
        future = asyncio.ensure_future(awaitable)
        promise, resolve, reject = self._context.browser.promise()
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
            resolve(self._context.untyped.send(future.result()))
        except BaseException as error:
            reject(self._context.driver.error(text_of(error), error))

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


class RustClosure(HandedOut):
    """A function that a module handed out: a Rust closure, or a function of JavaScript's.

    Args:
        context: the context of the module.
        id_: its number.
        types: what it takes, if the glue of the build hook tells: kinds with commas between them. One without a name
            may be anything, and one with a question mark may be left out.
    """

    noun = "closure"

    def __init__(self, context: Context, id_: int, types: str = "") -> None:
        super().__init__(context, id_)
        self._kinds = types.split(",") if types else []

    @seamless
    def __call__(self, *args: Any) -> Any:
        context = self._context
        needed = next((count for count, kind in enumerate(self._kinds) if kind.endswith("?")), len(self._kinds))
        if self._kinds and not needed <= len(args) <= len(self._kinds):
            raise TypeError(f"closure() takes {len(self._kinds)} positional arguments, and got {len(args)}")
        converted = [self._draft(arg, at) for at, arg in enumerate(args)]
        # The closure itself is checked last, because the conversion of an argument may have ended its generation.
        for item in converted:
            if isinstance(item, Draft):
                arguments = Arguments(context, self.noun, [Late(lambda: self._handle.live(self.noun)), *converted])
                return arguments.run(context.driver.closureLane, context.untyped.receive)
        return context.untyped.receive(context.driver.closureLane(self._handle.live(self.noun), *converted))

    def _draft(self, value: Any, at: int) -> Any:
        kind = self._kinds[at] if self._kinds else ""
        send = SENDERS.get(kind.removesuffix("?"))
        if send is None or (value is None and kind.endswith("?")):
            return self._context.untyped.draft(value)
        try:
            return send(value)
        except (OverflowError, TypeError) as error:
            raise type(error)(f"{self.noun}() argument {at + 1}: {error}") from None
