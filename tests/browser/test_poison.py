"""Errors damage an instance, and moves leave dead objects. No user of unpanic notices either.

"Bare" is the glue as the page imports it, without unpanic. The tests show the result of the same steps there.
"""

import pytest

from tests.browser.builds import BUILDS, RESETTING, caught, load


def name_of(error):
    return type(error).__name__ if error else None


async def bare(crate, folder="abort"):
    """Returns the bare glue: a namespace for one test, initialised as a page initialises it."""
    from pyodide.code import run_js

    namespace = await run_js(f"import('/fixtures/{crate}/pkg/{folder}/{crate}.js?' + Math.random())")
    await namespace.default()
    return namespace


def attempt(function, *args):
    """Returns what a call returns, or the message of its error."""
    try:
        return function(*args)
    except Exception as error:
        return str(error)


# Locked objects.


async def bare_locked():
    machine = (await bare("poison")).Machine.new(90)
    return [attempt(machine.run, 20), attempt(machine.run, 1)]


def test_bare_locked_object(py):
    """A panic inside a method leaves the object borrowed for ever."""
    first, second = py.run(bare_locked)
    assert ("unreachable" in first, "recursive use of an object" in second) == (True, True)


async def locked(build, objects):
    import warnings

    import unpanic

    poison = await load(build, "poison", objects=objects, panic_hook=lambda _: None)
    machine = poison.Machine(90)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [name_of(caught(machine.run, 20)), name_of(caught(machine.run, 0)), name_of(caught(machine.run, 200))]
        found.append(attempt(lambda: machine.speed))
    return [found, unpanic.status(poison).generation]


@pytest.mark.parametrize("build", BUILDS)
def test_locked_object(py, build):
    """After a reset the object is made again, or raises that it is stale. If panics unwind, the object goes on."""
    stale = "This poison.Machine was made by generation 0, which is gone (now 1); make a new one before Machine.speed."
    recreated = py.run(locked, build=build, objects="recreate")
    kept = py.run(locked, build=build, objects="stale")
    if build == "unwind":
        assert recreated == kept == [["RustPanic", "RustPanic", "RustPanic", 310], 0]
    else:
        assert recreated == [["RustPanic", None, "RustPanic", 90], 2]
        assert kept == [["RustPanic", "StaleObjectError", "StaleObjectError", stale], 1]


# Poisoned statics.

STATICS = ["lazy_lock", "once_cell", "local", "mutex"]
POISONED = ["lazy_lock", "mutex"]


async def bare_static(static):
    poison = await bare("poison")
    poison.setPanicHook(lambda _: None)
    poison.arm()
    use = getattr(poison, static)
    return [attempt(use), attempt(use)]


@pytest.mark.parametrize("static", POISONED)
def test_bare_poisoned_static(py, static):
    """A panic in an initialiser, or under a lock, leaves a static that never works again."""
    first, second = py.run(bare_static, static=static)
    assert ["unreachable" in first, isinstance(second, str)] == [True, True]


async def poisoned_static(build, static):
    import unpanic

    poison = await load(build, "poison", panic_hook=lambda _: None)
    poison.arm()
    use = getattr(poison, static)
    panic = caught(use)
    again = caught(use)
    return [name_of(panic), panic.message, name_of(again), use(), unpanic.status(poison).generation]


@pytest.mark.parametrize("static", STATICS)
@pytest.mark.parametrize("build", RESETTING)
def test_poisoned_static(py, build, static):
    """The next call finds the static as at application start."""
    message = "in an initialiser"
    assert py.run(poisoned_static, build=build, static=static) == ["RustPanic", message, None, 42, 1]


@pytest.mark.parametrize("static", STATICS)
def test_poisoned_static_where_panics_unwind(py, static):
    """A cell is empty again. A call that meets a static which Rust poisoned resets it, as it would fail for ever."""
    again, generation = ("RustPanic", 1) if static in POISONED else (None, 0)
    found = py.run(poisoned_static, build="unwind", static=static)
    assert found == ["RustPanic", "in an initialiser", again, 42, generation]


# The lowered shadow stack.

ERRORS = 2000
# In these builds each panic is a reset. Every instance has its own stack, so these show that no budget is spent.
RESETS = 200


