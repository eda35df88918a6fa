"""Senders convert what Python passes for a parameter into what Rust takes.

A sender is made once for each parameter, when a module is loaded. It accepts only values that Rust can hold unchanged:
nothing is wrapped around, cut off or stringified on the way. docs/values.md has the rules, type by type.
"""

import enum
import inspect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from .._bridge import kinds
from .._bridge.kinds import Kind
from .._declarations.model import Type
from .._exports.description import Parameter
from .buffers import BufferSender, MutableSender, SharedSender, send_any_buffer
from .callbacks import Handed, text_of
from .containers import Packed, is_data, pack_plain
from .drafts import Draft, Late, Lent, value_of
from .numbers import SENDERS, check_text, make_string_sender, send_str
from .receivers import EPOCH, MILLISECOND, Converter, from_rust
from .streams import draft_async_iterator, draft_stream, send_iterator
from .written_buffers import SharedBuffer, is_writable

if TYPE_CHECKING:
    from .._exports.module import Module
    from .._exports.shapes import Shape

__all__ = ["draft_any", "make_item_sender", "make_sender", "send_any"]

# A declared type does not change what values of these types become.
UNDECIDED = frozenset({str, bool, float, type(None)})


# Parameters whose kinds are known.


def make_sender(param: Parameter, module: "Module") -> Converter:
    """Returns the converter of a parameter.

    It makes what the lane takes, or a draft. An object for a parameter of its class stays as it is.

    Args:
        param: the parameter.
        module: the module whose function it belongs to.
    """
    kind = param.kind
    if kind.name in SENDERS:
        return SENDERS[kind.name]
    if kind.name == kinds.STRING:
        return make_string_sender(module.browser.longest_text)
    if kind.name == kinds.OBJECT:
        return _make_object_sender(kind.class_name, module)
    if kind.name == kinds.ENUM:
        return _make_enum_sender(kind.class_name, module)
    if kind.name == kinds.LIST:
        return _make_list_sender(kind, module)
    if kind.name == kinds.ARRAY:
        return _make_buffer_sender(param, module)
    if kind.name == kinds.FUNCTION:
        return partial(_send_callable, module=module)
    if kind.name == kinds.STREAM:
        return partial(draft_stream, module=module)
    return AnySender(module, param.declared)


def make_item_sender(param: Parameter, module: "Module") -> Converter:
    """Returns the converter of each argument of a rest parameter.

    These arguments cross as the items of a list, and objects among them as the glue's own objects.
    """
    send = make_sender(param, module)
    return (lambda value: Lent(send(value))) if param.kind.name == kinds.OBJECT else send


def _make_object_sender(class_name: str, module: "Module") -> Converter:
    def send(value: Any) -> Any:
        # `isinstance` would ask the value itself, and a mock says that it is of any class.
        if module.classes[class_name] in type(value).__mro__:
            return value
        raise TypeError(f"must be {module.name}.{class_name}, not {type(value).__name__}")

    return send


def _make_enum_sender(name: str, module: "Module") -> Converter:
    def send(value: Any) -> Any:
        enum_class = module.enums.get(name)
        return enum_class(value).value if enum_class else value_of(draft_any(value, module), "callback")

    return send


def _make_list_sender(kind: Kind, module: "Module") -> Converter:
    if kind.element == kinds.OBJECT:
        return _make_object_list_sender(kind.class_name, module)
    if kind.element == kinds.ENUM:
        return _make_enum_list_sender(kind.class_name, module)
    return partial(_send_strings, module=module)


def _make_object_list_sender(class_name: str, module: "Module") -> Converter:
    def send(value: Any) -> Any:
        cls = module.classes[class_name]
        items = _list_items(value, f"{module.name}.{class_name}", module)
        for at, item in enumerate(items):
            if cls not in type(item).__mro__:
                raise TypeError(f"element {at} must be {module.name}.{class_name}, not {type(item).__name__}")
        return Packed(items, module, Lent)

    return send


def _make_enum_list_sender(name: str, module: "Module") -> Converter:
    send = _make_enum_sender(name, module)

    def send_all(value: Any) -> Any:
        return module.browser.to_plain([send(item) for item in _list_items(value, f"{module.name}.{name}", module)])

    return send_all


