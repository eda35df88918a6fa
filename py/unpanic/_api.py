"""The functions that take a loaded module, as `importlib.reload` does. Those that load one are in `_load`."""

import types
from collections.abc import Callable
from typing import Any

from . import _importing
from ._exports import registry
from ._exports.objects import RustObject, set_rebuild
from ._recovery.capsules import call_again
from ._recovery.filling import ResetCallback
from ._recovery.parcels import CAPSULE, STATE, Parcel
from ._recovery.points import Checkpoint
from ._recovery.reports import PanicHook
from ._recovery.transactions import Transaction
from ._views.status import Status, read_status
from ._views.timeline import Timeline, read_timeline

__all__ = [
    "checkpoint",
    "on_reset",
    "replay",
    "reset",
    "restore",
    "set_panic_hook",
    "status",
    "timeline",
    "track",
    "transaction",
    "unload",
]


def reset(module: types.ModuleType) -> None:
    """Drops this generation now and makes the next one, in the state of the start.

    Async calls in flight end in `CallInterrupted`. Where the browser makes no instance of
    that size at once and no spare is ready, this returns before the next one is there. While Rust is on the stack, in a
    callback for example, the running call is interrupted when the callback returns, and
    the next generation comes after it.

    Raises:
        ModuleTerminated: the module has ended, or its next generation did not start.

    Example:
        >>> unpanic.reset(bank)
    """
    registry.of(module).supervisor.reset()


def unload(module: types.ModuleType) -> None:
    """Ends a module: calls in flight end in `CallInterrupted`, later ones in `ModuleTerminated`.

    Example:
        >>> unpanic.unload(bank)
    """
    registry.of(module).supervisor.unload()
    _importing.forget(module)


def set_panic_hook(module: types.ModuleType, hook: PanicHook | None) -> None:
    """Names the function that hears of every panic, before the exception is raised.

    Args:
        module: what `load` returned.
        hook: called with the `RustPanic`. None brings back the default, which logs to the
            `unpanic` logger: at ERROR what no caller gets, such as a timer's panic, else at
            DEBUG. What the hook itself raises is logged and added to the panic as a note; a
            `KeyboardInterrupt` reaches the caller.

    Example:
        >>> unpanic.set_panic_hook(bank, lambda panic: print(panic.location))
    """
    registry.of(module).supervisor.panic_hook = hook


def on_reset(module: types.ModuleType, callback: ResetCallback) -> None:
    """Calls `callback(module, crash)` whenever the next generation is ready: refill state there.

    A call that is rolled back makes no next generation, and runs no callback.

    Args:
        module: what `load` returned.
        callback: `crash` is None after an explicit `reset`. What it raises is logged and
            added to the crash as a note; a `KeyboardInterrupt` reaches the caller. The module
            stays usable, and all other callbacks run. If the new generation dies in a callback,
            the one after it is filled from the first callback on.

    Example:
        >>> unpanic.on_reset(bank, lambda bank, crash: bank.open("ada", 100))
    """
    registry.of(module).supervisor.reset_callbacks.append(callback)


def track(obj: Any, rebuild: Callable[[], Any] | None = None) -> Any:
    """Says how an object is made again after a reset. After a rollback it is as it was before the call.

    Args:
        obj: an object of an exported class, also one that Rust handed out.
        rebuild: returns a new object of the same class, whose place `obj` takes. By default
            the constructor is called with the same arguments.

    Returns:
        `obj`.

    Raises:
        TypeError: `obj` is nothing of the kind.

    Example:
        >>> account = unpanic.track(bank.Account.named("ada"), lambda: bank.Account.named("ada"))
    """
    if not isinstance(obj, RustObject):
        raise TypeError(f"track takes an object of an exported class, not {type(obj).__name__}")
    set_rebuild(obj, rebuild)
    return obj


def transaction(module: types.ModuleType) -> Transaction:
    """Has all calls inside commit together, or none of them.

    When the block ends in an exception, of Rust or of Python, everything that Rust owns is as it was at its begin:
    statics, the heap, objects. What Rust handed out inside is stale then. Effects outside of Rust (files, requests,
    the page, Python's own objects) stay. Transactions nest: an inner one that fails undoes only its own calls.

    Code inside may `await` only if no earlier call of the module is in flight. While it waits, calls of other tasks
    raise a `RuntimeError`.

    Args:
        module: what `load` returned.

    Returns:
        A context manager, which does nothing before `with` enters it, and can be entered again.

    Raises:
        TypeError: at the begin, if the module cannot be rolled back; it says why, as `status(module).why` does.
        RuntimeError: at the begin, in a callback that Rust calls, or while another task is in a transaction. At the
            end, if the block waits while an earlier call is in flight: the block was undone and ended at its `await`,
            by a cancellation of its task.
        CallInterrupted: at the end, if the module was reset inside.

    Example:
        >>> with unpanic.transaction(bank):
        ...     bank.withdraw("ada", 10)
        ...     bank.deposit("bob", 10)
    """
    return Transaction(registry.of(module).supervisor.transactions)


