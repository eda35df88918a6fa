"""The conversion of values whose kind and type nothing tells.

Callbacks, closures and iterators reach it through the context of their module, because the senders and receivers
convert callbacks, closures and iterators themselves.
"""

from typing import Any

from .._bridge.context import Context
from .receivers import from_rust
from .senders import draft_any, send_any

__all__ = ["UntypedValues"]


class UntypedValues:
    """Converts values of any kind for one module.

    Args:
        context: the context of the module.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def draft(self, value: Any) -> Any:
        """Converts an argument of a call."""
        return draft_any(value, self._context)

    def send(self, value: Any, call: str = "callback") -> Any:
        """Converts a value for JavaScript itself: the result of a callback, or the value of a promise."""
        return send_any(value, self._context, call)

    def receive(self, value: Any) -> Any:
        """Converts a result, or an argument of a callback."""
        return from_rust(value, self._context)
