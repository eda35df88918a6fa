"""Values on their way into Rust and out of it.

A converter is made once for each parameter and each result, when a module is loaded.
What it accepts is what Rust can take without changing it: nothing is wrapped around,
cut off or stringified on the way. docs/values.md has the rules, type by type.
"""

import enum
import inspect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from .._bridge.context import Context, find_context
from .._bridge.kinds import ARRAYS
from .._bridge.parameters import GlueParameter
from ..errors import GlueError, RustError
from .buffers import BufferSender, MutableSender, SharedBuffer, SharedSender, is_writable, send_any_buffer
from .callbacks import RustClosure, text_of
from .containers import Packed, Shape, is_data, pack_plain, tidy
from .drafts import Draft, Late, Lent, value_of
from .handles import Held, handle_of
from .numbers import SENDERS, check_text, send_str, string_sender
from .streams import HANDED, draft_async_iterator, draft_stream, send_iterator

__all__ = [
    "Converter",
    "ShapeSource",
    "UntypedValues",
    "adopt",
    "draft_any",
    "from_rust",
    "item_sender",
    "receiver",
    "rust_error",
    "send_any",
    "sender",
]

type Converter = Callable[[Any], Any]
type ShapeSource = Callable[[], Shape | None]

# What no declared type makes something else of.
UNDECIDED = frozenset({str, bool, float, type(None)})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def sender(param: GlueParameter, context: Context, shape: ShapeSource) -> Converter:
    """Makes the converter of a parameter, which returns what the lane takes, a handle of an object, or a draft.

    Args:
        param: the parameter.
        context: that of the module whose function it belongs to.
        shape: gives what the declared type of the parameter decides. It is asked once, when the first value comes that
            the type may decide about.
    """
    kind = param.kind
    if kind in SENDERS:
        return SENDERS[kind]
    if kind == "string":
        return string_sender(context.browser.longest_text)
    if kind.startswith("object:"):
        return _object_sender(kind.removeprefix("object:"), context)
    if kind.startswith("enum:"):
        return _enum_sender(kind.removeprefix("enum:"), context)
    if kind == "array:string":
        return partial(_send_strings, context=context)
    if kind.startswith("array:object:"):
        return _object_list_sender(kind.removeprefix("array:object:"), context)
    if kind.startswith("array:enum:"):
        return _enum_list_sender(kind.removeprefix("array:enum:"), context)
    if kind == "bytes" or kind.startswith("array:"):
        return _buffer_sender(param, context)
    if kind == "function":
        return partial(_send_callable, context=context)
    if kind == "stream":
        return partial(draft_stream, context=context)
    return AnySender(context, shape)


def _buffer_sender(param: GlueParameter, context: Context) -> Converter:
    element = param.kind.removeprefix("array:").replace("bytes", "u8")
    items = partial(from_rust, context=context)
    if param.mutable:
        return MutableSender(element, context.browser, items)
    return SharedSender(element, context, items) if param.shared else BufferSender(element, context.browser, items)


def item_sender(param: GlueParameter, context: Context, shape: ShapeSource) -> Converter:
    """The converter of each argument of a rest parameter; they cross as items of a list, objects as the glue's own."""
    send = sender(param, context, shape)
    if not param.kind.startswith("object:"):
        return send

    def lend(value: Any) -> Lent:
        send(value)  # which refuses what is no object of the class
        return Lent(value)

    return lend


def _items(value: Any, of: str, context: Context) -> list[Any]:
    value = from_rust(value, context)
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        raise TypeError(f"must be a sequence of {of}, not {type(value).__name__}")
    return list(value)


def _send_strings(value: Any, context: Context) -> Any:
    longest = context.browser.longest_text
    return context.browser.to_plain([send_str(item, longest) for item in _items(value, "str", context)])


def _send_callable(value: Any, context: Context) -> Any:
    if not callable(value):
        raise TypeError(f"must be callable, not {type(value).__name__}")
    if context.browser.is_foreign(value):
        return value
    return Late(value.share) if isinstance(value, Held) else Late(partial(context.callbacks.send, value))


def _object_sender(class_name: str, context: Context) -> Converter:
    def send(value: Any) -> Any:
        # Not `isinstance`, which asks the value itself: a mock says that it is of any class.
        if context.classes[class_name] in type(value).__mro__:
            return value.__rust_handle__
        raise TypeError(f"must be {context.name}.{class_name}, not {type(value).__name__}")

    return send


