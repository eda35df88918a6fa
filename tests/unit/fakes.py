"""A fake browser and a fake driver, which play `_bridge/browser.py` in Python."""

from __future__ import annotations

import array
import asyncio
import ctypes
import functools
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unpanic._bridge import kinds
from unpanic._bridge.context import Context
from unpanic._bridge.kinds import Kind
from unpanic._bridge.wire import PackageAnswer
from unpanic._declarations.reader import Declarations
from unpanic._exports import registry
from unpanic._exports.description import ROLES, Description
from unpanic._exports.exports import Exports, make_context
from unpanic._exports.registry import LoadedModule
from unpanic._recovery.deadlines import Limits
from unpanic._recovery.observers import crash_observers
from unpanic._recovery.policy import choose_policy
from unpanic._recovery.supervisor import Supervisor
from unpanic._values.containers import ARRAY, MAP, OBJECT, RUN, SET
from unpanic._values.receivers import rust_error
from unpanic.errors import FetchError, RustError


class Foreign:
    """Stands for a JavaScript object."""

    def __init__(self, name: str = "object", **data: Any) -> None:
        self.name = name
        self.data = data

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("data", ()):
            return self.data[name]
        raise AttributeError(name)

    def __repr__(self) -> str:
        return f"[{self.name}]"


