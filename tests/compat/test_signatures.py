"""Signatures at run time, in stubs and in the `.d.ts` are the same, for all packages and fixtures.

TypeScript's own parser reads the `.d.ts` here; unpanic's parser reads it for the other two.
"""

from __future__ import annotations

import ast
import functools
import inspect
import json
import re
import subprocess
import types
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pytest
from unpanic._declarations.naming import parameter_names
from unpanic._declarations.reader import read
from unpanic._declarations.signatures import Argument
from unpanic._exports import functions as exported_functions
from unpanic._exports.description import Class, Description
from unpanic._exports.exports import Exports, make_context
from unpanic_tools.beside import Beside
from unpanic_tools.stubs import make_stub

from tests.compat.catalogue import PACKAGES
from tests.compat.test_stubs import FIXTURES
from tests.unit.fakes import FakeBrowser, FakeDriver

# Classes that Rust's streams need: the glue has them, whether or not they are exported.
STREAMS = ("IntoUnderlying",)

type Shape = tuple[Argument, ...]


def files() -> dict[str, dict[str, str]]:
    """Returns the glue, the Wasm file and the `.d.ts` of each module, by its name."""
    files_by_name = {}
    for package in PACKAGES:
        declared = package.declarations()
        if declared and not package.is_inside():
            files_by_name[package.folder] = {
                "glue": str(package.root / package.glue),
                "wasm": str(package.root / package.wasm),
                "types": str(declared),
            }
    for declared in sorted(FIXTURES.glob("*/pkg/abort/*.d.ts")):
        stem = declared.name.removesuffix(".d.ts")
        if not stem.endswith(".wasm"):
            glue, wasm = declared.with_name(f"{stem}.js"), declared.with_name(f"{stem}_bg.wasm")
            files_by_name[f"fixture {stem}"] = {"glue": str(glue), "wasm": str(wasm), "types": str(declared)}
    return files_by_name


FILES = files()


