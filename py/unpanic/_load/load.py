"""The two functions that load a module: `load`, which fetches, and `load_sync`, which reads files."""

import asyncio
import functools
import logging
import time
import types
import warnings
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import _importing
from .._bridge.browser import current_browser
from .._bridge.lines import SourceLines
from .._bridge.protocols import Browser, Driver, Progress
from .._declarations.file import TypeFile, load_with_types, type_file
from .._declarations.reader import Declarations
from .._exports import registry
from .._exports.description import Description
from .._exports.exports import Exports, make_context
from .._log import log
from .._recovery.deadlines import Limits
from .._recovery.observers import crash_observers
from .._recovery.policy import choose_policy
from .._recovery.reports import PanicHook
from .._recovery.supervisor import Supervisor
from .._traceback import OWN_FILES
from .._unseen import seamless
from .._values.receivers import rust_error
from ..errors import CompileError, FetchError, LoadError
from .coroutine import awaited
from .imports import ImportedFunctions
from .npm import find_package, is_package
from .options import LoadOptions
from .paths import local_path, name_missing_files
from .sources import runtime_options

__all__ = ["load", "load_sync"]


@awaited
async def load(
    glue: Any,
    *,
    wasm: Any = None,
    types: str | Path | None = None,
    imports: Mapping[str, Mapping[str, Any]] | None = None,
    recovery: str = "auto",
    objects: str = "recreate",
    panic_hook: PanicHook | None = None,
    restart_budget: int = 20,
    timeout: float | None = None,
    name: str | None = None,
    integrity: str | None = None,
    progress: Progress | bool | None = None,
    spare: bool | None = None,
    capsules: bool = False,
    cache: bool = True,
) -> types.ModuleType:
    """Loads a Rust module, and keeps it running whatever happens in it.

    Example:
        >>> prql = await unpanic.load("npm:prql-js@0.12.1")  # a package on npm: its name is enough
        >>> bank = await unpanic.load("/pkg/bank.js")  # your own package: the file that wasm-bindgen wrote
        >>> bank.add(2, 3)
        5

    Args:
        glue: a package on npm (`"npm:NAME@VERSION"`, or `"npm:NAME@VERSION/path/to/glue.js"` where it
            has several); or the JavaScript that wasm-bindgen wrote for any of its targets, or that
            wraps that: a URL (relative to the page), a path in Pyodide's file system, or an already
            imported JavaScript namespace; or a Wasm file without glue, as a URL, a path or
            bytes-like. If wasm-bindgen has written that file, the glue beside it is loaded. Packages
            come from jsDelivr, or from where `unpanic.npm` says. Without a version it is the newest;
            the log says which.
        wasm: the Wasm file: a URL, a path, bytes-like, a `Response`, or a compiled
            `WebAssembly.Module`. By default what the glue itself would fetch.
        types: the `.d.ts` of the package, a URL or a path: names, signatures and documentation
            come from there. By default the one beside the glue, if it is there, and what the
            glue's own comments tell if it is not.
        imports: what a Wasm file without glue imports, by module and name, such as
            `{"env": {"log": print}}`: functions, and numbers for constant globals. They must
            be exactly those that the file wants.
        recovery: what a crash leads to. `"auto"` rolls the failed call back where the module can be
            rewritten for that, and resets where it cannot; a build with `panic=unwind` unwinds.
            `"rollback"` demands that, in a build that unwinds too. `"reset"` begins anew with the
            state of the start, and leaves the Wasm file as it is. `"none"`: a crash ends the
            module. `status(module).recovery` tells which it is, and `.why` says why.
        objects: what becomes of objects that Python made, after a reset: `"recreate"` makes
            them again at their next use, `"stale"` lets that raise.
        panic_hook: called with the `RustPanic` at every panic; by default one that no caller
            gets is logged at ERROR.
        restart_budget: how many crashes outside of your calls (in timers, tasks, listeners, start
            functions and callbacks of `on_reset`) may reset the module within ten seconds; one
            more ends it. A crash in a call of yours is an exception there and never counts, nor
            does a crash that was rolled back or that unwound.
        timeout: how many seconds one call may compute before it raises `CallTimeout`. The
            time that it waits does not count, nor that of Python callbacks. With any value,
            `math.inf` too, `deadline` and the stop button of a notebook work in the module: its
            Wasm file is rewritten at load for that too. By default a call is not limited.
        name: the module's name; by default that of the package on npm, or the glue's file name, or
            that of its package or folder where a file is called `index`, `web`, `main` or the like. If
            nothing else has it, `import` finds the module by that name from then on, in every file.
        integrity: what the files must hash to before anything of them runs, as in HTML:
            `"sha384-…"`, several with spaces between them. Glue, Wasm file and what the glue
            imports must each have one of them. `types` are not covered: nothing of them runs.
        progress: called with the bytes of the Wasm file that have come, and with all that
            will come or None where the server does not say; an exception from it ends the load.
            By default a long download shows itself in a notebook; False turns that off.
        spare: whether to keep one more instance, made ahead of need: it takes the memory twice, and
            a reset swaps it in at once. By default only where the browser cannot make one of that
            size at once: on Chromium's main thread, for Wasm files above 8 MB.
        capsules: whether each crash that is rolled back keeps its capsule at once, so that
            `crash.capsule()` can be asked for later. It takes milliseconds at each crash.
        cache: whether the browser keeps a Wasm file that was rewritten for rollback or for
            `timeout`, so that the next page load need not rewrite it. Nothing else is kept.

    If the glue calls an export that the Wasm file lacks, `load` gives a `RuntimeWarning`, and the
    call that needs the export raises `GlueError`.

    A load that is cancelled ends its download, and nothing is retried. A URL is compiled
    once however often it is loaded, unless the server says that the file is another one.

    Returns:
        A Python module whose attributes are the Rust exports, and nothing else.

    Raises:
        FetchError: the glue or the Wasm file could not be fetched, or `types` that you named; or the
            package, its version or the path in it does not exist.
        GlueError: the glue is not wasm-bindgen's output; or a package has no glue, or several and
            nothing tells which you mean: they are listed as you would type them.
        CompileError: the Wasm file is not Wasm, needs a feature that this browser lacks, or cannot be
            rewritten for `timeout` or `recovery="rollback"`.
        LoadError: `timeout` or `recovery="rollback"` with a compiled module or a namespace whose
            file was not rewritten when it was built.
        StartError: the start function crashed, or was stopped.
        ValueError: an option that does not exist, or a `timeout` that is not positive.
        TypeError: an option of the wrong type.
    """
    options = LoadOptions(
        glue=glue,
        wasm=wasm,
        types=types,
        imports=imports,
        recovery=recovery,
        objects=objects,
        panic_hook=panic_hook,
        restart_budget=restart_budget,
        timeout=timeout,
        name=name,
        integrity=integrity,
        progress=progress,
        spare=spare,
        capsules=capsules,
        cache=cache,
    )
    browser = current_browser()
    began = time.perf_counter()
    # A name is no path: where the file system is on a server, as in JupyterLite, looking for it would be a request.
    path = None if is_package(glue) else local_path(glue)
    file = type_file(types, glue, path)
    if is_package(glue):
        options, file_of_package = await find_package(options, browser)
        file = file if types is not None else file_of_package
    sources, obstacle = runtime_options(options, browser)
    with ImportedFunctions(imports, browser) as imported:
        loading = browser.load(sources | imported.runtime_options(), integrity, options.reporter())
        try:
            driver, declarations = await load_with_types(loading, browser, file)
        except LoadError as error:
            if str(error).startswith("Cannot fetch ") or "found an HTML page" in str(error):
                name_missing_files(error, sources["glue"], sources.get("wasm"), types)
            raise
        module = _put_together(browser, driver, declarations, options, began, obstacle, imported)
    _importing.publish(module, path or options.glue if isinstance(glue, str | Path) else None)
    return module


