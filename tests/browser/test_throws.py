"""An exception that Rust throws on purpose is an ordinary error, and JavaScript errors in Rust are not lost."""

import pytest

from tests.browser.builds import BUILDS, caught, load

THROWS = [*BUILDS, "handler", "handler native", "mvp"]
# In these builds the stack pointer can be restored, or Rust restores it.
MENDED = ["mvp", "unwind"]


IN_USE = "This throws.Vault is in use by {}, which has not ended; it cannot be used in throws.Vault.{} meanwhile."


async def errors_on_purpose(build):
    import unpanic

    throws = await load(build, "throws")
    throws.bump()
    mine = KeyError("mine")

    def fail():
        raise mine

    errors = [
        caught(throws.reject, "bad query", 1),
        caught(throws.unwrap_nothing),
        caught(throws.reject_value, 42),
        caught(throws.reject_value, {"line": 3}),
    ]
    found = [[type(error).__name__, str(error), error.value] for error in errors]
    own = [caught(throws.call_and_throw, fail) is mine, caught(throws.call, fail) is mine]
    state = unpanic.status(throws)
    return [found, own, throws.bump(), state.generation, dict(state.crashes), state.last_crash]


@pytest.mark.parametrize("build", THROWS)
def test_errors_on_purpose(py, build):
    """The message has only their text, a callback's exception comes back as itself, and the state is kept."""
    found, own, bumps, *rest = py.run(errors_on_purpose, build=build)
    assert found == [
        ["RustError", "bad query", "bad query"],
        ["RustError", "nothing to unwrap", "nothing to unwrap"],
        ["RustError", "42", 42],
        ["RustError", "{'line': 3}", {"line": 3}],
    ]
    assert (own, bumps, rest) == ([True, True], 2, [0, {}, None])


async def many_on_purpose(build):
    import unpanic

    throws = await load(build, "throws")
    address = throws.shadow_stack_address()
    for _ in range(2000):
        if str(caught(throws.reject, "no", 4)) != "no":
            return None
    for _ in range(2000):
        throws.call(lambda: caught(throws.reject, "no", 4) and None)
    state = unpanic.status(throws)
    return [throws.shadow_stack_address() == address, state.generation, dict(state.crashes), state.phase]


@pytest.mark.parametrize("build", THROWS)
def test_many_errors_on_purpose(py, build):
    """They cost nothing if the stack pointer can be restored; otherwise the instance is replaced in time."""
    same, generation, crashes, phase = py.run(many_on_purpose, build=build)
    assert (crashes, phase) == ({}, "ready")
    if build in MENDED:
        assert (same, generation) == (True, 0)
    else:
        assert 8 <= generation <= 40, "a throw leaves 4 KB of the 512 that may be lost"


async def what_stays(build, recovery):
    import warnings

    import unpanic

    throws = await load(build, "throws", recovery=recovery)
    told = []
    unpanic.on_reset(throws, lambda _module, crash: told.append(crash))
    vault = throws.Vault(7)
    throws.bump()
    error = caught(vault.reject, "no")
    with warnings.catch_warnings(record=True) as caught_warnings:
        warnings.simplefilter("always")
        after = caught(vault.put, 1)
    state = unpanic.status(throws)
    return [
        [type(error).__name__, str(error)],
        after and str(after),
        [str(one.message) for one in caught_warnings],
        [throws.bump(), state.generation, state.resets, dict(state.crashes), told],
    ]


@pytest.mark.parametrize(
    ("build", "recovery"), [*((build, "reset") for build in THROWS), ("unwind", "auto"), ("native", "auto")]
)
def test_an_object_that_stays_borrowed(py, build, recovery):
    """Its method threw, in any build, so the instance is replaced and refilled, and the object is made again.

    Without an option this holds where calls are not rolled back: in builds that unwind, and in imported glue.
    """
    error, after, warned, rest = py.run(what_stays, build=build, recovery=recovery)
    assert (error, after, rest) == (["RustError", "no"], None, [1, 1, 1, {}, [None]])
    lost = "what was changed in it since is lost."
    assert warned == [f"This throws.Vault was made again after the reset to generation 1; {lost}"]


@pytest.mark.parametrize("build", ["abort", "reset", "mvp"])
def test_an_object_that_was_borrowed_is_free_after_a_rollback(py, build):
    """That is what happens without an option: nothing is replaced, and nobody hears of it."""
    error, after, warned, rest = py.run(what_stays, build=build, recovery="auto")
    assert (error, after, warned, rest) == (["RustError", "no"], None, [], [2, 0, 0, {}, []])


