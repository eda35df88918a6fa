"""The half of the plugin for pytest that runs inside Pyodide. `unpanic_tools/testing/host.py` drives it."""

from __future__ import annotations
import __future__

import ast
import asyncio
import contextlib
import gc
import importlib
import inspect
import io
import json
import linecache
import sys
import tempfile
import types
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

js: Any = importlib.import_module("js")
capturing: Any = importlib.import_module("unpanic_capturing")
injecting: Any = importlib.import_module("unpanic_injecting")
plain: Any = importlib.import_module("unpanic_plain")
subtests: Any = importlib.import_module("unpanic_subtests")
# Frames of these files are no part of a test.
OWN = (__file__, *(file.__file__ for file in (capturing, injecting, subtests)))
# Packages that stay imported from one test to the next.
KEPT = ("unpanic", "_pytest", "pytest", "pluggy")
KINDS_OF_METHODS = ("staticmethod", "classmethod")
CaptureResult = namedtuple("CaptureResult", "out err")


def take_printed(name: str) -> str:
    """Returns what was printed to a stream, "out" or "err", since the last time."""
    (sys.stdout if name == "out" else sys.stderr).flush()
    text: str = js.unpanicPrinted(name)
    return text


class _Capsys:
    """Pytest's `capsys`, `capfd` and their likes, for what the test prints in Pyodide."""

    def __init__(self, is_binary: bool) -> None:
        self._is_binary = is_binary

    def readouterr(self) -> CaptureResult:
        out, err = take_printed("out"), take_printed("err")
        return CaptureResult(out.encode(), err.encode()) if self._is_binary else CaptureResult(out, err)

    @contextlib.contextmanager
    def disabled(self) -> Iterator[None]:
        yield


async def prepare(_: str) -> str:
    """Prepares Pyodide for tests, after the wheels were installed."""
    from _pytest.assertion import util

    util._reprcompare = _explain
    # A line is shown as soon as it is printed.
    for stream in (sys.stdout, sys.stderr):
        cast("io.TextIOWrapper", stream).reconfigure(line_buffering=True)
    asyncio.get_running_loop().set_exception_handler(_report)
    sys.breakpointhook = _no_breakpoint
    return ""


def _no_breakpoint(*_: Any, **__: Any) -> None:
    raise RuntimeError("breakpoint() cannot stop a test in Pyodide: raise an exception there, and run `pytest --pdb`")


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


class _Test:
    """What belongs to one test.

    Attributes:
        files: parts of files, each a module, by its name. All functions of a test share them.
        left: what it leaves behind that is neither a task nor a call.
    """

    def __init__(self) -> None:
        self.files: dict[str, _File] = {}
        self.left: list[str] = []
        self._tasks = asyncio.all_tasks()
        self._modules = set(sys.modules)

    def define(self, slices: list[dict[str, Any]], test: tuple[str, str]) -> None:
        """Runs parts of files, each after those that it imports.

        Args:
            slices: the parts.
            test: the module and the name of the function that runs then: its decorators are those of the host.
        """
        for part in slices:
            name = part["module"]
            if name not in self.files:
                self.files[name] = _File(part)
            self.files[name].define(part, test[1] if name == test[0] else "")

    def tasks(self) -> list[asyncio.Task[Any]]:
        """The tasks that it has begun, and that have not ended."""
        return [
            task for task in asyncio.all_tasks() - self._tasks - {asyncio.current_task()} if task and not task.done()
        ]

    def forget(self) -> None:
        """Unloads its Rust modules, and forgets what it imported, so that the next one begins afresh."""
        js.unpanicInject.leave()
        for task in self.tasks():
            task.cancel()
        for module in _loaded():
            sys.modules["unpanic"].unload(module)
        for name in set(sys.modules) - self._modules:
            file = getattr(sys.modules[name], "__file__", None) or ""
            is_installed = "site-packages" in file and name.partition(".")[0] not in KEPT
            if is_installed or isinstance(sys.modules[name], _Part):
                del sys.modules[name]
        self.files.clear()


