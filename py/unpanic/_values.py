"""Values on their way into Rust and out of it.

A converter is made once for each parameter and each result, when a module is loaded.
What it accepts is what Rust can take without changing it: nothing is wrapped around,
cut off or stringified on the way.
"""

import array
import enum
import operator
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .errors import RustError

if TYPE_CHECKING:
    from ._module import Module

__all__ = ["Converter", "check_depth", "from_rust", "receiver", "sender"]

type Converter = Callable[[Any], Any]

# Mostly the glue does not tell u32 from i32, so either range is taken.
RANGES = {
    "i8": (-(2**7), 2**7 - 1, "an i8"),
    "u8": (0, 2**8 - 1, "a u8"),
    "i16": (-(2**15), 2**15 - 1, "an i16"),
    "u16": (0, 2**16 - 1, "a u16"),
    "i32": (-(2**31), 2**32 - 1, "a 32-bit integer"),
    "s32": (-(2**31), 2**31 - 1, "an i32"),
    "u32": (0, 2**32 - 1, "a u32"),
    "i64": (-(2**63), 2**63 - 1, "an i64"),
    "u64": (0, 2**64 - 1, "a u64"),
    "i128": (-(2**127), 2**127 - 1, "an i128"),
    "u128": (0, 2**128 - 1, "a u128"),
    "int64": (-(2**63), 2**64 - 1, "a 64-bit integer"),
}
EXACT_IN_FLOAT = 2**53
# Pyodide converts what is nested by recursion, and what is too deep ends the interpreter: at 6,000 levels on a page.
MOST_LEVELS = 1_000
# The elements of JavaScript's typed arrays, as the array module names them.
TYPECODES = {
    "i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q",
    "f32": "f", "f64": "d",
}  # fmt: skip


def sender(kind: str, module: "Module", call: str) -> Converter:
    """The converter of a parameter.

    Args:
        kind: what the parameter takes (js/src/types.d.ts).
        module: the module whose function it belongs to.
        call: the function's name.
    """
    if kind in RANGES:
        return _integer_sender(*RANGES[kind])
    if kind.startswith("object:"):
        return _object_sender(kind.removeprefix("object:"), module, call)
    if kind.startswith("enum:"):
        return _enum_sender(kind.removeprefix("enum:"), module)
    if kind == "bytes" or kind.startswith("array:"):
        element = kind.removeprefix("array:").replace("bytes", "u8")
        return lambda value: _send_array(value, element, module)
    if kind in ("any", "unknown", "word", "void"):
        return partial(module.send_any, call=call)
    if kind == "function":
        return lambda value: _send_callable(value, module)
    return SIMPLE_SENDERS[kind]


def _integer_sender(low: int, high: int, name: str) -> Converter:
    def send(value: Any) -> int:
        number = operator.index(value)
        if low <= number <= high:
            return number
        raise OverflowError(f"{number} does not fit {name} ({low} to {high})")

    return send


def _send_float(value: Any) -> float:
    if isinstance(value, str | bytes):
        raise TypeError(f"must be a real number, not {type(value).__name__}")
    return float(value)


def _send_number(value: Any) -> int | float:
    # Integer or float: the glue does not tell.
    if isinstance(value, float):
        return value
    number = operator.index(value)
    if abs(number) > EXACT_IN_FLOAT:
        raise OverflowError(f"{number} is beyond the integers that a JavaScript number holds exactly")
    return number


def _send_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"must be bool, not {type(value).__name__}")


def _send_str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"must be str, not {type(value).__name__}")
    if not value.isascii():
        value.encode()  # UnicodeEncodeError: a lone surrogate, which Rust's strings cannot hold
    return value


def _send_char(value: Any) -> str:
    if len(_send_str(value)) != 1:
        raise TypeError(f"must be a single character, not a string of length {len(value)}")
    return value  # type: ignore[no-any-return]


SIMPLE_SENDERS: dict[str, Converter] = {
    "float": _send_float,
    "number": _send_number,
    "bigint": operator.index,
    "bool": _send_bool,
    "boolean": _send_bool,
    "string": _send_str,
    "char": _send_char,
}


