"""Runs in Pyodide: loads the package, replays the capsule, and answers what happened as JSON."""

import json
import math
import traceback
from pathlib import Path

import unpanic

__all__ = ["run"]


async def run(package: str, capsule: str, interruptible: bool) -> str:
    """Replays a capsule.

    Args:
        package: the glue, or the Wasm file.
        capsule: the file with the capsule.
        interruptible: whether the module was loaded with `timeout=` where it crashed.
    """
    try:
        module = await unpanic.load(package, timeout=math.inf if interruptible else None, recovery="rollback")
        result = unpanic.replay(module, Path(capsule).read_bytes())
    except unpanic.Crash as crash:
        return json.dumps(_describe(crash))
    except (unpanic.LoadError, ValueError, TypeError) as error:
        return json.dumps({"problem": str(error)})
    except Exception as error:
        # An exception that Rust or a callback raises on purpose is a result of the call.
        return json.dumps({"crashed": False, "result": f"{type(error).__name__}: {error}"})
    return json.dumps({"crashed": False, "result": repr(result)})


def _describe(crash: unpanic.Crash) -> dict[str, object]:
    return {
        "crashed": True,
        "error": type(crash).__name__,
        "kind": crash.kind,
        "message": crash.message,
        "call": crash.call,
        "location": str(getattr(crash, "location", None) or ""),
        "frames": [_frame(frame) for frame in crash.frames],
        "traceback": "".join(traceback.format_exception_only(crash)).strip(),
    }


def _frame(frame: unpanic.Frame) -> str:
    return f"{frame.function} ({frame.file}:{frame.line})" if frame.file else frame.function
