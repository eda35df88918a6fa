"""Random argument lists for the exports of the fixtures. Runs inside Pyodide; pyodide_child.mjs drives it.

A batch is one module, loaded anew, and `LISTS` calls of its exports. The number of a batch determines everything in it.
A call may raise unpanic's own exceptions, Python's refusal of an argument, which names the function, and the very
exception that a callback or a method of an argument raised.
"""

from __future__ import annotations

import asyncio
import collections
import gc
import itertools
import json
import logging
import random
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import python_values
import unpanic
from pyodide.ffi import JsException, JsProxy
from unpanic import _unseen
from unpanic._exports import registry

import js

# Errors are judged by the line of unpanic that raised them, which tracebacks would leave out.
_unseen.merge = lambda entry, *_: entry

LISTS = 100
LISTS_BETWEEN_CHECKS = 10
TURNS_TO_SETTLE = 400
FIXTURES = ("faults", "faults", "bank", "hookless", "silent", "startup", "texthook")
FIXTURES += ("values", "values", "values", "shapes", "shapes", "lists", "lists")
BUILDS = ("abort", "reset", "unwind", "native")
LEFT_OUT = {
    "never": "waits for ever",
    "wild_write": "overwrites the instance's own memory: Rust's allocator may loop in what is left",
    "sum": "calls a class that is its argument, and the class requires arguments",
    "collect_now": "loops as long as the JavaScript iterator that is its argument",
}
# These functions count up to their argument, which may be 2**31 if it is random.
COUNTING = ("count", "countSlowly", "count_slowly", "stream")
# The check that a module works: a call with 2 and 3, and its result.
PROBES = {"shapes": ("larger", 3)}
# Functions that make objects of classes whose constructor takes no number.
MAKERS: dict[str, Callable[[ModuleType, type], Any]] = {
    "Account": lambda _module, cls: cls("ada", 100),
    "Chain": lambda _module, cls: cls(),
    "Environment": lambda _module, cls: cls(),
    "FragileDrop": lambda _module, cls: cls(),
    "Part": lambda _module, cls: cls("oak"),
    "Pen": lambda _module, cls: cls(b"", 0.5),
    "Store": lambda _module, cls: cls({}),
    "Shape": lambda module, _cls: module.make_shape([module.Point(1), module.Point(2, 3)], module.Fill.Solid),
}


