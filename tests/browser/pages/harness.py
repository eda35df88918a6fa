"""The half of the test harness that runs inside Pyodide. `tests/harness.py` drives it.

Tests may use it too, by `import harness`: `harness.watch(module)` has the guard check at the end
of the test that no call is in flight in that module any more.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import linecache
import operator
import sys
import traceback
from typing import Any

import js

# Values that a test keeps here between its runs.
kept: dict[str, Any] = {}
_watched: list[Any] = []
_before: set[asyncio.Task[Any]] = set()


def watch(module: Any) -> Any:
    """Has the guard check that this module has no calls in flight, and then unload it. Returns the module."""
    _watched.append(module)
    return module


async def begin_test(checks: str) -> str:
    """Remembers the tasks that belong to no test, and has asyncio report lost exceptions.

    Args:
        checks: not empty: modules that the test loads compare memory with its shadow at each commit. A difference is an
            uncaught error, besides that the call fails.
    """
    # It reports without Python, and without text that a strict page would not evaluate.
    js.unpanicCheckCommits = js.reportLater if checks else None
    asyncio.get_running_loop().set_exception_handler(_report)
    _unload_all()
    _before.clear()
    _before.update(asyncio.all_tasks())
    return ""


def _unload_all() -> None:
    """Unloads what other tests have left, watched or not, and what Python would have unloaded with its last name."""
    # A module lives until it is unloaded, and Chromium allows about 125 Wasm memories.
    _watched.clear()
    if registry := sys.modules.get("unpanic._exports.registry"):
        for module in list(registry._loaded):
            sys.modules["unpanic"].unload(module)


def _report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    text = "".join(traceback.format_exception(error)) if error else ""
    js.reportError(js.Error.new(f"{context['message']}\n{text}"))


async def run(text: str) -> str:
    """Runs a function from its source, and returns its result or its traceback as JSON."""
    request = json.loads(text)
    names: dict[str, Any] = {"__name__": "test", **request["constants"]}
    try:
        for name, origin in request["imports"].items():
            names[name] = _import(*origin)
        for part in request["parts"]:
            _define(names, **part)
        functions = {name: names[function] for name, function in request["functions"].items()}
        result = names[request["function"]](**request["arguments"], **functions)
        if inspect.isawaitable(result):
            result = await result
        return json.dumps({"value": result})
    except BaseException as error:
        return json.dumps({"error": "".join(traceback.format_exception(error))})


def _import(module: str, name: str) -> Any:
    found = importlib.import_module(module)
    return operator.attrgetter(name)(found) if name else found


def _define(names: dict[str, Any], source: str, file: str, line: int) -> None:
    # Blank lines before it give every line the number that it has in its file.
    padded = "\n" * (line - 1) + source
    linecache.cache[file] = (len(padded), None, padded.splitlines(keepends=True), file)
    exec(compile(padded, file, "exec"), names)


async def pending(_: str) -> str:
    """Returns the work that the test left unfinished, as a JSON list of descriptions."""
    await asyncio.sleep(0.01)  # what was just settled gets its turn to end
    tasks = asyncio.all_tasks() - _before - {asyncio.current_task()}
    left = [f"task never ended: {task!r}" for task in tasks if not task.done()]
    left += [text for module in _watched for text in _in_flight(module)]
    return json.dumps(left)


def _in_flight(module: Any) -> list[str]:
    import unpanic

    count = unpanic.status(module).in_flight
    return [f"{count} calls in flight in {module.__name__}"] if count else []
