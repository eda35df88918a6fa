"""The coroutine that `load` returns, which says so if it is taken for the module."""

import functools
import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Self, cast

from .._unseen import seamless, unseen

__all__ = ["Loading", "awaited"]


class Loading:
    """A load that begins when it is awaited. For asyncio and for Python it is a coroutine.

    If the user forgets `await`, a name stands for this object instead of the module, and the first use of an attribute
    says so.
    """

    __slots__ = ("__weakref__", "_coroutine", "close", "send", "throw")

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self.send, self.throw, self.close = seamless(coroutine.send), seamless(coroutine.throw), coroutine.close

    def __await__(self) -> Generator[Any, Any, Any]:
        return cast("Generator[Any, Any, Any]", _Steps(self.send, self.throw, self.close))

    @unseen
    def __getattr__(self, name: str) -> Any:
        if name.startswith(("cr_", "__")) and hasattr(self._coroutine, name):
            return getattr(self._coroutine, name)
        if name.startswith("_"):
            raise AttributeError(f"'coroutine' object has no attribute {name!r}", name=name)
        raise AttributeError(
            f"no attribute {name!r}: this is not the module yet, but the coroutine that loads it. "
            "Write `await unpanic.load(...)`.",
            name=name,
        )

    def __repr__(self) -> str:
        return "<coroutine unpanic.load: write `await unpanic.load(...)` to get the module>"


Coroutine.register(Loading)


class _Steps:
    """What `await` drives: the functions of a coroutine, whose exceptions have no line of unpanic."""

    __slots__ = ("close", "send", "throw")

    def __init__(self, *functions: Callable[..., Any]) -> None:
        self.send, self.throw, self.close = functions

    def __iter__(self) -> Self:
        return self

    @unseen
    def __next__(self) -> Any:
        return self.send(None)


def awaited[**P, R](load: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Decorates an async function so that it returns a `Loading`."""

    @unseen
    @functools.wraps(load)
    def begin(*args: P.args, **kwargs: P.kwargs) -> Any:
        return Loading(load(*args, **kwargs))

    return inspect.markcoroutinefunction(begin)