@seamless
def load_sync(
    glue: Any,
    *,
    wasm: Any = None,
    types: str | Path | None = None,
    imports: Mapping[str, Mapping[str, Any]] | None = None,
    recovery: str = "auto",
    objects: str = "recreate",
    panic_hook: PanicHook | None = None,
    restart_budget: int = 20,
    timeout: float | None = None,
    name: str | None = None,
    integrity: str | None = None,
    spare: bool | None = None,
    capsules: bool = False,
) -> types.ModuleType:
    """Loads a Rust module at once, where nothing needs the network.

    Args and errors are those of `load`, but the glue is a path in Pyodide's file system, not the
    name of a package on npm, and the Wasm file a path, bytes-like, or a compiled `WebAssembly.Module` (by default
    the file beside the glue). On a page's main thread Chromium compiles at most 8 MB at once.

    Called with `name=__name__` while a Python file is being imported, it puts the Rust module
    in that file's place. Relative paths are then beside the file. An import of a larger file
    waits until it is compiled, where code can wait: in `pyodide.runPythonAsync`, a notebook or
    a console.

    Raises:
        ImportError: in that case, what else would be a `LoadError`, which is its cause.

    Example:
        >>> bank = unpanic.load_sync("/home/pyodide/bank.js")

        A wheel with the glue makes `import bank` work by a `bank/__init__.py` of two lines:

        >>> import unpanic
        >>> unpanic.load_sync("bank.js", name=__name__)
    """
    options = LoadOptions(
        glue=glue,
        wasm=wasm,
        types=types,
        imports=imports,
        recovery=recovery,
        objects=objects,
        panic_hook=panic_hook,
        restart_budget=restart_budget,
        timeout=timeout,
        name=name,
        integrity=integrity,
        spare=spare,
        capsules=capsules,
    )
    began = time.perf_counter()
    importer = _importing.importing(name)
    with _importing.ImportErrors(importer, RuntimeError, LoadError):
        browser = current_browser()
    options = _beside_importer(options, importer)
    path = _glue_path(options.glue)
    file = _type_path(options, path)
    if ahead := _importing.loaded_ahead(name, path):
        return ahead
    declarations = file.read() if file else None
    with _importing.ImportErrors(importer, LoadError, path=path):
        sources, obstacle = runtime_options(options, browser)
        with ImportedFunctions(imports, browser) as imported:
            driver = _load_now(browser, sources | imported.runtime_options(), options, is_import=importer is not None)
            module = _put_together(browser, driver, declarations, options, began, obstacle, imported)
    _importing.publish(module, path)
    return module


