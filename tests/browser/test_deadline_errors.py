"""What cannot be stopped says so at load, before anything runs; what was rewritten ahead of time can."""

from __future__ import annotations

import pytest

from tests.browser.builds import caught
from tests.browser.test_deadlines import GLUE

WASM = GLUE.replace(".js", "_bg.wasm")
NATIVE = "/fixtures/bank/pkg/reset/bank.js"
SHARED = b"\0asm\1\0\0\0\5\4\1\3\1\x09"
STRUCT = b"\0asm\1\0\0\0\1\3\1\x5f\0"
CUT = b"\0asm\1\0\0\0\1\x50\1"
HUGE = b"\0asm\1\0\0\0\x0a\5\xff\xff\xff\xff\x0f"


def rewritten(wasm):
    """The Wasm file, rewritten as `unpanic rewrite` does it at build time."""
    from importlib import resources

    from pyodide.code import run_js
    from pyodide.ffi import to_js

    rewrite = run_js("""(rewriter, wasm) => {
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(rewriter));
        const address = exports.allocate(wasm.length);
        new Uint8Array(exports.memory.buffer).set(wasm, address);
        if (exports.rewrite_module(1)) throw new Error("refused");
        return new Uint8Array(exports.memory.buffer, exports.result_address(), exports.result_length()).slice();
    }""")
    rewriter = resources.files("unpanic").joinpath("rewriter.wasm").read_bytes()
    return rewrite(to_js(rewriter), to_js(wasm)).to_bytes()


async def fetched(url):
    from pyodide.http import pyfetch

    return await (await pyfetch(url)).bytes()


async def namespace_of(glue):
    from pyodide.code import run_js

    return await run_js(f"import('{glue}?' + Math.random())")


async def refused(source, glue, wasm):
    import unpanic
    from pyodide.ffi import to_js

    import js

    js.globalThis.unpanicSpinAtStart = True  # whatever runs would not end
    try:
        if source == "namespace":
            glue = await namespace_of(glue)
        elif source == "compiled module":
            wasm = js.WebAssembly.Module.new(to_js(await fetched(wasm)))
        elif source == "bytes":
            wasm = bytes(wasm)
        await unpanic.load(glue, wasm=wasm, timeout=5, recovery="reset")
    except unpanic.LoadError as error:
        result = [type(error).__name__, str(error)]
    js.globalThis.unpanicSpinAtStart = False
    loops = await unpanic.load("/fixtures/loops/pkg/abort/loops.js", timeout=5, recovery="reset")
    return [*result, loops.add(2, 3)]


BUILD_TIME = "rewrite the file when you build it: `unpanic rewrite in.wasm out.wasm --deadlines`."
REFUSED = [
    ("compiled module", GLUE, WASM, "LoadError", "A compiled WebAssembly.Module cannot be loaded with `timeout`"),
    ("namespace", NATIVE, NATIVE.replace(".js", "_bg.wasm"), "LoadError", "The Wasm file of an imported namespace"),
    ("bytes", GLUE, [*SHARED], "CompileError", "it uses threads (a shared memory)"),
    ("bytes", GLUE, [*STRUCT], "CompileError", "it uses garbage collection"),
    ("bytes", GLUE, [*CUT], "CompileError", "this is not a Wasm module"),
    ("bytes", GLUE, [*HUGE], "CompileError", "this is not a Wasm module"),
    ("bytes", GLUE, [*b"<!doctype html>"], "CompileError", ""),
    ("bytes", GLUE, [], "CompileError", ""),
]


@pytest.mark.parametrize(("source", "glue", "wasm", "name", "text"), REFUSED)
def test_what_cannot_be_rewritten_is_a_load_error(py, source, glue, wasm, name, text):
    """The message has the reason and the way out; nothing has run, and the page lives."""
    found, message, good = py.run(refused, source=source, glue=glue, wasm=wasm)
    assert (found, good) == (name, 5)
    assert text in message
    if source != "bytes":
        assert message.endswith(BUILD_TIME)


