"""Exported classes that are iterators: Python's `for` calls their method `next` for one item after the other.

Such a method says "no more" in one of two ways: it returns no value (`Option`), or a result with `done` and `value`, as
iterators of JavaScript do.
"""

from typing import Any

from .._unseen import unseen
from .description import Class

__all__ = ["iteration"]


def iteration(described: Class) -> dict[str, Any]:
    """Returns the special methods of an iterator by their names, for a class whose `next` takes no arguments."""
    step = next((method for method in described.methods if method.name == "next" and not method.params), None)
    if step is None:
        return {}
    return (
        {"__aiter__": _itself, "__anext__": _next_async} if step.is_async else {"__iter__": _itself, "__next__": _next}
    )


def _itself(self: Any) -> Any:
    return self


@unseen
def _next(self: Any) -> Any:
    return _item(self.next(), StopIteration)


async def _next_async(self: Any) -> Any:
    return _item(await self.next(), StopAsyncIteration)


def _item(result: Any, end: type[Exception]) -> Any:
    """The item that a step returned.

    Args:
        result: what `next` returned.
        end: `StopIteration` or `StopAsyncIteration`.

    Raises:
        Exception: `end`, if nothing is left.
    """
    if result is None:
        raise end
    if isinstance(result, dict) and result.keys() <= {"done", "value"} and result:
        is_last, item = result.get("done"), result.get("value")
    elif hasattr(type(result), "done") and hasattr(type(result), "value"):
        is_last, item = result.done, result.value
    else:
        return result
    if is_last:
        raise end
    return item