class Batch:
    """One module and its calls."""

    def __init__(self, number: int, log: Callable[[str], None]) -> None:
        self.number = number
        self.log = log
        self.random = random.Random(number)
        self.counts: collections.Counter[str] = collections.Counter()
        self.problems: list[str] = []
        self.pool: list[Any] = []
        self.values = python_values.Values(self.random, self.pool, self.come_back)
        self.waiting: list[tuple[str, Any]] = []
        self.at = 0
        self.shown = ""
        self.depth = 0
        self.fixture = self.build = ""

    # Loading.

    async def load(self) -> None:
        choose = self.random.choice
        self.fixture, self.build = choose(FIXTURES), choose(BUILDS)
        mode = "reset" if self.build == "native" else self.build
        path = f"/fixtures/{self.fixture}/{mode}/{self.fixture}.js"
        options = {"objects": choose(["recreate", "stale"]), "panic_hook": lambda _panic: None}
        if self.build == "unwind":
            options["recovery"] = choose(["auto", "rollback"])
        if self.build == "native":
            namespace = await js.importGlue(self.fixture)
            wasm = Path(path.replace(".js", "_bg.wasm")).read_bytes()
            self.module = await unpanic.load(namespace, wasm=wasm, name=self.fixture, **options)
        elif self.random.random() < 0.5:
            self.module = await unpanic.load(path, **options)
        else:
            self.module = unpanic.load_sync(path, **options)
        self.inside = registry.of(self.module)
        self.targets = list(self.all_targets(self.module))

    def all_targets(self, module: ModuleType) -> Iterator[tuple[str, Callable[..., Any], Any]]:
        """Yields every export: its name, a function that calls it with a list, and its parameters."""
        description = self.inside.description
        for function in description.functions:
            if function.name not in LEFT_OUT:
                yield function.python, getattr(module, self.spelling(function)), function.params
        for described in description.classes:
            cls = getattr(module, described.name)
            yield described.name, self.maker(cls), described.construct.params if described.construct else ()
            for static in described.statics:
                yield f"{described.name}.{static.python}", getattr(cls, self.spelling(static)), static.params
            for getter in described.static_getters:
                yield f"{described.name}.{getter.python}", self.static_getter(cls, self.spelling(getter)), ()
            for setter in described.static_setters:
                set_ = self.static_setter(cls, self.spelling(setter))
                yield f"{described.name}.{setter.python}", set_, setter.params
            for method in described.methods:
                yield f"{described.name}.{method.python}", self.caller(cls, self.spelling(method)), method.params
            for getter in described.getters:
                yield f"{described.name}.{getter.python}", self.getter(cls, self.spelling(getter)), ()
            for setter in described.setters:
                yield f"{described.name}.{setter.python}", self.setter(cls, self.spelling(setter)), setter.params

    def spelling(self, function: Any) -> str:
        """Returns one of the names of a function."""
        return self.random.choice((function.name, function.python))

    def maker(self, cls: type) -> Callable[..., Any]:
        def make(*args: Any, **keywords: Any) -> Any:
            return cls(*args, **keywords)

        return make

    def object_of(self, cls: type) -> Any:
        objects = [it for it in self.pool if isinstance(it, cls)]
        if objects and self.random.random() < 0.8:
            return self.random.choice(objects)
        make = MAKERS.get(cls.__name__, lambda _module, cls: cls(5))
        new = make(self.module, cls)
        self.pool.append(new)
        return new

    def caller(self, cls: type, name: str) -> Callable[..., Any]:
        return lambda *args, **keywords: getattr(self.object_of(cls), name)(*args, **keywords)

    def static_getter(self, cls: type, name: str) -> Callable[..., Any]:
        return lambda *_args, **_keywords: getattr(cls, name)

    def static_setter(self, cls: type, name: str) -> Callable[..., Any]:
        return lambda *args, **_keywords: setattr(cls, name, args[0] if args else None)

    def getter(self, cls: type, name: str) -> Callable[..., Any]:
        return lambda *_args, **_keywords: getattr(self.object_of(cls), name)

    def setter(self, cls: type, name: str) -> Callable[..., Any]:
        return lambda *args, **_keywords: setattr(self.object_of(cls), name, args[0] if args else None)

    # Calls.

    def come_back(self) -> Any:
        """The action of a callback: it resets the module, or calls another export."""
        if self.random.random() < 0.1:
            return unpanic.reset(self.module)
        if self.depth > 3:
            return 1
        self.depth += 1
        try:
            name, function, params = self.random.choice(self.targets)
            result = function(*self.fitting_list(name, params))
            if isinstance(result, asyncio.Future):
                self.waiting.append((name, result))
                return None
            return result
        except BaseException as error:
            self.judge(name, error)
            self.values.raised.append(error)
            raise
        finally:
            self.depth -= 1

    def fitting(self, param: Any) -> Any:
        name, class_name = param.kind.name, param.kind.class_name
        if name == "object":
            return self.object_of(self.inside.context.classes[class_name])
        if name == "enum" and class_name in self.inside.context.enums:
            return self.random.choice([0, 1, 2, *self.inside.context.enums[class_name]])
        if param.kind.is_list_of("object"):
            cls = self.inside.context.classes[class_name]
            return [self.object_of(cls) for _ in range(self.random.randrange(4))]
        return self.values.fitting(param.kind)

    def fitting_list(self, name: str, params: Any) -> list[Any]:
        if name in COUNTING:
            return [self.random.randrange(5) for _ in params]
        return [self.fitting(param) for param in params]

    def arguments(self, name: str, params: Any) -> tuple[list[Any], dict[str, Any]]:
        """Returns a list for a call: a right one, one of other values, a short or a long one, and maybe keywords."""
        r, anything = self.random, self.values.anything
        if name in COUNTING:
            return self.fitting_list(name, params), {}
        args = [self.fitting(param) if r.random() < 0.6 else anything() for param in params]
        change = r.random()
        if change < 0.06:
            args = args[: r.randrange(len(args) + 1)]
        elif change < 0.12:
            args += [anything() for _ in range(r.randrange(1, 4))]
        elif change < 0.13:
            args += [0] * 300
        keywords = {r.choice(["value", "a", "self", "x"]): anything()} if r.random() < 0.03 else {}
        if r.random() < 0.1 and args:
            first = r.randrange(len(args))
            keywords |= {param.python: arg for param, arg in zip(params[first:], args[first:], strict=False)}
            del args[first:]
        return args, keywords

    async def run(self) -> None:
        await self.load()
        for self.at in range(LISTS):
            await self.one()
            if self.at % LISTS_BETWEEN_CHECKS == LISTS_BETWEEN_CHECKS - 1:
                self.check()
        while self.waiting:  # an awaited value may call back, and so begin more calls
            await self.settle()
        for _ in range(TURNS_TO_SETTLE):  # promises inside of lists
            if not unpanic.status(self.module).in_flight:
                break
            await asyncio.sleep(0.002)
        self.check()
        self.let_go()

    async def one(self) -> None:
        r = self.random
        if r.random() < 0.04:
            self.meddle()
        name, function, params = r.choice(self.targets)
        args, keywords = self.arguments(name, params)
        self.shown = f"{name}({', '.join(map(show, args))}{', **' + show(keywords) if keywords else ''})"
        self.log(f"{self.at} {self.shown}")
        try:
            result = function(*args, **keywords)
        except BaseException as error:
            self.judge(name, error)
            return
        finally:
            del args, keywords
        if isinstance(result, asyncio.Future):
            self.waiting.append((name, result))
            if r.random() < 0.5:
                await self.settle()
            return
        self.counts["returned"] += 1
        self.keep(result)

    def keep(self, result: Any) -> None:
        """Keeps a result as an argument of later calls. Calls closures, and steps through iterators."""
        form = type(result).__name__
        if form.startswith("Rust") and self.random.random() < 0.7:
            self.shown = f"a {form}, after {self.shown}"
            try:
                if form == "RustClosure":
                    self.keep(result(*[self.values.anything() for _ in range(self.random.randrange(3))]))
                elif form == "RustIterator":
                    self.keep([*itertools.islice(result, self.random.randrange(5))])
                elif form == "RustAsyncIterator":
                    self.waiting.append(("closure", first_of(result, self.random.randrange(5))))
            except BaseException as error:
                self.judge("closure", error)
        if result is not None and self.random.random() < 0.5:
            self.pool.append(result)
            del self.pool[:-20]

    def meddle(self) -> None:
        """Does what a user may do between calls."""
        what = self.random.randrange(5)
        self.shown = f"meddling {what}"
        try:
            if what == 0:
                unpanic.reset(self.module)
            elif what == 1 and self.pool:
                self.pool.pop(self.random.randrange(len(self.pool)))
            elif what == 2:
                for it in self.pool[:3]:
                    if hasattr(it, "free"):
                        it.free()
            elif what == 3:
                for it in self.pool[:2]:
                    if isinstance(it, unpanic._exports.objects.RustObject):
                        unpanic.track(it)
            else:
                gc.collect()
        except BaseException as error:
            self.judge("free", error)

    async def settle(self) -> None:
        """Waits until every awaitable ends, with a value or a documented exception."""
        waiting, self.waiting = self.waiting, []
        futures = [asyncio.ensure_future(future) for _, future in waiting]
        for turn in range(TURNS_TO_SETTLE):
            if all(future.done() for future in futures):
                break
            if turn == TURNS_TO_SETTLE // 2 and self.fixture == "values":
                # After a panic unwinds, wasm-bindgen's queue of futures stops until another future is woken.
                await self.module.wait_for_any(None)
            await asyncio.sleep(0.002)
        for (name, _), future in zip(waiting, futures, strict=True):
            if not future.done():
                self.problem(f"{name} was never settled")
            elif future.exception() is not None:
                self.judge(name, future.exception())
            else:
                self.counts["returned, awaited"] += 1

    def check(self) -> None:
        """Checks that the module works after the calls."""
        name, expected = PROBES.get(self.fixture, ("add", 5))
        try:
            answer = getattr(self.module, name)(2, 3)
        except BaseException as error:
            self.problem(f"{name}(2, 3) raised {trace(error)}")
            return
        if answer != expected:
            self.problem(f"{name}(2, 3) gave {answer!r}")

    def let_go(self) -> None:
        status = unpanic.status(self.module)
        if status.in_flight:
            self.problem(f"{status.in_flight} calls are left in flight")
        if status.phase != "ready":
            self.problem(f"the module ended {status.phase}")
        self.pool.clear()
        self.values.raised.clear()
        self.targets.clear()
        self.judge_unloaded()

    def judge_unloaded(self) -> None:
        name, _ = PROBES.get(self.fixture, ("add", 5))
        unpanic.unload(self.module)
        try:
            getattr(self.module, name)(2, 3)
        except unpanic.ModuleTerminated:
            return
        except BaseException as error:
            self.problem(f"after unload {name} raised {trace(error)}")
        else:
            self.problem(f"{name} works after unload")

    # Judgement.

    def judge(self, name: str, error: BaseException) -> None:
        self.counts[type(error).__name__ if isinstance(error, unpanic.UnpanicError) else "refused"] += 1
        if not self.is_documented(name, error):
            self.problem(trace(error))

    def is_documented(self, name: str, error: BaseException) -> bool:
        if isinstance(error, unpanic.LoadError | JsException):
            return False
        if isinstance(error, unpanic.UnpanicError) or any(error is mine for mine in self.values.raised):
            return True
        if not isinstance(error, TypeError | ValueError | OverflowError):
            return False
        if name == "closure":
            return True  # it has no name for a refusal
        if isinstance(error, UnicodeEncodeError | OverflowError) and is_of_result(error):
            return True
        text = "\n".join([str(error.args[0] if error.args else ""), *getattr(error, "__notes__", ())])
        return names_the_call(text, name)

    def problem(self, text: str) -> None:
        self.problems.append(f"list {self.at} of {self.fixture} {self.build}, {self.shown}: {text}")