async def load_ahead(source, is_limited):
    import math

    import unpanic
    from pyodide.ffi import to_js

    import js

    glue = "/fixtures/loops/pkg/abort/loops.js"
    wasm = rewritten(await fetched(glue.replace(".js", "_bg.wasm")))
    if source == "compiled module":
        wasm = js.WebAssembly.Module.new(to_js(wasm))
    loops = await unpanic.load(glue, wasm=wasm, **({"timeout": math.inf} if is_limited else {}))
    with unpanic.deadline(0.05):
        error = caught(loops.spin)
    return type(error).__name__, loops.add(2, 3), unpanic.status(loops).interruptible


@pytest.mark.parametrize("is_limited", [False, True])
@pytest.mark.parametrize("source", ["bytes", "compiled module"])
def test_a_file_that_was_rewritten_ahead_of_time_can_be_stopped(py, source, is_limited):
    """By a deadline, with a timeout and without one; the runtime's rewriter leaves it as it is."""
    assert py.run(load_ahead, source=source, is_limited=is_limited) == ["CallTimeout", 5, True]


async def load_native(glue):
    import unpanic

    wasm = rewritten(await fetched(glue.replace(".js", "_bg.wasm")))
    bank = await unpanic.load(await namespace_of(glue), wasm=wasm, timeout=5)
    before = [bank.add(2, 3), unpanic.status(bank).interruptible]
    error = caught(bank.transfer, "ada", "bob", 1)
    return [*before, type(error).__name__, bank.add(2, 3)]


def test_an_imported_namespace_takes_a_file_that_was_rewritten_ahead_of_time(py):
    """It works as ever, crashes included."""
    assert py.run(load_native, glue=NATIVE) == [5, True, "RustPanic", 5]


NOTE_IMPORTS = """
    globalThis.plainInstance ??= WebAssembly.Instance;
    globalThis.askingInstances = [];
    WebAssembly.Instance = function (module, imports) {
        askingInstances.push(WebAssembly.Module.imports(module).some(({ module: name }) => name === "unpanic"));
        return new plainInstance(module, imports);
    };
    WebAssembly.Instance.prototype = plainInstance.prototype;
"""


async def load_plain(glue, native):
    """Loads without a timeout in every way, where there is no rewriter; and then with one."""
    from importlib import resources
    from pathlib import Path

    import unpanic
    from pyodide.code import run_js

    rewriter = Path(str(resources.files("unpanic").joinpath("rewriter.wasm")))
    content = rewriter.read_bytes()
    wasm = await fetched(glue.replace(".js", "_bg.wasm"))
    rewriter.unlink()
    run_js(NOTE_IMPORTS)
    try:
        modules = [
            await unpanic.load(glue, recovery="reset"),
            await unpanic.load(glue, wasm=wasm, recovery="reset"),
            await unpanic.load(await namespace_of(native), wasm=native.replace(".js", "_bg.wasm"), recovery="reset"),
        ]
        results = [[module.add(2, 3), unpanic.status(module).interruptible] for module in modules]
        with unpanic.deadline(0.001):
            unpanic.reset(modules[0])
            results.append([modules[0].fibonacci(25), False])
        asking = run_js("askingInstances").to_py()
        missing = None
        try:
            await unpanic.load(glue, timeout=5, recovery="reset")
        except unpanic.FetchError as error:
            missing = [Path(error.url).name, str(error)]
    finally:
        rewriter.write_bytes(content)
    loops = await unpanic.load(glue, timeout=5, recovery="reset")
    loops.add(2, 3)
    asking_with = run_js("WebAssembly.Instance = plainInstance; askingInstances").to_py()[len(asking) :]
    return results, asking, missing, asking_with


def test_without_a_timeout_nothing_is_rewritten_and_no_rewriter_is_needed(py):
    """A deadline does not reach such a module, and its status says so. With a timeout, both are as they should be."""
    results, asking, missing, asking_with = py.run(load_plain, glue=GLUE, native=NATIVE)
    assert results == [[5, False]] * 3 + [[75025, False]]
    assert len(asking) >= 4
    assert not any(asking)
    # The test would notice: with a timeout the file is missed, and the module asks.
    assert missing[0] == "rewriter.wasm"
    assert missing[1].startswith(
        "The rewriter is needed for `timeout`: unpanic's own file rewriter.wasm cannot be read"
    )
    assert any(asking_with)
