"""What the supervisor decides: strategies, hooks, the restart budget (rule 6), explicit resets."""

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


async def budget(build):
    import unpanic

    faults = await load(build, restart_budget=5, panic_hook=lambda _: None)
    for _ in range(12):
        caught(faults.trap_unreachable)
        faults.add(1, 2)
    among_good = unpanic.status(faults).generation
    loop = [name_of(caught(faults.trap_unreachable)) for _ in range(8)]
    status = unpanic.status(faults)
    return [among_good, loop, status.phase]


@pytest.mark.parametrize("build", RESETTING)
def test_restart_budget(py, build):
    """Crashes among good calls never end a module; a row of them without one call that returned does."""
    among_good, loop, phase = py.run(budget, build=build)
    assert among_good == 12
    # The first crash of the row follows a call that returned.
    assert loop == ["Trap"] * 6 + ["ModuleTerminated"] * 2
    assert phase == "terminated"


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
    """It ends the module: there is no crash loop."""
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
    """A hook hears of every panic, survives resets, hears of no trap, and what it raises is a note on the crash."""
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
    """Callbacks refill the next generation, after a crash and after a reset; one that raises does no harm."""
    assert py.run(refill, build=build) == [
        [[True, None], [True, "RustPanic"], [True, None], [True, "RustPanic"]],
        100,
        100,
        "RustPanic",
        True,
        3,
    ]


async def crash_in_refill(build):
    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    refills = []

    def refill(module, _crash):
        refills.append(1)
        module.panic_message()

    unpanic.on_reset(faults, refill)
    unpanic.on_reset(faults, lambda module, _crash: refills.append(module.add(1, 2)))
    crash = caught(faults.trap_unreachable)
    result = [name_of(crash), refills, len(crash.__notes__), unpanic.status(faults).generation, faults.add(1, 2)]
    unpanic.unload(faults)
    return result


@pytest.mark.parametrize("build", RESETTING)
def test_on_reset_that_crashes(py, build):
    """It costs one more generation, not a loop: the callback is not called again, the other ones are."""
    assert py.run(crash_in_refill, build=build) == ["Trap", [1, 3], 1, 2, 3]


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
    """It finds the next generation, or, where panics unwind, the same one."""
    assert py.run(hook_that_calls, build=build) == [[3], 0 if build == "unwind" else 1, 1]


async def logging_default(build):
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
    finally:
        logger.removeHandler(handler)
    return records


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_the_default_hook_logs(py, build):
    """Without a hook every panic is one ERROR line of the unpanic logger, place included."""
    [[level, name, text]] = py.run(logging_default, build=build)
    assert [level, name] == ["ERROR", "unpanic"]
    assert text.startswith("a plain message (in faults.panic_message, src/deaths.rs:14:5; ")


UNTOLD = "a panic without a message (the module has no panic hook: add the line `use unpanic as _;` to its Rust code)"
# fixture, call, class, message, file
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
    """A panic text on console.error, a string, an Error, or only frames: each tells of a panic what it knows."""
    assert py.run(other_hooks, crate=crate, build=build) == [[kind, message, file, 3]] * 2