def _object_list_sender(class_name: str, context: Context) -> Converter:
    def send(value: Any) -> Any:
        cls = context.classes[class_name]
        items = _items(value, f"{context.name}.{class_name}", context)
        for at, item in enumerate(items):
            if cls not in type(item).__mro__:
                raise TypeError(f"element {at} must be {context.name}.{class_name}, not {type(item).__name__}")
        return Packed(items, context, Lent)

    return send


def _enum_sender(name: str, context: Context) -> Converter:
    def send(value: Any) -> Any:
        kind = context.enums.get(name)
        return kind(value).value if kind else value_of(draft_any(value, context), "callback")

    return send


def _enum_list_sender(name: str, context: Context) -> Converter:
    send = _enum_sender(name, context)

    def send_all(value: Any) -> Any:
        return context.browser.to_plain([send(item) for item in _items(value, f"{context.name}.{name}", context)])

    return send_all


class AnySender:
    """For a parameter whose values the glue does not tell.

    Args:
        context: that of the module whose function it is.
        shape: see `sender`.
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
    """A value without a known type: as JavaScript takes it, or a draft.

    Args:
        value: anything.
        context: that of the module that gets it.
        shape: what its declared type tells.
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
    made = pack_plain(value, context)
    if made is not None:
        return made
    if is_data(value):
        return Packed(value, context, partial(draft_any, context=context))
    return _draft_other(value, context)


def send_any(value: Any, context: Context, call: str = "callback") -> Any:
    """A value for JavaScript itself: what a callback returns, what a promise brings."""
    return value_of(draft_any(value, context), call)


def _draft_other(value: Any, context: Context) -> Any:
    handle = handle_of(value)
    if handle is not None:
        return Lent(value) if handle.context is context else Late(lambda: Lent(value).value("callback"))
    if isinstance(value, Held):
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
    try:
        memoryview(value)
    except TypeError:
        raise TypeError(f"cannot pass {type(value).__name__!r} to Rust") from None
    made = send_any_buffer(value, context.browser)
    return SharedBuffer(value, made, context) if is_writable(value) else made


def receiver(kind: str, context: Context) -> Converter | None:
    """The converter of a result, or None where the value arrives as it should be."""
    if kind in ("void", "i32", "boolean", "bool"):
        return None
    if kind.startswith("object:"):
        class_name = kind.removeprefix("object:")
        return lambda id_: None if context.browser.is_null(id_) else context.objects.receive(class_name, id_)
    if kind.startswith("enum:"):
        name = kind.removeprefix("enum:")
        return lambda value: _receive_enum(value, context.enums.get(name), context)
    if kind.startswith("array:enum:"):
        of = kind.removeprefix("array:enum:")
        return lambda value: _receive_enums(value, context.enums.get(of), context)
    if kind == "float":
        return lambda value: value if type(value) is float else _receive_float(value, context)
    if kind == "bytes" or kind.removeprefix("array:") in ARRAYS:
        name = ARRAYS[kind.removeprefix("array:").replace("bytes", "u8")][1]
        return lambda value: None if context.browser.is_null(value) else context.browser.from_typed_array(value, name)
    return lambda value: from_rust(value, context)


def _receive_float(value: Any, context: Context) -> Any:
    if type(value) is int or type(value) is str:
        return float(value)
    return from_rust(value, context)  # nothing; or an array, whose elements are what the glue reads as floats


def _receive_enum(value: Any, kind: type[enum.Enum] | None, context: Context) -> Any:
    return from_rust(value, context) if kind is None or context.browser.is_null(value) else kind(value)


def _receive_enums(value: Any, kind: type[enum.Enum] | None, context: Context) -> Any:
    found = from_rust(value, context)
    return found if kind is None or found is None else [kind(item) for item in found]


def from_rust(value: Any, context: Context) -> Any:
    """A value without a known type as a Python value; what only JavaScript knows stays as it is.

    Raises:
        UnicodeEncodeError: a text with half of a surrogate pair, which Rust cannot have made.
    """
    kind = type(value)
    if kind is str:
        if not value.isascii():
            value.encode()
        return value
    if kind is bool or kind is float or kind is int:
        return value
    if isinstance(value, int):
        return int(value)  # Pyodide's JsBigInt
    browser = context.browser
    if browser.is_null(value):
        return None
    if not browser.is_foreign(value):
        return value
    data = browser.from_typed_array(value)
    if data is not None:
        return data
    found = adopt(value, context)
    if found is not None:
        return found
    made = browser.to_python(value, partial(_from_container, context=context))
    return tidy(made, partial(_from_inside, context=context)) if isinstance(made, list | dict | set) else made


