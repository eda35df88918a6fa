"""How long a Python callable lives that Rust or JavaScript holds, and functions that Rust returns."""

import pytest

from tests.browser.builds import caught, load
from tests.browser.test_leaks import heap_bytes

BUILDS = ["abort", "unwind"]


async def call_kinds(build):
    import functools
    import operator

    values = await load(build, "values")

    class Counter:
        def __init__(self):
            self.count = 0

        def up(self, by):
            self.count += by
            return self.count

    counter = Counter()
    functions = [counter.up, functools.partial(operator.add, 5), abs, Counter().up, str]
    found = [values.call(function, 2) for function in functions]
    found.append([values.sum_of([1, -2, 3], abs), values.sum_of([2, 2], counter.up)])
    item = values.Item(4)
    found.append(values.call(lambda given: [given is item, given.value], item))
    found.append(values.call(lambda _: values.Item(6), None).value)
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_callables_of_every_kind(py, build):
    """Rust calls bound methods, partials, builtins and classes, and keeps an object alive that only Rust holds."""
    assert py.run(call_kinds, build=build) == [2, 7, 2, 2, "2", [6, 10], [True, 4], 6]


async def hand_out(build):
    import gc

    values = await load(build, "values")

    def mine(value):
        return value

    plain = values.javascript_function("a, b", "return [a, b]")
    thrower = values.javascript_function("a", "throw a")
    found = [values.echo(mine) is mine, values.echo({"a": [mine]})["a"][0] is mine]
    found += [plain(1, {"x": b"y"}) == [1, {"x": b"y"}], values.adder(3)(4), values.call(values.adder(1), 1)]
    found += [values.is_same(plain, plain), repr(plain), callable(plain)]
    item = values.Item(2)
    found += [plain(item, None)[0] is item, str(caught(thrower, "thrown"))]
    mistake = KeyError("mine")
    found += [caught(thrower, mistake) is mistake, str(caught(plain, object()))]
    before = len(gc.get_objects())
    for number in range(200):
        values.adder(number)(1)
    found.append(len(gc.get_objects()) - before < 50)
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_functions_come_out(py, build):
    """Rust's closures and JavaScript's functions become Python callables, and a Python callable returns as itself."""
    shown = "<closure of the Rust module 'values'>"
    same = [True, True, True, 7, 2, True, shown, True, True, "thrown", True, "cannot pass 'object' to Rust", True]
    assert py.run(hand_out, build=build) == same


async def outlive(build, ends):
    import gc
    import weakref

    import unpanic
    from pyodide.code import run_js

    values = await load(build, "values", panic_hook=lambda _: None)
    heard = []

    def callback(value):
        heard.append(value)
        return value

    gone = weakref.ref(callback)
    values.share("unpanicShared", callback)
    values.keep(callback)
    plain = values.javascript_function("", "return 1")
    found = [run_js("unpanicShared('before')"), values.call_kept(0, "kept")]
    if ends == "crash":
        caught(values.trap)
    elif ends == "unload":
        unpanic.unload(values)
    else:
        unpanic.reset(values)
    del callback
    gc.collect()
    found += [gone() is None, run_js("try { unpanicShared('after') } catch (error) { error.message }")]
    timers = "setTimeout(unpanicShared, 0); setTimeout(() => { delete globalThis.unpanicShared; done(1) }, 9)"
    found += [await run_js(f"new Promise(done => {{ {timers} }})"), heard, type(caught(plain)).__name__]
    return found


@pytest.mark.parametrize("ends", ["crash", "reset", "unload"])
def test_a_callback_dies_with_its_generation(py, ends):
    """Python releases it at once. JavaScript that still holds it gets an error, and its timer does nothing."""
    found = py.run(outlive, build="abort", ends=ends)
    words = {"unload": "This Python callback was given to values, which was unloaded."}
    message = words.get(ends, "This Python callback of values was given to a generation that is gone.")
    error = "ModuleTerminated" if ends == "unload" else "StaleObjectError"
    assert found[:5] == ["before", "kept", True, message, 1]
    assert found[5] == ["before", "kept"]
    assert found[6] in (error, "StaleObjectError")


async def call_with_fresh(chunks):
    import asyncio
    import gc

    import unpanic
    from unpanic._exports import registry

    import js

    values = await unpanic.load("/fixtures/values/pkg/abort/values.js")
    table = registry.of(values).context.callbacks.functions
    found = []
    for _ in range(chunks):
        for number in range(20_000):
            values.call(lambda value, number=number: number + value, 1)
            if number % 50 == 0:
                values.keep(lambda value: value)
        values.drop_kept()
        for _ in range(200):
            await asyncio.sleep(0.01)
            if len(table) < 100:
                break
            js.eval("for (let i = 0; i < 50; i++) new Array(100000).fill({})")  # gives the collector work
        gc.collect()
        found.append([len(table), len(gc.get_objects())])
    unpanic.unload(values)
    return found


@pytest.mark.parametrize("realm", ["page"])
def test_a_hundred_thousand_callbacks_leave_nothing(fresh_py, engine):
    """After 100,000 calls with a new function each, JavaScript and Python have collected all functions."""
    has_meter = engine == "chromium"
    fresh_py.run(call_with_fresh, chunks=1, timeout=240)
    before = heap_bytes(fresh_py.page) if has_meter else 0
    sizes = fresh_py.run(call_with_fresh, chunks=5, timeout=240)
    after = heap_bytes(fresh_py.page) if has_meter else 0
    assert max(left for left, _ in sizes) < 100
    assert sizes[-1][1] - sizes[0][1] < 300, "Python objects were left"
    # A leaked function would leave more than a hundred bytes.
    assert after - before < 1_000_000, f"the page's heap grew from {before} to {after} bytes"
