"""Rust modules in Python's import system: `import bank` finds what was loaded, `importlib.reload(bank)` resets it.

A wheel with glue has a `bank/__init__.py` of two lines, which put the Rust module in the place of that file's module:

>>> import unpanic
>>> unpanic.load_sync("bank.js", name=__name__)
"""

import importlib.util
import keyword
import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._exports import registry
from ._exports.rust_module import RustModule
from .errors import ModuleTerminated

if TYPE_CHECKING:
    from importlib.readers import FileReader

__all__ = [
    "ImportErrors",
    "beside_importer",
    "forget",
    "importing",
    "loaded_ahead",
    "publish",
]

# Part of the message about a file that the engine compiles only asynchronously (js/src/shared/messages.js).
TOO_LARGE = "Use the asynchronous `load`"


class RustLoader(Loader):
    """The loader in the spec of a Rust module. If Python executes the module again, the loader resets it."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def exec_module(self, module: types.ModuleType) -> None:
        """Resets the module, as `importlib.reload` asks for it."""
        registry.of(module).supervisor.reset()

    def get_resource_reader(self, _name: str) -> "FileReader | None":
        """Returns a reader of the files beside the glue, for `importlib.resources`."""
        # Here, because it imports `zipfile`, for which `import unpanic` would have to wait.
        from importlib.readers import FileReader

        return FileReader(self) if self.path else None  # type: ignore[arg-type]


class RustFinder(MetaPathFinder):
    """Finds loaded Rust modules for `importlib.reload`; `import` finds them in `sys.modules`, without this finder."""

    def find_spec(
        self, _name: str, _path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        return target.__spec__ if isinstance(target, RustModule) else None


class EndedSpec(ModuleSpec):
    """The spec of an unloaded module. `importlib.reload` asks for its name first, and is told that the module ended."""

    def __getattribute__(self, attribute: str) -> Any:
        if attribute == "name":
            name = super().__getattribute__(attribute)
            raise ModuleTerminated(f"{name} cannot be reloaded: the module has ended (it was unloaded). Load it again.")
        return super().__getattribute__(attribute)

    def __repr__(self) -> str:
        return f"EndedSpec(origin={self.origin!r})"


_finder = RustFinder()

# Modules that `load` has loaded under a name that is not free, by that name and the glue's path. The name may belong to
# the package that is going to import the file.
_ahead: dict[tuple[str, str], types.ModuleType] = {}


def importing(name: str | None) -> types.ModuleType | None:
    """Returns the module of this name if its import is running, or None."""
    module = sys.modules.get(name) if name else None
    return module if getattr(getattr(module, "__spec__", None), "_initializing", False) else None


def beside_importer(source: Any, importer: types.ModuleType | None) -> Any:
    """Returns a path as it is, but a relative one beside the file whose import is running."""
    file = getattr(importer, "__file__", None)
    if file is None or not isinstance(source, str | Path) or "://" in str(source):
        return source
    return Path(file).parent / source


def loaded_ahead(name: str | None, path: Path) -> types.ModuleType | None:
    """Returns the module that `load` has loaded from this file under this name; it takes the importer's place."""
    importer = importing(name)
    module = _ahead.pop((name, str(path.absolute())), None) if name and importer else None
    if module is None or importer is None or registry.has_ended(module):
        return None
    _take_place(module, importer)
    return module


def publish(module: types.ModuleType, origin: str | Path | None) -> None:
    """Gives a loaded module its spec, and its name in `sys.modules`.

    If a file of this name is being imported, the module takes its place. Otherwise the name must be free: the module
    hides nothing that could be imported.

    Args:
        module: the module that `load` is about to return.
        origin: the glue's URL or path, or None if it was an imported namespace.
    """
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    path = origin.absolute() if isinstance(origin, Path) else None
    spec = ModuleSpec(module.__name__, RustLoader(path), origin=str(path or origin) if origin else None)
    module.__spec__, module.__loader__ = spec, spec.loader
    if path:
        spec.has_location = True
        module.__file__ = str(path)
    importer = importing(module.__name__)
    if importer is not None:
        _take_place(module, importer)
        return
    module.__package__ = spec.parent
    if _is_free(module.__name__, path):
        sys.modules[module.__name__] = module
    elif path:
        _ahead[module.__name__, str(path)] = module


def _take_place(module: types.ModuleType, importer: types.ModuleType) -> None:
    """Puts a Rust module in the place of the file whose import is running: `import` looks there after the file ran."""
    if module.__spec__ is not None and hasattr(importer, "__path__"):
        module.__path__ = module.__spec__.submodule_search_locations = list(importer.__path__)
    module.__package__ = importer.__package__
    sys.modules[module.__name__] = module


def _is_free(name: str, path: Path | None) -> bool:
    """Whether `import name` would find nothing, or only the glue's folder as a namespace package."""
    if not name.isidentifier() or keyword.iskeyword(name):
        return False
    if name in sys.modules:
        return registry.has_ended(sys.modules[name])
    try:
        spec = importlib.util.find_spec(name)
    except Exception:
        return False  # the finder of somebody else knows the name
    if spec is None:
        return True
    if spec.origin is not None or path is None or str(path.parent) not in (spec.submodule_search_locations or ()):
        return False
    return not any(path.parent.glob("*.py"))


def forget(module: types.ModuleType) -> None:
    """Takes an unloaded module out of `sys.modules` if it is still there."""
    name, spec = module.__name__, module.__spec__
    if sys.modules.get(name) is module:
        del sys.modules[name]
    for key in [key for key, ahead in _ahead.items() if ahead is module]:
        del _ahead[key]
    if spec is not None and not isinstance(spec, EndedSpec):
        module.__spec__ = EndedSpec(name, spec.loader, origin=spec.origin)


class ImportErrors:
    """Raises an `ImportError` in place of other errors while an import is running: `except ImportError` expects it.

    Args:
        importer: the module whose import is running; None: no error is replaced.
        kinds: the classes of the errors.
        path: the glue's path, if it is known; then the error is the cause.
    """

    def __init__(self, importer: types.ModuleType | None, *kinds: type[Exception], path: Path | None = None) -> None:
        self._importer, self._kinds, self._path = importer, kinds, path

    def __enter__(self) -> None:
        """Begins to watch."""

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if self._importer is None or not isinstance(error, self._kinds):
            return
        name, path = self._importer.__name__, self._path
        problem, is_large, _ = str(error).partition(TOO_LARGE)
        first = f"First `await unpanic.load({str(path)!r}, name={name!r})`." if is_large else ""
        text = f"cannot import {name!r}: {problem}{first}"
        raise ImportError(text, name=name, path=str(path) if path else None) from (error if path else None)