def _send_array(value: Any, element: str, module: "Module") -> Any:
    """A sequence or a buffer as a typed array; of another type, each of its elements has to fit."""
    given, value = value, from_rust(value, module)
    if element == "string":
        return module.host.to_javascript([_send_str(item) for item in _items(value, "str")], module.send_any)
    code = TYPECODES[element]
    items: bytes | list[Any]
    try:
        view = memoryview(value)
    except TypeError:
        items = _items(value, "numbers")
    else:
        same = view.format == code or (element == "u8" and view.format == "c")
        if same and hasattr(given, "BYTES_PER_ELEMENT"):
            return given  # a typed array, uncopied so that Rust can write into it
        items = view.tobytes() if same else _numbers(view)
    # What array itself makes of bytes is memory, not numbers: just so where the types are the same.
    return module.host.to_javascript(array.array(code, items), module.send_any)


def _numbers(view: memoryview) -> list[Any]:
    try:
        return view.tolist()
    except NotImplementedError:
        raise TypeError(f"must be a buffer of numbers, not of the format {view.format!r}") from None


def _items(value: Any, of: str) -> list[Any]:
    if isinstance(value, str | bytes | memoryview) or not isinstance(value, Sequence):
        raise TypeError(f"must be a sequence of {of}, not {type(value).__name__}")
    return list(value)


def _send_callable(value: Any, module: "Module") -> Any:
    if callable(value):
        return value if module.host.is_foreign(value) else module.send_callable(value)
    raise TypeError(f"must be callable, not {type(value).__name__}")


def _object_sender(class_name: str, module: "Module", call: str) -> Converter:
    def send(value: Any) -> int:
        cls = module.classes[class_name]
        if isinstance(value, cls):
            return value._live(call)
        raise TypeError(f"must be {module.name}.{class_name}, not {type(value).__name__}")

    return send


def _enum_sender(name: str, module: "Module") -> Converter:
    def send(value: Any) -> Any:
        kind = module.enums.get(name)
        return kind(value).value if kind else module.send_any(value)

    return send


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
    return lambda value: from_rust(value, module)


def _receive_enum(value: Any, kind: type[enum.Enum] | None, module: "Module") -> Any:
    return from_rust(value, module) if kind is None or module.host.is_null(value) else kind(value)


def from_rust(value: Any, module: "Module") -> Any:
    """A value without a known type: a Python value, an object of an exported class, a closure, or as it is."""
    kind = type(value)
    if kind is str or kind is bool or kind is float or kind is int:
        return value
    if isinstance(value, int):
        return int(value)  # Pyodide's JsBigInt
    if module.host.is_null(value):
        return None
    if not module.host.is_foreign(value):
        return value
    data = module.host.to_bytes(value)
    if data is not None:
        return data
    adopted = module.adopt(value)
    if adopted is not None:
        return adopted
    return module.host.to_python(value, lambda inner: _from_container(inner, module))


def _from_container(value: Any, module: "Module") -> Any:
    adopted = module.adopt(value)
    return value if adopted is None else adopted


def rust_error(value: Any, text: str, module: "Module") -> RustError:
    """The exception for a Rust `Err`."""
    received = from_rust(value, module) if value is not None else text
    # JavaScript's own text for an object is [object Object].
    return RustError(received if isinstance(received, str) else repr(received), value=received)


def check_depth(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> None:
    """Refuses what would use up the interpreter's stack on its way.

    Raises:
        ValueError: it is nested more than 1,000 levels deep.
    """
    seen = {id(value)}
    path = [_inside(value)]
    while path:
        for inner in path[-1]:
            if isinstance(inner, list | tuple | dict) and id(inner) not in seen:
                seen.add(id(inner))
                path.append(_inside(inner))
                break
        else:
            path.pop()
        if len(path) > MOST_LEVELS:
            raise ValueError(f"nested more than {MOST_LEVELS:,} levels deep")


def _inside(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> Iterator[Any]:
    return iter(value.values() if isinstance(value, dict) else value)
