"""Runs the rewriter, a Wasm file in the wheel `unpanic`, through wasmtime from PyPI.

The rewriter's interface consists of numbers only (rust/rewriter/src/abi.rs): the caller asks for memory, writes the
module there, and reads the result from an address.
"""

from functools import lru_cache
from typing import Any

__all__ = ["DEADLINES", "PLAIN", "ROLLBACK", "NotRewritten", "WasmtimeMissing", "run_rewriter"]

DEADLINES = 1
ROLLBACK = 2
PLAIN = 4


class NotRewritten(Exception):
    """The rewriter did not rewrite the module; the message is its reason."""


class WasmtimeMissing(Exception):
    """wasmtime is not installed."""


def run_rewriter(rewriter: bytes, wasm: bytes, flags: int) -> bytes:
    """Rewrites a module.

    Args:
        rewriter: the rewriter, as a Wasm file.
        wasm: the module.
        flags: what is wanted, added up. `DEADLINES` makes loops and recursion stoppable; with `ROLLBACK` the module
            tracks what it writes, so that a failed call can be undone; with `PLAIN` besides, it becomes code without
            tracking for the state of such a module.

    Returns:
        The rewritten module; the module itself if it was rewritten with the same options before.

    Raises:
        NotRewritten: the module is malformed, or uses what the rewriter does not know.
        WasmtimeMissing: wasmtime is not installed.
    """
    try:
        # Not at the top: it is an extra, and the other commands need not wait until it is loaded.
        import wasmtime
    except ImportError:
        raise WasmtimeMissing from None
    engine, module = _compile(rewriter)
    store = wasmtime.Store(engine)
    exports: Any = wasmtime.Instance(store, module, []).exports(store)
    memory = exports["memory"]
    try:
        memory.write(store, wasm, exports["allocate"](store, len(wasm)) & 0xFFFF_FFFF)
        code = exports["rewrite_module"](store, flags)
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise NotRewritten(f"the rewriter itself failed, which is a bug of unpanic: {reason}") from error
    start = exports["result_address"](store) & 0xFFFF_FFFF
    result = bytes(memory.read(store, start, start + exports["result_length"](store)))
    if code != 0:
        raise NotRewritten(result.decode(errors="replace"))
    return result


@lru_cache(1)
def _compile(rewriter: bytes) -> tuple[Any, Any]:
    """Compiles the rewriter, which takes longer than to rewrite a module; returns its engine and it."""
    import wasmtime

    engine = wasmtime.Engine()
    return engine, wasmtime.Module(engine, rewriter)
