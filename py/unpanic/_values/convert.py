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
from typing import TYPE_CHECKING, Any

from .._bridge.kinds import ARRAYS
from .._declarations.model import Type
from .._exports.description import Parameter
from ..errors import GlueError, RustError
from .buffers import BufferSender, MutableSender, SharedBuffer, SharedSender, is_writable, send_any_buffer
from .callbacks import Handed, RustClosure, text_of
from .containers import Packed, is_data, pack_plain, tidy
from .drafts import Draft, Late, Lent, value_of
from .numbers import SENDERS, check_text, send_str, string_sender
from .streams import HANDED, draft_async_iterator, draft_stream, send_iterator

if TYPE_CHECKING:
    from .._exports.module import Module
    from .._exports.shapes import Shape

__all__ = ["Converter", "adopt", "draft_any", "from_rust", "item_sender", "receiver", "send_any", "sender"]

type Converter = Callable[[Any], Any]

# What no declared type makes something else of.
UNDECIDED = frozenset({str, bool, float, type(None)})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def sender(param: Parameter, module: "Module") -> Converter:
    """The converter of a parameter: what it makes is what the lane takes, an object of the class, or a draft.

    Args:
        param: the parameter.
        module: the module whose function it belongs to.
    """
    kind = param.kind
    if kind in SENDERS:
        return SENDERS[kind]
    if kind == "string":
        return string_sender(module.browser.longest_text)
    if kind.startswith("object:"):
        return _object_sender(kind.removeprefix("object:"), module)
    if kind.startswith("enum:"):
        return _enum_sender(kind.removeprefix("enum:"), module)
    if kind == "array:string":
        return partial(_send_strings, module=module)
    if kind.startswith("array:object:"):
        return _object_list_sender(kind.removeprefix("array:object:"), module)
    if kind.startswith("array:enum:"):
        return _enum_list_sender(kind.removeprefix("array:enum:"), module)
    if kind == "bytes" or kind.startswith("array:"):
        return _buffer_sender(param, module)
    if kind == "function":
        return partial(_send_callable, module=module)
    if kind == "stream":
        return partial(draft_stream, module=module)
    return AnySender(module, param.declared)


def _buffer_sender(param: Parameter, module: "Module") -> Converter:
    element = param.kind.removeprefix("array:").replace("bytes", "u8")
    items = partial(from_rust, module=module)
    if param.mutable:
        return MutableSender(element, module.browser, items)
    return SharedSender(element, module, items) if param.shared else BufferSender(element, module.browser, items)


def item_sender(param: Parameter, module: "Module") -> Converter:
    """The converter of each argument of a rest parameter; they cross as items of a list, objects as the glue's own."""
    send = sender(param, module)
    return (lambda value: Lent(send(value))) if param.kind.startswith("object:") else send


def _items(value: Any, of: str, module: "Module") -> list[Any]:
    value = from_rust(value, module)
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        raise TypeError(f"must be a sequence of {of}, not {type(value).__name__}")
    return list(value)


def _send_strings(value: Any, module: "Module") -> Any:
    longest = module.browser.longest_text
    return module.browser.to_plain([send_str(item, longest) for item in _items(value, "str", module)])


def _send_callable(value: Any, module: "Module") -> Any:
    if not callable(value):
        raise TypeError(f"must be callable, not {type(value).__name__}")
    if module.browser.is_foreign(value):
        return value
    return Late(value.share) if isinstance(value, Handed) else Late(partial(module.callbacks.send, value))


def _object_sender(class_name: str, module: "Module") -> Converter:
    def send(value: Any) -> Any:
        # Not `isinstance`, which asks the value itself: a mock says that it is of any class.
        if module.classes[class_name] in type(value).__mro__:
            return value
        raise TypeError(f"must be {module.name}.{class_name}, not {type(value).__name__}")

    return send


def _object_list_sender(class_name: str, module: "Module") -> Converter:
    def send(value: Any) -> Any:
        cls = module.classes[class_name]
        items = _items(value, f"{module.name}.{class_name}", module)
        for at, item in enumerate(items):
            if cls not in type(item).__mro__:
                raise TypeError(f"element {at} must be {module.name}.{class_name}, not {type(item).__name__}")
        return Packed(items, module, Lent)

    return send


def _enum_sender(name: str, module: "Module") -> Converter:
    def send(value: Any) -> Any:
        kind = module.enums.get(name)
        return kind(value).value if kind else value_of(draft_any(value, module), "callback")

    return send


def _enum_list_sender(name: str, module: "Module") -> Converter:
    send = _enum_sender(name, module)

    def send_all(value: Any) -> Any:
        return module.browser.to_plain([send(item) for item in _items(value, f"{module.name}.{name}", module)])

    return send_all


class AnySender:
    """For a parameter whose values the glue does not tell.

    Args:
        module: the module whose function it is.
        declared: gives the type that a declaration tells, or None; asked when the first value comes that it may decide.
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
    """A value without a known type: as JavaScript takes it, or a draft.

    Args:
        value: anything.
        module: the module that gets it.
        shape: what its declared type tells.
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
    made = pack_plain(value, module)
    if made is not None:
        return made
    return Packed(value, module, partial(draft_any, module=module)) if is_data(value) else _draft_other(value, module)


def send_any(value: Any, module: "Module", call: str = "callback") -> Any:
    """A value for JavaScript itself: what a callback returns, what a promise brings."""
    return value_of(draft_any(value, module), call)


