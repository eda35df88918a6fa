"""Senders convert what Python passes for a parameter into what Rust takes.

A sender is made once for each parameter, when a module is loaded. It accepts only values that Rust can hold unchanged:
nothing is wrapped around, cut off or stringified on the way. docs/values.md has the rules, type by type.
"""

import enum
import inspect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .._bridge import kinds
from .._bridge.context import Context
from .._bridge.kinds import Kind
from .._bridge.parameters import GlueParameter
from .buffers import BufferSender, MutableSender, SharedSender, send_any_buffer
from .callbacks import text_of
from .containers import Packed, Shape, is_data, pack_plain
from .drafts import Draft, Late, Lent, value_of
from .handles import HandedOut, handle_of
from .numbers import SENDERS, check_text, make_string_sender, send_str
from .receivers import EPOCH, MILLISECOND, Converter, from_rust
from .streams import draft_async_iterator, draft_stream, send_iterator
from .written_buffers import SharedBuffer, is_writable

__all__ = ["ShapeSource", "draft_any", "make_item_sender", "make_sender", "send_any"]

type ShapeSource = Callable[[], Shape | None]

# A declared type does not change what values of these types become.
UNDECIDED = frozenset({str, bool, float, type(None)})


# Parameters whose kinds are known.


def make_sender(param: GlueParameter, context: Context, shape: ShapeSource) -> Converter:
    """Returns the converter of a parameter.

    It makes what the lane takes, or a draft. An object for a parameter of its class becomes its handle.

    Args:
        param: the parameter.
        context: the context of the module whose function it belongs to.
        shape: returns what the declared type of the parameter decides. It is called once, when the first value comes
            whose conversion depends on the type.
    """
    kind = param.kind
    if kind.name in SENDERS:
        return SENDERS[kind.name]
    if kind.name == kinds.STRING:
        return make_string_sender(context.browser.longest_text)
    if kind.name == kinds.OBJECT:
        return _make_object_sender(kind.class_name, context)
    if kind.name == kinds.ENUM:
        return _make_enum_sender(kind.class_name, context)
    if kind.name == kinds.LIST:
        return _make_list_sender(kind, context)
    if kind.name == kinds.ARRAY:
        return _make_buffer_sender(param, context)
    if kind.name == kinds.FUNCTION:
        return partial(_send_callable, context=context)
    if kind.name == kinds.STREAM:
        return partial(draft_stream, context=context)
    return AnySender(context, shape)


def make_item_sender(param: GlueParameter, context: Context, shape: ShapeSource) -> Converter:
    """Returns the converter of each argument of a rest parameter.

    These arguments cross as the items of a list, and objects among them as the glue's own objects.
    """
    send = make_sender(param, context, shape)
    if param.kind.name != kinds.OBJECT:
        return send

    def lend(value: Any) -> Lent:
        send(value)  # which refuses a value that is no object of the class
        return Lent(value)

    return lend


def _make_object_sender(class_name: str, context: Context) -> Converter:
    def send(value: Any) -> Any:
        # `isinstance` would ask the value itself, and a mock says that it is of any class.
        if context.classes[class_name] in type(value).__mro__:
            return value.__rust_handle__
        raise TypeError(f"must be {context.name}.{class_name}, not {type(value).__name__}")

    return send


def _make_enum_sender(name: str, context: Context) -> Converter:
    def send(value: Any) -> Any:
        enum_class = context.enums.get(name)
        return enum_class(value).value if enum_class else value_of(draft_any(value, context), "callback")

    return send


def _make_list_sender(kind: Kind, context: Context) -> Converter:
    if kind.element == kinds.OBJECT:
        return _make_object_list_sender(kind.class_name, context)
    if kind.element == kinds.ENUM:
        return _make_enum_list_sender(kind.class_name, context)
    return partial(_send_strings, context=context)


def _make_object_list_sender(class_name: str, context: Context) -> Converter:
    def send(value: Any) -> Any:
        cls = context.classes[class_name]
        items = _list_items(value, f"{context.name}.{class_name}", context)
        for at, item in enumerate(items):
            if cls not in type(item).__mro__:
                raise TypeError(f"element {at} must be {context.name}.{class_name}, not {type(item).__name__}")
        return Packed(items, context, Lent)

    return send


