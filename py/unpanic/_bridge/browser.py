"""The browser, in one place: the only module that imports Pyodide or JavaScript, besides `service/_page.py`.

Everything else takes a `Browser` as an argument, so that plain CPython can import it and test it with a fake one.
"""

import array
import asyncio
import base64
import contextlib
import hashlib
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from .. import errors
from ..errors import CompileError, FetchError, GlueError, LoadError, StartError
from .crashes import make_crash
from .kinds import ARRAYS
from .protocols import Browser, Convert, Driver, Handlers, Progress
from .runtime import FORMS, PACKAGES, Part, find_runtime
from .waits import Waits
from .wire import DiagnosisFields, PackageAnswer

__all__ = ["current_browser"]

# The array module's names for the elements of typed arrays; and the classes whose content becomes `bytes`.
TYPECODES = {name: code for code, name in ARRAYS.values() if name != "Uint8Array"}
BYTES = frozenset({"Uint8Array", "Uint8ClampedArray", "ArrayBuffer", "SharedArrayBuffer", "DataView"})

# Pyodide tells the class of an exception that nobody catches by its name.
OWN_ERRORS = [name for name in errors.__all__ if issubclass(getattr(errors, name), errors.UnpanicError)]

LOAD_ERRORS = {error.__name__: error for error in (LoadError, FetchError, GlueError, CompileError, StartError)}


