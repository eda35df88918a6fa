"""The frames of an exception as the host's debugger shows them. `unpanic_tools/testing/debugging.py` takes them."""

import importlib
import types
from typing import Any

plain: Any = importlib.import_module("unpanic_plain")
# A debugger shows no more of a value than this, and a copy of more would take long.
MOST_LETTERS = 133_000
MOST_ITEMS = 100


def frames(error: BaseException, own: tuple[str, ...]) -> list[dict[str, Any]]:
    """Returns the frames of a traceback as values for JSON, the outermost first.

    Args:
        error: what was raised.
        own: files whose frames are left out.
    """
    found = []
    entry = error.__traceback__
    while entry is not None:
        if entry.tb_frame.f_code.co_filename not in own:
            found.append(_frame(entry))
        entry = entry.tb_next
    return found


def _frame(entry: types.TracebackType) -> dict[str, Any]:
    frame = entry.tb_frame
    code = frame.f_code
    used = {name: frame.f_globals[name] for name in code.co_names if name in frame.f_globals}
    return {
        "file": code.co_filename,
        "name": code.co_name,
        "line": entry.tb_lineno or 1,
        "first": code.co_firstlineno or 1,
        # Rewritten assertions have names with an @.
        "locals": {name: packed(value) for name, value in list(frame.f_locals.items()) if name.isidentifier()},
        "globals": {name: packed(value) for name, value in used.items()},
    }


def packed(value: Any, depth: int = 3) -> dict[str, Any]:
    """A copy of a value, or, where a copy would be something else, how it looks and what is in it."""
    from _pytest._io.saferepr import saferepr

    if plain.is_plain(value):
        copy = plain.encode(value)
        if len(copy) <= MOST_LETTERS:
            return {"copy": copy}
    is_short = depth > 0 and type(value) in (list, tuple, dict) and len(value) <= MOST_ITEMS
    if is_short and type(value) is not dict:
        return {"list": [packed(item, depth - 1) for item in value]}
    if is_short and all(type(name) is str for name in value):
        return {"dict": {name: packed(item, depth - 1) for name, item in value.items()}}
    attributes = _attributes(value) if depth else {}
    return {
        "repr": saferepr(value, maxsize=1000),
        "attributes": {name: packed(each, depth - 1) for name, each in attributes.items()},
    }


def _attributes(value: Any) -> dict[str, Any]:
    """What an object has of its own. No code of its class runs for that."""
    if isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return {}
    try:
        found = object.__getattribute__(value, "__dict__")
        return {name: found[name] for name in list(found)[:MOST_ITEMS]}
    except Exception:
        return {}
