"""The functions of the package. Each takes the module that `load` returned, as `importlib.reload` does."""

import logging
import time
import types
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import _importing
from ._bridge.browser import current_browser
from ._bridge.paths import local_path, name_missing_files
from ._bridge.protocols import Browser, Driver, Progress
from ._declarations.file import load_with_types, type_file
from ._declarations.reader import Declarations
from ._exports import registry
from ._exports.description import Description
from ._exports.exports import Exports, make_context
from ._exports.objects import RustObject, set_rebuild
from ._load import awaited
from ._log import log
from ._recovery.supervisor import PanicHook, ResetCallback, Supervisor
from ._traceback import OWN_FILES
from ._views.progress import chosen as chosen_progress
from ._views.status import Status, read_status
from ._views.timeline import Timeline, read_timeline
from .errors import FetchError, LoadError

__all__ = ["load", "load_sync", "on_reset", "reset", "set_panic_hook", "status", "timeline", "track", "unload"]

RECOVERIES = ("auto", "reset", "none")
OBJECTS = ("recreate", "stale")


@awaited
async def load(
    glue: Any,
    *,
    wasm: Any = None,
    types: str | Path | None = None,
    recovery: str = "auto",
    objects: str = "recreate",
    panic_hook: PanicHook | None = None,
    restart_budget: int = 20,
    timeout: float | None = None,
    name: str | None = None,
    integrity: str | None = None,
    progress: Progress | bool | None = None,
    spare: bool | None = None,
) -> types.ModuleType:
    """Loads a Rust module, and keeps it running whatever happens in it.

    Args:
        glue: what `wasm-bindgen --target web` wrote: a URL (relative to the page), a path
            in Pyodide's file system, or an already imported JavaScript namespace.
        wasm: the Wasm file: a URL, a path, bytes-like, a `Response`, or a compiled
            `WebAssembly.Module`. By default what the glue itself would fetch.
        types: the `.d.ts` of the package, a URL or a path: names, signatures and documentation
            come from there. By default the one beside the glue, if it is there, and what the
            glue's own comments tell if it is not.
        recovery: `"auto"` (builds with `panic=unwind` unwind, everything else resets),
            `"reset"`, or `"none"` (a crash ends the module).
        objects: what becomes of objects that Python made, after a reset: `"recreate"` makes
            them again at their next use, `"stale"` lets that raise.
        panic_hook: called with the `RustPanic` at every panic; by default one that no caller
            gets is logged at ERROR.
        restart_budget: how many crashes that nobody called for (of timers, tasks, listeners, start
            functions and callbacks of `on_reset`) there may be within ten seconds; one more ends
            the module. What a caller asked for is that caller's exception, and never counts; a
            panic that unwinds ends no generation, and does not count either.
        timeout: not supported yet.
        name: the module's name; by default the glue's file name, or that of its package or
            folder where a file is called `index`, `web`, `main` or the like. If nothing else
            has it, `import` finds the module by that name from then on, in every file.
        integrity: what the files must hash to before anything of them runs, as in HTML:
            `"sha384-…"`, several with spaces between them. Glue, Wasm file and what the glue
            imports must each have one of them. `types` are not covered: nothing of them runs.
        progress: called with the bytes of the Wasm file that have come, and with all that
            will come or None where the server does not tell; what it raises ends the load.
            By default a long download shows itself in a notebook; False turns that off.
        spare: whether to keep an instance made ahead of need, which takes memory twice and
            makes a reset a swap. By default only where the browser makes none of that size
            at once: on Chromium's main thread, for Wasm files above 8 MB.

    What the glue calls and the Wasm file lacks is a `RuntimeWarning`; the call that needs it
    raises `GlueError`.

    A load that is cancelled ends its download, and nothing is retried. A URL is compiled
    once however often it is loaded, unless the server says that the file is another one.

    Returns:
        A Python module whose attributes are the Rust exports, and nothing else.

    Raises:
        FetchError: the glue or the Wasm file could not be fetched, or `types` that you named.
        GlueError: the glue is not wasm-bindgen's output for the web.
        CompileError: the Wasm file is none, or needs a feature that this browser lacks.
        StartError: the start function crashed.
        ValueError: an option that does not exist.
        TypeError: an option of the wrong type.

    Example:
        >>> bank = await unpanic.load("/pkg/bank.js")
        >>> bank.add(2, 3)
        5
    """
    _check_options(recovery, objects, restart_budget, timeout, types, integrity, spare)
    reporter = chosen_progress(progress, name or str(glue))
    browser = current_browser()
    began = time.perf_counter()
    options = _sources(browser, glue, wasm, name, spare)
    file = type_file(types, glue, local_path(glue))
    try:
        driver, declarations = await load_with_types(browser.load(options, integrity, reporter), browser, file)
    except LoadError as error:
        if isinstance(error, FetchError) or "found an HTML page" in str(error):
            name_missing_files(error, options["glue"], options.get("wasm"), types)
        raise
    module = _begin(browser, driver, declarations, began, recovery, objects, panic_hook, restart_budget)
    _importing.publish(module, None if browser.is_foreign(glue) else local_path(glue) or glue)
    return module