def _draft_other(value: Any, module: "Module") -> Any:
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
    try:
        memoryview(value)
    except TypeError:
        raise TypeError(f"cannot pass {type(value).__name__!r} to Rust") from None
    made = send_any_buffer(value, module.browser)
    return SharedBuffer(value, made, module) if is_writable(value) else made


def receiver(kind: str, module: "Module") -> Converter | None:
    """The converter of a result, or None where the value arrives as it should be."""
    if kind in ("void", "i32", "boolean", "bool"):
        return None
    if kind.startswith("object:"):
        class_name = kind.removeprefix("object:")
        return lambda id_: None if module.browser.is_null(id_) else module.classes[class_name]._adopt(id_)
    if kind.startswith("enum:"):
        name = kind.removeprefix("enum:")
        return lambda value: _receive_enum(value, module.enums.get(name), module)
    if kind.startswith("array:enum:"):
        of = kind.removeprefix("array:enum:")
        return lambda value: _receive_enums(value, module.enums.get(of), module)
    if kind == "float":
        return lambda value: value if type(value) is float else _receive_float(value, module)
    if kind == "bytes" or kind.removeprefix("array:") in ARRAYS:
        name = ARRAYS[kind.removeprefix("array:").replace("bytes", "u8")][1]
        return lambda value: None if module.browser.is_null(value) else module.browser.from_typed_array(value, name)
    return lambda value: from_rust(value, module)


def _receive_float(value: Any, module: "Module") -> Any:
    if type(value) is int or type(value) is str:
        return float(value)
    return from_rust(value, module)  # nothing; or an array, whose elements are what the glue reads as floats


def _receive_enum(value: Any, kind: type[enum.Enum] | None, module: "Module") -> Any:
    return from_rust(value, module) if kind is None or module.browser.is_null(value) else kind(value)


def _receive_enums(value: Any, kind: type[enum.Enum] | None, module: "Module") -> Any:
    found = from_rust(value, module)
    return found if kind is None or found is None else [kind(item) for item in found]


def from_rust(value: Any, module: "Module") -> Any:
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
    browser = module.browser
    if browser.is_null(value):
        return None
    if not browser.is_foreign(value):
        return value
    data = browser.from_typed_array(value)
    if data is not None:
        return data
    found = adopt(value, module)
    if found is not None:
        return found
    made = browser.to_python(value, partial(_from_container, module=module))
    return tidy(made, partial(_from_inside, module=module)) if isinstance(made, list | dict | set) else made


def _from_inside(value: Any, module: "Module") -> Any:
    """A value that Pyodide has converted together with the container around it."""
    if isinstance(value, memoryview):
        return module.browser.copied(value)  # a typed array
    return value if module.browser.is_foreign(value) else from_rust(value, module)


def _from_container(
    value: Any, again: Callable[[Any], Any], remember: Callable[[Any, Any], None], module: "Module"
) -> Any:
    """What Pyodide does not convert: for one, an object with a property that is called `constructor`."""
    found = adopt(value, module)
    if found is not None:
        return found
    entries = module.driver.entries(value)
    if module.browser.is_null(entries):
        return value
    made: dict[str, Any] = {}
    remember(value, made)
    for name, inner in entries:
        made[name] = again(inner)
    return made


def adopt(value: Any, module: "Module") -> Any:
    """The Python object for something that is neither data nor a number, or None."""
    found = module.driver.identify(value)
    if module.browser.is_null(found):
        return None
    role, given, *more = found
    if role == "other":
        return _adopt_for(given, more)
    return _adopted(module, value, role, given, more)


def _adopt_for(number: int, found: Any) -> Any:
    """What another module made, as that module's."""
    from .._exports.registry import by_driver

    maker = by_driver(number)
    if maker is None or not found:
        return None
    role, given, *more = found
    return _adopted(maker, None, role, given, more)


def _adopted(module: "Module", value: Any, role: str, given: Any, more: Any) -> Any:
    if role == "promise":
        return module.supervisor.started(given, more[0] if more else "promise", partial(from_rust, module=module))
    if role == "closure":
        return RustClosure(module, given)
    if role == "callback":
        return module.callbacks.functions.get(given)
    if role == "date":
        return _date(given, value)
    if role == "error":
        return rust_error(module, given, *more)
    if role in HANDED:
        return HANDED[role](module, given)
    return module.classes[role]._adopt(given)


def _date(milliseconds: float, value: Any) -> Any:
    try:
        return EPOCH + milliseconds * MILLISECOND
    except (OverflowError, ValueError):
        return value  # an invalid date, or one before the year 1 or after 9999


# Errors may hold each other: what is deeper than this is left out.
DEEPEST = 10
_depth = 0


def rust_error(module: "Module", value: Any, exception: Any, text: str, more: Any) -> BaseException:
    """The exception for a Rust `Err`, and for what Rust threw on purpose.

    Args:
        module: where it comes from.
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
    received = from_rust(value, module)
    # JavaScript's own text for an object is [object Object].
    error = RustError(received if isinstance(received, str) else repr(received), value=received)
    if isinstance(more, str):
        error.name = more
    elif not module.browser.is_null(more):
        _describe(error, more, module)
    return error


def _describe(error: RustError, more: Any, module: "Module") -> None:
    global _depth
    name, names, values, cause = more
    error.name = name
    if _depth >= DEEPEST:
        return
    _depth += 1
    try:
        error.properties = {key: from_rust(value, module) for key, value in zip(names, values, strict=True)}
        for inner in cause:
            found = from_rust(inner, module)
            error.__cause__ = found if isinstance(found, BaseException) else RustError(str(found), value=found)
    finally:
        _depth -= 1
