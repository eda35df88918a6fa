"""Runs the descriptors of a Wasm file under wasmtime, and records what they tell."""

from collections.abc import Callable
from typing import Any

import wasmtime

from .trimming import trim

__all__ = ["NotRecorded", "record"]

PREFIX = "__wbindgen_describe_"
DESCRIBE = "__wbindgen_describe"


class NotRecorded(Exception):
    """The file cannot be run here; the message says why."""


def record(wasm: bytes) -> dict[str, list[int]]:
    """Returns the numbers that the descriptor of each export tells, by the export's name.

    Args:
        wasm: the content of the file that cargo has built.

    Raises:
        NotRecorded: wasmtime cannot compile or start it.
    """
    config = wasmtime.Config()
    config.wasm_exceptions = True  # a build that unwinds may have the type of an exception
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    told: list[int] = []
    try:
        module = wasmtime.Module(engine, trim(wasm, lambda name: name.startswith(PREFIX)))
        instance = _instantiate(store, module, told.append)
    except (wasmtime.WasmtimeError, wasmtime.Trap, ValueError) as error:
        raise NotRecorded(str(error).strip().splitlines()[-1].strip()) from error
    exports = instance.exports(store)
    recorded = {}
    for export in module.exports:
        if not export.name.startswith(PREFIX) or not isinstance(export.type, wasmtime.FuncType):
            continue
        told.clear()
        try:
            exports[export.name](store)  # type: ignore[operator]
        except (wasmtime.WasmtimeError, wasmtime.Trap):
            continue
        recorded[export.name.removeprefix(PREFIX)] = [number & 0xFFFF_FFFF for number in told]
    return recorded


def _instantiate(store: Any, module: Any, tell: Callable[[int], None]) -> wasmtime.Instance:
    """Makes an instance whose imports do nothing, but for the one that records."""
    linker = wasmtime.Linker(store.engine)
    for each in module.imports:
        if each.name == DESCRIBE:
            linker.define_func(each.module, each.name, each.type, tell)
    linker.define_unknown_imports_as_default_values(store, module)
    return linker.instantiate(store, module)
