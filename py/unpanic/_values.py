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

from ._buffers import ARRAYS, BufferSender, MutableSender, UntypedMutableSender, send_any_buffer
from ._callables import Handed, RustClosure, text_of
from ._containers import Survey, fields_of, is_data, is_record, tidy
from ._numbers import SENDERS, refuse_surrogates, send_str
from ._streams import HANDED, send_async_iterator, send_iterator, send_stream
from .errors import GlueError, RustError

if TYPE_CHECKING:
    from ._module import Module

__all__ = ["Converter", "adopt", "from_rust", "item_sender", "receiver", "send_any", "sender"]

type Converter = Callable[[Any], Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def sender(kind: str, module: "Module", call: str, *, mutable: bool = False) -> Converter:
    """The converter of a parameter.

    Args:
        kind: what the parameter takes (js/src/types.d.ts).
        module: the module whose function it belongs to.
        call: the function's name.
        mutable: Rust writes into the argument. The converter then has a method `after(value, converted)`, to be
            called with the argument and what the converter made of it when the call has ended, also by an error.
    """
    if kind in SENDERS:
        return SENDERS[kind]
    if kind.startswith("object:"):
        return _object_sender(kind.removeprefix("object:"), module, call)
    if kind.startswith("enum:"):
        return _enum_sender(kind.removeprefix("enum:"), module)
    if kind == "array:string":
        return partial(_send_strings, module=module)
    if kind.startswith("array:object:"):
        return _object_list_sender(kind.removeprefix("array:object:"), module, call)
    if kind == "bytes" or kind.startswith("array:"):
        element = kind.removeprefix("array:").replace("bytes", "u8")
        make = MutableSender if mutable else BufferSender
        return make(element, module.host, partial(from_rust, module=module))
    if kind == "function":
        return partial(_send_callable, module=module)
    if kind == "stream":
        return partial(send_stream, module=module)
    send = partial(send_any, module=module, call=call)
    return UntypedMutableSender(send, module.host) if mutable else send


def item_sender(kind: str, module: "Module", call: str) -> Converter:
    """The converter of each argument of a rest parameter; they cross as items of a list, objects as the glue's own."""
    send = sender(kind, module, call)
    if not kind.startswith("object:"):
        return send

    def send_object(value: Any) -> Any:
        send(value)  # refuses what is no such object
        return send_any(value, module, call)

    return send_object


def _items(value: Any, of: str, module: "Module") -> list[Any]:
    value = from_rust(value, module)
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        raise TypeError(f"must be a sequence of {of}, not {type(value).__name__}")
    return list(value)


def _send_strings(value: Any, module: "Module") -> Any:
    return module.host.to_javascript([send_str(item) for item in _items(value, "str", module)])


def _send_callable(value: Any, module: "Module") -> Any:
    if callable(value):
        return send_any(value, module) if isinstance(value, Handed) else _send_function(value, module)
    raise TypeError(f"must be callable, not {type(value).__name__}")


def _send_function(value: Any, module: "Module") -> Any:
    return value if module.host.is_foreign(value) else module.callbacks.send(value)


def _object_sender(class_name: str, module: "Module", call: str) -> Converter:
    def send(value: Any) -> int:
        cls = module.classes[class_name]
        if isinstance(value, cls):
            return value._live(call)
        raise TypeError(f"must be {module.name}.{class_name}, not {type(value).__name__}")

    return send


def _object_list_sender(class_name: str, module: "Module", call: str) -> Converter:
    def send(value: Any) -> Any:
        cls = module.classes[class_name]
        items = _items(value, f"{module.name}.{class_name}", module)
        for at, item in enumerate(items):
            if not isinstance(item, cls):
                raise TypeError(f"element {at} must be {module.name}.{class_name}, not {type(item).__name__}")
        return send_any(items, module, call)

    return send


def _enum_sender(name: str, module: "Module") -> Converter:
    def send(value: Any) -> Any:
        kind = module.enums.get(name)
        return kind(value).value if kind else send_any(value, module)

    return send


def send_any(value: Any, module: "Module", call: str = "callback") -> Any:
    """An argument for a parameter whose type is not known, or what a callback returns."""
    if value is None or isinstance(value, bool | int | float):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, str):
        refuse_surrogates(value)
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return send_any(value.value, module, call)
    if module.host.is_foreign(value):
        return value
    if is_data(value):
        return _send_data(value, module, call)
    return _send_other(value, module, call)


