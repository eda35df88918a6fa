"""Keywords for functions with overloads whose parameters have different names."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .._declarations.signatures import Argument
from .._unseen import unseen_code
from .description import Function

__all__ = ["with_all_names"]


def with_all_names(call: Callable[..., Any], function: Function, *, has_self: bool) -> Callable[..., Any]:
    """Returns the function so that it takes keywords by the names that each of its overloads has for them."""
    before = 1 if has_self else 0
    known = {param.python for param in function.params if not param.rest}

    def overloaded(*args: Any, **named: Any) -> Any:
        if not named.keys() <= known or function.params[-1].rest:
            values = _in_order(function.overloads, len(args) - before, named)
            if values is not None:
                return call(*args, *values)
        return call(*args, **named)

    functools.update_wrapper(overloaded, call)
    code = overloaded.__code__.replace(
        co_name=call.__name__, co_qualname=call.__qualname__, co_filename=call.__code__.co_filename
    )
    overloaded.__code__ = unseen_code(code)
    if function.is_async:
        inspect.markcoroutinefunction(overloaded)
    return overloaded


def _in_order(overloads: tuple[tuple[Argument, ...], ...], count: int, named: Mapping[str, Any]) -> list[Any] | None:
    """The values of keywords by their places behind `count` arguments, by the first overload that takes them all."""
    for overload in overloads:
        left = [argument for argument in overload[count:] if not argument.rest]
        names = [argument.name for argument in left]
        is_missing = any(not (argument.has_default or argument.name in named) for argument in left)
        if named.keys() <= set(names) and not is_missing:
            last = max(map(names.index, named), default=-1)
            return [named.get(name) for name in names[: last + 1]]
    return None
