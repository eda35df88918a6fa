"""The supervisor decides on strategies, hooks, the restart budget (rule 6) and explicit resets."""

import re

import pytest

from tests.browser.builds import BUILDS, RESETTING, caught, load


def name_of(error):
    return type(error).__name__ if error else None


async def none(build):
    import unpanic

    faults = await load(build, recovery="none", panic_hook=lambda _: None)
    crash = caught(faults.trap_unreachable)
    late = [caught(faults.add, 1, 2), caught(faults.echo_string, "x"), caught(faults.Thing, 1), caught(faults.wait, 1)]
    status = unpanic.status(faults)
    return {
        "crash": [name_of(crash), crash.recovery, str(crash).removeprefix(crash.message)],
        "late": [name_of(error) for error in late],
        "cause": all(error.__cause__ is crash for error in late),
        "status": [status.phase, status.generation, status.resets],
    }


@pytest.mark.parametrize("build", BUILDS)
def test_recovery_none(py, build):
    """With recovery="none" a crash ends the module, and every later call says so, with the crash as its cause."""
    assert py.run(none, build=build) == {
        "crash": ["Trap", "none", " (in faults.trap_unreachable; the module has ended: recovery is off)"],
        "late": ["ModuleTerminated"] * 4,
        "cause": True,
        "status": ["terminated", 0, 0],
    }


async def bad_inputs(build, count):
    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    kinds = {name_of(caught(faults.trap_unreachable)) for _ in range(count)}
    for _ in range(count // 10):
        kinds |= {name_of(error) for error in await gather(faults.trap_later(0), faults.fail_later(0))}
    status = unpanic.status(faults)
    return [sorted(kinds), status.phase, faults.add(2, 3)]


async def gather(*calls):
    import asyncio

    return await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("build", BUILDS)
def test_bad_inputs_never_end_a_module(py, build):
    """A crash that a caller caused is that caller's exception, however many follow each other."""
    kinds, phase, five = py.run(bad_inputs, build=build, count=300)
    assert set(kinds) <= {"Trap", "RustPanic", "CallInterrupted"}
    assert (phase, five) == ("ready", 5)


async def tasks_that_crash(build, budget):
    import asyncio

    import unpanic

    options = {"restart_budget": budget} if budget else {}
    faults = await load(build, panic_hook=lambda _: None, **options)
    # Each reset starts the next crash, and calls in between return.
    unpanic.on_reset(faults, lambda module, _crash: (module.add(1, 2), module.spawn_panics(0)))
    unpanic.reset(faults)
    while unpanic.status(faults).phase not in ("terminated", "unloaded"):
        await asyncio.sleep(0.05)
    status = unpanic.status(faults)
    return [status.crashes, status.last_crash.recovery, str(caught(faults.add, 1, 2))]


@pytest.mark.parametrize(("budget", "crashes"), [(None, 21), (3, 4)])
@pytest.mark.parametrize("build", RESETTING)
def test_crashes_that_nobody_called_for_end_a_module(py, build, budget, crashes):
    """More crashes than the budget within ten seconds end the module, even if calls return between them."""
    seen, recovery, text = py.run(tasks_that_crash, build=build, budget=budget)
    assert (seen, recovery) == ({"panic": crashes}, "none")
    assert f"the module has ended ({crashes} crashes that nobody called for within 10 seconds: panic: " in text


async def fillings_that_crash(build, how):
    """A call that a callback of `on_reset` starts crashes, and the next generation starts the call again."""
    import asyncio

    import unpanic

    faults = await load(build, panic_hook=lambda _: None)

    async def refill():
        await asyncio.sleep(0)
        if how == "a call in a task":
            faults.panic_message()
        await faults.fail_now()

    def start(module, _crash):
        tasks.append(asyncio.ensure_future(module.fail_now() if how == "an async call" else refill()))

    tasks = []
    unpanic.on_reset(faults, start)
    caught(faults.panic_message)
    for _ in range(300):
        if unpanic.status(faults).phase == "terminated":
            break
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks, return_exceptions=True)
    return [unpanic.status(faults).phase, len(tasks) < 40, str(caught(faults.add, 1, 2))]


@pytest.mark.parametrize("how", ["an async call", "a task", "a call in a task"])
@pytest.mark.parametrize("build", RESETTING)
def test_what_on_reset_starts_cannot_crash_for_ever(py, build, how):
    """A call or a task that a callback of `on_reset` starts has no caller, so its crashes count."""
    phase, is_bounded, text = py.run(fillings_that_crash, build=build, how=how)
    assert (phase, is_bounded) == ("terminated", True)
    assert "crashes that nobody called for within 10 seconds: in on_reset, panic: " in text


