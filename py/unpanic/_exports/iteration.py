"""Exported classes that are iterators: their `next` gives one item after the other, as Python's `for` wants them.

Rust says "no more" in one of two ways: by an absent value (`Option`), or as JavaScript's iterators do, by a result
with `done` and `value`.
"""

from typing import Any

from .._unseen import unseen
from .description import Class

__all__ = ["iteration"]


def iteration(described: Class) -> dict[str, Any]:
    """Returns the special methods of a class whose `next` takes nothing, by their names; of any other none."""
    steps = next((method for method in described.methods if method.name == "next" and not method.params), None)
    if steps is None:
        return {}
    return (
        {"__aiter__": _itself, "__anext__": _next_async} if steps.is_async else {"__iter__": _itself, "__next__": _next}
    )


def _itself(self: Any) -> Any:
    return self


@unseen
def _next(self: Any) -> Any:
    return _item(self.next(), StopIteration)


async def _next_async(self: Any) -> Any:
    return _item(await self.next(), StopAsyncIteration)


def _item(result: Any, end: type[Exception]) -> Any:
    """What a step brought.

    Raises:
        StopIteration: nothing is left; or `StopAsyncIteration`, as `end` says.
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