def names_the_call(text: str, name: str) -> bool:
    """Whether a refusal names the call that it refuses, or the value of a callback."""
    last = name.rpartition(".")[2]
    return (
        "to Rust" in text
        or f"{name}()" in text
        or f"{last}()" in text
        or f"{last}.__init__()" in text
        or f"cannot create {last!r}" in text
        or f"in {name}" in text
        or text.startswith(f"{name}: ")  # a setter has no parentheses
        or "in what a callback returned" in text
        or "keyword argument" in text
    )


def is_of_result(error: BaseException) -> bool:
    """Whether the conversion of a result raised it, so that no argument is to blame."""
    return any(
        frame.f_code.co_name in ("from_rust", "from_typed_array") for frame, _ in traceback.walk_tb(error.__traceback__)
    )


async def first_of(items: Any, count: int) -> list[Any]:
    """Returns the first items of an async iterator, and closes it."""
    items: list[Any] = []
    async with items:
        async for item in items:
            items.append(item)
            if len(items) >= count:
                break
    return items


def show(value: Any) -> str:
    """Returns a short text for any value."""
    try:
        text = repr(value) if not isinstance(value, JsProxy) else f"JavaScript's {value.typeof}"
    except BaseException as error:
        text = f"<{type(value).__name__} without a repr: {error!r}>"
    return text if len(text) < 80 else f"{text[:60]}… ({type(value).__name__}, {len(text)})"


def trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-6))[-2500:]


lost: list[str] = []


def note_lost(_loop: Any, context: dict[str, Any]) -> None:
    """Notes an exception that nobody waits for."""
    error = context.get("exception")
    if python_values.RAISED in getattr(error, "__notes__", ()):
        return  # for example of a promise in a list, which nobody awaits
    lost.append(f"{context['message']}: {trace(error) if error else ''}")


async def run_batch(number: int, log: Callable[[str], None]) -> str:
    """Runs one batch. Returns the counts of the outcomes and the problems, as JSON."""
    warnings.simplefilter("ignore")  # StateLostWarning, and coroutines among the random arguments
    logging.getLogger("unpanic").disabled = True  # crashes in timers
    asyncio.get_running_loop().set_exception_handler(note_lost)
    batch = Batch(number, log)
    try:
        await batch.run()
    except BaseException as error:
        batch.problem(f"the batch ended: {trace(error)}")
        unpanic.unload(batch.module)
    await asyncio.sleep(0.006)
    batch.problems += [f"lost: {text}" for text in lost]
    lost.clear()
    return json.dumps({"lists": batch.at + 1, "counts": batch.counts, "problems": batch.problems})
