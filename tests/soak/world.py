"""The objects that the soak keeps alive inside Pyodide: five packages, and objects, closures and calls of each.

The test sends `World` into Pyodide (tests/portable.py), where it crashes the packages.
"""

from __future__ import annotations

# What a test keeps from one run to the next.
KEPT = {}

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{0}"><rect width="9" height="9"/></svg>'
GLUE = {
    "faults": "/fixtures/faults/pkg/abort/faults.js",
    "prql": "/npm/prql-js/dist/web/prql_js.js",
    "resvg": "/npm/@resvg/resvg-wasm/index.mjs",
    "oxipng": "/npm/@jsquash/oxipng/codec/pkg/squoosh_oxipng.js",
    "resize": "/npm/@jsquash/resize/lib/resize/pkg/squoosh_resize.js",
}
KINDS = ["panic", "trap", "stack_overflow", "out_of_memory", "foreign"]


class Faults:
    """Our own fixture: every way to die, while objects, closures and async calls of it are alive."""

    def __init__(self, module):
        self.module = module
        self.things = [module.Thing(number) for number in range(20)]
        self.calls = []
        self.closures = []
        self.interrupted = 0

    def crash(self, random):
        self.refill()
        number = random.randrange(16)
        thing = self.things[random.randrange(20)]
        self.crashes(thing)[number]()

    def crashes(self, thing):
        """Returns every way to crash in a call."""
        module = self.module
        return [
            lambda: module.panic_formatted(0),
            thing.explode,
            lambda: module.index_out_of_bounds(10),
            module.trap_unreachable,
            lambda: module.trap_divide_by_zero(1),
            module.abort,
            lambda: module.wild_read(0xFFFFFFF0),
            module.indirect_call,
            module.engine_stack_overflow,
            module.out_of_memory,
            lambda: module.throw_str("on purpose"),
            module.unwrap_throw,
            lambda: module.call(self.raising),
            lambda: module.call_then_panic(lambda: module.add(1, 2)),
            lambda: module.make_panicking_closure()(),
            lambda: thing.with_callback(lambda *_: thing.explode()),
        ]

    def raising(self):
        raise ZeroDivisionError("in a callback")

    def refill(self):
        """Replaces the calls and closures that ended with their generation."""
        import asyncio

        while len(self.calls) < 5:
            self.calls.append(asyncio.ensure_future(self.module.never()))
        self.closures = [*self.closures[-20:], self.module.make_adder(1)]
        self.module.call_kept(self.kept)

    def kept(self):
        return len(self.calls)

    async def later(self, random):
        """Crashes in a timer, a microtask, a task or an async call. Only the call has an await that gets the crash."""
        import asyncio

        import unpanic

        module = self.module
        generation = unpanic.status(module).generation
        number = random.randrange(5)
        if number == 0:
            module.timer(0, True)
        elif number == 1:
            module.microtask_panics()
        elif number == 2:
            module.spawn_panics(0)
        else:
            call = module.fail_later(0) if number == 3 else module.trap_later(0)
            [error] = await asyncio.gather(call, return_exceptions=True)
            if not isinstance(error, unpanic.Crash):
                return f"an async call ended with {error!r}"
        deadline = asyncio.get_running_loop().time() + 10
        while unpanic.status(module).generation == generation:
            await asyncio.sleep(0)
            if asyncio.get_running_loop().time() > deadline:
                return f"nothing was reset by {number}"
        return ""

    def settle(self):
        """Counts the calls in flight that ended. Each must end with an interruption."""
        import unpanic

        for call in [call for call in self.calls if call.done()]:
            self.calls.remove(call)
            self.interrupted += isinstance(call.exception(), unpanic.CallInterrupted)

    def good(self):
        module = self.module
        thing = self.things[7]
        return [
            module.add(2, 3),
            module.echo_string("é"),
            thing.value,
            module.make_adder(3)(4),
            module.call_catch(three),
        ]

    expected = (5, "é", 7, 7, 3)


def three():
    return 3


class Prql:
    """This package throws ordinary errors out of Rust frames on purpose."""

    def __init__(self, module):
        self.module = module
        self.options = module.CompileOptions()

    def crash(self, random):
        if random.randrange(10):
            self.compile("from x | nonsense")
        else:
            self.compile("from x | derive a = " + "(" * 3000 + "1" + ")" * 3000)

    def compile(self, query):
        self.options.format = False  # made again after each reset
        consumed = self.module.CompileOptions()
        consumed.signature_comment = False
        consumed.format = False
        return self.module.compile(query, consumed)

    def good(self):
        return [self.compile("from x | take 3")]

    expected = ("SELECT * FROM x LIMIT 3",)