@functools.cache
def exports() -> dict[str, Any]:
    """Returns the output of `exports.mjs` for all modules."""
    command = ["node", str(Path(__file__).with_name("exports.mjs"))]
    done = subprocess.run(command, input=json.dumps(FILES), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def declared_shapes(name: str) -> dict[str, list[Shape]]:
    """Returns the ways to call each function, by the `.d.ts`."""
    shapes: dict[str, list[Shape]] = {}
    for place, overloads in exports()[name]["declared"].items():
        for params in overloads:
            python = parameter_names(param for param, _, _ in params)
            required = [at for at, (_, optional, rest) in enumerate(params) if not (optional or rest)]
            shape = tuple(
                Argument(argument, optional and not rest and at > max(required, default=-1), rest)
                for at, (argument, (_, optional, rest)) in enumerate(zip(python, params, strict=True))
            )
            if shape not in shapes.setdefault(place, []):
                shapes[place].append(shape)
    return shapes


class Given:
    """An argument. As a handle of an object, it is its own handle, of a living object."""

    generation = 0

    @property
    def id(self) -> Any:
        return self


def as_it_is(value: Any) -> Any:
    """A converter that changes nothing."""
    return value


class Loaded:
    """A module as `load` makes it. Its lanes return their arguments, which are not converted."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exported_functions, "make_sender", lambda *_: as_it_is)
        monkeypatch.setattr(exported_functions, "make_item_sender", lambda *_: as_it_is)
        monkeypatch.setattr(exported_functions, "make_receiver", lambda *_: None)
        driver = FakeDriver(exports()[name]["description"])
        driver.constants = {constant: {} for constant in driver.description["constants"]}
        driver._lane = driver.constructorLane = lambda _: lambda *args: args  # type: ignore[method-assign]
        source = Path(FILES[name]["types"]).read_text("utf-8")
        description = Description.parse(driver.describe())
        context = make_context(FakeBrowser(driver), driver, description.name)  # type: ignore[arg-type]
        ready = {"generation": 0, "last_generation": 0, "phase": "unloaded"}
        context.supervisor = types.SimpleNamespace(
            started=lambda value, *_: value, when_ready=lambda run, _: run(), **ready
        )  # type: ignore[assignment]
        exports_ = Exports(context, description, read(source), recreates=True)
        module, functions = exports_.build(), exports_.description.functions
        self.callables = {function.name: Bound(getattr(module, function.python)) for function in functions}
        for described in exports_.description.classes:
            self._add_class(described, context.classes[described.name])

    def _add_class(self, described: Class, cls: Any) -> None:
        this = cls.__new__(cls)
        this.__rust_handle__.generation = 0
        if described.construct:
            self.callables[described.name] = Bound(cls.__init__, this)
        for method in described.methods:
            self.callables[f"{described.name}.{method.name}"] = Bound(getattr(cls, method.python), this)
        for method in described.statics:
            self.callables[f"{described.name}.{method.name}"] = Bound(getattr(cls, method.python))


@dataclass(frozen=True)
class Bound:
    """A function, or a method or constructor with its object."""

    function: Any
    this: Any = None

    def shape(self) -> Shape:
        """Returns the signature without `self`."""
        return tuple(
            Argument(param.name, param.default is not param.empty, param.kind is param.VAR_POSITIONAL)
            for param in inspect.signature(self.function).parameters.values()
        )[self.this is not None :]

    def arrives(self, named: dict[str, Any]) -> list[Any]:
        """Returns the values that JavaScript gets from a call with these keywords."""
        if self.this is None:
            return list(self.function(**named))
        result = self.function(self.this, **named)
        return list(self.this.__rust_handle__.id if self.function.__name__ == "__init__" else result[1:])


@pytest.fixture(params=FILES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def loaded(name: str, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    return Loaded(name, monkeypatch)


def test_signatures_are_those_of_the_declarations(name: str, loaded: Loaded):
    """Names, order, optional parameters and rest parameters are the same."""
    declared = declared_shapes(name)
    at_run_time = {place: bound.shape() for place, bound in loaded.callables.items()}
    assert sorted(at_run_time.keys() - declared.keys() - undeclared(name)) == []
    once = {place: shape for place, shape in at_run_time.items() if len(declared.get(place, ())) == 1}
    assert once == {place: declared[place][0] for place in once}


@functools.cache
def undeclared(name: str) -> set[str]:
    """Returns the exports of the glue that the `.d.ts` omits, or declares outside of a class."""
    source = Path(FILES[name]["types"]).read_text("utf-8")
    omitted = set()
    for described in exports()[name]["description"]["classes"]:
        if not re.search(rf"\b(?:class|const) {re.escape(described['name'])}\b", source):
            members = (*described["methods"], *described["statics"])
            omitted.update(f"{described['name']}.{member['name']}" for member in members)
    functions = (function["name"] for function in exports()[name]["description"]["functions"])
    return omitted | {function for function in functions if not re.search(rf"\b{re.escape(function)}\b", source)}


def test_every_way_to_call_takes_its_keywords(name: str, loaded: Loaded):
    """Overloads may have parameters with other names. Values arrive in the declared order."""
    declared = declared_shapes(name)
    for place, bound in loaded.callables.items():
        for shape in declared.get(place, ()):
            named = {argument.name: Given() for argument in shape if not argument.rest}
            assert bound.arrives(named)[: len(named)] == [*named.values()], f"{place}({', '.join(named)})"
            required = {
                name: named[name] for name, has_default, rest in map(astuple, shape) if not (has_default or rest)
            }
            assert bound.arrives(required)[: len(required)] == [*required.values()], f"{place}({', '.join(required)})"


def test_stubs_are_what_runs(name: str, loaded: Loaded):
    """Stub and module have the same functions with the same names and signatures, and the same are async."""
    stub = {place: each for place, each in stubbed(name).items() if not place.startswith(STREAMS)}
    known = {place: bound for place, bound in loaded.callables.items() if place not in undeclared(name)}
    at_run_time = {bound.function.__qualname__: bound for bound in known.values()}
    assert sorted(place for place in at_run_time if not place.startswith(STREAMS)) == sorted(stub)
    for place, definitions in stub.items():
        bound = at_run_time[place]
        is_async = isinstance(definitions[0], ast.AsyncFunctionDef)
        assert inspect.iscoroutinefunction(bound.function) == is_async, place
        if len(definitions) == 1:
            assert bound.shape() == stub_shape(definitions[0]), place


type Definition = ast.FunctionDef | ast.AsyncFunctionDef


# The members that unpanic adds to a class.
ADDED = ("free", "__enter__", "__exit__", "__iter__", "__next__", "__aiter__", "__anext__")


def stubbed(name: str) -> dict[str, list[Definition]]:
    """Returns the definitions in a module's stub by their qualified names, without properties."""
    files = FILES[name]
    beside = Beside(Path(files["types"]), Path(files["wasm"]))
    text = make_stub(Path(files["types"]).read_text("utf-8"), "m", beside)
    definitions: dict[str, list[Definition]] = {}
    for statement in ast.parse(text).body:
        owner = f"{statement.name}." if isinstance(statement, ast.ClassDef) else ""
        for each in statement.body if isinstance(statement, ast.ClassDef) else [statement]:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and not is_added(each):
                definitions.setdefault(owner + each.name, []).append(each)
    return definitions


def is_added(definition: Definition) -> bool:
    decorators = [ast.unparse(decorator) for decorator in definition.decorator_list]
    is_property = any(text in ("property", "builtins.property") or text.endswith(".setter") for text in decorators)
    return is_property or definition.name in ADDED


def stub_shape(definition: Definition) -> Shape:
    arguments = definition.args
    required = len(arguments.args) - len(arguments.defaults)
    named = tuple(Argument(arg.arg, at >= required, rest=False) for at, arg in enumerate(arguments.args))
    rest = (Argument(arguments.vararg.arg, has_default=False, rest=True),) if arguments.vararg else ()
    return tuple(argument for argument in named + rest if argument.name != "self")