def _load_now(browser: Browser, sources: dict[str, Any], options: LoadOptions, *, is_import: bool) -> Driver:
    """Loads a module at once, or, for an import that can wait, while the event loop turns.

    Args:
        browser: where Python runs.
        sources: the options of the runtime's load.
        options: what the user asked for.
        is_import: whether a Python file is being imported. Who calls `load_sync` wants nothing else to run meanwhile.
    """
    try:
        return browser.load_sync(sources, options.integrity)
    except CompileError as error:
        if not (is_import and _importing.TOO_LARGE in str(error) and browser.can_wait()):
            raise
    loading = asyncio.ensure_future(browser.load(sources, options.integrity, options.reporter()))
    try:
        while not loading.done():
            browser.wait(loading)
    except BaseException:
        loading.cancel()
        raise
    return loading.result()


def _beside_importer(options: LoadOptions, importer: types.ModuleType | None) -> LoadOptions:
    """Returns the options with relative paths beside the file whose import is running."""
    glue, wasm, types = (
        _importing.beside_importer(source, importer) for source in (options.glue, options.wasm, options.types)
    )
    return replace(options, glue=glue, wasm=wasm, types=types)


def _glue_path(glue: Any) -> Path:
    path = local_path(glue)
    if path is not None:
        return path
    if isinstance(glue, str) and "://" not in glue and not is_package(glue):
        raise FetchError(
            f"There is no file {glue!r} in Pyodide's file system, where load_sync looks; "
            "for a URL use `await load(...)`.",
            url=glue,
        )
    raise ValueError(f"load_sync takes a path in Pyodide's file system, not {glue!r}: use `await load(...)` for a URL.")