class FakeStack:
    """A stack text of function names, which counts how often it was read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.reads = 0

    def text(self) -> str:
        self.reads += 1
        return self._text

    def functions(self) -> str:
        return self.text().replace(" ", "\n")


class FakeBrowser:
    """Marks values that go to JavaScript with a tuple `("js", value)`."""

    def __init__(self, driver: FakeDriver | None = None) -> None:
        self.driver = driver
        self.options: dict[str, Any] = {}
        self.handlers: dict[str, Callable[..., Any]] = {}
        self.detached = 0
        self.files: dict[str, str] = {}
        self.fetched: list[str] = []
        self.waiting: list[Callable[[], None]] = []
        self.measured: list[tuple[Any, ...]] = []
        self.rewriters_read = 0
        self.packages: dict[str, PackageAnswer] = {}
        self.package_base: str | None = None
        # What happens while code waits; None: it cannot.
        self.meanwhile: Callable[[], object] | None = None

    async def load(self, options: Mapping[str, Any], integrity: str | None, progress: Any) -> Any:
        self.progress = progress
        return self.load_sync(options, integrity)

    def load_sync(self, options: Mapping[str, Any], integrity: str | None) -> Any:
        self.options = dict(options)
        self.integrity = integrity
        return self.driver

    async def fetch_text(self, url: str) -> str:
        await asyncio.sleep(0)
        self.fetched.append(url)
        content = self.files.get(url)
        if content is None:
            raise FetchError(f"Cannot fetch {url}: the server answered 404 Not Found.", url=url, status=404)
        return content

    async def find_package(self, spec: str) -> PackageAnswer:
        await asyncio.sleep(0)
        return self.packages[spec]

    def use_packages_from(self, base: str | None) -> None:
        self.package_base = base

    def attach(self, driver: Any, handlers: Mapping[str, Any]) -> Callable[[], None]:
        self.handlers = dict(handlers)
        driver.supervisor = handlers.get("supervisor")

        def detach() -> None:
            self.detached += 1

        return detach

    def leave(self, driver: Any, unloaded: Callable[[str, str, bool], int]) -> None:
        self.handlers = {"unloaded": unloaded}
        driver.supervisor = None

    def is_foreign(self, value: object) -> bool:
        return isinstance(value, Foreign)

    def is_null(self, value: object) -> bool:
        return value is None

    def class_name(self, value: Any) -> str:
        return value.name

    def to_typed_array(self, buffer: Any) -> Any:
        view = memoryview(buffer)
        assert view.ndim == 1
        assert view.c_contiguous
        return ("js", array.array(view.format[-1].replace("c", "B").replace("?", "B"), view.tobytes()))

    def from_typed_array(self, value: Any, name: str = "") -> Any:  # noqa: ARG002
        return value[1] if isinstance(value, tuple) else value.data.get("bytes")

    def copied(self, view: memoryview) -> Any:
        return bytes(view) if view.format == "B" else array.array(view.format, view.tobytes())

    def copy_typed_array(self, value: Any, buffer: memoryview) -> None:
        (ctypes.c_char * buffer.nbytes).from_buffer(buffer)[:] = value[1].tobytes()

    def date(self, milliseconds: int) -> Any:
        return ("date", milliseconds)

    def promise(self) -> Any:
        self.settled: list[Any] = []
        return ("promise", lambda value: self.settled.append(value), lambda error: self.settled.append(error))

    def iterator(self, symbol: str, step: Any, end: Any) -> Any:
        return (symbol, step, end)

    def stream(self, pull: Any, cancel: Any) -> Any:
        return ("stream", pull, cancel)

    def to_python(self, value: Any, convert: Callable[..., Any]) -> Any:
        def again(item: Any) -> Any:
            return convert(item, again, lambda *_: None) if isinstance(item, Foreign) else item

        return [again(item) for item in value.data.get("items", [])]

    def to_plain(self, items: Any) -> Any:
        return ("js", set(items) if isinstance(items, set) else list(items))

    def longest_text(self) -> int:
        return 2**29 - 24

    def copy_of(self, value: Any) -> Any:
        return ("js", value[1][:])

    def part_of(self, value: Any, start: int, end: int) -> Any:
        return ("js", value[1][start:end])

    def code_of(self, value: Any) -> str:
        code: str = value[1].typecode
        return code

    def later(self, _seconds: float, run: Callable[[], None]) -> bool:
        self.waiting.append(run)
        return True

    def can_wait(self) -> bool:
        return self.meanwhile is not None

    def wait(self, _future: asyncio.Future[None]) -> None:
        assert self.meanwhile
        self.meanwhile()

    def measure(self, *entry: Any) -> None:
        self.measured.append(entry)

    def glue_file(self, path: Path) -> Any:
        return ("glue file", path)

    def imports(self, imports: Any) -> Any:
        self.imported = [list(item) for item in imports]
        return self.imported, []

    def rewriter(self) -> Any:
        self.rewriters_read += 1
        return "the rewriter"

    def wasm_file(self, path: Path) -> Any:
        return ("wasm file", path)


class Map(dict[Any, Any]):
    """A dict that became a `Map`."""


def unpacked(packed: list[Any]) -> Any:
    """Returns the result of `unpack` in js/src/module/parcel.js. A `BigInt` is marked, and `null` is `...`."""
    end, leaves = 1 + packed[0], packed[1 + packed[0] :]
    if end == 1:
        return leaves[0]
    plan, nodes = list(packed[1:end]), []
    entries = []
    while plan:
        kind, count = plan[:2]
        size = 1 if kind >= RUN else count
        places = list(range(plan[2], plan[2] + count)) if kind >= RUN else plan[2 : 2 + count]
        entries.append((kind % RUN, places))
        del plan[: 2 + size]
    for kind, places in entries:
        nodes.append([list, dict, Map, set, lambda: ("bigint", leaves[places[0]]), lambda: ...][kind]())  # noqa: B023
    for target, (kind, places) in zip(nodes, entries, strict=True):
        parts = [nodes[~place] if place < 0 else leaves[place] for place in places]
        if kind == ARRAY:
            target.extend(parts)
        elif kind in (OBJECT, MAP):
            target.update(zip(parts[::2], parts[1::2], strict=True))
        elif kind == SET:
            target.update(parts)
    return nodes[0]


class FakeDriver:
    """One module in the runtime. The dict `bodies` has its functions by name."""

    def __init__(self, description: dict[str, Any], bodies: dict[str, Callable[..., Any]] | None = None) -> None:
        self.description = {"functions": [], "classes": [], "constants": []} | description
        self.bodies = bodies or {}
        self.supervisor: Any = None
        # The current generation: its number, and the report of its death.
        self.generation = 0
        self.dead: tuple[Any, ...] | None = None
        self.renewals = 0
        self.failure = ""
        # Why no call can be rolled back, and how many were.
        self.obstacle = ""
        self.rolled_back = 0
        # The calls in flight that a call which is rolled back had begun.
        self.begun: list[int] = []
        self.abandoned = 0
        self.clear = True
        self.calls = 0
        self.returned = 0
        self.left = 0
        self.number = id(self)
        self.busy: set[int] = set()
        self.changed_objects: set[int] = set()
        self.in_flight: list[int] = []
        self.closed = 0
        self.constants: dict[str, Any] = {}
        self.identities: dict[Any, tuple[str, int]] = {}
        self.made = 0
        self.opened: list[Any] = []
        self.steps: list[Any] = []
        self.ended: list[Any] = []
        self.changes: dict[str, Any] = {}
        self.moved_to = ""
        self.told_bursts: list[float] = [0.0]
        self.kept: list[Any] = []
        # A Wasm file without glue: its memory, of which a part is not its own, its globals, and its imports by places.
        self.memory = bytearray()
        self.table = range(0)
        self.globals: dict[str, Any] = {}
        self.bound: dict[int, int] = {}

    def bindImport(self, place: int, number: int) -> None:  # noqa: N802 - the runtime's name
        self.bound[place] = number

    def memoryLength(self, _name: str) -> int:  # noqa: N802 - the runtime's name
        return len(self.memory)

    def readMemory(self, _name: str, start: int, end: int) -> Any:  # noqa: N802 - the runtime's name
        return ("js", bytes(self.memory[start:end]))

    def writeMemory(self, _name: str, at: int, data: Any) -> bool:  # noqa: N802 - the runtime's name
        content = data[1].tobytes()
        if set(self.table) & set(range(at, at + len(content))):
            return False
        self.memory[at : at + len(content)] = content
        return True

    def growMemory(self, _name: str, pages: int) -> int:  # noqa: N802 - the runtime's name
        before = len(self.memory) // 65536
        if before + pages > 3:
            return -1
        self.memory.extend(bytes(pages * 65536))
        return before

    def readGlobal(self, name: str) -> Any:  # noqa: N802 - the runtime's name
        return self.globals[name]

    def writeGlobal(self, name: str, value: Any) -> None:  # noqa: N802 - the runtime's name
        self.globals[name] = value

    def movedTo(self) -> str:  # noqa: N802 - the runtime's name
        return self.moved_to

    def describe(self) -> str:
        return json.dumps({"name": "bank", "adapter": "factory", "unwinds": False} | self.description)

    def refine(self, changes: str) -> None:
        self.changes = json.loads(changes)

    def renew(self) -> int | list[str]:
        self.renewals += 1
        if self.dead is None:
            return self.generation
        if self.failure:
            return [obstacle(self.failure), self.failure]
        self.generation += 1
        self.dead = None
        return self.generation

    def die(self, *event: Any, can_roll_back: bool = False) -> tuple[Any, ...]:
        """Ends the generation, so that the supervisor must notice."""
        if self.supervisor is not None:
            self.supervisor.generation = -1
        self.dead = self.dead or (*event, can_roll_back)
        return self.dead

    def rollBack(self, is_wanted: bool) -> list[Any]:  # noqa: N802 - the runtime's name
        if self.dead is None:
            return ["", self.begun]
        if is_wanted and self.dead[-1] and not self.obstacle:
            self.dead = None
            self.rolled_back += 1
            self.supervisor.generation = self.generation
            return ["", self.begun]
        # It says the same when it is asked again.
        ended, self.in_flight = self.in_flight or list(self.dead[-3] or ()), []
        self.dead = (*self.dead[:-3], ended, self.dead[-2], False)
        return [self.obstacle or "it was not wanted", ended]

    def end(self) -> bool:
        ended, self.in_flight = self.in_flight, []
        self.die(*[None] * 9, "", self.generation, 0, self.clear, None, ended, True)
        return self.clear

    def death(self) -> tuple[Any, ...] | None:
        return self.dead

    def abandon(self) -> None:
        self.abandoned += 1
        if self.dead is None or not self.dead[-1]:
            self.end()

    def retire(self) -> None:
        self.left += 1

    def close(self) -> None:
        self.closed += 1
        self.end()

    def isClear(self) -> bool:  # noqa: N802 - the runtime's name
        return self.clear

    def statistics(self) -> list[Any]:
        return [self.calls, self.returned, len(self.in_flight), 1114112, "off", 0, 0, False, ""]

    def waitMs(self) -> float:  # noqa: N802 - the runtime's name
        return 11.5

    def bursts(self) -> list[float]:
        return self.told_bursts

    def constant(self, name: str) -> Any:
        return self.constants[name]

    def isNumeric(self, index: int) -> bool:  # noqa: N802 - the runtime's name
        return bool(self.description["functions"][index].get("numeric"))

    def _lane(self, name: str) -> Callable[..., Any]:
        def lane(*args: Any) -> Any:
            self.calls += 1
            result = self.bodies[name](*args)
            self.returned += 1
            return result

        return lane

    def functionLane(self, index: int) -> Callable[..., Any]:  # noqa: N802 - the runtime's name
        return self._lane(self.description["functions"][index]["name"])

    numericLane = functionLane  # noqa: N815 - the runtime's name

    def constructorLane(self, _index: int) -> Callable[..., int]:  # noqa: N802 - the runtime's name
        def construct(*_args: Any) -> int:
            self.made += 1
            return self.made

        return construct

    def member(self, index: int, name: str, _role: str) -> Callable[..., Any]:
        return self._lane(f"{self.description['classes'][index]['name']}.{name}")

    def identify(self, value: Any) -> Any:
        return self.identities.get(value)

    def object(self, id_: int, _class_name: str, _call: str) -> Any:
        return [("object", id_)]

    def unpackPlain(self, packed: Any) -> Any:  # noqa: N802 - the runtime's name
        return ("js", unpacked(packed[1]))

    def unpack(self, packed: Any, places: Any, _call: str) -> Any:
        for place in places[1] if places else ():
            at = 1 + packed[1][0] + place
            packed[1][at] = ("object", packed[1][at])
        return [self.unpackPlain(packed)]

    def parcel(self, packed: Any, places: Any) -> Any:
        data = unpacked(packed[1])
        return ("parcel", data, places[1]) if places else ("js", data)

    def lend(self, id_: int, _class_name: str) -> Any:
        return ("lent", id_)

    def entries(self, _value: Any) -> Any:
        return None

    def changed(self, now: Any, before: Any) -> Any:
        places = [at for at, (new, old) in enumerate(zip(now[1], before[1], strict=True)) if new != old]
        return [places[0], places[-1] + 1] if places else None

    def isKept(self, value: Any) -> bool:  # noqa: N802 - the runtime's name
        return any(value is kept for kept in self.kept)

    def consumer(self, _id: int) -> str:
        return ""

    def wasChanged(self, id_: int) -> bool:  # noqa: N802 - the runtime's name
        return id_ in self.changed_objects

    def isBusy(self, id_: int) -> bool:  # noqa: N802 - the runtime's name
        return id_ in self.busy

    def look(self, id_: int, index: int, names: str) -> list[Any]:
        read: list[Any] = []
        for name in names.split("\n"):
            try:
                value = self.bodies[f"{self.description['classes'][index]['name']}.{name}"](id_)
            except Exception as error:
                return ["error" if isinstance(error, RustError) else "panic", *read]
            read += [isinstance(value, int | str | None), value]
        return ["", *read]

    def release(self, *_args: Any) -> str:
        return ""

    def forget(self, _id: int) -> None:
        pass

    def refuse(self, address: int) -> Any:
        return ("raised", address)

    def raised(self, text: str, exception: Any, _ends_program: bool = False) -> Any:
        return ("raised", text, exception)

    def callback(self, number: int) -> Any:
        return ("callback", number)

    def error(self, text: str, exception: Any) -> Any:
        return ("error", text, exception)

    def handed(self, id_: int) -> Any:
        return ("handed", id_)

    def openLane(self, id_: int, how: str) -> int:  # noqa: N802 - the runtime's name
        self.opened.append((id_, how))
        return id_ + 100

    def stepLane(self, id_: int, verb: str) -> Any:  # noqa: N802 - the runtime's name
        return self.steps.pop(0) if verb in ("next", "read") else self.ended.append((id_, verb)) or {}


def kind(shorthand: str) -> Kind:
    """Parses a kind from a text such as `i32`, `array:f64`, `object:Account` or `list:object:Account`."""
    name, *fields = shorthand.split(":")
    return Kind(name, "", *fields) if name in (kinds.OBJECT, kinds.ENUM) else Kind(name, *fields)


def shorthand(kind: Kind) -> str:
    """Returns the text from which `kind` makes this kind."""
    return ":".join(filter(None, kind))


def function(name: str, *shorthands: str, result: str = "void", is_async: bool = False, **more: Any) -> dict[str, Any]:
    """Describes a function. `?` marks an optional kind and `...` a rest parameter. The parameters are a to h."""
    params = [
        {
            "name": letter,
            "kind": kind(text.strip("?.")).to_data(),
            "optional": text.endswith("?"),
            "rest": text.startswith("..."),
        }
        for letter, text in zip("abcdefgh", shorthands, strict=False)
    ]
    return {"name": name, "params": params, "result": kind(result).to_data(), "isAsync": is_async} | more


def struct(name: str, *shorthands: str, **members: list[dict[str, Any]]) -> dict[str, Any]:
    """Describes a class whose constructor takes values of these kinds, as in `function`."""
    empty: dict[str, Any] = {role: [] for role in ROLES}
    return {"name": name, "construct": function("constructor", *shorthands)} | empty | members


def make_supervisor(
    context: Context,
    description: Description,
    *,
    recovery: str = "auto",
    restart_budget: int = 100,
    panic_hook: Any = None,
) -> Supervisor:
    """Makes the supervisor of a module, as `load` does."""
    return Supervisor(
        context,
        policy=choose_policy(recovery, unwinds=description.unwinds),
        restart_budget=restart_budget,
        panic_hook=panic_hook,
        make_rust_error=functools.partial(rust_error, context),
        observers=crash_observers,
        limits=Limits(None, is_interruptible=False),
    )


def load(driver: FakeDriver, declarations: Declarations | None = None, **options: Any) -> tuple[LoadedModule, Any]:
    """Puts a module together as `load` does, and returns its inner parts and the user's module."""
    recreates = options.pop("objects", "recreate") == "recreate"
    description = Description.parse(driver.describe())
    browser: Any = FakeBrowser(driver)
    context = make_context(browser, driver, description.name)
    context.waits = description.waits
    supervisor = context.supervisor = driver.supervisor = make_supervisor(context, description, **options)
    exports = Exports(context, description, declarations, recreates=recreates)
    module = exports.build()
    browser.handlers = {**supervisor.handlers(), **exports.handlers()}
    supervisor.user_module = lambda: module  # type: ignore[assignment]
    loaded = LoadedModule(context, supervisor, exports.description, exports.shown, lambda: module)
    registry.register(module, loaded)
    return loaded, module


