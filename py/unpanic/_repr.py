"""How an object of an exported class looks: `<bank.Account owner='ada' balance=100>`.

Looking must change nothing, and debuggers and notebooks show objects whenever they like. Getters are Rust code, so they
are read only where Rust can run, of an object that is alive and that no call in flight borrows.
"""

import reprlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._objects import RustObject

__all__ = ["represent"]


class _Values(reprlib.Repr):
    """Shortens what is long; objects inside of objects are shown without their values, two levels down."""

    def __init__(self) -> None:
        super().__init__(maxstring=80, maxother=200, maxlong=80)
        self.levels = 0


_values = _Values()


def represent(obj: "RustObject") -> str:
    """Returns an object with its getters' values, or with what became of it."""
    return f"<{' '.join([obj._rust_path(), *_parts(obj)])}>"


def _parts(obj: "RustObject") -> list[str]:
    if condition := _condition(obj):
        return [condition]
    driver = obj._rust_module.driver
    if not obj._rust_getters:
        return []
    if _values.levels > 1 or not driver.isClear() or driver.isBusy(obj._rust_id):
        return ["…"]
    parts = []
    _values.levels += 1
    try:
        for name in obj._rust_getters:
            text, failed = _read(obj, name)
            parts.append(f"{name}={text}")
            if failed:
                break
    finally:
        _values.levels -= 1
    return parts


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


def _read(obj: "RustObject", name: str) -> tuple[str, bool]:
    """A getter's value as text, and whether the getter failed; of the exported class, not of one that overrides it."""
    cls = obj._rust_module.classes[obj._rust_class]
    try:
        return _values.repr(vars(cls)[name].fget(obj)), False
    except Exception as error:
        return type(error).__name__, True