async def tasks_that_unwind():
    import asyncio

    import unpanic

    faults = await load("unwind", panic_hook=lambda _: None, restart_budget=3)
    for _ in range(12):
        faults.spawn_panics(0)
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    status = unpanic.status(faults)
    return [status.phase, status.generation, status.crashes, faults.add(2, 3)]


def test_panics_that_unwind_are_not_counted(py):
    """They end no generation, so the module goes on, however many follow each other."""
    assert py.run(tasks_that_unwind) == ["ready", 0, {"panic": 12}, 5]


async def start_fails_at_reset(build):
    import unpanic

    import js

    startup = await load(build, "startup", panic_hook=lambda _: None)
    js.globalThis.__unpanicFailStart = True
    try:
        crash = caught(startup.boom, "x")
    finally:
        js.globalThis.__unpanicFailStart = False
    late = caught(startup.add, 1, 2)
    return [name_of(crash), crash.recovery, name_of(late), unpanic.status(startup).phase, str(late)]


@pytest.mark.parametrize("build", ["abort", "reset", "native"])
def test_a_start_function_that_crashes_at_a_reset(py, build):
    """The module ends, without an endless loop of crashes."""
    crash, recovery, late, phase, text = py.run(start_fails_at_reset, build=build)
    assert [crash, recovery, late, phase] == ["RustPanic", "none", "ModuleTerminated", "terminated"]
    assert "start function" in text


async def hooks(build):
    import unpanic

    faults = await load(build)
    heard = []

    def failing_hook(panic):
        heard.append(panic.message)
        raise ValueError("hook")

    unpanic.set_panic_hook(faults, failing_hook)
    crash = caught(faults.panic_message)
    notes = list(getattr(crash, "__notes__", []))
    unpanic.set_panic_hook(faults, lambda panic: heard.append(str(panic.location)))
    caught(faults.panic_deep, 1)
    caught(faults.trap_unreachable)
    unpanic.unload(faults)
    return [name_of(crash), notes, heard]


@pytest.mark.parametrize("build", BUILDS)
def test_panic_hooks(py, build):
    """A hook gets every panic, survives resets, and gets no trap. Its own exception becomes a note on the crash."""
    crash, notes, heard = py.run(hooks, build=build)
    assert crash == "RustPanic"
    assert notes == ["the panic hook failed: ValueError('hook')"]
    assert heard[0] == "a plain message"
    assert heard[1].startswith("src/deaths.rs:")
    assert len(heard) == 2


async def refill(build):
    import unpanic

    bank = await load(build, "bank", panic_hook=lambda _: None)
    calls = []

    def fill(module, crash):
        calls.append([module is bank, name_of(crash)])
        module.open("ada", 100)

    def fail(_module, _crash):
        raise ValueError("refill")

    unpanic.on_reset(bank, fill)
    fill(bank, None)
    crash = caught(bank.transfer, "ada", "bob", 1000)
    after_crash = bank.balance_of("ada")
    unpanic.on_reset(bank, fail)
    unpanic.reset(bank)
    second = caught(bank.transfer, "ada", "bob", 1000)
    result = [
        calls,
        after_crash,
        bank.balance_of("ada"),
        name_of(crash),
        any("refill" in note for note in second.__notes__),
        unpanic.status(bank).generation,
    ]
    unpanic.unload(bank)
    return result


@pytest.mark.parametrize("build", RESETTING)
def test_on_reset(py, build):
    """Callbacks refill the next generation, after a crash and after a reset. A callback that raises does no harm."""
    assert py.run(refill, build=build) == [
        [[True, None], [True, "RustPanic"], [True, None], [True, "RustPanic"]],
        100,
        100,
        "RustPanic",
        True,
        3,
    ]


async def crash_in_refill(build, how, times):
    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    runs = []

    def first(module, _crash):
        module.bump()

    def second(module, _crash):
        runs.append(1)
        if len(runs) <= times:
            if how == "reset":
                unpanic.reset(module)
            elif how == "raise":
                module.trap_unreachable()
            else:
                caught(module.trap_unreachable)
            if how == "go on":
                module.bump()

    for callback in (first, second, first):
        unpanic.on_reset(faults, callback)
    crash = caught(faults.panic_message if build != "unwind" else faults.trap_unreachable)
    status = unpanic.status(faults)
    return [len(runs), len(getattr(crash, "__notes__", [])), status.phase, str(caught(faults.bump)), crash.recovery]