def make_module(driver: FakeDriver, **options: Any) -> tuple[Context, Supervisor, Any]:
    """Returns the parts: the context, the supervisor and the user's module."""
    loaded, module = load(driver, **options)
    return loaded.context, loaded.supervisor, module


def obstacle(failure: str) -> str:
    """Returns the runtime's report of an engine's message, or of a start function."""
    if failure.startswith("The start function of"):
        return "start"
    return "memory" if "memory" in failure else failure if failure == "preparing" else "other"


PANIC = ("panic", None, "insufficient funds", "&str", "src/lib.rs", 41, 9, FakeStack("bank::withdraw bank::main"), None)
TRAP = ("trap", "out_of_bounds", "memory access out of bounds", None, None, None, None, FakeStack("bank::peek"), None)


def crash(supervisor: Supervisor, *, call: str = "f", clear: bool = True, suspects: Any = None, certain: bool = True,
          interrupted: Any = None, diagnosis: tuple[Any, ...] = PANIC,
          can_roll_back: bool = False) -> Any:  # fmt: skip
    """Reports a crash to the supervisor as the runtime does, and returns the exception.

    Without a `call` it is a crash of a timer or a task, and with `suspects` it is that of an async call.
    """
    driver: Any = supervisor.context.driver
    attended = bool(call) and not suspects
    event = driver.die(
        *diagnosis, call, driver.generation, attended, clear and attended, suspects, interrupted, certain,
        can_roll_back=can_roll_back,
    )  # fmt: skip
    address = supervisor.crashed(*event)
    if attended:
        return raised(address)
    if clear:
        supervisor.recover(False)
    return supervisor.last_crash


def raised(address: int) -> Any:
    """Returns the exception at an address that a handler returned."""
    error = sys.last_exc
    assert id(error) == address
    return error
