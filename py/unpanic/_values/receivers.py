"""Receivers convert what Rust returns, or passes to a callback, into Python values.

A receiver is made once for each result, when a module is loaded. docs/values.md has the rules, type by type.
"""

import enum
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from .._bridge import kinds
from .._bridge.context import Context, find_context
from .._bridge.kinds import ARRAYS, Kind
from ..errors import GlueError, RustError
from .callbacks import RustClosure
from .containers import tidy
from .streams import HANDED

__all__ = ["EPOCH", "MILLISECOND", "Converter", "from_rust", "make_receiver", "rust_error"]

type Converter = Callable[[Any], Any]

# The kinds of results that Pyodide already converts as they should be.
CONVERTED = (kinds.VOID, kinds.I32, kinds.BOOL)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


# Results whose kinds are known.


def make_receiver(kind: Kind, context: Context) -> Converter | None:
    """Returns the converter of a result, or None where the value arrives as it should be."""
    name, class_name = kind.name, kind.class_name
    if name in CONVERTED:
        return None
    if name == kinds.OBJECT:
        return lambda id_: None if context.browser.is_null(id_) else context.objects.receive(class_name, id_)
    if name == kinds.ENUM:
        return lambda value: _receive_enum(value, context.enums.get(class_name), context)
    if kind.is_list_of(kinds.ENUM):
        return lambda value: _receive_enums(value, context.enums.get(class_name), context)
    if name in (kinds.FLOAT, kinds.F32):
        return lambda value: value if type(value) is float else _receive_float(value, context)
    if name == kinds.ARRAY:
        array_name = ARRAYS[kind.element][1]
        return lambda value: (
            None if context.browser.is_null(value) else context.browser.from_typed_array(value, array_name)
        )
    return lambda value: from_rust(value, context)


def _receive_float(value: Any, context: Context) -> Any:
    if type(value) is int or type(value) is str:
        return float(value)
    return from_rust(value, context)  # nothing; or an array, whose elements are what the glue reads as floats


def _receive_enum(value: Any, enum_class: type[enum.Enum] | None, context: Context) -> Any:
    return from_rust(value, context) if enum_class is None or context.browser.is_null(value) else enum_class(value)


def _receive_enums(value: Any, enum_class: type[enum.Enum] | None, context: Context) -> Any:
    items = from_rust(value, context)
    return items if enum_class is None or items is None else [enum_class(item) for item in items]


# Results of any kind.


def from_rust(value: Any, context: Context) -> Any:
    """Converts a value of any kind into a Python value; a value that only JavaScript knows stays as it is.

    Raises:
        UnicodeEncodeError: a text holds half of a surrogate pair, so Rust cannot have made it.
    """
    cls = type(value)
    if cls is str:
        if not value.isascii():
            value.encode()
        return value
    if cls is bool or cls is float or cls is int:
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
    wrapped = _wrap(value, context)
    if wrapped is not None:
        return wrapped
    copied = browser.to_python(value, partial(_from_container, context=context))
    return tidy(copied, partial(_from_inside, context=context)) if isinstance(copied, list | dict | set) else copied


def _from_inside(value: Any, context: Context) -> Any:
    """Converts a value that Pyodide has already converted together with the container around it."""
    if isinstance(value, memoryview):
        return context.browser.copied(value)  # a typed array
    return value if context.browser.is_foreign(value) else from_rust(value, context)


def _from_container(
    value: Any, convert: Callable[[Any], Any], remember: Callable[[Any, Any], None], context: Context
) -> Any:
    """Converts an object that Pyodide leaves as it is, such as one with a property that is called `constructor`.

    Args:
        value: the object.
        convert: Pyodide's own conversion, for what is inside of the object.
        remember: tells Pyodide the Python value of a JavaScript object, because objects may hold each other.
        context: the context of the module that the object comes from.
    """
    wrapped = _wrap(value, context)
    if wrapped is not None:
        return wrapped
    entries = context.driver.entries(value)
    if context.browser.is_null(entries):
        return value
    converted: dict[str, Any] = {}
    remember(value, converted)
    for name, inner in entries:
        converted[name] = convert(inner)
    return converted


# Values that are no data: the runtime says which role they have.


def _wrap(value: Any, context: Context) -> Any:
    """Returns the Python object that stands for a JavaScript object, or None if the object is data."""
    answer = context.driver.identify(value)
    if context.browser.is_null(answer):
        return None
    role, content, *details = answer
    if role == "other":
        return _wrap_of_other_module(content, details)
    return _wrap_by_role(context, value, role, content, details)


def _wrap_of_other_module(number: int, answer: Any) -> Any:
    """Wraps a value that another module made, as an object of that module.

    Args:
        number: the number of that module's driver.
        answer: what that driver says about the value.
    """
    maker = find_context(number)
    if maker is None or not answer:
        return None
    role, content, *details = answer
    return _wrap_by_role(maker, None, role, content, details)


def _wrap_by_role(context: Context, value: Any, role: str, content: Any, details: Any) -> Any:
    if role == "promise":
        return context.supervisor.started(
            content, details[0] if details else "promise", partial(from_rust, context=context)
        )
    if role == "closure":
        return RustClosure(context, content, *details)
    if role == "callback":
        return context.callbacks.functions.get(content)
    if role == "date":
        return _to_datetime(content, value)
    if role == "error":
        return rust_error(context, content, *details)
    if role in HANDED:
        return HANDED[role](context, content)
    return context.objects.receive(role, content, is_typed=False)


def _to_datetime(milliseconds: float, value: Any) -> Any:
    try:
        return EPOCH + milliseconds * MILLISECOND
    except (OverflowError, ValueError):
        return value  # an invalid date, or one before the year 1 or after 9999


# Errors may hold each other. Those that are nested deeper than this are left out.
DEEPEST = 10
_depth = 0


def rust_error(context: Context, value: Any, exception: Any, text: str, more: Any) -> BaseException:
    """Returns the exception for a Rust `Err`, and for what Rust threw on purpose.

    Args:
        context: the context of the module that the error comes from.
        value: the error; of a JavaScript `Error` its text.
        exception: the exception that a Python callback raised, if the error carries one; or the name of one of
            unpanic's own exceptions.
        text: the text that JavaScript shows for the error.
        more: of a JavaScript `Error` its name. If the `Error` has properties or a cause, a list instead: its name, the
            names of its properties, their values, and a list that holds the cause or is empty.
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
        _add_details(error, more, context)
    return error


def _add_details(error: RustError, more: Any, context: Context) -> None:
    """Adds the name, the properties and the cause of a JavaScript `Error`; `more` is as in `rust_error`."""
    global _depth
    name, names, values, causes = more
    error.name = name
    if _depth >= DEEPEST:
        return
    _depth += 1
    try:
        error.properties = {key: from_rust(value, context) for key, value in zip(names, values, strict=True)}
        for inner in causes:
            cause = from_rust(inner, context)
            error.__cause__ = cause if isinstance(cause, BaseException) else RustError(str(cause), value=cause)
    finally:
        _depth -= 1