async def bare_errors(crash):
    poison = await bare("poison")
    poison.setPanicHook(lambda _: None)
    for count in range(1, ERRORS + 1):
        caught(getattr(poison, crash), *(["no"] if crash == "reject" else []))
        if isinstance(attempt(poison.recurse, 200), str):
            return count
    return None


@pytest.mark.parametrize("crash", ["reject", "unwrap_nothing"])
def test_bare_ordinary_errors(py, crash):
    """Each ordinary error leaves its frame on the shadow stack, until a good call has no room left."""
    assert 0 < py.run(bare_errors, crash=crash) < ERRORS


async def many_errors(build, crash, kind, count):
    import unpanic

    poison = await load(build, "poison", panic_hook=lambda _: None)
    address = poison.shadow_stack_address()
    arguments = ["no"] if crash == "reject" else []
    for _ in range(count):
        error = caught(getattr(poison, crash), *arguments)
        if name_of(error) != kind or poison.bump() < 1:
            return repr(error)
    state = unpanic.status(poison)
    return [poison.shadow_stack_address() == address, poison.recurse(400), state.phase, state.generation]


@pytest.mark.parametrize("build", ["abort", "native", "unwind"])
@pytest.mark.parametrize("realm", ["page"])
def test_many_panics(py, build):
    """After many panics with good calls between them, the whole shadow stack is free, and no budget is spent."""
    count, generation = (ERRORS, 0) if build == "unwind" else (RESETS, RESETS)
    found = py.run(many_errors, build=build, crash="boom", kind="RustPanic", count=count)
    assert found == [True, 400, "ready", generation]


@pytest.mark.parametrize("crash", ["reject", "unwrap_nothing"])
@pytest.mark.parametrize("build", ["abort", "native", "unwind"])
@pytest.mark.parametrize("realm", ["page"])
def test_many_ordinary_errors(py, build, crash):
    """After many errors at least half of the shadow stack is free, and all of it in a build that unwinds."""
    whole, depth, phase, generation = py.run(many_errors, build=build, crash=crash, kind="RustError", count=ERRORS)
    assert (depth, phase) == (400, "ready")
    if build == "unwind":
        assert (whole, generation) == (True, 0)
    else:
        assert 1 <= generation <= 5


async def errors_in_a_row(build):
    poison = await load(build, "poison", restart_budget=20)
    return {name_of(caught(poison.boom)) for _ in range(30)} == {"RustPanic"}


@pytest.mark.parametrize("build", BUILDS)
def test_errors_in_a_row(py, build):
    """Errors that callers get do not end the module."""
    assert py.run(errors_in_a_row, build=build)


# Null pointers.


def ways(moves):
    """Returns ways to consume an object: the name of the consumer, and a call."""
    return {
        "take": lambda part: moves.take(part),
        "take_and_fail": lambda part: caught(moves.take_and_fail, part),
        "take_maybe": lambda part: moves.take_maybe(part),
        "take_both": lambda part: moves.take_both(part, moves.Part("other")),
        "take_all": lambda part: moves.take_all([moves.Part("a"), part]),
        "take_later": lambda part: moves.take_later(part, 1),
        "take_value": lambda part: moves.take_value(part),
        "Bolt.fix": lambda part: moves.Bolt().fix(part),
        "Part.into_name": lambda part: part.into_name(),
        "Part.with_suffix": lambda part: part.with_suffix("x"),
        "Part.into_error": lambda part: caught(part.into_error),
        "Part.into_name_later": lambda part: part.into_name_later(1),
        "pass_all": lambda part: moves.call(lambda: len(moves.pass_all([part]))),
    }


def uses(moves, part):
    """Returns ways to use an object: the name of the call, and the error."""
    return {
        "Part.name": caught(lambda: part.name),
        "Part.length": caught(part.length),
        "Part.into_name": caught(part.into_name),
        "take": caught(moves.take, part),
        "take_maybe": caught(moves.take_maybe, part),
        "take_all": caught(moves.take_all, [moves.Part("a"), part]),
        "take_value": caught(moves.take_value, part),
        "borrow": caught(moves.borrow, part),
        "Bolt.fix": caught(moves.Bolt().fix, part),
    }


