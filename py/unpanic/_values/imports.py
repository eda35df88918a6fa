"""Python functions as the imports of a Wasm file: the file tells the types of their arguments and results."""

from collections.abc import Callable, Sequence
from typing import Any

from .._bridge import kinds
from .._unseen import unseen
from .numbers import SENDERS

__all__ = ["FLOATS", "VALUE_KINDS", "typed"]

# The kind of each type of Wasm's.
VALUE_KINDS = {"i32": kinds.I32, "i64": kinds.INT64, "f32": kinds.FLOAT, "f64": kinds.FLOAT}
FLOATS = ("f32", "f64")


def typed(
    function: Callable[..., Any], params: Sequence[str], results: Sequence[str], returned: str
) -> Callable[..., Any]:
    """Returns a function that takes and returns what Wasm does.

    Args:
        function: the user's.
        params: the types of its arguments. JavaScript has one type of number, so a whole float arrives as an int.
        results: the types of its results. What it returns is ignored if there are none.
        returned: words for what it returned, for a note on the exception if that does not fit.
    """
    senders = [SENDERS.get(VALUE_KINDS.get(type_, ""), _unchanged) for type_ in results]

    @unseen
    def call(*args: Any) -> Any:
        result = function(*map(_received, args, params))
        if not senders:
            return None
        try:
            return senders[0](result) if len(senders) == 1 else _send_all(result, senders)
        except (TypeError, ValueError, OverflowError) as error:
            error.add_note(f"in what {returned}, which must be {' and '.join(results)}")
            raise

    return call


def _unchanged(value: Any) -> Any:
    return value


def _received(value: Any, type_: str) -> Any:
    return float(value) if type_ in FLOATS else value


def _send_all(values: Any, senders: Sequence[Callable[[Any], Any]]) -> list[Any]:
    items = list(values)
    if len(items) != len(senders):
        raise ValueError(f"{len(items)} values instead of {len(senders)}")
    return [send(item) for send, item in zip(senders, items, strict=True)]