def load_sync(
    glue: Any,
    *,
    wasm: Any = None,
    types: str | Path | None = None,
    recovery: str = "auto",
    objects: str = "recreate",
    panic_hook: PanicHook | None = None,
    restart_budget: int = 20,
    timeout: float | None = None,
    name: str | None = None,
    integrity: str | None = None,
    spare: bool | None = None,
) -> types.ModuleType:
    """Loads a Rust module at once, where nothing needs the network.

    Args and errors are those of `load`, but the glue is a path in Pyodide's file system,
    and the Wasm file a path, bytes-like, or a compiled `WebAssembly.Module` (by default
    the file beside the glue). On a page's main thread Chromium compiles at most 8 MB at once.

    Called with `name=__name__` while a Python file is being imported, it puts the Rust module
    in that file's place. Relative paths are then beside the file.

    Raises:
        ImportError: in that case, what else would be a `LoadError`, which is its cause.

    Example:
        >>> bank = unpanic.load_sync("/home/pyodide/bank.js")

        A wheel with the glue makes `import bank` work by a `bank/__init__.py` of two lines:

        >>> import unpanic
        >>> unpanic.load_sync("bank.js", name=__name__)
    """
    _check_options(recovery, objects, restart_budget, timeout, types, integrity, spare)
    began = time.perf_counter()
    importer = _importing.importing(name)
    with _importing.import_errors_without_browser(importer):
        browser = current_browser()
    glue, wasm, types = (_importing.beside_importer(given, importer) for given in (glue, wasm, types))
    path = local_path(glue)
    if path is None and isinstance(glue, str) and "://" not in glue:
        raise FetchError(
            f"There is no file {glue!r} in Pyodide's file system, where load_sync looks; "
            "for a URL use `await load(...)`.",
            url=glue,
        )
    if path is None:
        raise ValueError(
            f"load_sync takes a path in Pyodide's file system, not {glue!r}: use `await load(...)` for a URL."
        )
    file = type_file(types, glue, path)
    if file and not isinstance(file.place, Path):
        raise ValueError(f"load_sync takes types from a path in Pyodide's file system, not {types!r}.")
    if ahead := _importing.loaded_ahead(name, path):
        return ahead
    declarations = file.read() if file else None
    with _importing.import_errors(importer, path):
        driver = browser.load_sync(_sources(browser, path, wasm, name, spare), integrity)
        module = _begin(browser, driver, declarations, began, recovery, objects, panic_hook, restart_budget)
    _importing.publish(module, path)
    return module


