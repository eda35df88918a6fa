"""The collector can free dead generations (rule 7)."""

import pytest

from tests.browser.builds import RESETTING, caught, load
from tests.places import builds


@pytest.fixture(scope="module")
def nobody_before(pyodide_hosts):
    """Ends the Pyodides of other tests, because these tests need all Wasm memories that a browser allows."""
    end(pyodide_hosts, list(pyodide_hosts))


@pytest.fixture(autouse=True)
def nobody_beside(nobody_before, pyodide_hosts, realm, request):  # noqa: ARG001
    """Leaves only one Pyodide, because a Pyodide does not collect the garbage of another one."""
    end(pyodide_hosts, [other for other in pyodide_hosts if other != realm or "fresh_py" in request.fixturenames])


def end(hosts, names):
    for name in names:
        hosts.pop(name).close()


# Chromium allows about this many live memories, and Firefox 1,000. More resets than that need the collector.
LIVE_MEMORIES = 125
RESETS = 10_000


async def many_resets(build, count, keep):
    import asyncio
    import gc
    import warnings

    import pyodide_js
    import unpanic

    warnings.simplefilter("ignore")
    faults = await load(build, panic_hook=lambda _: None)
    kept = []
    sizes = []
    for number in range(count):
        thing = faults.Thing(number)
        handed_out = faults.Thing.make(number)
        adder = faults.make_adder(number)
        callback = faults.call_kept
        caught(callback, lambda: None)
        call = asyncio.ensure_future(faults.never())
        error = caught(faults.panic_formatted, number)
        if keep and number < 2 * keep:
            kept.append((error, thing, handed_out, adder, call))
        if number % 50 == 0:
            # Settled futures and finalizers need the event loop to turn.
            await asyncio.sleep(0)
        if number in (count // 5, count - 1):
            await asyncio.sleep(0.1)
            gc.collect()
            sizes.append([pyodide_js._module.HEAP8.length, len(gc.get_objects())])
    del call
    good = faults.add(1, 2)
    generation = unpanic.status(faults).generation
    unpanic.unload(faults)
    await asyncio.gather(*(entry[-1] for entry in kept), return_exceptions=True)
    return {"good": good, "generation": generation, "sizes": sizes, "kept": len(kept)}


@builds("native", long=["abort", "reset"])
def test_what_a_user_keeps_keeps_no_generation_alive(py, build):
    """There can be three times as many resets as live memories, with every crash and object of them kept."""
    result = py.run(many_resets, build=build, count=3 * LIVE_MEMORIES, keep=3 * LIVE_MEMORIES)
    assert [result["good"], result["generation"], result["kept"]] == [3, 3 * LIVE_MEMORIES, 3 * LIVE_MEMORIES]


async def objects_made_again(count):
    import gc
    import warnings

    warnings.simplefilter("ignore")
    faults = await load("abort", panic_hook=lambda _: None)
    things = [faults.Thing(number) for number in range(10)]
    sizes = []
    for number in range(count):
        caught(faults.trap_unreachable)
        values = [thing.value for thing in things]
        if number in (count // 5, count - 1):
            gc.collect()
            sizes.append(len(gc.get_objects()))
    return values, sizes


@pytest.mark.parametrize("realm", ["page"])
def test_an_object_that_is_made_again_leaves_nothing_of_what_it_was(py):
    """Ten objects are made again after each of 100 resets, and their old versions are freed."""
    values, [early, late] = py.run(objects_made_again, count=100)
    assert values == list(range(10))
    assert late - early < 50


def room():
    """Returns how many more Wasm memories the browser makes. A refusal makes the browser collect first."""
    from pyodide.code import run_js

    return run_js(
        "(() => { const all = []; try { for (;;) all.push(new WebAssembly.Memory({initial: 1})); } catch {}"
        "const count = all.length; all.length = 0; return count; })()"
    )


async def load_and_unload(build, count, spare):
    import asyncio

    import unpanic

    before = room()
    names = []
    for _ in range(count):
        faults = await load(build, spare=spare)
        while spare and unpanic.status(faults).spare != "ready":
            await asyncio.sleep(0)
        call = asyncio.ensure_future(faults.never())
        await asyncio.sleep(0)
        caught(faults.trap_unreachable)
        await asyncio.gather(call, return_exceptions=True)
        names.append((faults, faults.add, faults.Thing))
        unpanic.unload(faults)
    await asyncio.sleep(0.05)
    return room() - before, len(names)


@pytest.mark.parametrize("spare", [False, True])
@builds("native", long=["abort"])
@pytest.mark.parametrize("realm", ["page"])
def test_unload_frees_the_instance_whatever_names_live_on(py, build, spare):
    """After twenty modules, the browser makes as many memories as before them."""
    change, kept = py.run(load_and_unload, build=build, count=20, spare=spare)
    assert kept == 20
    assert change > -5, f"{-change} memories are gone"


async def loads_and_unloads(count):
    import asyncio
    import gc

    import unpanic

    for _ in range(count):
        values = await unpanic.load("/fixtures/values/pkg/abort/values.js")
        values.call(lambda value: value, 1)
        unpanic.unload(values)
    del values
    await asyncio.sleep(0.05)
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.parametrize("realm", ["page"])
def test_load_and_unload_leave_memory_flat(fresh_py, engine):
    """Python and the page hold nothing of unloaded modules, not even the glue's syntax tree."""
    has_meter = engine == "chromium"
    early = fresh_py.run(loads_and_unloads, count=3)
    before = heap_bytes(fresh_py.page) if has_meter else 0
    late = fresh_py.run(loads_and_unloads, count=10)
    after = heap_bytes(fresh_py.page) if has_meter else 0
    # A leaked module would leave 700 kB, most of which is the tree.
    assert late - early < 100, "Python objects were left"
    assert after - before < 1_000_000, f"the page's heap grew from {before} to {after} bytes"


async def whole_lives(count, build, recovery, places):
    """Modules that are loaded, crash, have a hook and callbacks that name them, and are unloaded."""
    import asyncio
    import gc

    import pyodide_js
    import unpanic

    for number in range(count):
        inside = places[number % len(places)]
        if number % 20 == 0:
            gc.collect()  # otherwise Python collects the garbage of many lives together
        faults = await unpanic.load(f"/fixtures/faults/pkg/{build}/faults.js", recovery=recovery)
        add, thing = faults.add, faults.Thing(1)
        unpanic.set_panic_hook(faults, lambda _panic, faults=faults: faults.add(1, 2))
        unpanic.on_reset(faults, lambda module, _crash, faults=faults, thing=thing: (module.add(1, 2), faults, thing))
        call = asyncio.ensure_future(faults.never())
        await asyncio.sleep(0)
        caught(faults.panic_message)
        caught(faults.trap_unreachable)
        if inside == "a hook":
            unpanic.set_panic_hook(faults, lambda _panic, faults=faults: unpanic.unload(faults))
            caught(faults.panic_message)
        elif inside == "a callback of on_reset":
            unpanic.on_reset(faults, lambda module, _crash: unpanic.unload(module))
            caught(unpanic.reset, faults)
        elif inside == "a callback":
            caught(faults.call, lambda faults=faults: unpanic.unload(faults))
        unpanic.unload(faults)
        caught(add, 1, 2)
        # A reset has interrupted it; where calls are rolled back it has lived until the end.
        await asyncio.gather(call, return_exceptions=True)
        del faults, add, thing, call
    await asyncio.sleep(0.1)
    gc.collect()
    return len(gc.get_objects()), pyodide_js._module.HEAP8.length


# The place of the unload: the user's own code, or one of the module's callbacks.
PLACES = ["", "a hook", "a callback of on_reset", "a callback"]


@pytest.mark.long  # test_load_and_unload shows the same of loads, and tests/soak of crashes
@pytest.mark.parametrize(("build", "recovery"), [("abort", "auto"), ("abort", "reset"), ("unwind", "auto")])
@pytest.mark.parametrize("realm", ["page"])
def test_whole_lives_leave_memory_flat(fresh_py, engine, build, recovery):
    """Load, hook, refill, crash and unload leave nothing, although hook and callbacks name the module.

    There are more lives than the browser has live memories.
    """
    has_meter = engine == "chromium"
    how = {"build": build, "recovery": recovery, "places": PLACES}
    for _ in range(2):
        early, heap = fresh_py.run(whole_lives, count=20, timeout=120, **how)
    before = heap_bytes(fresh_py.page) if has_meter else 0
    late, later_heap = fresh_py.run(whole_lives, count=LIVE_MEMORIES + 25, timeout=200, **how)
    after = heap_bytes(fresh_py.page) if has_meter else 0
    # A leaked module would leave 3,600 objects and 300 kB.
    assert late - early < 300, "Python objects were left"
    assert later_heap == heap, "Pyodide's memory grew"
    assert after - before < 1_000_000, f"the page's heap grew from {before} to {after} bytes"


async def plain_resets(count):
    import asyncio
    import gc

    import pyodide_js
    import unpanic

    bank = await load("abort", "bank", panic_hook=lambda _: None)
    sizes = []
    for number in range(count):
        caught(bank.transfer, "ada", "bob", 1)
        bank.add(1, 2)
        if number % 100 == 0:
            await asyncio.sleep(0)
        if number in (count // 5, count - 1):
            gc.collect()
            sizes.append([pyodide_js._module.HEAP8.length, len(gc.get_objects())])
    generation = unpanic.status(bank).generation
    unpanic.unload(bank)
    return generation, sizes


@pytest.mark.long  # tests/soak shows the same of hundreds
@pytest.mark.parametrize("realm", ["page"])
def test_ten_thousand_resets_leave_memory_flat(fresh_py, engine):
    """From 2,000 to 10,000 resets, Python's heap, its object count and the page's heap do not grow."""
    # Firefox does not report the size of its heap, but allows only 1,000 live memories.
    has_meter = engine == "chromium"
    fresh_py.run(plain_resets, count=500)
    before = heap_bytes(fresh_py.page) if has_meter else 0
    generation, [early, late] = fresh_py.run(plain_resets, count=RESETS, timeout=240)
    after = heap_bytes(fresh_py.page) if has_meter else 0
    assert generation == RESETS
    assert late[0] == early[0], "Pyodide's memory grew"
    assert late[1] - early[1] < 50, "Python objects were left"
    assert after - before < 1_000_000, f"the page's heap grew from {before} to {after} bytes"


def heap_bytes(page):
    cdp = page.context.new_cdp_session(page)
    cdp.send("HeapProfiler.collectGarbage")
    used = cdp.send("Runtime.getHeapUsage")["usedSize"]
    cdp.detach()
    return used


def watch_memories():
    """Has the page keep a weak reference to each Wasm memory from now on."""
    from pyodide.code import run_js

    run_js("""
        const { Instance } = WebAssembly;
        globalThis.leftovers = [];
        globalThis.memories = [];
        WebAssembly.Instance = function (module, imports) {
            const made = new Instance(module, imports);
            memories.push(new WeakRef(made.exports.memory));
            return made;
        };
        WebAssembly.Instance.prototype = Instance.prototype;
    """)


async def live_memories():
    """Returns how many of these memories are alive after collections."""
    import asyncio

    from pyodide.code import run_js

    for _ in range(3):
        await asyncio.sleep(0.05)
        room()
    await asyncio.sleep(0.05)
    return run_js("memories.filter((memory) => memory.deref()).length")


async def leave_everything(build, count):
    """Crashes, and each time leaves behind a timer, an interval, a listener, an observer, a future and a stream."""
    import asyncio
    import warnings

    import unpanic
    from pyodide.code import run_js

    warnings.simplefilter("ignore")
    watch_memories()
    module = await load(build, "leftovers", panic_hook=lambda _: None)
    minute = 60_000
    outcomes = {}
    for number in range(count):
        module.leave_timer(minute)
        module.leave_interval(minute)
        module.leave_listener()
        module.leave_observer()
        module.leave_stream(minute)
        call = asyncio.ensure_future(module.sleep(minute))
        await asyncio.sleep(0)
        if number % 2 and build == "unwind":
            caught(module.fail, "unwound")
        error = caught(module.trap)
        [interrupted] = await asyncio.gather(call, return_exceptions=True)
        outcome = f"{type(error).__name__} {type(interrupted).__name__}"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    generation = unpanic.status(module).generation
    made = run_js("memories.length")
    alive = await live_memories()
    run_js("dispatchEvent(new Event('leftover')); performance.mark('leftover')")
    await asyncio.sleep(0.05)
    good = [module.add(1, 2), unpanic.status(module).generation == generation]
    unpanic.unload(module)
    return outcomes, generation, made, alive, good, await live_memories()


# Engines take words on the stack for references, and a collection can spare the youngest memories.
FEW = 5


@builds("unwind", long=["native", "abort", "reset"])
def test_what_javascript_holds_of_the_dead_keeps_no_memory_alive(fresh_py, build):
    """2,000 crashes leave everything behind that can call Rust later, also after `unload`.

    In the other builds there are fewer, which are nevertheless more than the browser has live memories.
    """
    count = 2_000 if build == "abort" else 3 * LIVE_MEMORIES
    result = fresh_py.run(leave_everything, build=build, count=count, timeout=300)
    outcomes, generation, made, alive, good, after = result
    assert outcomes == {"Trap CallInterrupted": count}
    assert [generation, made, good] == [count, count + 1, [3, True]]
    assert alive <= FEW, f"{alive} memories are alive"
    assert after <= FEW, f"{after} memories are alive after unload"


async def crashes_in_one_turn(build, count):
    import asyncio
    import warnings

    import unpanic
    from pyodide.code import run_js

    warnings.simplefilter("ignore")
    run_js("globalThis.leftovers = []")
    module = await load(build, "leftovers", panic_hook=lambda _: None)
    calls = []
    kinds = set()
    for _ in range(count):
        calls.append(asyncio.ensure_future(module.sleep(60_000)))
        if build == "unwind":
            kinds.add(type(caught(module.fail, "unwound")).__name__)
        kinds.add(type(caught(module.trap)).__name__)
    generation = unpanic.status(module).generation
    ends = await asyncio.gather(*calls, return_exceptions=True)
    return generation, sorted(kinds), sorted({type(end).__name__ for end in ends}), module.add(1, 2)


@pytest.mark.parametrize("build", [*RESETTING, "unwind"])
def test_crashes_in_one_turn_of_the_event_loop_keep_no_memory_alive(py, build):
    """There can be three times as many crashes as live memories, each with an async call that has just begun."""
    count = 3 * LIVE_MEMORIES
    kinds = ["RustPanic", "Trap"] if build == "unwind" else ["Trap"]
    result = py.run(crashes_in_one_turn, build=build, count=count, timeout=120)
    assert result == [count, kinds, ["CallInterrupted"], 3]