class _File:
    """A file of the project, of which parts are here."""

    def __init__(self, part: dict[str, Any]) -> None:
        self._file = part["file"]
        self._source = part["source"]
        self._future = part["future"]
        self._done: set[str] = set()
        self.module = _module(part["module"])
        self.module.__file__ = self._file
        # A traceback shows lines of this file.
        linecache.cache[self._file] = (len(self._source), None, self._source.splitlines(keepends=True), self._file)

    def define(self, part: dict[str, Any], test: str) -> None:
        """Runs what has not run yet."""
        names = vars(self.module)
        for name, value in part["values"].items():
            if name not in self._done:
                names[name] = plain.decode(value)
        for line, source in sorted(part["statements"].items(), key=lambda item: int(item[0])):
            if line not in self._done:
                exec(self._compiled(int(line), source, test), names)
        self._done |= {*part["values"], *part["statements"]}

    def _compiled(self, line: int, source: str, test: str) -> types.CodeType:
        """Compiles a piece, with assertions as pytest rewrites them. Blank lines before it give it its lines."""
        from _pytest.assertion.rewrite import rewrite_asserts

        tree = ast.parse("\n" * (line - 1) + source, self._file)
        for statement in tree.body:
            _undecorate(statement, test.split("."))
        rewrite_asserts(tree, self._source.encode(), self._file, None)
        flags = __future__.annotations.compiler_flag if self._future else 0
        code: types.CodeType = compile(tree, self._file, "exec", flags, dont_inherit=True)
        return code


class _Part(types.ModuleType):
    """A part of a file of the project, or a package of such files."""


def _module(name: str) -> types.ModuleType:
    """Makes a module that can be imported, with the packages around it."""
    package = name.rpartition(".")[0]
    if package and package not in sys.modules:
        _module(package)
    module = sys.modules[name] = _Part(name)
    module.__package__, module.__path__ = package, []
    return module


_test: _Test


async def begin(_: str) -> str:
    """Begins a test."""
    global _test
    _test = _Test()
    js.unpanicGenerations.begin()
    return ""


async def run(text: str) -> str:
    """Runs a function of a test, and returns how it ended, as JSON."""
    request = json.loads(text)
    outcome: dict[str, Any] = {"kind": "passed"}
    guests = _Guests(request)
    with contextlib.ExitStack() as stack:
        logs = stack.enter_context(capturing.logs(request["level"]))
        warned = stack.enter_context(capturing.warned(request["warnings"]))
        measured = stack.enter_context(_measured(request["measure"]))
        stack.callback(guests.close)
        try:
            result = await _call(request, guests)
            if request["returns"]:
                outcome["value"] = json.dumps(result)
        except BaseException as error:
            outcome = _describe(error, request)
    _test.left += guests.left
    if outcome["kind"] == "failed":
        outcome["text"] = "\n".join([outcome["text"], *guests.fired])
    printed = {name: take_printed(name) for name in ("out", "err")}
    told = {"logs": logs, "warnings": warned, "measured": measured}
    ended = guests.subtests.ended if guests.subtests else []
    return json.dumps(outcome | printed | told | {"subtests": ended})


async def _call(request: dict[str, Any], guests: _Guests) -> Any:
    """Calls the function that is to run, and around a method of a class of tests what the class has for that."""
    function = _find(request)
    values = {name: plain.decode(value) for name, value in request["arguments"].items()}
    values |= {name: _found(*place) for name, place in request["functions"].items()}
    values |= {name: guests.make(name) for name in request["guests"]}
    owner = getattr(function, "__self__", None)
    if owner is None or request["attributes"] is None:
        return await _awaited(function(**values))
    vars(owner).update({name: plain.decode(value) for name, value in request["attributes"].items()})
    await _call_if_there(owner, "setup_class", type(owner))
    try:
        await _call_if_there(owner, "setup_method", function)
        try:
            return await _awaited(function(**values))
        finally:
            await _call_if_there(owner, "teardown_method", function)
    finally:
        await _call_if_there(owner, "teardown_class", type(owner))


async def _call_if_there(owner: Any, name: str, value: Any) -> None:
    """Calls a method that takes a value or nothing."""
    method = getattr(owner, name, None)
    if method is not None:
        await _awaited(method(value) if inspect.signature(method).parameters else method())