def _check_options(
    recovery: str,
    objects: str,
    restart_budget: int,
    timeout: float | None,
    types: str | Path | None,
    integrity: str | None,
    spare: bool | None,
) -> None:
    if recovery not in RECOVERIES:
        raise ValueError(f"recovery={recovery!r}: there is {', '.join(map(repr, RECOVERIES))}.")
    if objects not in OBJECTS:
        raise ValueError(f"objects={objects!r}: there is {' and '.join(map(repr, OBJECTS))}.")
    if not isinstance(restart_budget, int) or restart_budget < 1:
        raise ValueError(f"restart_budget={restart_budget!r}: it must be a positive integer.")
    if timeout is not None:
        raise ValueError("timeout: deadlines are not supported yet; leave it None.")
    if types is not None and not isinstance(types, str | Path):
        raise TypeError(f"types must be a URL or a path, not {type(types).__name__}")
    if integrity is not None and not isinstance(integrity, str):
        raise TypeError(f"integrity must be a str such as 'sha384-…', not {type(integrity).__name__}")
    if integrity is not None and not integrity.strip():
        raise ValueError("integrity is empty: pass hashes such as 'sha384-…', or None to check nothing.")
    if spare is not None and not isinstance(spare, bool):
        raise TypeError(f"spare must be True, False or None, not {type(spare).__name__}")


def _sources(browser: Browser, glue: Any, wasm: Any, name: str | None, spare: bool | None) -> dict[str, Any]:
    if not isinstance(glue, str | Path) and not browser.is_foreign(glue):
        raise TypeError(f"glue must be a URL, a path or an imported namespace, not {type(glue).__name__}")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be str, not {type(name).__name__}")
    options: dict[str, Any] = {}
    path = local_path(glue)
    options["glue"] = browser.glue_file(path) if path else glue
    wasm_path = local_path(wasm)
    if wasm_path:
        options["wasm"] = browser.wasm_file(wasm_path)
    elif isinstance(wasm, str) or browser.is_foreign(wasm):
        options["wasm"] = wasm
    elif wasm is not None:
        options["wasm"] = browser.to_typed_array(_wasm_bytes(wasm))
    if name is not None:
        options["name"] = name
    if spare is not None:
        options["spare"] = spare
    return options


def _wasm_bytes(given: Any) -> bytes:
    try:
        return memoryview(given).tobytes()
    except TypeError:
        raise TypeError(
            f"wasm must be a URL, a path, bytes-like, a Response or a WebAssembly.Module, not {type(given).__name__}"
        ) from None


def _begin(
    browser: Browser,
    driver: Driver,
    declarations: Declarations | None,
    began: float,
    recovery: str,
    objects: str,
    panic_hook: PanicHook | None,
    restart_budget: int,
) -> types.ModuleType:
    description = Description.parse(driver.describe())
    context = make_context(browser, driver, description.name)
    supervisor = context.supervisor = Supervisor(
        context,
        recovery=recovery,
        restart_budget=restart_budget,
        panic_hook=panic_hook,
    )
    exports = Exports(context, description, declarations, recreates=objects == "recreate")
    module = exports.build()
    supervisor.detach = browser.attach(driver, {**supervisor.handlers(), **exports.handlers()})
    supervisor.namespace = weakref.ref(module)
    seconds = time.perf_counter() - began
    supervisor.load_ms = seconds * 1000
    supervisor.history.loaded(seconds)
    text = "%(module)s was loaded in %(milliseconds).0f ms."
    log(logging.DEBUG, "load", text, context.name, 0, description.adapter, supervisor.load_ms)
    for warning in description.warnings:
        warnings.warn(warning, RuntimeWarning, skip_file_prefixes=OWN_FILES)
    registry.register(module, registry.LoadedModule(context, supervisor, exports.description, exports.shown))
    return module


def reset(module: types.ModuleType) -> None:
    """Drops this generation now and makes the next one.

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
    """Says how an object is made again after a reset.

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


def status(module: types.ModuleType) -> Status:
    """Tells what a module is doing: its generation, its crashes, its memory.

    Returns:
        A `Status`. In a notebook it shows itself as a small card, and so does the module.

    Example:
        >>> unpanic.status(bank).generation
        0
    """
    return read_status(registry.of(module))


def timeline(module: types.ModuleType) -> Timeline:
    """Draws calls, crashes, recoveries and calls in flight over time; see `Timeline`.

    Returns:
        A picture that notebooks show, with `svg` and `save(path)`. It has the newest thousand
        of each; plain calls are counted in bursts.

    Example:
        >>> unpanic.timeline(bank).save("bank.svg")
    """
    return read_timeline(registry.of(module))