def test_an_object_that_stays_borrowed_without_recovery(py):
    """Without recovery nothing is replaced: the state is kept, and the object stays borrowed."""
    error, after, warned, rest = py.run(what_stays, build="abort", recovery="none")
    assert (error, warned, rest) == (["RustError", "no"], [], [2, 0, 0, {}, []])
    assert after == IN_USE.format("a call", "put")


async def conflicts(build):
    import unpanic

    throws = await load(build, "throws")
    vault, other = throws.Vault(7), throws.Vault(8)
    found = []

    def note(function, *args):
        error = caught(function, *args)
        found.append([type(error).__name__, str(error)])

    vault.open(lambda: note(vault.put, 1))
    vault.show(lambda: note(vault.put, 1))
    vault.show(lambda: note(lambda: vault.content))
    vault.show(lambda: note(vault.demolish))
    in_flight = None
    if hasattr(other, "guard"):
        in_flight = other.guard(1)
        note(other.put, 1)
    returned = caught(vault.open, lambda: vault.put(1)) if build != "native" else None
    kept = [in_flight and await in_flight, throws.bump()]
    state = unpanic.status(throws)
    return [found, kept, str(returned), state.generation, dict(state.crashes)]


@pytest.mark.parametrize("build", THROWS)
def test_borrow_conflicts(py, build):
    """The error names the object and the call that holds it, and nothing is reset."""
    found, kept, returned, *rest = py.run(conflicts, build=build)
    expected = [
        ["RustError", IN_USE.format("throws.Vault.open", "put")],
        ["RustError", IN_USE.format("throws.Vault.show", "put")],
        ["NoneType", "None"],
        ["RustError", IN_USE.format("throws.Vault.show", "demolish")],
    ]
    if build != "unwind":
        expected.append(["RustError", IN_USE.format("throws.Vault.guard", "put")])
    assert found == expected
    assert kept == [None if build == "unwind" else 8, 1]
    assert (rest, "Vault" in returned or build == "native") == ([0, {}], True)


async def conflict_of_the_second(build):
    import unpanic

    throws = await load(build, "throws")
    vault, other = throws.Vault(7), throws.Vault(8)
    kept = []
    error = caught(vault.open, lambda: kept.append(caught(other.rob, vault)))
    state = unpanic.status(throws)
    return [type(error).__name__, type(kept[0]).__name__, "recursive use" in str(kept[0]), state.generation]


@pytest.mark.parametrize("build", THROWS)
def test_a_conflict_after_an_object_was_borrowed(py, build):
    """That object stays borrowed, so the conflict is a crash."""
    assert py.run(conflict_of_the_second, build=build) == ["CallInterrupted", "ForeignException", True, 1]


async def async_on_purpose(build):
    import asyncio

    import unpanic

    throws = await load(build, "throws")
    calls = throws.reject_later(1, "later"), throws.wait(60)
    errors = await asyncio.gather(*calls, return_exceptions=True)
    state = unpanic.status(throws)
    return [[type(error).__name__, str(error)] for error in errors], state.generation, dict(state.crashes)


@pytest.mark.parametrize("build", THROWS)
def test_an_async_call_on_purpose(py, build):
    """Its caller gets the text. Its task is stuck, so the instance is replaced without a crash, unless it unwinds."""
    errors, generation, crashes = py.run(async_on_purpose, build=build)
    others = (
        ["int", "60"] if build == "unwind" else ["CallInterrupted", "throws.wait was interrupted: the module was reset"]
    )
    assert errors == [["RustError", "later"], others]
    assert (generation, crashes) == (0 if build == "unwind" else 1, {})


async def unattended(build, how):
    import asyncio
    import logging

    import unpanic

    class Keep(logging.Handler):
        def emit(self, record):
            records.append([record.unpanic["event"], record.levelname, record.getMessage()])

    records = []
    logger, handler = logging.getLogger("unpanic"), Keep(logging.ERROR)
    logger.addHandler(handler)
    throws = await load(build, "throws")
    throws.bump()
    getattr(throws, how)(1, *(["late"] if how != "drop_timer" else []))
    await asyncio.sleep(0.1)
    logger.removeHandler(handler)
    state = unpanic.status(throws)
    return [records, throws.bump(), state.generation, dict(state.crashes)]


@pytest.mark.parametrize("build", ["abort", "mvp", "handler", "unwind"])
def test_a_closure_that_is_gone(py, build):
    """A timer that calls a freed closure is reported, and costs nothing."""
    records, bumps, *rest = py.run(unattended, build=build, how="drop_timer")
    assert [record[:2] for record in records] == [["throw", "ERROR"]]
    assert "closure invoked recursively or after being dropped" in records[0][2]
    assert (bumps, rest) == (2, [0, {}])


