"""The half of the plugin for pytest that runs inside Pyodide. `unpanic_tools/testing/host.py` drives it."""

from __future__ import annotations

import ast
import asyncio
import base64
import contextlib
import importlib
import inspect
import io
import json
import logging
import pickle
import sys
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

js: Any = importlib.import_module("js")
OWN = __file__
_tasks_before: set[asyncio.Task[Any]] = set()
CaptureResult = namedtuple("CaptureResult", "out err")


class _Tee(io.StringIO):
    """Keeps what is printed, and shows each line to the page at once: it is all that remains of a test that hangs."""

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.strip():
                js.console.debug(line)
        return super().write(text)

    def take(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


class _Capsys:
    """Pytest's `capsys`, for what the test prints in Pyodide."""

    def __init__(self, out: _Tee, err: _Tee) -> None:
        self._out, self._err = out, err

    def readouterr(self) -> CaptureResult:
        return CaptureResult(self._out.take(), self._err.take())

    @contextlib.contextmanager
    def disabled(self) -> Iterator[None]:
        with contextlib.redirect_stdout(sys.__stdout__), contextlib.redirect_stderr(sys.__stderr__):
            yield


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = {
            name: getattr(record, name) for name in ("name", "levelno", "levelname", "pathname", "lineno", "created")
        }
        self.records.append({**fields, "msg": record.getMessage()})


async def begin(_: str) -> str:
    """Prepares Pyodide for tests, after the wheels were installed."""
    from _pytest.assertion import util

    util._reprcompare = _explain
    asyncio.get_running_loop().set_exception_handler(_report)
    return ""


def _report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception that nobody has retrieved becomes an uncaught error of the page."""
    import traceback

    error = context.get("exception")
    text = "".join(traceback.format_exception(error)) if error else ""
    js.reportError(js.Error.new(f"{context['message']}\n{text}"))


class _Config:
    """What pytest's explanations of comparisons ask its configuration for."""

    class pluginmanager:  # noqa: N801 - pytest asks for this name
        @staticmethod
        def has_plugin(_: str) -> bool:
            return False

    def get_verbosity(self, _: str | None = None) -> int:
        return 0

    def getoption(self, _: str, default: Any = None) -> Any:
        return default

    def getini(self, name: str) -> Any:
        return "ndiff" if name == "assertion_text_diff_style" else None

    def get_terminal_writer(self) -> Any:
        from _pytest._io import TerminalWriter

        return TerminalWriter(io.StringIO())


def _explain(op: str, left: object, right: object) -> str | None:
    """Explains a comparison that failed as pytest does."""
    from _pytest import assertion

    lines = assertion.pytest_assertrepr_compare(cast("Any", _Config()), op, left, right)
    return "\n~".join(line.replace("\n", "\\n") for line in lines).replace("%", "%%") if lines else None


async def run(text: str) -> str:
    """Runs a test, and returns how it ended, as JSON."""
    request = json.loads(text)
    _tasks_before.clear()
    _tasks_before.update(asyncio.all_tasks())
    modules_before = set(sys.modules)
    out, err, log = _Tee(), _Tee(), _Log()
    root = logging.getLogger()
    root.addHandler(log)
    outcome: dict[str, Any] = {"kind": "passed"}
    guests = _Guests(out, err)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            function = _define(request)
            values = {name: pickle.loads(base64.b64decode(value)) for name, value in request["arguments"].items()}
            result = function(**values, **{name: guests.make(name) for name in request["guests"]})
            if inspect.isawaitable(result):
                await result
    except BaseException as error:
        outcome = _describe(error, request)
    finally:
        guests.close()
        root.removeHandler(log)
    outcome |= {"out": out.take(), "err": err.take(), "logs": log.records, "left": [*guests.left, *await _left()]}
    _forget(modules_before)
    return json.dumps(outcome)


def _define(request: dict[str, Any]) -> Any:
    """Runs the statements of the test file that the test needs, with assertions as pytest rewrites them."""
    from _pytest.assertion.rewrite import rewrite_asserts

    file = request["file"]
    source = request["source"]
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")
    tree = ast.parse(source, file)
    tree.body = [tree.body[place] for place in request["statements"]]
    for statement in tree.body:
        _undecorate(statement, request["name"].split("."))
    rewrite_asserts(tree, source.encode(), file, None)
    names = {name: pickle.loads(base64.b64decode(value)) for name, value in request["values"].items()}
    names |= {"__name__": request["module"], "__file__": file}
    exec(compile(tree, file, "exec", dont_inherit=True), names)
    first, *rest = request["name"].split(".")
    found = names[first]
    for part in rest:
        found = getattr(found() if inspect.isclass(found) else found, part)
    return found


def _undecorate(statement: ast.stmt, name: list[str]) -> None:
    """The marks of a test are the host's."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and statement.name == name[0]:
        statement.decorator_list = []
        for inner in statement.body if len(name) > 1 else ():
            _undecorate(inner, name[1:])


class _Guests:
    """The fixtures of pytest that tests get in Pyodide instead of a copy of the host's."""

    def __init__(self, out: _Tee, err: _Tee) -> None:
        self._out, self._err = out, err
        self._stack = contextlib.ExitStack()
        # Plans of `inject` that came to nothing.
        self.left: list[str] = []

    def make(self, name: str) -> Any:
        import pytest

        if name == "capsys":
            return _Capsys(self._out, self._err)
        if name == "inject":
            self._stack.callback(self._end_plans)
            return inject
        if name == "monkeypatch":
            patch = pytest.MonkeyPatch()
            self._stack.callback(patch.undo)
            return patch
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    def _end_plans(self) -> None:
        self.left += [f"inject: {names} was not called often enough to die" for names in js.unpanicInject.clear()]

    def close(self) -> None:
        self._stack.close()


def inject(module: Any, kind: str, *, on: str, call: int = 1, at: str = "entry") -> None:
    """Makes a call of a Rust module die. The module stays as it is.

    Args:
        module: the module.
        kind: "trap", "overflow" (of the stack), or "foreign" (an exception of JavaScript's).
        on: the function, or the method, such as "transfer", "deposit" or "Account.deposit".
        call: which call from now on, 1 for the next.
        at: "entry" or "return": before Rust runs, or after it.

    Raises:
        ValueError: there is no such kind or place, or the module has no such function.
    """
    if kind not in js.unpanicInject.kinds:
        raise ValueError(f"kind {kind!r} is none of {', '.join(map(repr, js.unpanicInject.kinds))}")
    if at not in ("entry", "return"):
        raise ValueError(f"at={at!r} is neither 'entry' nor 'return'")
    if call < 1:
        raise ValueError(f"call={call} is not a number of a call: the next one is 1")
    names = [path.lower().replace(".", "_") for path in _paths(module) if path == on or path.endswith(f".{on}")]
    if not names:
        raise ValueError(f"{module.__name__} has no function {on!r}; it has {', '.join(sorted(_paths(module)))}")
    js.unpanicInject.add(kind, importlib.import_module("pyodide.ffi").to_js(names), call, at)


def _paths(module: Any) -> list[str]:
    """The functions of a module, and the methods of its classes: `transfer`, `Account.deposit`."""
    paths = []
    for name in dir(module):
        value = getattr(module, name)
        if inspect.isclass(value) and value.__module__ == module.__name__:
            paths += [f"{name}.{member}" for member, it in vars(value).items() if callable(it) and member[0] != "_"]
        elif callable(value) and not name.startswith("_") and not inspect.isclass(value):
            paths.append(name)
    return paths


def _describe(error: BaseException, request: dict[str, Any]) -> dict[str, Any]:
    """How a test ended that raised an exception."""
    import pytest

    if isinstance(error, pytest.skip.Exception):
        return {"kind": "skipped", "text": error.msg or ""}
    if isinstance(error, pytest.xfail.Exception):
        return {"kind": "xfailed", "text": error.msg or ""}
    info = pytest.ExceptionInfo.from_exception(error)
    style: Any = request["style"] if request["style"] in ("short", "long", "native", "line", "value") else "long"
    told = info.getrepr(
        style=style,
        showlocals=request["showlocals"],
        tbfilter=lambda info: info.traceback.filter(lambda entry: entry.frame.code.raw.co_filename != OWN),
        truncate_locals=True,
    )
    frames = [entry for entry in info.traceback if str(entry.frame.code.raw.co_filename) == request["file"]]
    return {
        "kind": "failed",
        "text": _shown(told),
        "message": info.exconly(tryshort=True),
        "line": frames[-1].lineno + 1 if frames else 0,
        "type": type(error).__name__,
        "builtins": [cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins"],
    }


def _shown(told: Any) -> str:
    """The text of a failure, with the indentation of its first line."""
    from _pytest._io import TerminalWriter

    file = io.StringIO()
    told.toterminal(TerminalWriter(file))
    return file.getvalue().strip("\n")


async def _left() -> list[str]:
    """The work that the test left unfinished."""
    await asyncio.sleep(0.01)  # what was just settled gets its turn to end
    tasks = [task for task in asyncio.all_tasks() - _tasks_before - {asyncio.current_task()} if not task.done()]
    left = [f"task never ended: {task!r}" for task in tasks]
    for task in tasks:
        task.cancel()
    for module in _loaded():
        if count := sys.modules["unpanic"].status(module).in_flight:
            left.append(f"{count} calls in flight in {module.__name__}")
    return left


def _loaded() -> list[Any]:
    registry = sys.modules.get("unpanic._exports.registry")
    return list(registry._loaded) if registry else []


def _forget(before: set[str]) -> None:
    """Unloads the Rust modules of the test, and forgets what it imported, so that the next one begins afresh."""
    for module in _loaded():
        sys.modules["unpanic"].unload(module)
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if "site-packages" in file and name.partition(".")[0] not in ("unpanic", "_pytest", "pytest", "pluggy"):
            del sys.modules[name]