def _type_path(options: LoadOptions, path: Path) -> TypeFile | None:
    file = type_file(options.types, options.glue, path)
    if file and not isinstance(file.origin, Path):
        raise ValueError(f"load_sync takes types from a path in Pyodide's file system, not {options.types!r}.")
    return file


def _no_rollback(description: Description, *, is_namespace: bool) -> LoadError:
    """The error for a module whose calls cannot be rolled back though the user demands it."""
    way = (
        "Pass the glue's URL as `glue`"
        if is_namespace
        else "The page's content security policy forbids to compile the glue: allow `blob:` in its script-src, or make "
        "a factory file with `unpanic factory`"
    )
    return LoadError(
        f'{description.name} cannot be loaded with `recovery="rollback"`: {description.why_no_rollback}. {way}, or '
        "leave `recovery` out: then a crash resets the module."
    )


def _put_together(
    browser: Browser,
    driver: Driver,
    declarations: Declarations | None,
    options: LoadOptions,
    began: float,
    obstacle: str = "",
    imported: ImportedFunctions | None = None,
) -> types.ModuleType:
    """Makes the Python module of a loaded one, and begins to supervise it.

    Args:
        browser: where Python runs.
        driver: the loaded module in the JavaScript runtime.
        declarations: what its `.d.ts` declares, if there is one.
        options: what the user asked for.
        began: when the load began, in seconds of `time.perf_counter`.
        obstacle: why no Wasm file can be rewritten here, although that was a wish.
        imported: the functions that the module imports, if the user gave some.
    """
    description = Description.parse(driver.describe())
    if options.recovery == "rollback" and description.why_no_rollback:
        driver.close()
        raise _no_rollback(description, is_namespace=browser.is_foreign(options.glue))
    context = make_context(browser, driver, description.name)
    context.keeps_capsules = options.capsules
    glue = None if is_package(options.glue) else local_path(options.glue)
    context.lines = SourceLines.beside(glue, deadlines=description.is_interruptible)
    context.waits = description.waits
    reason = description.why_no_rollback or obstacle
    policy = choose_policy(
        options.recovery, unwinds=description.unwinds, rolls_back=description.rolls_back, obstacle=reason
    )
    supervisor = context.supervisor = Supervisor(
        context,
        policy=policy,
        restart_budget=options.restart_budget,
        panic_hook=options.panic_hook,
        make_rust_error=functools.partial(rust_error, context),
        observers=crash_observers,
        limits=Limits(options.timeout, is_interruptible=description.is_interruptible),
    )
    exports = Exports(context, description, declarations, recreates=options.objects == "recreate")
    module = exports.build()
    supervisor.detach = browser.attach(driver, {**supervisor.handlers(), **exports.handlers()})
    supervisor.user_module = weakref.ref(module)
    if imported:
        imported.bind(context, description.imports)
    seconds = time.perf_counter() - began
    supervisor.load_ms = seconds * 1000
    supervisor.history.loaded(seconds)
    text = "%(module)s was loaded in %(milliseconds).0f ms."
    log(logging.DEBUG, "load", text, context.name, 0, description.adapter, supervisor.load_ms)
    if reason and policy.name == "reset":
        # That a file cannot be rewritten is a fact; that none can is a mistake of who serves the page.
        level = logging.WARNING if obstacle else logging.INFO
        log(level, "no rollback", "Calls of %(module)s cannot be rolled back: %(reason)s.", context.name, 0, reason)
    for warning in description.warnings:
        warnings.warn(warning, RuntimeWarning, skip_file_prefixes=OWN_FILES)

    def twin() -> types.ModuleType:
        # Its crash is the one that is replayed: no hook need hear of it.
        silent = replace(options, panic_hook=lambda _panic: None)
        return _put_together(browser, driver.twin(), declarations, silent, time.perf_counter())

    registry.register(module, registry.LoadedModule(context, supervisor, exports.description, exports.shown, twin))
    return module
