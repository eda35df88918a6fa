"""Iterators, async iterators and streams: those that Rust hands out, and Python's for Rust."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from .._bridge.context import Context
from .._unseen import seamless
from .drafts import Draft, Late
from .handles import HandedOut, Handle

__all__ = ["HANDED", "RustAsyncIterator", "RustIterator", "draft_async_iterator", "draft_stream", "send_iterator"]


class RustIterator(HandedOut):
    """An iterator that a module handed out."""

    noun = "iterator"
    _symbol = "iterator"
    # The JavaScript iterator whose method `next` is called, once it is opened.
    _opened: Handle | None = None
    _ended: bool = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def _step(self, verb: str) -> Any:
        """Calls a method of the JavaScript iterator, which is opened the first time."""
        id_, context = self._handle.live(self.noun), self._context
        if self._opened is None:
            self._opened = Handle(context, context.driver.openLane(id_, self._symbol), self.noun)
        return context.untyped.receive(context.driver.stepLane(self._opened.id, verb))

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
        """Notes that the iteration ends; returns whether Rust still has to be told."""
        was_ended, self._ended = self._ended, True
        return not was_ended and self._handle.is_current()

    def close(self) -> None:
        """Ends the iteration early, and tells Rust so. Safe to call twice, and after a reset."""
        if self._ends_now():
            self._step("return")

    def __del__(self) -> None:
        super().__del__()
        if self._opened is not None:
            self._opened.forget()


class RustAsyncIterator(RustIterator):
    """An async iterator or a stream that a module handed out.

    An `await` for the next item ends in `CallInterrupted` as soon as the generation dies.
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

        Safe to call twice, and after a reset, so an `async with` block that a crash ended raises the crash.
        """
        if self._ends_now():
            await self._await_step("return")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


# The classes of iterators, by the roles that the runtime gives to what a module hands out.
HANDED = {"iterator": RustIterator, "asyncIterator": RustAsyncIterator}

DONE = {"done": True}


def send_iterator(iterator: Any, context: Context) -> Any:
    """Returns a JavaScript iterator that takes its items from a Python iterator."""

    def step(*_: Any) -> dict[str, Any]:
        try:
            return {"done": False, "value": next(iterator)}
        except StopIteration:
            return DONE

    def end(*_: Any) -> dict[str, Any]:
        if hasattr(iterator, "close"):
            iterator.close()
        return DONE

    send = context.callbacks.send
    return context.browser.iterator("iterator", send(step), send(end))


class Steps:
    """Steps through a Python async iterator for JavaScript, which may end the iteration during a step."""

    def __init__(self, items: Any, context: Context) -> None:
        self._iterator = aiter(items)
        self._context = context
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
            controller.enqueue(self._context.untyped.send(step["value"]))

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


def draft_async_iterator(items: Any, context: Context) -> Draft:
    """Drafts a JavaScript async iterator that takes its items from a Python async iterator or async iterable."""
    steps, send = Steps(items, context), context.callbacks.send
    return Late(lambda: context.browser.iterator("asyncIterator", send(steps.next), send(steps.end)))


def draft_stream(value: Any, context: Context) -> Any:
    """Converts a value for a parameter of the type `ReadableStream`: a stream, or an iterable of chunks."""
    if context.browser.is_foreign(value):
        return value
    if isinstance(value, HandedOut):
        return Late(value.share)
    if not hasattr(value, "__aiter__"):
        if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            raise TypeError(f"must be an async iterable of chunks, not {type(value).__name__}")
        value = _as_async(value)
    steps, send = Steps(value, context), context.callbacks.send
    return Late(lambda: context.browser.stream(send(steps.pull), send(steps.end)))


async def _as_async(items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item