def _send_data(value: Any, module: "Module", call: str) -> Any:
    survey = Survey(value)

    def convert(inner: Any) -> Any:
        if is_record(inner):
            return fields_of(inner)
        return set(inner) if isinstance(inner, frozenset) else send_any(inner, module, call)

    if survey.is_cyclic or survey.has_maps:
        return module.host.to_javascript_linked(survey.containers, convert)
    return module.host.to_javascript(value, convert if survey.has_others else None)


def _send_other(value: Any, module: "Module", call: str) -> Any:
    from ._objects import RustObject

    if isinstance(value, RustObject):
        return value._rust_share(call)
    if isinstance(value, Handed):
        return value.share()
    if isinstance(value, datetime):
        return module.host.date((value.astimezone(UTC) - EPOCH) // MILLISECOND)
    if isinstance(value, BaseException):
        return module.driver.error(text_of(value), value)
    if inspect.isawaitable(value):
        return module.callbacks.send_awaitable(value)
    if hasattr(value, "__aiter__"):
        return send_async_iterator(value, module)
    if hasattr(value, "__next__"):
        return send_iterator(value, module)
    if callable(value):
        return module.callbacks.send(value)
    try:
        memoryview(value)
    except TypeError:
        raise TypeError(f"cannot pass {type(value).__name__!r} to Rust") from None
    return send_any_buffer(value, module.host)


def receiver(kind: str, module: "Module") -> Converter | None:
    """The converter of a result, or None where the value arrives as it should be."""
    if kind in ("void", "i32", "boolean", "bool"):
        return None
    if kind.startswith("object:"):
        class_name = kind.removeprefix("object:")
        return lambda id_: None if module.host.is_null(id_) else module.classes[class_name]._adopt(id_)
    if kind.startswith("enum:"):
        name = kind.removeprefix("enum:")
        return lambda value: _receive_enum(value, module.enums.get(name), module)
    if kind == "float":
        return lambda value: None if module.host.is_null(value) else float(value)
    if kind == "bytes" or kind.removeprefix("array:") in ARRAYS:
        name = ARRAYS[kind.removeprefix("array:").replace("bytes", "u8")][1]
        return lambda value: None if module.host.is_null(value) else module.host.from_typed_array(value, name)
    return lambda value: from_rust(value, module)


def _receive_enum(value: Any, kind: type[enum.Enum] | None, module: "Module") -> Any:
    return from_rust(value, module) if kind is None or module.host.is_null(value) else kind(value)


def from_rust(value: Any, module: "Module") -> Any:
    """A value without a known type as a Python value; what only JavaScript knows stays as it is.

    Raises:
        UnicodeEncodeError: a text with half of a surrogate pair, which Rust cannot have made.
    """
    kind = type(value)
    if kind is str:
        refuse_surrogates(value)
        return value
    if kind is bool or kind is float or kind is int:
        return value
    if isinstance(value, int):
        return int(value)  # Pyodide's JsBigInt
    host = module.host
    if host.is_null(value):
        return None
    if not host.is_foreign(value):
        return value
    data = host.from_typed_array(value)
    if data is not None:
        return data
    found = adopt(value, module)
    if found is not None:
        return found
    made = host.to_python(value, partial(_from_container, module=module))
    return tidy(made, partial(_from_inside, module=module)) if isinstance(made, list | dict | set) else made


def _from_inside(value: Any, module: "Module") -> Any:
    """A value that Pyodide has converted together with the container around it."""
    if isinstance(value, memoryview):
        return module.host.copied(value)  # a typed array
    return value if module.host.is_foreign(value) else from_rust(value, module)


def _from_container(value: Any, module: "Module") -> Any:
    found = adopt(value, module)
    return value if found is None else found


def adopt(value: Any, module: "Module") -> Any:
    """The Python object for something that is neither data nor a number, or None."""
    found = module.driver.adopt(value)
    if module.host.is_null(found):
        return None
    role, given, *more = found
    if role == "other":
        return _adopt_for(given, more)
    return _adopted(module, value, role, given, more)


def _adopt_for(number: int, found: Any) -> Any:
    """What another module made, as that module's."""
    from ._module import by_driver

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
    elif not module.host.is_null(more):
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