def checkpoint(module: types.ModuleType) -> Checkpoint:
    """Keeps the state that a module has now, to which `restore` brings it back.

    A checkpoint takes memory for what changes after it (4 kB for each page that Rust writes), and checkpoints share
    that. It belongs to its generation: a reset ends it.

    Args:
        module: what `load` returned.

    Returns:
        A `Checkpoint`. `bytes` of it outlives the page.

    Raises:
        TypeError: the module cannot be rolled back; it says why, as `status(module).why` does.
        RuntimeError: an async call is in flight, this is a callback that Rust calls, or another task is in a
            transaction.

    Example:
        >>> saved = unpanic.checkpoint(bank)
        >>> bank.deposit("ada", 10)
        >>> unpanic.restore(bank, saved)
    """
    supervisor = registry.of(module).supervisor
    supervisor.transactions.ensure_mine("checkpoint")
    return Checkpoint(supervisor.points)


def restore(module: types.ModuleType, checkpoint: Checkpoint | bytes) -> None:
    """Brings back the state that a checkpoint has kept, as often as you like and in any order.

    Objects that were freed or moved since are valid again. Those that were made since are stale; if a later checkpoint
    has them, restoring that one brings them back.

    Args:
        module: what `load` returned.
        checkpoint: what `checkpoint` returned for it; or `bytes(checkpoint)`, also of another page load of the same
            Wasm file. Objects that Python held there do not come along, and all objects of this page are stale then.

    Raises:
        ValueError: it is a checkpoint of another module, or of a generation that is gone; or the bytes are damaged, or
            of another Wasm file. Nothing has changed then.
        TypeError: `checkpoint` is something else; or the module cannot be rolled back.
        RuntimeError: an async call is in flight, this is a callback that Rust calls, or another task is in a
            transaction.

    Example:
        >>> unpanic.restore(bank, saved)
    """
    supervisor = registry.of(module).supervisor
    points = supervisor.points
    supervisor.transactions.ensure_mine("restore")
    if isinstance(checkpoint, bytes | bytearray | memoryview):
        points.restore_packed(Parcel.of(bytes(checkpoint), STATE))
        return
    if not isinstance(checkpoint, Checkpoint):
        raise TypeError(
            f"restore takes what unpanic.checkpoint returned, or its bytes, not {type(checkpoint).__name__}"
        )
    checkpoint.restore(points)


def replay(module: types.ModuleType, capsule: bytes) -> Any:
    """Makes a crash again, on an instance of its own: `module` itself is not touched.

    Args:
        module: a module of the same Wasm file, which `load` returned here: in another page, in Node, in a test.
        capsule: what `crash.capsule()` returned.

    Returns:
        the result of the call, if it does not crash here.

    Raises:
        Crash: the same crash.
        ValueError: the bytes are no capsule, are damaged, or are of another Wasm file.
        TypeError: the module cannot be rolled back; it says why, as `status(module).why` does.

    Example:
        >>> unpanic.replay(bank, capsule)
        Traceback (most recent call last):
        unpanic.errors.RustPanic: insufficient funds
    """
    loaded = registry.of(module)
    if not isinstance(capsule, bytes | bytearray | memoryview):
        raise TypeError(f"replay takes what crash.capsule() returned, not {type(capsule).__name__}")
    parcel = Parcel.of(bytes(capsule), CAPSULE)
    parcel.ensure_fits(loaded.context.name, loaded.context.driver.fingerprint())
    twin = loaded.twin()
    points = registry.of(twin).supervisor.points
    try:
        points.restore_packed(parcel)
        return call_again(parcel, twin, points)
    finally:
        registry.of(twin).supervisor.unload()


def status(module: types.ModuleType) -> Status:
    """Tells what a module is doing: its generation, how it recovers and why, its crashes, its memory.

    Returns:
        A `Status`. In a notebook it shows itself as a small card, and so does the module.

    Example:
        >>> unpanic.status(bank).generation
        0
    """
    known = registry.of(module)
    return read_status(known.supervisor, known.description.adapter, known.description.target)


def timeline(module: types.ModuleType) -> Timeline:
    """Draws calls, crashes, recoveries and calls in flight over time; see `Timeline`.

    Returns:
        A picture that notebooks show, with `svg` and `save(path)`. It has the newest thousand
        of each; plain calls are counted in bursts.

    Example:
        >>> unpanic.timeline(bank).save("bank.svg")
    """
    return read_timeline(registry.of(module).supervisor)