async def _awaited(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def _measured(mode: dict[str, Any] | None) -> contextlib.AbstractContextManager[dict[str, list[Any]]]:
    """Collects what runs until the block ends, if anybody wants to know."""
    if mode is None:
        return contextlib.nullcontext({})
    measuring: Any = importlib.import_module("unpanic_measuring")
    found: contextlib.AbstractContextManager[dict[str, list[Any]]] = measuring.measured(**mode)
    return found


def _find(request: dict[str, Any]) -> Any:
    """Returns the function that is to run, after the parts of files that it needs have run."""
    _test.define(request["slices"], request["function"])
    return _found(*request["function"])


def _found(module: str, name: str) -> Any:
    """Returns a function, or a method of a new object of its class."""
    first, *rest = name.rpartition("<locals>.")[2].split(".")
    found = getattr(_test.files[module].module, first)
    for part in rest:
        found = getattr(found() if inspect.isclass(found) else found, part)
    return found


def _undecorate(statement: ast.stmt, name: list[str]) -> None:
    """The marks of a test are the host's."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and statement.name == name[0]:
        statement.decorator_list = [each for each in statement.decorator_list if ast.unparse(each) in KINDS_OF_METHODS]
        for inner in statement.body if len(name) > 1 else ():
            _undecorate(inner, name[1:])


class _Guests:
    """The fixtures of pytest that tests get in Pyodide instead of a copy of the host's."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._stack = contextlib.ExitStack()
        self._request = request
        self.subtests: Any = None
        self._inject = injecting.Inject()
        # Plans of `inject` that came to nothing, and what makes the others again.
        self.left: list[str] = []
        self.fired: list[str] = []

    def make(self, name: str) -> Any:
        import pytest

        if name.startswith(("capsys", "capfd", "capteesys")):
            return _Capsys(is_binary=name.endswith("binary"))
        if name in ("caplog", "recwarn"):
            return self._stack.enter_context(getattr(capturing, name)())
        if name == "subtests":
            self.subtests = subtests.Subtests(lambda error: _describe(error, self._request))
            return self.subtests
        if name == "inject":
            self._stack.callback(self._end_plans)
            return self._inject
        if name == "monkeypatch":
            patch = pytest.MonkeyPatch()
            self._stack.callback(patch.undo)
            return patch
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    def _end_plans(self) -> None:
        self.left += self._inject.finish()
        self.fired += self._inject.fired()

    def close(self) -> None:
        self._stack.close()


def _describe(error: BaseException, request: dict[str, Any]) -> dict[str, Any]:
    """How a test ended that raised an exception."""
    import pytest

    if isinstance(error, pytest.skip.Exception):
        return {"kind": "skipped", "text": error.msg or ""}
    if isinstance(error, pytest.xfail.Exception):
        return {"kind": "xfailed", "text": error.msg or ""}
    if isinstance(error, pytest.exit.Exception):
        return {"kind": "exited", "text": error.msg or "", "code": error.returncode}
    _forget_own(error)
    info = pytest.ExceptionInfo.from_exception(error)
    style: Any = request["style"] if request["style"] in ("short", "long", "native", "line", "value") else "long"
    is_told = isinstance(error, pytest.fail.Exception)  # `pytest.fail(...)`
    if is_told and not cast("Any", error).pytrace:
        style = "value"
    told = info.getrepr(
        style=style,
        showlocals=request["showlocals"],
        tbfilter=lambda info: info.traceback.filter(
            lambda entry: entry.frame.code.raw.co_filename not in OWN and not entry.ishidden(info)
        ),
        truncate_locals=True,
    )
    frames = [entry for entry in info.traceback if str(entry.frame.code.raw.co_filename) == request["file"]]
    return {
        "kind": "failed",
        "text": _shown(told),
        "message": info.exconly(tryshort=True),
        "file": request["file"],
        "line": frames[-1].lineno + 1 if frames else 0,
        "frames": _frames(error) if request["frames"] else [],
        "is_told": is_told,
        "classes": [[kind.__module__, kind.__qualname__] for kind in type(error).__mro__],
    }


def _forget_own(error: BaseException) -> None:
    """Leaves out the frames around the test, which no style of pytest's is to show."""
    entry = error.__traceback__
    while entry is not None and entry.tb_frame.f_code.co_filename in OWN:
        entry = entry.tb_next
    error.__traceback__ = entry or error.__traceback__


def _frames(error: BaseException) -> list[dict[str, Any]]:
    """What the host's debugger shows."""
    frames: Any = importlib.import_module("unpanic_frames")
    found: list[dict[str, Any]] = frames.frames(error, OWN)
    return found


def _shown(told: Any) -> str:
    """The text of a failure, with the indentation of its first line."""
    from _pytest._io import TerminalWriter

    file = io.StringIO()
    told.toterminal(TerminalWriter(file))
    return file.getvalue().strip("\n")


async def pending(_: str) -> str:
    """Returns the work that the test has left unfinished, as a JSON list of descriptions."""
    return json.dumps([*_test.left, *await _pending()])


async def _pending() -> list[str]:
    await asyncio.sleep(0.01)  # what was just settled gets its turn to end
    left = [f"task never ended: {task!r}" for task in _test.tasks()]
    for module in _loaded():
        if count := sys.modules["unpanic"].status(module).in_flight:
            left.append(f"{count} calls in flight in {module.__name__}")
    return left


async def end(_: str) -> str:
    """Ends the test, and returns what it left behind, and whether generations have died in it, as JSON."""
    left = [*_test.left, *await _pending()]
    has_deaths = js.unpanicGenerations.count() > 0
    _test.forget()
    return json.dumps([left, has_deaths])


async def collect(_: str) -> str:
    """Collects Python's garbage, which may refer to JavaScript's."""
    gc.collect()
    return ""


def _loaded() -> list[Any]:
    registry = sys.modules.get("unpanic._exports.registry")
    return list(registry._loaded) if registry else []
