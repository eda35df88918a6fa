"""How an object of an exported class looks: `<bank.Account owner='ada' balance=100>`.

Looking must change nothing, and debuggers and notebooks show objects whenever they like. Getters are Rust code, so the
runtime runs them in a copy of the instance (js/src/module/look.js). It does so for an object that is alive and that no
call in flight borrows. Where there can be no copy, only public fields are read. `…` stands for everything that was not
read, and for values that are no plain data.
"""

import reprlib
from typing import Any

from .._bridge import kinds
from .._bridge.crashes import KINDS
from .._values.receivers import make_receiver
from ..errors import RustError
from .description import Function
from .rebuild import StructHandle
from .structs import Struct

__all__ = ["represent"]

UNREAD = "…"
# How a getter can fail, as the runtime calls it: a crash, or an `Err`.
FAILURES = {kind: crash.__name__ for kind, crash in KINDS.items()} | {"error": RustError.__name__}
# The kinds of values that are no plain data.
NOT_DATA = (kinds.OBJECT, kinds.FUNCTION, kinds.STREAM)

_values = reprlib.Repr(maxstring=80, maxother=200, maxlong=80)


def represent(handle: StructHandle) -> str:
    """Returns an object's text: with the values of its getters, or with what became of it."""
    condition = _condition(handle)
    return f"<{' '.join([handle.struct.path, *([condition] if condition else _fields(handle))])}>"


def _condition(handle: StructHandle) -> str:
    """Says why an object cannot be looked at; empty if it can."""
    if handle.fate:
        return handle.fate
    phase = handle.context.supervisor.phase
    if phase in ("unloaded", "terminated"):
        return phase
    consumer = handle.context.driver.consumer(handle.id)
    if consumer:
        return f"moved into {consumer}"
    return "" if handle.is_current() else "stale"


def _fields(handle: StructHandle) -> list[str]:
    struct = handle.struct
    readable = [getter for getter in struct.getters if _is_plain(getter) and getter.name not in struct.crashing_getters]
    failure, values = _read(handle, readable)
    pairs = list(zip(readable, values[::2], values[1::2], strict=False))
    fields = [f"{getter.python}={_show(getter, value, struct)}" for getter, is_plain, value in pairs if is_plain]
    if failure == "timeout":  # shown as unread, now and later, and the others are read without it
        struct.crashing_getters.add(readable[len(pairs)].name)
        return _fields(handle)
    if failure:
        failed = readable[len(pairs)]
        fields.append(f"{failed.python}={FAILURES[failure]}")
        if failure != "error":
            struct.crashing_getters.add(failed.name)
    elif len(fields) < len(struct.getters):
        fields.append(UNREAD)
    return fields


def _read(handle: StructHandle, getters: list[Function]) -> tuple[str, list[Any]]:
    """Reads getters until one fails.

    Returns:
        A key of `FAILURES`, empty if none failed; and for each getter that was read, whether its value is plain data,
        and the value.
    """
    driver = handle.context.driver
    if not getters or not driver.isClear() or driver.isBusy(handle.id):
        return "", []
    failure, *values = driver.look(handle.id, handle.struct.index, "\n".join(getter.name for getter in getters))
    return failure, values


def _is_plain(getter: Function) -> bool:
    """Whether its value can be plain data, as far as the type tells."""
    is_data = getter.result.name not in NOT_DATA and not getter.result.is_list_of(kinds.OBJECT)
    return is_data and not getter.is_async


def _show(getter: Function, value: Any, struct: Struct) -> str:
    receive = make_receiver(getter.result, struct.context)
    try:
        return _values.repr(receive(value) if receive else value)
    except Exception as error:
        return type(error).__name__
