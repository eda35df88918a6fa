"""Brings a new build of a package into an open page: names stay, and the Rust module behind them begins anew.

`unpanic dev` sends this file to the page, where Pyodide runs it. It unloads the old modules, imports the new ones, and
gives every name of a Python module that meant something of the old ones its new meaning. What else holds an old
function (a list, a closure) keeps it, and its next call raises `ModuleTerminated`.
"""

import importlib
import importlib.metadata
import inspect
import sys
import sysconfig
import traceback
import types
import zipfile
from pathlib import Path
from typing import Any

import unpanic
from unpanic._exports import registry

__all__ = ["renew"]


async def renew(wheel: str) -> list[str]:
    """Installs a wheel over the old one, and returns the names of the modules that began anew.

    Callbacks of `unpanic.on_reset` go over to the new module, and are called with it: they fill its state.

    Args:
        wheel: its path in Pyodide's file system.
    """
    site = Path(sysconfig.get_path("purelib")).resolve()  # Pyodide writes //lib
    with zipfile.ZipFile(wheel) as archive:
        new_names = set(archive.namelist())
        before = _files(new_names) - new_names
        for name in before:
            (site / name).unlink(missing_ok=True)
        archive.extractall(site)
    files = {str(site / name) for name in new_names | before}
    old = {name: module for name, module in sys.modules.items() if getattr(module, "__file__", None) in files}
    callbacks = {name: _callbacks(module) for name, module in old.items()}
    attributes = {name: dict(vars(module)) for name, module in old.items()}
    for name, module in old.items():
        if registry.find(module) and not registry.has_ended(module):
            unpanic.unload(module)
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    gone = {name for name, module in old.items() if module.__file__ and not Path(module.__file__).is_file()}
    new = {name: await _import(name) for name in sorted(old.keys() - gone)}
    _rebind(old, attributes, new)
    for name, module in new.items():
        for callback in callbacks[name]:
            unpanic.on_reset(module, callback)
            await _fill(callback, module)
    return sorted(name for name in new if registry.find(new[name]))


def _files(new_names: set[str]) -> set[str]:
    """Returns the files of the version that was installed before, whatever its number is."""
    (info,) = {name.partition("/")[0] for name in new_names if name.endswith(".dist-info/METADATA")}
    try:
        return {file.as_posix() for file in importlib.metadata.files(info.partition("-")[0]) or ()}
    except importlib.metadata.PackageNotFoundError:
        return set()


def _callbacks(module: types.ModuleType) -> list[Any]:
    known = registry.find(module)
    return list(known.supervisor.reset_callbacks) if known else []


async def _import(name: str) -> types.ModuleType:
    """Imports a module; one that is too large for this thread is loaded first."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if error.path is None or "await unpanic.load(" not in str(error):
            raise
        await unpanic.load(error.path, name=error.name)
        return importlib.import_module(name)


def _rebind(
    old: dict[str, types.ModuleType], attributes: dict[str, dict[str, Any]], new: dict[str, types.ModuleType]
) -> None:
    """Gives names in all modules their new meaning."""
    meanings: dict[int, Any] = {id(module): new[name] for name, module in old.items() if name in new}
    for name, values in attributes.items():
        if name not in new:
            continue
        for attribute, value in values.items():
            # Numbers and texts are no names for something of the module: others may have the same.
            if not attribute.startswith("__") and callable(value) and hasattr(new[name], attribute):
                meanings[id(value)] = getattr(new[name], attribute)
    for module in list(sys.modules.values()):
        if module not in new.values() and isinstance(module, types.ModuleType):
            names = vars(module)
            names.update({key: meanings[id(value)] for key, value in list(names.items()) if id(value) in meanings})


async def _fill(callback: Any, module: types.ModuleType) -> None:
    try:
        result = callback(module, None)
        if inspect.isawaitable(result):
            await result
    except Exception:
        traceback.print_exc()
