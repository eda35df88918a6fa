"""The browser's side, in one place: the only module that imports Pyodide or JavaScript.

Everything else takes a `Host`, so that plain CPython can import and test it with a fake one.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from ._crashes import make_crash
from .errors import CompileError, FetchError, GlueError, LoadError, StartError

__all__ = ["Driver", "Host", "browser"]

# Any: what crosses from JavaScript has no static type.
type Handlers = Mapping[str, Callable[..., Any]]


class Driver(Protocol):
    """One module in the JavaScript runtime: the verbs that Python calls (js/src/python.js)."""

    def describe(self) -> str: ...
    def renew(self) -> str: ...
    def end(self) -> Any: ...
    def close(self) -> None: ...
    def isClear(self) -> bool: ...  # noqa: N802
    def statistics(self) -> Any: ...
    def constant(self, name: str) -> Any: ...
    def isNumeric(self, index: int) -> bool: ...  # noqa: N802
    def numericLane(self, index: int) -> Callable[..., Any]: ...  # noqa: N802
    def functionLane(self, index: int) -> Callable[..., Any]: ...  # noqa: N802
    def constructorLane(self, index: int) -> Callable[..., int]: ...  # noqa: N802
    def member(self, index: int, name: str, role: str) -> Callable[..., Any]: ...
    def closureLane(self, id: int, *args: Any) -> Any: ...  # noqa: A002, N802
    def adopt(self, value: Any) -> Any: ...
    def object(self, id: int) -> Any: ...  # noqa: A002
    def release(self, generation: int, id: int, class_name: str) -> None: ...  # noqa: A002
    def forget(self, id: int) -> None: ...  # noqa: A002
    def refuse(self, address: int) -> None: ...
    def raised(self, text: str, exception: Any) -> None: ...
    def callback(self, invoke: Any) -> Any: ...


class Host(Protocol):
    """What unpanic needs from the place where it runs."""

    async def load(self, options: Mapping[str, Any]) -> Driver: ...
    def load_sync(self, options: Mapping[str, Any]) -> Driver: ...
    def attach(self, driver: Driver, handlers: Handlers) -> Callable[[], None]: ...
    def is_foreign(self, value: object) -> bool: ...
    def is_null(self, value: object) -> bool: ...
    def to_bytes(self, value: Any) -> bytes | memoryview | None: ...
    def to_python(self, value: Any, convert: Callable[[Any], Any]) -> Any: ...
    def to_javascript(self, value: Any, convert: Callable[[Any], Any]) -> Any: ...
    def proxy(self, value: object) -> Any: ...
    def glue_file(self, path: Path) -> Any: ...
    def wasm_file(self, path: Path) -> Any: ...


LOAD_ERRORS = {error.__name__: error for error in (LoadError, FetchError, GlueError, CompileError, StartError)}


class Browser:
    """Pyodide in a page, a worker, or Node."""

    def __init__(self) -> None:
        from pyodide import code, ffi

        import js

        self._js: Any = js
        self._ffi = ffi
        self._null = getattr(ffi, "jsnull", None)
        source = resources.files(__package__).joinpath("_runtime.js").read_text("utf-8")
        self._runtime = code.run_js(source + "\n//# sourceURL=unpanic/runtime.js")

    def _options(self, options: Mapping[str, Any]) -> Any:
        return self._ffi.to_js(dict(options), depth=1, dict_converter=self._js.Object.fromEntries)

    async def load(self, options: Mapping[str, Any]) -> Driver:
        try:
            return await self._runtime.load(self._options(options))  # type: ignore[no-any-return]
        except self._ffi.JsException as error:
            raise _load_error(error) from None

    def load_sync(self, options: Mapping[str, Any]) -> Driver:
        try:
            return self._runtime.loadSync(self._options(options))  # type: ignore[no-any-return]
        except self._ffi.JsException as error:
            raise _load_error(error) from None

    def attach(self, driver: Driver, handlers: Handlers) -> Callable[[], None]:
        """Connects a driver with Python's supervisor; returns what lets go of both."""
        proxies = {name: self._ffi.create_proxy(handler) for name, handler in handlers.items()}
        driver.attach(self._options(proxies), self._python_error())  # type: ignore[attr-defined]

        def detach() -> None:
            for proxy in proxies.values():
                proxy.destroy()

        return detach

    def _python_error(self) -> Any:
        import pyodide_js

        return pyodide_js.ffi.PythonError

    def is_foreign(self, value: object) -> bool:
        return isinstance(value, self._ffi.JsProxy)

    def is_null(self, value: object) -> bool:
        return value is None or value is self._null

    def to_bytes(self, value: Any) -> bytes | memoryview | None:
        """A typed array or an ArrayBuffer as Python data, or None if it is neither or has no memory any more."""
        if not isinstance(value, self._ffi.JsBuffer):
            return None
        try:
            data = value.to_memoryview()
        except self._ffi.JsException:
            return None  # detached: its memory went elsewhere
        return bytes(data) if data.format in ("B", "c") else data

    def to_python(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """A JavaScript array, plain object, map or set with all that is in it; itself, if it throws when it is read."""
        try:
            return value.to_py(default_converter=lambda inner, _convert, _cache: convert(inner))
        except (self._ffi.JsException, SystemError):  # the latter where Pyodide forgets that an element raised
            return value

    def to_javascript(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """A list, tuple, dict or bytes-like with all that is in it."""
        try:
            return self._ffi.to_js(
                value,
                dict_converter=self._js.Object.fromEntries,
                default_converter=lambda inner, _convert, _cache: convert(inner),
            )
        except self._ffi.ConversionError as error:
            # What `convert` raised is its cause; else it is a key that is no string, or a buffer that JavaScript lacks.
            cause = error.__cause__
            raise (
                TypeError(str(cause or error)) if isinstance(cause, self._ffi.JsException | None) else cause
            ) from None

    def proxy(self, value: object) -> Any:
        return self._ffi.create_proxy(value)

    def glue_file(self, path: Path) -> Any:
        """A glue file of Pyodide's file system, with a way to read what it imports."""
        if not path.is_file():
            raise FetchError(f"There is no file {str(path)!r} in Pyodide's file system.", url=str(path))

        def read(relative: str) -> Any:
            beside = path.parent / relative
            return self._ffi.to_js(beside.read_bytes()) if beside.is_file() else None

        source = path.read_text("utf-8", errors="replace")
        return self._options({"source": source, "url": path.resolve().as_uri(), "readFile": self.proxy(read)})

    def wasm_file(self, path: Path) -> Any:
        """The bytes of a Wasm file of Pyodide's file system."""
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
        return StartError(str(error.message), crash=make_crash(error.details.to_py(), module="", generation=0))
    return kind(str(error.message))


_browser: Browser | None = None


def browser() -> Host:
    """The host of this interpreter.

    Raises:
        RuntimeError: this Python does not run under Pyodide.
    """
    global _browser
    if _browser is None:
        if "pyodide" not in sys.modules:
            raise RuntimeError("unpanic loads modules in the browser: run it under Pyodide (this is plain CPython).")
        _browser = Browser()
    return _browser