def _make_enum_list_sender(name: str, context: Context) -> Converter:
    send = _make_enum_sender(name, context)

    def send_all(value: Any) -> Any:
        return context.browser.to_plain([send(item) for item in _list_items(value, f"{context.name}.{name}", context)])

    return send_all


def _send_strings(value: Any, context: Context) -> Any:
    longest = context.browser.longest_text
    return context.browser.to_plain([send_str(item, longest) for item in _list_items(value, "str", context)])


def _list_items(value: Any, noun: str, context: Context) -> list[Any]:
    """Returns the items of a sequence, which may be an array of JavaScript's; `noun` is for the message."""
    value = from_rust(value, context)
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        raise TypeError(f"must be a sequence of {noun}, not {type(value).__name__}")
    return list(value)


def _make_buffer_sender(param: GlueParameter, context: Context) -> Converter:
    element = param.kind.element
    receive = partial(from_rust, context=context)
    if param.mutable:
        return MutableSender(element, context.browser, receive)
    return SharedSender(element, context, receive) if param.shared else BufferSender(element, context.browser, receive)


def _send_callable(value: Any, context: Context) -> Any:
    if not callable(value):
        raise TypeError(f"must be callable, not {type(value).__name__}")
    if context.browser.is_foreign(value):
        return value
    return Late(value.share) if isinstance(value, HandedOut) else Late(partial(context.callbacks.send, value))


# Parameters that take values of any kind.


class AnySender:
    """Converts the values of a parameter whose kind the glue does not tell.

    Args:
        context: the context of the module whose function it is.
        shape: see `make_sender`.
    """

    def __init__(self, context: Context, shape: ShapeSource) -> None:
        self._context = context
        self._shape_source = shape
        self._shape: Shape | None = None
        self._is_known = False

    def __call__(self, value: Any) -> Any:
        if type(value) in UNDECIDED:
            return draft_any(value, self._context)
        if not self._is_known:
            self._shape = self._shape_source()
            self._is_known = True
        return draft_any(value, self._context, self._shape)


def draft_any(value: Any, context: Context, shape: Shape | None = None) -> Any:
    """Converts a value of any kind: returns what JavaScript takes, or a draft.

    Args:
        value: anything.
        context: the context of the module that gets it.
        shape: what the declared type says about the value.
    """
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and shape is None):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, str):
        check_text(value, context.browser.longest_text)
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return draft_any(value.value, context, shape)
    if context.browser.is_foreign(value):
        return value
    if shape is not None:
        value, special = shape.decided(value, context)
        if special or is_data(value):
            return Packed(value, context, partial(draft_any, context=context), shape)
        return value if isinstance(value, Draft) else draft_any(value, context)
    packed = pack_plain(value, context)
    if packed is not None:
        return packed
    if is_data(value):
        return Packed(value, context, partial(draft_any, context=context))
    return _draft_other(value, context)


def send_any(value: Any, context: Context, call: str = "callback") -> Any:
    """Converts a value for JavaScript itself: the result of a callback, or the value of a promise."""
    return value_of(draft_any(value, context), call)


def _draft_other(value: Any, context: Context) -> Any:
    """Converts a value that is neither a number, a text nor data."""
    handle = handle_of(value)
    if handle is not None:
        return Lent(value) if handle.context is context else Late(lambda: Lent(value).value("callback"))
    if isinstance(value, HandedOut):
        return Late(value.share)
    if isinstance(value, datetime):
        return context.browser.date((value.astimezone(UTC) - EPOCH) // MILLISECOND)
    if isinstance(value, BaseException):
        return context.driver.error(text_of(value), value)
    if inspect.isawaitable(value):
        return Late(partial(context.callbacks.send_awaitable, value))
    if hasattr(value, "__aiter__"):
        return draft_async_iterator(value, context)
    if hasattr(value, "__next__"):
        return Late(partial(send_iterator, value, context))
    if callable(value):
        return Late(partial(context.callbacks.send, value))
    return _draft_buffer(value, context)


def _draft_buffer(value: Any, context: Context) -> Any:
    try:
        memoryview(value)
    except TypeError:
        raise TypeError(f"cannot pass {type(value).__name__!r} to Rust") from None
    sent = send_any_buffer(value, context.browser)
    return SharedBuffer(value, sent, context) if is_writable(value) else sent
