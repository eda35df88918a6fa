"""A rollback that fails, or that something interrupts, ends in a reset that says so: no state is half restored."""

from pathlib import Path

import pytest
from unpanic_tools.rewrite import ROLLBACK, run_rewriter

from tests.browser.builds import caught
from tests.browser.rollbacks import UNDONE, fate, undoing
from tests.browser.test_injection import Injection, settled
from tests.places import builds

ROOT = Path(__file__).parents[2]

# Where a rollback is made to fail: a method of JavaScript's that throws once.
BROKEN = ["restore", "shrink", "global"]


async def break_rollback(build, how):
    """Makes the rollback of one call fail."""
    import asyncio
    import logging

    import unpanic
    from pyodide.code import run_js

    undo = await undoing(build)
    logs = []
    logger = logging.getLogger("unpanic")
    handler = logging.Handler()
    handler.emit = lambda record: logs.append([record.levelname, record.getMessage()])
    logger.addHandler(handler)
    item = undo.Item("item")
    undo.count()
    # What a rollback copies with, once it begins: a failing `set` stands for whatever may go wrong in it.
    spoil = run_js(
        "() => { const { set } = Uint8Array.prototype; const proto = Object.getPrototypeOf(Uint8Array.prototype);"
        "const original = proto.set; let left = 1;"
        "proto.set = function (...args) {"
        "  if (left-- > 0) throw new Error('spoiled'); return original.apply(this, args);"
        "};"
        "return () => { proto.set = original; }; }"
    )
    if how == "global":
        # The stack pointer, which a crash leaves where it was: nothing throws, but it does not come back.
        spoil = run_js(
            "() => { const proto = WebAssembly.Global.prototype;"
            "const original = Object.getOwnPropertyDescriptor(proto, 'value'); let left = 1;"
            "Object.defineProperty(proto, 'value', {...original, set(value) {"
            "  if (left-- <= 0) original.set.call(this, value);"
            "}});"
            "return () => Object.defineProperty(proto, 'value', original); }"
        )
    mend = None

    def crash():
        nonlocal mend
        mend = spoil()
        if how == "shrink":
            undo.grow(20)

    try:
        error = caught(undo.call_and_fail, crash)
        mend()
        row = [type(error).__name__, error.recovery, error.state_kept]
        stale = (fate(lambda: item.name) or [""])[0]
        after = [undo.count(), fate(undo.count_and_fail), undo.count()]
        status = unpanic.status(undo)
    finally:
        logger.removeHandler(handler)
        await asyncio.sleep(0)
    warnings = [text for level, text in logs if level == "WARNING"]
    return row, stale, after, [status.last_crash.recovery, status.resets, status.rollbacks], warnings


# In a build that unwinds, no global is left to bring back.
@pytest.mark.parametrize(
    ("build", "how"),
    [(build, how) for build in ("abort", "unwind", "mvp") for how in BROKEN if (build, how) != ("unwind", "global")],
)
def test_a_rollback_that_fails_resets_and_says_so(py, build, how):
    row, stale, after, status, warnings = py.run(break_rollback, build=build, how=how)
    assert row == ["RustPanic", "reset", False]
    assert stale in ("", "StaleObjectError")  # a struct that Python can make again is made again
    assert after == [1, UNDONE, 2]
    assert status == ["rollback", 1, 1]
    reason = "global 0 has another value than before the call" if how == "global" else "spoiled"
    assert warnings == [f"undo cannot be rolled back: {reason}."]


async def inject(build, kinds):
    """A call crashes while two others are in flight. Each line that Python then runs raises once."""
    import asyncio
    import builtins

    import unpanic

    faults = await undoing(build, "faults")
    for _ in range(2):
        unpanic.on_reset(faults, lambda module, _crash: module.bump())
        faults.bump()
    thing = faults.Thing(7)
    failed, lines, at = [], 1, 0
    bumps, resets = 2, 0
    while at <= lines:
        kind = getattr(builtins, kinds[at % len(kinds)])
        futures = [asyncio.ensure_future(faults.wait(1)) for _ in range(2)]
        tasks = [asyncio.create_task(settled(future)) for future in futures]
        await asyncio.sleep(0)
        with Injection(kind, at) as injection:
            error = caught(faults.panic_message)
        wanted = ("RustPanic",) if issubclass(kind, Exception) or not injection.place else ()
        if type(error).__name__ not in (kind.__name__, *wanted):
            failed.append(f"{injection.place}: {error!r}")
        await asyncio.wait_for(asyncio.gather(*tasks), 10)
        status = unpanic.status(faults)
        bumps = bumps + 1 if status.resets == resets else 3
        was_reset, resets = status.resets != resets, status.resets
        state = faults.bump()
        if state != bumps or status.phase != "ready":
            failed.append(f"{injection.place}: {status.phase}, {state} instead of {bumps}, reset: {was_reset}")
        if was_reset:
            failed.append(f"{injection.place}: was reset")
        elif (value := thing.value) != 7:
            failed.append(f"{injection.place}: {value}")
        if at == 0:
            lines = injection.lines
        at += 1
    return lines, failed


@pytest.mark.parametrize("kinds", [["KeyboardInterrupt"], ["RecursionError", "MemoryError", "ValueError"]])
@builds("abort", long=["reset", "unwind"])
def test_an_exception_at_any_line_of_a_rollback_is_survived(py, build, kinds):
    """The exception arrives, the call is rolled back nevertheless, and calls in flight end."""
    lines, failed = py.run(inject, build=build, kinds=kinds, timeout=120)
    assert failed == []
    assert lines > 80


async def refuse(how, recovery):
    import unpanic
    from pyodide.code import run_js

    glue = "/fixtures/faults/pkg/reset/faults.js"
    options = {"recovery": recovery, "panic_hook": lambda _: None}
    if how == "rewritten":
        glue, options["wasm"] = await run_js(f"import('{glue}?' + Math.random())"), "/tracked.wasm"
    elif how == "namespace":
        glue, options["wasm"] = await run_js(f"import('{glue}?' + Math.random())"), glue.replace(".js", "_bg.wasm")
    else:
        options["wasm"] = await run_js(
            f"fetch('{glue.replace('.js', '_bg.wasm')}').then(r => r.arrayBuffer()).then(b => WebAssembly.compile(b))"
        )
    try:
        faults = await unpanic.load(glue, **options)
    except Exception as error:
        return [type(error).__name__, isinstance(error, unpanic.LoadError), str(error)]
    status = unpanic.status(faults)
    return [status.recovery, status.why, fate(faults.panic_message)]


@pytest.mark.parametrize(
    ("how", "reason"), [("namespace", "imported"), ("rewritten", "imported"), ("compiled", "compiled")]
)
def test_what_cannot_be_rolled_back(py, how, reason):
    """To demand it is an error that says why; without an option such a module is reset, and its status says why."""
    original = (ROOT / "rust/fixtures/faults/pkg/reset/faults_bg.wasm").read_bytes()
    rewriter = (ROOT / "rust/rewriter/pkg/rewriter.wasm").read_bytes()
    py.site.server.route("/tracked.wasm", run_rewriter(rewriter, original, ROLLBACK))
    name, is_load_error, text = py.run(refuse, how=how, recovery="rollback")
    assert is_load_error, (name, text)
    assert reason in text
    # No rewriting helps where the glue was imported.
    assert ("unpanic rewrite" in text) == (how == "compiled")
    assert ("Pass the glue's URL as `glue`" in text) == (how != "compiled")
    recovery, why, row = py.run(refuse, how=how, recovery="auto")
    assert recovery == "reset"
    assert reason in why
    assert row == ["RustPanic", "reset", False]
