"""The options of a crate in `[tool.hatch.build.hooks.unpanic]`, checked."""

import dataclasses
import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from .failure import BuildError

__all__ = ["TABLE", "CrateOptions", "read_options"]

TABLE = "[tool.hatch.build.hooks.unpanic]"
STRATEGIES = ("abort", "unwind")
# The options of `unpanic.load_sync` that a TOML file can say and a package may decide.
LOADING = ("recovery", "objects", "restart_budget", "timeout", "spare", "capsules")
# Which hatch itself reads.
OF_HATCH = ("dependencies", "require-runtime-dependencies", "require-runtime-features", "enable-by-default")


@dataclass(frozen=True, kw_only=True)
class CrateOptions:
    """How one crate becomes a Python module.

    Attributes:
        crate: the folder of its `Cargo.toml`, relative to that of `pyproject.toml`.
        module: the name that Python imports, with dots if it is inside of a package; by default that of the library.
        profile: the profile of cargo: `release`, `dev`, or one of the crate's own.
        panic: `abort` or `unwind`; by default what the profile says.
        features: the features of the crate to enable.
        default_features: whether its default features are enabled.
        deadlines: whether calls can be stopped without the rewriter at load: the file is rewritten when it is built.
        rollback: whether failed calls can be undone, likewise; by default as `deadlines`, because a file cannot be
            rewritten twice.
        debug_info: whether frames of crashes have their file and their line; by default in the profile `dev`. The wheel
            has a table of lines, and not the debug information itself.
        wasm_opt: the options with which `wasm-opt` makes the file smaller; empty: it does not run.
        exact_types: whether the wheel carries the exact types of numbers.
        load: how the module is loaded when it is imported: options of `unpanic.load_sync`, by their names.
    """

    crate: str = "."
    module: str = ""
    profile: str = "release"
    panic: str = ""
    features: tuple[str, ...] = ()
    default_features: bool = True
    deadlines: bool = False
    rollback: bool | None = None
    debug_info: bool | None = None
    wasm_opt: tuple[str, ...] = ()
    exact_types: bool = True
    load: Mapping[str, str | float | bool] = field(default_factory=dict)

    @property
    def has_lines(self) -> bool:
        """Whether frames have their file and their line."""
        return self.profile == "dev" if self.debug_info is None else self.debug_info

    def __post_init__(self) -> None:
        if self.panic and self.panic not in STRATEGIES:
            raise BuildError(f'{TABLE}: panic = "{self.panic}" must be "abort" or "unwind".')
        if self.module and not _is_module(self.module):
            raise BuildError(f'{TABLE}: module = "{self.module}" is no name that Python can import.')
        for name, value in self.load.items():
            if name not in LOADING:
                raise BuildError(f"{TABLE}: load has no option {name!r}. There are: {', '.join(LOADING)}.")
            if name == "timeout" and self.rollback and not self.deadlines:
                raise BuildError(f"{TABLE}: load.timeout needs deadlines = true beside rollback = true.")
            if not isinstance(value, str | float | int):
                raise BuildError(f"{TABLE}: load.{name} must be a text, a number, true or false, not {value!r}.")


def read_options(config: Mapping[str, Any]) -> list[CrateOptions]:
    """Reads the table: the options of one crate, or of each in `crates`, where those outside are for all.

    Raises:
        BuildError: an option does not exist, or is of the wrong type.
    """
    shared = {name: value for name, value in config.items() if name not in ("crates", *OF_HATCH)}
    crates = config.get("crates")
    if crates is None:
        return [_read(shared)]
    if not isinstance(crates, list) or not all(isinstance(each, Mapping) for each in crates) or not crates:
        raise BuildError(f'{TABLE}: crates must be a list of tables, such as [{{ crate = "one" }}].')
    return [_read({**shared, **each}) for each in crates]


def _read(table: Mapping[str, Any]) -> CrateOptions:
    known = {field.name.replace("_", "-"): field for field in dataclasses.fields(CrateOptions)}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            similar = get_close_matches(name, known, 1)
            hint = f" Did you mean {similar[0]!r}?" if similar else f" There are: {', '.join(known)}."
            raise BuildError(f"{TABLE}: there is no option {name!r}.{hint}")
        default = {"load": {}, "debug-info": False, "rollback": False}.get(name, known[name].default)
        values[known[name].name] = _value(name, value, default)
    return CrateOptions(**values)


def _value(name: str, value: Any, default: Any) -> Any:
    if name == "wasm-opt" and isinstance(value, bool):
        return ("-O",) if value else ()
    if isinstance(default, tuple):
        words = value.split() if name == "wasm-opt" and isinstance(value, str) else value
        if isinstance(words, str) or not isinstance(words, Sequence) or not all(isinstance(one, str) for one in words):
            raise BuildError(f"{TABLE}: {name} must be a list of strings, not {value!r}.")
        return tuple(words)
    if not isinstance(value, type(default)):
        kind = {bool: "true or false", dict: "a table"}.get(type(default), "a string")
        raise BuildError(f"{TABLE}: {name} must be {kind}, not {value!r}.")
    return value


def _is_module(name: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))