async def null_pointers(build, made):
    import inspect

    import unpanic

    moves = await load(build, "moves")
    make = moves.Part if made == "constructed" else moves.Part.make
    wrong = []
    taken = {}
    for consumer, take in ways(moves).items():
        part = make("p")
        result = take(part)
        if inspect.isawaitable(result):
            await result
        taken[f"moved into moves.{consumer}, which consumed it"] = part
    freed = make("f")
    freed.free()
    with make("w") as managed:
        managed.length()
    for index, part in enumerate((freed, managed)):
        taken["freed" + " " * index] = part
    for fate, part in taken.items():
        for call, error in uses(moves, part).items():
            said = f"This moves.Part was {fate.strip()}; it cannot be used in moves.{call}."
            if type(error) is not unpanic.StaleObjectError or str(error) != said:
                wrong.append(f"{call} after {fate}: {error!r}")
    state = unpanic.status(moves)
    return [wrong, state.generation, state.crashes]


@pytest.mark.parametrize("made", ["constructed", "handed out"])
@pytest.mark.parametrize("build", BUILDS)
def test_null_pointers(py, build, made):
    """For each way to consume and to use an object, the error names class, consumer and call, and nothing is reset."""
    assert py.run(null_pointers, build=build, made=made) == [[], 0, {}]


async def bare_null_pointer():
    moves = await bare("moves")
    part = moves.Part.new("p")
    part.into_name()
    return [attempt(part.length), attempt(moves.borrow, part), attempt(moves.take, part)]


def test_bare_null_pointer(py):
    """The glue passes null pointers on, and Rust's error names nothing."""
    assert all("null pointer passed to rust" in text for text in py.run(bare_null_pointer))


async def moved_before_reset(build):
    import unpanic

    moves = await load(build, "moves", panic_hook=lambda _: None)
    part, kept = moves.Part("p"), moves.Part("k")
    moves.take(part)
    unpanic.reset(moves)
    error = caught(lambda: part.name)
    part.free()
    return [
        name_of(error),
        str(error),
        str(caught(part.length)),
        kept.__rust_handle__.generation,
        unpanic.status(moves).generation,
    ]


@pytest.mark.parametrize("build", RESETTING)
def test_moved_objects_stay_moved(py, build):
    """After a reset no moved object is made again, and after free() the error still names the consumer."""
    said = "This moves.Part was moved into moves.take, which consumed it; it cannot be used in moves.Part."
    found = py.run(moved_before_reset, build=build)
    assert found == ["StaleObjectError", f"{said}name.", f"{said}length.", 0, 1]


async def twice(build, call, arguments):
    import unpanic

    moves = await load(build, "moves")
    part = moves.Part("p")
    values = {"part": part, "list": [part, part]}
    error = caught(getattr(moves, call), *[values[name] for name in arguments])
    state = unpanic.status(moves)
    return [name_of(error), str(error), moves.take(moves.Part("q")), state.generation]


@pytest.mark.parametrize("build", BUILDS)
def test_an_object_twice(py, build):
    """The same object for two parameters is refused if one of them consumes it. Two that borrow may share it."""
    said = "This moves.Part was moved into moves.take_both, which consumed it; it cannot be used in moves.take_both."
    found = py.run(twice, build=build, call="take_both", arguments=["part", "part"])
    assert found == ["StaleObjectError", said, "q", 0]
    shared = py.run(twice, build=build, call="borrow_both", arguments=["part", "part"])
    assert shared == [None, "None", "q", 0]


@pytest.mark.parametrize("build", ["abort", "reset", "unwind"])
def test_an_object_twice_in_a_list(py, build):
    """The same rule holds for a list of objects."""
    said = "This moves.Part was moved into moves.take_all, which consumed it; it cannot be used in moves.take_all."
    found = py.run(twice, build=build, call="take_all", arguments=["list"])
    assert found == ["StaleObjectError", said, "q", 0]


def test_an_object_twice_in_a_list_of_a_namespace(py):
    """A namespace does not reveal the content of its lists, so Rust meets the null pointer, and the error says so."""
    name, said, after, generation = py.run(twice, build="native", call="take_all", arguments=["list"])
    assert (name, "array contains a value of the wrong type" in said, after, generation) == ("RustError", True, "q", 0)
