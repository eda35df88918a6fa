"""How an object of an exported class looks: `<bank.Account owner='ada' balance=100>`.

Looking must change nothing, and debuggers and notebooks show objects whenever they like. Getters are Rust code, so the
runtime runs them in a copy of the instance (js/src/module/look.js), of an object that is alive and that no call in
flight borrows. Where there can be no copy only public fields are read. `…` stands for what was not: also for
values that are no plain data.
"""

import reprlib
from typing import TYPE_CHECKING, Any

from .._bridge import kinds
from .._bridge.crashes import KINDS
from .._values.receivers import make_receiver
from ..errors import RustError
from .description import Function

if TYPE_CHECKING:
    from .objects import RustObject

__all__ = ["represent"]

UNREAD = "…"
# How a getter can fail, as the runtime calls it: a crash, or an `Err`.
FAILURES = {kind: crash.__name__ for kind, crash in KINDS.items()} | {"error": RustError.__name__}
# The kinds of values that are no plain data.
NOT_DATA = (kinds.OBJECT, kinds.FUNCTION, kinds.STREAM)

_values = reprlib.Repr(maxstring=80, maxother=200, maxlong=80)


def represent(obj: "RustObject") -> str:
    """Returns an object with its getters' values, or with what became of it."""
    return f"<{' '.join([obj._rust_path(), *_parts(obj)])}>"


def _parts(obj: "RustObject") -> list[str]:
    if condition := _condition(obj):
        return [condition]
    getters = obj._rust_getters
    plain = [getter for getter in getters if _is_plain(getter) and not _has_crashed(obj, getter)]
    driver = obj._rust_module.driver
    looked: Any = ("",)
    if plain and driver.isClear() and not driver.isBusy(obj._rust_id):
        looked = driver.look(obj._rust_id, obj._rust_index, "\n".join(getter.name for getter in plain))
    failure, *read = looked
    found = list(zip(plain, read[::2], read[1::2], strict=False))
    parts = [f"{getter.python}={_show(obj, getter, value)}" for getter, is_plain, value in found if is_plain]
    if failure:
        failed = plain[len(found)]
        parts.append(f"{failed.python}={FAILURES[failure]}")
        if failure != "error":
            obj._rust_module.crashing_getters.add((obj._rust_class, failed.name))
    elif len(parts) < len(getters):
        parts.append(UNREAD)
    return parts


def _is_plain(getter: Function) -> bool:
    """Whether its value can be plain data, as far as the type tells."""
    is_data = getter.result.name not in NOT_DATA and not getter.result.is_list_of(kinds.OBJECT)
    return is_data and not getter.is_async


def _has_crashed(obj: "RustObject", getter: Function) -> bool:
    return (obj._rust_class, getter.name) in obj._rust_module.crashing_getters


def _show(obj: "RustObject", getter: Function, value: Any) -> str:
    receive = make_receiver(getter.result, obj._rust_module)
    try:
        return _values.repr(receive(value) if receive else value)
    except Exception as error:
        return type(error).__name__


def _condition(obj: "RustObject") -> str:
    """What became of an object that cannot be looked at; empty: it can."""
    module = obj._rust_module
    supervisor = module.supervisor
    if obj._rust_fate:
        return obj._rust_fate
    if supervisor.phase in ("unloaded", "terminated"):
        return supervisor.phase
    if obj._rust_generation < 0:
        return "not made"
    consumer = module.driver.consumer(obj._rust_id)
    if consumer:
        return f"moved into {consumer}"
    return "" if obj._rust_generation == supervisor.generation else "stale"