class Resvg:
    def __init__(self, module):
        self.module = module
        self.picture = module.Resvg(PICTURE.format(3))

    def crash(self, _random):
        self.module.Resvg(PICTURE.format(100000)).render()

    def good(self):
        image = self.picture.render()
        return [image.width, self.picture.height]

    expected = (3, 3)


class Oxipng:
    def __init__(self, module):
        import base64

        self.module = module
        self.pixel = base64.b64decode(PIXEL)

    def crash(self, random):
        self.module.optimise(self.pixel[: random.randrange(len(self.pixel) - 20)], 1, False)

    def good(self):
        return [bytes(self.module.optimise(self.pixel, 1, False))[1:4].decode()]

    expected = ("PNG",)


class Resize:
    def __init__(self, module):
        self.module = module

    def crash(self, _random):
        self.module.resize(bytes([1, 2, 3, 4]), 1, 1, 2, 1, 99, False, False)

    def good(self):
        return [list(self.module.resize(bytes([1, 2, 3, 4]), 1, 1, 2, 1, 0, False, False))]

    expected = ([1, 2, 3, 4, 1, 2, 3, 4],)


class World:
    """Five packages that crash in a random order, which a seed decides."""

    def __init__(self, modules, seed):
        import random

        self.modules = modules
        self.random = random.Random(seed)
        makers = {"faults": Faults, "prql": Prql, "resvg": Resvg, "oxipng": Oxipng, "resize": Resize}
        self.subjects = {name: makers[name](module) for name, module in modules.items()}
        self.problems = []
        self.crashes = 0
        self.errors = 0

    async def run(self, crashes):
        """Makes so many crashes with good calls between them. Returns the problems and the size of memory."""
        import asyncio

        for _ in range(crashes):
            await self.one()
            if self.crashes % 20 == 0:
                # Finalizers and settled futures need the event loop to turn.
                await asyncio.sleep(0)
                self.subjects["faults"].settle()
        return self.report()

    async def one(self):
        import unpanic

        self.crashes += 1
        name = self.random.choices(list(self.subjects), [12, 1, 1, 3, 3])[0]
        subject = self.subjects[name]
        if name == "faults" and self.random.randrange(20) == 0:
            self.note(name, await subject.later(self.random))
        else:
            try:
                subject.crash(self.random)
                self.note(name, "no crash")
            except unpanic.Crash as crash:
                self.note(name, "" if crash.kind in KINDS else f"kind {crash.kind}")
            except unpanic.RustError:
                self.errors += 1  # thrown on purpose
            except unpanic.CallInterrupted as outer:
                # A call in a callback crashed.
                self.note(name, "" if outer.crash else "interrupted by nothing")
            except Exception as error:
                self.note(name, f"not a crash: {error!r}")
        if self.random.randrange(4) == 0:
            result = subject.good()
            self.note(name, "" if tuple(result) == subject.expected else f"wrong result: {result}")

    def note(self, name, problem):
        if problem:
            self.problems.append(f"{name}, crash {self.crashes}: {problem}")

    def report(self):
        import gc

        import pyodide_js
        import unpanic

        gc.collect()
        statuses = {name: unpanic.status(module) for name, module in self.modules.items()}
        return {
            "problems": self.problems,
            "good": [tuple(subject.good()) == subject.expected for subject in self.subjects.values()],
            "python_heap": pyodide_js._module.HEAP8.length,
            "python_objects": len(gc.get_objects()),
            "resets": sum(status.resets for status in statuses.values()),
            "crashes": {name: sum(status.crashes.values()) for name, status in statuses.items()},
            "errors": self.errors,
            "in_flight": {name: status.in_flight for name, status in statuses.items()},
            "interrupted": self.subjects["faults"].interrupted,
            "alive": len(self.subjects["faults"].calls),
        }


async def begin(seed):
    """Loads the packages, and keeps the world for later runs."""
    import warnings

    import unpanic

    warnings.simplefilter("ignore")
    modules = {}
    for name, glue in GLUE.items():
        modules[name] = await unpanic.load(glue, name=name, recovery="reset", panic_hook=ignore)
    KEPT["world"] = World(modules, seed)


def ignore(_panic):
    """Serves as the panic hook, so that thousands of panics are not logged."""


async def go_on(crashes):

    return await KEPT["world"].run(crashes)


async def end():
    """Interrupts the calls in flight, and returns how they ended."""
    import asyncio

    import unpanic

    world = KEPT.pop("world")
    calls = world.subjects["faults"].calls
    for module in world.modules.values():
        unpanic.unload(module)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    return [type(outcome).__name__ for outcome in outcomes]
