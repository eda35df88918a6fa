"""What a Wasm file without glue imports: Python functions, and numbers."""

from collections.abc import Mapping
from numbers import Real
from types import TracebackType
from typing import Any, Self

from .._bridge.context import Context
from .._bridge.protocols import Browser
from .._values.imports import typed

__all__ = ["ImportedFunctions", "check_imports"]


def check_imports(imports: object) -> None:
    """Checks the option `imports`; which of them the file wants, only the file tells.

    Raises:
        TypeError: it is no dict of dicts of functions and numbers.
    """
    if imports is None:
        return
    if not isinstance(imports, Mapping):
        raise TypeError(f"imports must be a dict such as {{'env': {{'log': print}}}}, not {type(imports).__name__}")
    for module, values in imports.items():
        if not isinstance(values, Mapping):
            raise TypeError(f"imports[{module!r}] must be a dict of functions, not {type(values).__name__}")
        for name, value in values.items():
            if not isinstance(module, str) or not isinstance(name, str):
                raise TypeError(f"imports[{module!r}][{name!r}]: the names of modules and imports must be str")
            if not callable(value) and not isinstance(value, Real):
                raise TypeError(
                    f"imports[{module!r}][{name!r}] must be a function or a number, not {type(value).__name__}"
                )


class ImportedFunctions:
    """The imports that the user gave, for the time of a load.

    JavaScript calls the functions directly until the module is there. From then on they are callbacks of the module.

    Args:
        imports: the option of that name.
        browser: where Python runs.
    """

    def __init__(self, imports: Mapping[str, Mapping[str, Any]] | None, browser: Browser) -> None:
        self._browser = browser
        self._is_given = imports is not None
        self._flat = [
            (module, name, value) for module, values in (imports or {}).items() for name, value in values.items()
        ]
        self._functions = [item for item in self._flat if callable(item[2]) and not browser.is_foreign(item[2])]
        self._proxies: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for proxy in self._proxies:
            proxy.destroy()
        self._proxies = []

    def runtime_options(self) -> dict[str, Any]:
        """The option for the runtime; none if the user gave no imports."""
        if not self._is_given:
            return {}
        imports, self._proxies = self._browser.imports(self._flat)
        return {"imports": imports}

    def bind(
        self, context: Context, signatures: Mapping[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]]
    ) -> None:
        """Makes the functions callbacks of a module.

        Args:
            context: that of the module.
            signatures: the types of the arguments and results of each import, by its module and name.
        """
        for place, (module, name, function) in enumerate(self._functions):
            params, results = signatures[module, name]
            call = typed(function, params, results, f"{module}.{name} returned to {context.name}")
            context.driver.bindImport(place, context.callbacks.keep(call))