@pytest.mark.parametrize("how", ["raise", "catch", "go on", "reset"])
@pytest.mark.parametrize("build", BUILDS)
def test_a_generation_that_died_while_it_was_filled_is_followed_by_one_that_is_filled(py, build, how):
    """All callbacks run again, even if a callback caught the crash, went on, or reset the module itself."""
    runs, notes, phase, error, recovery = py.run(crash_in_refill, build=build, how=how, times=1)
    assert [runs, notes, phase, error, recovery] == [2, 1 if how == "raise" else 0, "ready", "None", "reset"]


@pytest.mark.parametrize("how", ["raise", "catch", "go on", "reset"])
@pytest.mark.parametrize("build", ["abort", "native"])
def test_callbacks_that_always_crash_end_the_module(py, build, how):
    """There is no endless loop, and the message says where to look."""
    runs, _notes, phase, error, recovery = py.run(crash_in_refill, build=build, how=how, times=1000)
    assert [runs, phase, recovery] == [21, "terminated", "none"]
    assert "21 crashes that nobody called for within 10 seconds: " in error
    assert "in on_reset" in error


async def stopped_in_refill(build):
    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    runs = []

    def stop(_module, _crash):
        runs.append(1)
        if len(runs) == 1:
            raise KeyboardInterrupt

    unpanic.on_reset(faults, stop)
    unpanic.on_reset(faults, lambda module, _crash: module.bump())
    stopped = [name_of(caught(faults.trap_unreachable)), faults.bump()]
    return stopped, [name_of(caught(faults.trap_unreachable)), faults.bump()], runs


@pytest.mark.parametrize("build", BUILDS)
def test_a_stop_button_in_a_callback_reaches_the_caller(py, build):
    """The other callbacks still run, and later resets refill the module as usual."""
    stopped, later, runs = py.run(stopped_in_refill, build=build)
    assert (stopped, later, runs) == (["KeyboardInterrupt", 2], ["Trap", 2], [1, 1])


async def hook_that_calls(build):
    import unpanic

    faults = await load(build)
    sums = []
    unpanic.set_panic_hook(faults, lambda _panic: sums.append(faults.add(1, 2)))
    caught(faults.panic_message)
    result = [sums, unpanic.status(faults).generation, faults.bump()]
    unpanic.unload(faults)
    return result


@pytest.mark.parametrize("build", BUILDS)
def test_a_hook_may_call_the_module(py, build):
    """The hook finds the next generation or, if panics unwind, the same one."""
    assert py.run(hook_that_calls, build=build) == [[3], 0 if build == "unwind" else 1, 1]


async def logging_default(build):
    import asyncio
    import logging

    faults = await load(build)
    records = []

    class Collect(logging.Handler):
        def emit(self, record):
            records.append([record.levelname, record.name, record.getMessage()])

    logger = logging.getLogger("unpanic")
    handler = Collect()
    logger.addHandler(handler)
    try:
        caught(faults.panic_message)
        await gather(faults.fail_later(0))
        called = len(records)
        faults.spawn_panics(0)
        while len(records) == called:
            await asyncio.sleep(0.01)
    finally:
        logger.removeHandler(handler)
    return called, records


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_the_default_hook_logs(py, build):
    """Without a hook, a panic that no caller gets is one ERROR record of the logger. Other panics are not logged."""
    called, [[level, name, text]] = py.run(logging_default, build=build)
    assert [called, level, name] == [0, "ERROR", "unpanic"]
    assert re.search(r"\(in faults, src/tasks.rs:\d+:\d+; ", text)


UNTOLD = "a panic without a message (the module has no panic hook: add the line `use unpanic as _;` to its Rust code)"
# the fixture, the call, the class, the message, the file
WITHOUT_A_STRUCTURED_HOOK = [
    ("hookless", "RustPanic", "boom", "src/lib.rs"),
    ("texthook", "RustPanic", "boom", "src/lib.rs"),
    ("silent", "RustPanic", UNTOLD, None),
]


async def other_hooks(crate, build):
    import unpanic

    module = await load(build, crate, panic_hook=lambda _: None)
    outcomes = []
    for use_error in (False, True):
        if hasattr(module, "use_error"):
            module.use_error(use_error)
        crash = caught(module.boom, "boom")
        location = getattr(crash, "location", None)
        outcomes.append([name_of(crash), crash.message, location and location.file, module.add(1, 2)])
    unpanic.unload(module)
    return outcomes


@pytest.mark.parametrize("build", RESETTING)
@pytest.mark.parametrize(("crate", "kind", "message", "file"), WITHOUT_A_STRUCTURED_HOOK)
def test_packages_without_a_structured_hook(py, build, crate, kind, message, file):
    """Text on console.error, a string, an Error, or only frames: the exception has everything that they contain."""
    assert py.run(other_hooks, crate=crate, build=build) == [[kind, message, file, 3]] * 2