@pytest.mark.parametrize("how", ["reject_in_timer", "reject_in_task"])
@pytest.mark.parametrize("build", ["abort", "mvp", "handler", "unwind"])
def test_a_throw_that_nobody_called_for(py, build, how):
    """It is reported as a crash if a task may be stuck, and as an error if it unwound."""
    records, bumps, *rest = py.run(unattended, build=build, how=how)
    unwinds = build == "unwind"
    assert [record[:2] for record in records] == [["throw" if unwinds else "crash", "ERROR"]]
    assert "late" in records[0][2]
    assert (bumps, rest) == (2 if unwinds else 1, [0, {}] if unwinds else [1, {"foreign": 1}])


async def foreign(build):
    from pyodide.code import run_js

    throws = await load(build, "throws")
    error = caught(throws.call_through, run_js("() => { throw new TypeError('from JavaScript'); }"))
    mine = KeyError("mine")

    def fail():
        raise mine

    own = caught(throws.call_through, fail)
    again = caught(throws.call_through, lambda: throws.reject("inner", 1))
    text = caught(throws.call_through, run_js("() => { throw 'a text'; }"))
    names = [type(one).__name__ for one in (error, own, again, text)]
    causes = [str(error.__cause__), own.__cause__ is mine, str(again.__cause__), str(text.__cause__)]
    return [names, error.message, own.message, text.message, causes]


@pytest.mark.parametrize("build", THROWS)
def test_what_flies_through_rust_stays_a_crash(py, build):
    """If an abort handler wraps the exception in an error of its own, the crash still has the original."""
    names, *messages, causes = py.run(foreign, build=build)
    assert names == ["ForeignException"] * 4
    assert messages == ["from JavaScript", "KeyError: 'mine'", "a text"]
    assert causes == ["TypeError: from JavaScript", True, "inner", "Error: a text"]


async def causes(build):
    import asyncio

    from pyodide.code import run_js

    throws = await load(build, "throws", panic_hook=lambda _: None)
    mine = KeyError("mine")

    def fail():
        raise mine

    async def fail_later():
        await asyncio.sleep(0)
        raise mine

    found = [caught(getattr(throws, name), fail) for name in ("call_and_unwrap", "call_and_abort", "call_and_boom")]
    try:
        await throws.wait_and_unwrap(fail_later())
    except Exception as error:
        found.append(error)
    own = [[type(error).__name__, error.__cause__ is mine] for error in found]
    theirs = caught(throws.call_and_unwrap, run_js("() => { throw new TypeError('theirs'); }"))
    caught(throws.call, fail)
    none = caught(throws.boom, "alone")
    await asyncio.sleep(0.01)
    return [own, str(theirs.__cause__), str(none.__cause__)]


@pytest.mark.parametrize("build", THROWS)
def test_the_cause_of_a_panic(py, build):
    """The cause is the last error of a callback or promise in the same call, unless that error was caught."""
    own, theirs, none = py.run(causes, build=build)
    assert own == [["RustPanic", True], ["Trap", True], ["RustPanic", True], ["RustPanic", True]]
    assert (theirs, none) == ("TypeError: theirs", "None")


async def quoted(build):
    from pyodide.code import run_js

    throws = await load(build, "throws", panic_hook=lambda _: None)
    error = run_js("(() => { function deep() { return new TypeError('theirs'); } return deep(); })()")
    panic = caught(throws.boom_value, error)
    frames = [frame.function for frame in panic.frames]
    return [panic.message, "deep" in panic.javascript_stack, "deep" in str(panic), frames]


@pytest.mark.parametrize("build", BUILDS)
def test_a_stack_of_javascript_in_a_panic(py, build):
    """The message ends before the stack, and `.javascript_stack` has the stack."""
    message, in_stack, in_text, frames = py.run(quoted, build=build)
    assert message == "found JsValue(TypeError: theirs), which is wrong"
    assert (in_stack, in_text) == (True, False)
    assert frames
    assert not [name for name in frames if "deep" in name]


