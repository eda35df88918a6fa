"""Iterators, async iterators and streams, both ways."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Self

from .._unseen import seamless
from .callbacks import Handed
from .drafts import Draft, Late

if TYPE_CHECKING:
    from .._exports.module import Module

__all__ = ["HANDED", "RustAsyncIterator", "RustIterator", "draft_async_iterator", "draft_stream", "send_iterator"]


class RustIterator(Handed):
    """An iterator that a module handed out."""

    noun = "iterator"
    _symbol = "iterator"
    _opened: int = 0
    _ended: bool = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def _step(self, verb: str) -> Any:
        """Calls a method of the iterator, which is made the first time."""
        id_, driver = self._live(), self._module.driver
        if not self._opened:
            self._opened = driver.openLane(id_, self._symbol)
        return self._module.receive_any(driver.stepLane(self._opened, verb))

    @seamless
    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        step = self._step("next")
        if step.get("done"):
            self._ended = True
            raise StopIteration(step.get("value"))
        return step.get("value")

    def _ends_now(self) -> bool:
        """Notes the end; says whether there is still somebody to hear of it."""
        was_ended, self._ended = self._ended, True
        return not was_ended and self._is_alive()

    def close(self) -> None:
        """Ends the iteration early, and tells Rust so. Safe to call twice, and after a reset."""
        if self._ends_now():
            self._step("return")

    def __del__(self) -> None:
        super().__del__()
        if self._opened and self._is_alive():
            self._module.driver.forget(self._opened)


class RustAsyncIterator(RustIterator):
    """An async iterator or a stream that a module handed out.

    What waits for the next item ends in `CallInterrupted` as soon as the generation dies.
    """

    noun = "async iterator"
    _symbol = "asyncIterator"
    __iter__ = None  # type: ignore[assignment]
    __next__ = None  # type: ignore[assignment]

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def _await_step(self, verb: str) -> Any:
        step = self._step(verb)
        return await step if inspect.isawaitable(step) else step

    async def __anext__(self) -> Any:
        if self._ended:
            raise StopAsyncIteration
        try:
            step = await self._await_step("next")
        except Exception:
            self._ended = True
            raise
        if step.get("done"):
            self._ended = True
            raise StopAsyncIteration
        return step.get("value")

    async def aclose(self) -> None:
        """Ends the iteration early: Rust's iterator is closed, a stream is cancelled.

        Safe to call twice, and after a reset: the crash that ended an `async with` block is what leaves it.
        """
        if self._ends_now():
            await self._await_step("return")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


# By what the runtime calls them (`Driver.identify`).
HANDED = {"iterator": RustIterator, "asyncIterator": RustAsyncIterator}

DONE = {"done": True}


def send_iterator(iterator: Any, module: "Module") -> Any:
    """A Python iterator as one of JavaScript's."""

    def step(*_: Any) -> dict[str, Any]:
        try:
            return {"done": False, "value": next(iterator)}
        except StopIteration:
            return DONE

    def end(*_: Any) -> dict[str, Any]:
        if hasattr(iterator, "close"):
            iterator.close()
        return DONE

    send = module.callbacks.send
    return module.browser.iterator("iterator", send(step), send(end))


class Steps:
    """Steps through a Python async iterator for JavaScript, which may end it while a step is under way."""

    def __init__(self, items: Any, module: "Module") -> None:
        self._iterator = aiter(items)
        self._module = module
        self._step: asyncio.Task[dict[str, Any]] | None = None

    async def next(self, *_: Any) -> dict[str, Any]:
        self._step = step = asyncio.ensure_future(_item(self._iterator))
        try:
            return await step
        finally:
            self._step = None

    async def pull(self, controller: Any) -> None:
        step = await self.next()
        if step["done"]:
            controller.close()
        else:
            controller.enqueue(self._module.send_any(step["value"]))

    async def end(self, *_: Any) -> dict[str, Any]:
        if self._step is not None:
            self._step.cancel()
            await asyncio.wait([self._step])
        if hasattr(self._iterator, "aclose"):
            await self._iterator.aclose()
        return DONE


async def _item(iterator: AsyncIterator[Any]) -> dict[str, Any]:
    try:
        return {"done": False, "value": await anext(iterator)}
    except StopAsyncIteration:
        return DONE


def draft_async_iterator(items: Any, module: "Module") -> Draft:
    """A Python async iterator or async iterable as one of JavaScript's."""
    steps, send = Steps(items, module), module.callbacks.send
    return Late(lambda: module.browser.iterator("asyncIterator", send(steps.next), send(steps.end)))


def draft_stream(value: Any, module: "Module") -> Any:
    """What a parameter of the type `ReadableStream` takes: a stream, or anything to iterate over."""
    if module.browser.is_foreign(value):
        return value
    if isinstance(value, Handed):
        return Late(value.share)
    if not hasattr(value, "__aiter__"):
        if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            raise TypeError(f"must be an async iterable of chunks, not {type(value).__name__}")
        value = _later(value)
    steps, send = Steps(value, module), module.callbacks.send
    return Late(lambda: module.browser.stream(send(steps.pull), send(steps.end)))


async def _later(items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item