def _send_strings(value: Any, module: "Module") -> Any:
    longest = module.browser.longest_text
    return module.browser.to_plain([send_str(item, longest) for item in _list_items(value, "str", module)])


def _list_items(value: Any, noun: str, module: "Module") -> list[Any]:
    """Returns the items of a sequence, which may be an array of JavaScript's; `noun` is for the message."""
    value = from_rust(value, module)
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        raise TypeError(f"must be a sequence of {noun}, not {type(value).__name__}")
    return list(value)


def _make_buffer_sender(param: Parameter, module: "Module") -> Converter:
    element = param.kind.element
    receive = partial(from_rust, module=module)
    if param.mutable:
        return MutableSender(element, module.browser, receive)
    return SharedSender(element, module, receive) if param.shared else BufferSender(element, module.browser, receive)


def _send_callable(value: Any, module: "Module") -> Any:
    if not callable(value):
        raise TypeError(f"must be callable, not {type(value).__name__}")
    if module.browser.is_foreign(value):
        return value
    return Late(value.share) if isinstance(value, Handed) else Late(partial(module.callbacks.send, value))


# Parameters that take values of any kind.


class AnySender:
    """Converts the values of a parameter whose kind the glue does not tell.

    Args:
        module: the module whose function it is.
        declared: returns the declared type of the parameter, or None. It is called when the first value comes whose
            conversion depends on the type.
    """

    def __init__(self, module: "Module", declared: Callable[[], Type | None]) -> None:
        self._module = module
        self._declared = declared
        self._shape: Shape | None = None
        self._is_known = False

    def __call__(self, value: Any) -> Any:
        if type(value) in UNDECIDED:
            return draft_any(value, self._module)
        if not self._is_known:
            self._shape = self._module.shapes.of([self._declared()])
            self._is_known = True
        return draft_any(value, self._module, self._shape)


def draft_any(value: Any, module: "Module", shape: "Shape | None" = None) -> Any:
    """Converts a value of any kind: returns what JavaScript takes, or a draft.

    Args:
        value: anything.
        module: the module that gets it.
        shape: what the declared type says about the value.
    """
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and shape is None):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, str):
        check_text(value, module.browser.longest_text)
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return draft_any(value.value, module, shape)
    if module.browser.is_foreign(value):
        return value
    if shape is not None:
        value, special = shape.decided(value, module)
        if special or is_data(value):
            return Packed(value, module, partial(draft_any, module=module), shape)
        return value if isinstance(value, Draft) else draft_any(value, module)
    packed = pack_plain(value, module)
    if packed is not None:
        return packed
    return Packed(value, module, partial(draft_any, module=module)) if is_data(value) else _draft_other(value, module)


def send_any(value: Any, module: "Module", call: str = "callback") -> Any:
    """Converts a value for JavaScript itself: the result of a callback, or the value of a promise."""
    return value_of(draft_any(value, module), call)


def _draft_other(value: Any, module: "Module") -> Any:
    """Converts a value that is neither a number, a text nor data."""
    from .._exports.objects import RustObject

    if RustObject in type(value).__mro__:
        return Lent(value) if value._rust_module is module else Late(partial(value._rust_share, "callback"))
    if isinstance(value, Handed):
        return Late(value.share)
    if isinstance(value, datetime):
        return module.browser.date((value.astimezone(UTC) - EPOCH) // MILLISECOND)
    if isinstance(value, BaseException):
        return module.driver.error(text_of(value), value)
    if inspect.isawaitable(value):
        return Late(partial(module.callbacks.send_awaitable, value))
    if hasattr(value, "__aiter__"):
        return draft_async_iterator(value, module)
    if hasattr(value, "__next__"):
        return Late(partial(send_iterator, value, module))
    if callable(value):
        return Late(partial(module.callbacks.send, value))
    return _draft_buffer(value, module)


def _draft_buffer(value: Any, module: "Module") -> Any:
    try:
        memoryview(value)
    except TypeError:
        raise TypeError(f"cannot pass {type(value).__name__!r} to Rust") from None
    sent = send_any_buffer(value, module.browser)
    return SharedBuffer(value, sent, module) if is_writable(value) else sent