async def values(build):
    from pyodide.code import run_js

    throws = await load(build, "throws")
    thrown = run_js("""
        (() => {
          class ParseError extends Error {}
          ParseError.prototype.name = "ParseError";
          const inner = new RangeError("inner");
          inner.cause = inner;
          const odd = new Error("odd", { cause: "a text" });
          Object.defineProperty(odd, "worse", { enumerable: true, get() { throw new Error("worse"); } });
          const full = new ParseError("full", { cause: inner });
          const made = {
            undefined, null: null, odd, plain: new Error("plain"),
            full: Object.assign(full, { line: 3, spans: [{ from: 1 }], bad: Symbol() }),
          };
          return (name, returns) => () => {
            if (returns) return made[name];
            throw made[name];
          };
        })()
    """)
    errors = {name: caught(throws.call, thrown(name)) for name in ("plain", "full", "odd", "null", "undefined")}
    errors["returned"] = throws.call(thrown("full", True))
    found = {}
    for name, error in errors.items():
        properties = {key: repr(value) for key, value in error.properties.items() if key != "bad"}
        cause = error.__cause__
        found[name] = [type(error).__name__, str(error), error.value, error.name, properties, cause and str(cause)]
    deep = errors["full"].__cause__
    return [found, deep.name, type(errors["odd"].__cause__).__name__]


@pytest.mark.parametrize("build", BUILDS)
def test_the_value_of_an_err(py, build):
    """`undefined` is None. An `Error` keeps its name, its own properties and its cause of any type."""
    found, *rest = py.run(values, build=build)
    full = ["RustError", "full", "full", "ParseError", {"line": "3", "spans": "[{'from': 1}]"}, "inner"]
    assert found == {
        "plain": ["RustError", "plain", "plain", "Error", {}, None],
        "full": full,
        "returned": full,
        "odd": ["RustError", "odd", "odd", "Error", {}, "a text"],
        "null": ["RustError", "None", None, "", {}, None],
        "undefined": ["RustError", "None", None, "", {}, None],
    }
    assert rest == ["RangeError", "RustError"]


async def finalizer(build):
    import sys

    throws = await load(build, "throws")
    ended = []

    class Finalized:
        def __del__(self):
            ended.append(str(caught(throws.fail_with, "inner")))

    def fail():
        held = Finalized()
        throws.fail_with(f"outer {bool(held)}")

    found = []
    for _ in range(3):
        error = caught(fail)
        found.append(f"{type(error).__name__}: {error}")
        sys.last_exc = error
        del error
    return [found, ended]


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_the_end_of_an_exception_may_raise(py, build):
    """If the finalizer of the last exception fails in Rust, each caller still gets its own exception."""
    found, ended = py.run(finalizer, build=build)
    assert found == ["RustError: outer True"] * 3
    assert ended == ["inner"] * 2


async def of_another_module():
    import unpanic

    throws = await load("abort", "throws")
    other = await load("abort", "faults", panic_hook=lambda _: None)
    thing, adder, bad = other.Thing(5), other.make_adder(2), other.make_panicking_closure()
    found = [throws.echo(thing) is thing, throws.echo([thing])[0] is thing, throws.echo(adder)(3)]
    handed = throws.echo(other.Thing.make(6))
    found += [type(handed) is other.Thing, handed.value]
    panics = [caught(throws.echo(thing).explode)]
    bad = other.make_panicking_closure()
    panics.append(caught(throws.echo(bad)))
    names = [type(panic).__name__ for panic in panics]
    return [found, names, [unpanic.status(module).generation for module in (throws, other)]]


def test_an_object_of_another_module(py):
    """Objects and closures return through a `JsValue` as themselves, and panics belong to their own module."""
    assert py.run(of_another_module) == [[True, True, 5, True, 6], ["RustPanic", "RustPanic"], [0, 2]]


def without_names(wasm):
    """Returns the same Wasm file without its name section."""
    kept, at = wasm[:8], 8
    while at < len(wasm):
        start, size, shift = at, 0, 0
        at += 1
        while True:
            byte = wasm[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        if not (wasm[start] == 0 and wasm[at : at + 5] == b"\x04name"):
            kept += wasm[start : at + size]
        at += size
    return kept


async def exhausted(megabytes):
    import unpanic
    from pyodide.http import pyfetch

    glue = "/fixtures/throws/pkg/abort/throws.js"
    wasm = await (await pyfetch(glue.replace(".js", "_bg.wasm"))).bytes()
    throws = await unpanic.load(glue, wasm=without_names(wasm))
    errors = [caught(throws.exhaust, megabytes), caught(throws.fill_and_abort, 1)]
    return [type(error).__name__ for error in errors] + [throws.bump()]


@pytest.mark.parametrize("megabytes", [1024, 512])
def test_out_of_memory_without_names(py, megabytes):
    """An abort with nearly full memory counts as out of memory, and another one as a trap."""
    assert py.run(exhausted, megabytes=megabytes) == ["OutOfMemory", "Trap", 1]