def _from_inside(value: Any, context: Context) -> Any:
    """A value that Pyodide has converted together with the container around it."""
    if isinstance(value, memoryview):
        return context.browser.copied(value)  # a typed array
    return value if context.browser.is_foreign(value) else from_rust(value, context)


def _from_container(
    value: Any, again: Callable[[Any], Any], remember: Callable[[Any, Any], None], context: Context
) -> Any:
    """What Pyodide does not convert: for one, an object with a property that is called `constructor`."""
    found = adopt(value, context)
    if found is not None:
        return found
    entries = context.driver.entries(value)
    if context.browser.is_null(entries):
        return value
    made: dict[str, Any] = {}
    remember(value, made)
    for name, inner in entries:
        made[name] = again(inner)
    return made


def adopt(value: Any, context: Context) -> Any:
    """The Python object for something that is neither data nor a number, or None."""
    found = context.driver.adopt(value)
    if context.browser.is_null(found):
        return None
    role, given, *more = found
    if role == "other":
        return _adopt_for(given, more)
    return _adopted(context, value, role, given, more)


def _adopt_for(number: int, found: Any) -> Any:
    """What another module made, as that module's."""
    maker = find_context(number)
    if maker is None or not found:
        return None
    role, given, *more = found
    return _adopted(maker, None, role, given, more)


def _adopted(context: Context, value: Any, role: str, given: Any, more: Any) -> Any:
    if role == "promise":
        return context.supervisor.started(given, more[0] if more else "promise", partial(from_rust, context=context))
    if role == "closure":
        return RustClosure(context, given)
    if role == "callback":
        return context.callbacks.functions.get(given)
    if role == "date":
        return _date(given, value)
    if role == "error":
        return rust_error(context, given, *more)
    if role in HANDED:
        return HANDED[role](context, given)
    return context.objects.receive(role, given)


class UntypedValues:
    """Converts values whose type is not known, for those that this file itself uses: callbacks, closures, iterators."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def draft(self, value: Any) -> Any:
        """An argument of a call."""
        return draft_any(value, self._context)

    def send(self, value: Any, call: str = "callback") -> Any:
        """A value for JavaScript itself: what a callback returns, what a promise brings."""
        return send_any(value, self._context, call)

    def receive(self, value: Any) -> Any:
        """A result, or an argument of a callback."""
        return from_rust(value, self._context)


def _date(milliseconds: float, value: Any) -> Any:
    try:
        return EPOCH + milliseconds * MILLISECOND
    except (OverflowError, ValueError):
        return value  # an invalid date, or one before the year 1 or after 9999


# Errors may hold each other: what is deeper than this is left out.
DEEPEST = 10
_depth = 0


def rust_error(context: Context, value: Any, exception: Any, text: str, more: Any) -> BaseException:
    """The exception for a Rust `Err`, and for what Rust threw on purpose.

    Args:
        context: that of the module where it comes from.
        value: the error; of a JavaScript `Error` its text.
        exception: what a Python callback raised, if it comes back as itself; or the name of one of unpanic's own.
        text: what JavaScript shows of it.
        more: of an `Error` its name; if it tells more a list: its name, the names of its properties, their values, and
            a list that holds its cause, if there is one.
    """
    if isinstance(exception, BaseException):
        return exception
    if exception == GlueError.__name__:
        return GlueError(text)
    received = from_rust(value, context)
    # JavaScript's own text for an object is [object Object].
    error = RustError(received if isinstance(received, str) else repr(received), value=received)
    if isinstance(more, str):
        error.name = more
    elif not context.browser.is_null(more):
        _describe(error, more, context)
    return error


def _describe(error: RustError, more: Any, context: Context) -> None:
    global _depth
    name, names, values, cause = more
    error.name = name
    if _depth >= DEEPEST:
        return
    _depth += 1
    try:
        error.properties = {key: from_rust(value, context) for key, value in zip(names, values, strict=True)}
        for inner in cause:
            found = from_rust(inner, context)
            error.__cause__ = found if isinstance(found, BaseException) else RustError(str(found), value=found)
    finally:
        _depth -= 1