class PyodideBrowser:
    """Pyodide in a page, a worker, or Node."""

    def __init__(self) -> None:
        from pyodide import code, ffi

        import js

        self._js: Any = js
        self._code = code
        self._parts: dict[Part, Any] = {}
        self._ffi = ffi
        self._null = getattr(ffi, "jsnull", None)
        self._unloaded: Any = None
        self._longest_text = 0
        self._waits = Waits(ffi.run_sync, self._check_interrupt())
        self._runtime = find_runtime(code.run_js, ffi.JsException)
        self._runtime.shortenErrors(self._pyodide_api(), ffi.to_js(OWN_ERRORS))

    def _options(self, options: Mapping[str, Any]) -> Any:
        return self._ffi.to_js(dict(options), depth=1, dict_converter=self._js.Object.fromEntries)

    async def load(self, options: Mapping[str, Any], integrity: str | None, progress: Progress | None) -> Driver:
        """Runs the runtime's `load`. To cancel it ends the download.

        Raises:
            LoadError: the runtime could not load the module.
            Exception: `progress` raised it, which ends the load too.
        """
        controller = self._js.AbortController.new()
        failures: list[BaseException] = []
        functions: dict[str, Callable[..., Any]] = {"forms": self._forms(failures)}
        if progress is not None:

            def report(loaded: int, total: Any) -> None:
                try:
                    progress(loaded, None if self.is_null(total) else total)
                except BaseException as error:
                    failures.append(error)
                    controller.abort()

            functions["onProgress"] = report
        with self._settings(integrity, functions) as settings:
            settings["signal"] = controller.signal
            try:
                return await self._runtime.load(self._options(options), self._options(settings))  # type: ignore[no-any-return]
            except asyncio.CancelledError:
                controller.abort()
                raise
            except self._ffi.JsException as error:
                if failures:
                    raise failures[0] from None
                raise _load_error(error) from None

    def load_sync(self, options: Mapping[str, Any], integrity: str | None) -> Driver:
        """Runs the runtime's `loadSync`.

        Raises:
            LoadError: the runtime could not load the module.
        """
        failures: list[BaseException] = []
        with self._settings(integrity, {"forms": self._forms(failures)}) as settings:
            try:
                return self._runtime.loadSync(self._options(options), self._options(settings))  # type: ignore[no-any-return]
            except self._ffi.JsException as error:
                if failures:
                    raise failures[0] from None
                raise _load_error(error) from None

    async def fetch_text(self, url: str) -> str:
        """Fetches a text file. To cancel it ends the download.

        Raises:
            FetchError: it could not be fetched.
        """
        controller = self._js.AbortController.new()
        try:
            return str(await self._runtime.fetchText(url, self._options({"signal": controller.signal})))
        except asyncio.CancelledError:
            controller.abort()
            raise
        except self._ffi.JsException as error:
            raise _load_error(error) from None

    async def find_package(self, spec: str) -> PackageAnswer:
        """Finds the files of a package by its name.

        Raises:
            LoadError: there is no such package, or nothing tells which of its files is the glue.
        """
        controller = self._js.AbortController.new()
        try:
            return PackageAnswer(
                *await self._part(PACKAGES).resolvePackage(spec, self._options({"signal": controller.signal}))
            )
        except asyncio.CancelledError:
            controller.abort()
            raise
        except self._ffi.JsException as error:
            raise _load_error(error) from None

    def use_packages_from(self, base: str | None) -> None:
        """Sets where packages come from.

        Raises:
            ValueError: it is no template of a URL.
        """
        try:
            self._part(PACKAGES).usePackagesFrom(base)
        except self._ffi.JsException as error:
            raise ValueError(str(error.message)) from None

    def _part(self, part: Part) -> Any:
        """A part of the runtime that has a file of its own, which is evaluated when it is needed."""
        if part not in self._parts:
            self._parts[part] = find_runtime(self._code.run_js, self._ffi.JsException, part)
        return self._parts[part]

    def _forms(self, failures: list[BaseException]) -> Callable[[Any], Any]:
        """What the runtime calls with its own parts when a package is not glue for the web."""

        def forms(parts: Any) -> Any:
            try:
                return self._part(FORMS).bind(parts)
            except LoadError as error:
                failures.append(error)
                raise

        return forms

    @contextlib.contextmanager
    def _settings(self, integrity: str | None, functions: Mapping[str, Callable[..., Any]]) -> Iterator[dict[str, Any]]:
        """How to load, as the runtime takes it; JavaScript can call the functions until the load ends."""
        settings: dict[str, Any] = {}
        if integrity is not None:
            settings["integrity"] = integrity
            functions = {**functions, "digest": self._digest}
        proxies = {name: self._ffi.create_proxy(function) for name, function in functions.items()}
        try:
            yield {**settings, **proxies}
        finally:
            for proxy in proxies.values():
                proxy.destroy()

    @staticmethod
    def _digest(algorithm: str, data: Any) -> str:
        """The hash of a typed array as base64, for pages that have no `crypto.subtle`."""
        return base64.b64encode(hashlib.new(algorithm, data.to_bytes()).digest()).decode()

    def attach(self, driver: Driver, handlers: Handlers) -> Callable[[], None]:
        """Connects a driver with Python's supervisor. Returns a function that disconnects them."""
        proxies = {name: self._ffi.create_proxy(handler) for name, handler in handlers.items()}
        driver.attach(self._options(proxies), self._python_error(), self._check_interrupt())  # type: ignore[attr-defined]

        def detach() -> None:
            for proxy in proxies.values():
                proxy.destroy()

        return detach

    @staticmethod
    def _pyodide_api() -> Any:
        """Pyodide's private interface, or None where this version has none of that name."""
        import pyodide_js

        return getattr(pyodide_js, "_api", None)

    def leave(self, driver: Driver, unloaded: Callable[[str, str, bool], int]) -> None:
        """Connects a driver with the function that answers for all modules that were unloaded."""
        if self._unloaded is None:
            self._unloaded = self._ffi.create_proxy(unloaded)
        driver.leave(self._unloaded)  # type: ignore[attr-defined]

    def _python_error(self) -> Any:
        import pyodide_js

        return pyodide_js.ffi.PythonError

    @staticmethod
    def _check_interrupt() -> Any:
        """Pyodide's function that raises if the user has asked to interrupt what runs."""
        import pyodide_js

        return pyodide_js.checkInterrupt

    def rewriter(self) -> Any:
        """The rewriter's Wasm file as a typed array.

        Raises:
            FetchError: it cannot be read.
        """
        file = resources.files("unpanic").joinpath("rewriter.wasm")
        try:
            return self.to_typed_array(file.read_bytes())
        except OSError as error:
            raise FetchError(
                f"unpanic's own file rewriter.wasm cannot be read ({error}): install its wheel as it was built",
                url=str(file),
            ) from None

    def is_foreign(self, value: object) -> bool:
        return isinstance(value, self._ffi.JsProxy)

    def is_null(self, value: object) -> bool:
        return value is None or value is self._null

    def class_name(self, value: Any) -> str:
        """The name of a JavaScript object's class; empty if it has none."""
        try:
            return str(value.constructor.name)
        except (AttributeError, self._ffi.JsException):
            return ""

    def to_typed_array(self, buffer: Any) -> Any:
        """A flat buffer of a native format as a typed array with elements of that format, in one copy."""
        # Pyodide reads a memoryview correctly, but copies only the first element of a ctypes array.
        return self._ffi.to_js(memoryview(buffer))

    def from_typed_array(self, value: Any, name: str = "") -> Any:
        """A typed array as `array.array`, in one copy; as `bytes` if its elements are bytes.

        Args:
            value: any JavaScript value.
            name: the name of its class, if that is known.

        Returns:
            None if the value is no typed array, or if its memory is gone.
        """
        if not name:
            if not isinstance(value, self._ffi.JsBuffer):
                return None
            name = self.class_name(value)
        try:
            if name in BYTES:
                return value.to_bytes()
            if name not in TYPECODES:
                return None
            elements = array.array(TYPECODES[name], [0]) * len(value)
            value.assign_to(elements)
        except self._ffi.JsException:
            return None  # detached: its memory went elsewhere
        return elements

    def copied(self, view: memoryview) -> Any:
        """The same for a typed array inside of a container: Pyodide has made a copy of it already."""
        return bytes(view) if view.format in ("B", "c") else array.array(view.format, view.tobytes())

    def copy_typed_array(self, value: Any, buffer: memoryview) -> None:
        """Copies a typed array into a flat buffer with the same elements."""
        value.assign_to(buffer)

    def copy_of(self, value: Any) -> Any:
        """Another typed array with the same elements."""
        return value.slice()

    def part_of(self, value: Any, start: int, end: int) -> Any:
        """Some elements of a typed array, in the same memory."""
        return value.subarray(start, end)

    def code_of(self, value: Any) -> str:
        """The array module's name for the elements of a typed array."""
        return TYPECODES.get(self.class_name(value), "B")

    def date(self, milliseconds: int) -> Any:
        return self._js.Date.new(milliseconds)

    def promise(self) -> tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]:
        """A promise, and the functions that settle it."""
        settlers: list[Any] = []
        promise = self._js.Promise.new(lambda *functions: settlers.extend(functions))
        # A rejection that Rust drops is no error of the page, so the promise has a handler that ignores it.
        reflect = self._js.Reflect
        ignore = self._ffi.to_js([self._js.Function.prototype])
        reflect.apply(reflect.get(self._js.Promise.prototype, "catch"), promise, ignore)
        return promise, *settlers

    def iterator(self, symbol: str, step: Any, end: Any) -> Any:
        """An object with the methods of an iterator.

        Args:
            symbol: `iterator` or `asyncIterator`.
            step: the JavaScript function `next`.
            end: the JavaScript function `return`.
        """
        js = self._js
        iterator = js.Object.fromEntries(self._ffi.to_js([["next", step], ["return", end]]))
        # It is its own iterator. A Python function that returned it would hold it, and be held by it, for ever.
        itself = js.Reflect.get(js.Object.prototype, "valueOf")
        js.Reflect.set(iterator, getattr(js.Symbol, symbol), itself)
        return iterator

    def stream(self, pull: Any, cancel: Any) -> Any:
        """A `ReadableStream` that `pull(controller)` fills."""
        return self._js.ReadableStream.new(self._options({"pull": pull, "cancel": cancel}))

    def to_python(self, value: Any, convert: Convert) -> Any:
        """A JavaScript array, plain object, map or set as a Python container, with everything in it.

        Args:
            value: the container. It stays as it is, if it throws when it is read.
            convert: converts a value that Pyodide does not convert. Its arguments are the value; a function that
                converts a part of the value; and one that remembers the result for a value that may hold itself.
        """
        try:
            return value.to_py(default_converter=convert)
        except (self._ffi.JsException, SystemError):  # SystemError: Pyodide forgets that an element raised
            return value

    def to_plain(self, items: Collection[Any]) -> Any:
        """A JavaScript array, or set, of plain data, buffers and JavaScript values."""
        try:
            return self._ffi.to_js(items)
        except self._ffi.ConversionError as error:  # a buffer of a format that JavaScript lacks
            raise TypeError(str(error.__cause__ or error)) from None

    def longest_text(self) -> int:
        """The length of the longest text in this engine, in units of UTF-16."""
        if not self._longest_text:
            self._longest_text = int(self._runtime.longestText())
        return self._longest_text

    def later(self, seconds: float, run: Callable[[], None]) -> bool:
        """Runs a function after a pause. Returns whether it will."""
        asyncio.get_event_loop().call_later(seconds, run)
        return True

    def can_wait(self) -> bool:
        """Whether code can wait here. If JavaScript is on the stack, or Rust, its stack cannot be suspended."""
        return bool(self._ffi.can_run_sync())

    def wait(self, future: asyncio.Future[Any]) -> None:
        """Blocks for a while, until a future is done at most. The event loop turns meanwhile."""
        self._waits.wait(future)

    def measure(
        self, name: str, began_ago: float, ended_ago: float, color: str, properties: Sequence[tuple[str, str]]
    ) -> None:
        """Enters a span of time into the Performance panel of developer tools.

        The panel hears of it at once, so nothing stays in the page's own buffer of such entries.
        """
        performance: Any = getattr(self._js, "performance", None)
        if not callable(getattr(performance, "measure", None)):
            return
        now = performance.now()
        devtools = {"dataType": "track-entry", "track": "unpanic", "color": color, "properties": properties}
        options = {"start": now - began_ago * 1000, "end": now - ended_ago * 1000, "detail": {"devtools": devtools}}
        performance.measure(name, self._ffi.to_js(options, dict_converter=self._js.Object.fromEntries))
        performance.clearMeasures(name)

    def glue_file(self, path: Path) -> Any:
        """A glue file, or a Wasm file, in Pyodide's file system, with a function that reads the files beside it."""
        if not path.is_file():
            raise FetchError(f"There is no file {str(path)!r} in Pyodide's file system.", url=str(path))

        def read(relative: str) -> Any:
            beside = path.parent / relative
            return self._ffi.to_js(beside.read_bytes()) if beside.is_file() else None

        if path.suffix == ".wasm":
            content = {"source": "", "bytes": self._ffi.to_js(path.read_bytes())}
        else:
            content = {"source": path.read_text("utf-8", errors="replace")}
        return self._options({**content, "url": path.resolve().as_uri(), "readFile": self._ffi.create_proxy(read)})

    def imports(self, imports: Sequence[tuple[str, str, Any]]) -> tuple[Any, list[Any]]:
        """The imports of a Wasm file, by module and name, and proxies of those that are Python functions.

        Whoever asks for them destroys the proxies.
        """
        proxies: list[Any] = []
        entries = []
        for module, name, value in imports:
            is_python = callable(value) and not self.is_foreign(value)
            if is_python:
                proxies.append(self._ffi.create_proxy(value))
            entries.append([module, name, proxies[-1] if is_python else value, is_python])
        return self._ffi.to_js(entries), proxies

    def wasm_file(self, path: Path) -> Any:
        """The bytes of a Wasm file in Pyodide's file system."""
        if not path.is_file():
            raise FetchError(f"There is no file {str(path)!r} in Pyodide's file system.", url=str(path))
        return self._ffi.to_js(path.read_bytes())


def _load_error(error: Any) -> LoadError:
    """The Python exception for an error that the runtime's `load` threw."""
    kind = LOAD_ERRORS.get(str(error.name), LoadError)
    if kind is FetchError:
        status = getattr(error, "status", None)
        return FetchError(str(error.message), url=str(error.url), status=status if isinstance(status, int) else None)
    if kind is StartError:
        crash = make_crash(DiagnosisFields(*error.details), module="", generation=0)
        return StartError(f"{error.message} Correct it there, or load another version.", crash=crash)
    return kind(str(error.message))


_browser: PyodideBrowser | None = None


def current_browser() -> Browser:
    """The browser of this interpreter.

    Raises:
        RuntimeError: this Python does not run under Pyodide.
    """
    global _browser
    if _browser is None:
        if "pyodide" not in sys.modules:
            raise RuntimeError("unpanic loads modules in the browser: run it under Pyodide (this is plain CPython).")
        _browser = PyodideBrowser()
    return _browser
