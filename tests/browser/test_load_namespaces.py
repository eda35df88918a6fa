"""An imported namespace as glue: it has one supervisor at a time, and it loads only if it can be reset."""

from pathlib import Path

import pytest

RESET = "/fixtures/silent/pkg/reset/silent.js"
WASM = "/fixtures/silent/pkg/reset/silent_bg.wasm"
STARTUP = "/fixtures/startup/pkg/reset/startup.js"
PACKAGE = Path(__file__).parents[2] / "rust/fixtures/silent/pkg/reset"


async def imported(url):
    """Returns a namespace for one test: its query makes the browser import it as another module."""
    from pyodide.code import run_js

    return await run_js(f"import('{url}?' + Math.random())")


async def attempt(found, loading):
    """Notes what `load` returns or raises, and returns the module."""
    try:
        module = await loading
    except Exception as error:
        found.append([type(error).__name__, str(error)])
        return None
    found.append(["loaded", module.add(1, 2)])
    return module


async def use_namespace(how):
    import unpanic
    from pyodide.http import pyfetch

    import js

    data = await (await pyfetch(WASM)).bytes()
    wasm = {"url": WASM, "bytes": data, "Module": await js.WebAssembly.compile(js.Uint8Array.new(data))}[how]
    module = await unpanic.load(await imported(RESET), wasm=wasm)
    try:
        module.boom("ü")
    except unpanic.Crash as crash:
        found = [module.__name__, crash.kind, crash.recovery, module.add(2, 3)]
    state = unpanic.status(module)
    return [*found, state.adapter, state.generation, {"add", "boom", "abort"} <= set(dir(module))]


@pytest.mark.parametrize(("how", "name"), [("url", "silent"), ("bytes", "module"), ("Module", "module")])
def test_namespace(py, how, name):
    """A namespace of a reset build runs under the native adapter. Its name comes from the Wasm file if that has one."""
    assert py.run(use_namespace, how=how) == [name, "panic", "reset", 5, "native", 1, True]


async def use_initialised():
    import unpanic

    namespace = await imported(RESET)
    await namespace.default()
    found = []
    module = await attempt(found, unpanic.load(namespace, wasm=WASM, name="mine"))
    return [*found, module.__name__, namespace.add(3, 4)]


def test_namespace_that_is_in_use(py):
    """A namespace that the page has initialised loads too, and the page's own calls still work."""
    assert py.run(use_initialised) == [["loaded", 3], "mine", 7]


async def refuse_namespace(url, wasm):
    import unpanic

    found = []
    namespace = await imported(url)
    await attempt(found, unpanic.load(namespace, wasm=wasm))
    return found


NOT_SUPERVISABLE = [
    ("/fixtures/silent/pkg/abort/silent.js", WASM, "GlueError", ["__wbg_reset_state", "the glue's URL instead"]),
    ("/fixtures/people/targets/bundler/people_bg.js", WASM, "GlueError", ["initSync"]),
    (RESET, None, "LoadError", ["`wasm`"]),
    (RESET, "/gone.wasm", "FetchError", ["404"]),
    (RESET, RESET, "CompileError", ["not Wasm"]),
    (
        RESET,
        "/fixtures/startup/pkg/reset/startup_bg.wasm",
        "GlueError",
        ["do not belong together", "which the glue does not have"],
    ),
]


@pytest.mark.parametrize(("url", "wasm", "error", "words"), NOT_SUPERVISABLE)
def test_namespace_that_cannot_be_supervised(py, url, wasm, error, words):
    """A namespace without reset state, without its Wasm file or with another's is refused with the reason."""
    [[name, message]] = py.run(refuse_namespace, url=url, wasm=wasm)
    assert (name, [word for word in words if word not in message]) == (error, []), message


async def load_wrong_first(wrong):
    import unpanic

    found = []
    namespace = await imported(RESET)
    await attempt(found, unpanic.load(namespace, wasm=wrong))
    await attempt(found, unpanic.load(namespace, wasm=WASM))
    return found


@pytest.mark.parametrize("wrong", ["/gone.wasm", "/fixtures/startup/pkg/reset/startup_bg.wasm", "/wrong_imports.wasm"])
def test_failed_load_lets_go_of_the_namespace(py, wrong):
    """After a failed load the namespace is not half loaded: it loads with the right file."""
    data = (PACKAGE / "silent_bg.wasm").read_bytes()
    py.site.server.route("/wrong_imports.wasm", data.replace(b"./silent_bg.js", b"./other__bg.js"))
    (error, _), then = py.run(load_wrong_first, wrong=wrong)
    assert (error in ("FetchError", "GlueError"), then) == (True, ["loaded", 3])


async def load_twice():
    import unpanic

    found = []
    namespace = await imported(RESET)
    first = await attempt(found, unpanic.load(namespace, wasm=WASM))
    await attempt(found, unpanic.load(namespace, wasm=WASM))
    found.append([first.add(2, 2), unpanic.status(first).phase])
    unpanic.unload(first)
    again = await attempt(found, unpanic.load(namespace, wasm=WASM))
    found.append([unpanic.status(first).phase, unpanic.status(again).phase, unpanic.status(again).adapter])
    unpanic.unload(again)
    return found


def test_one_supervisor_for_a_namespace(py):
    """A second load of the same namespace raises a LoadError without harm; after unload it loads again."""
    first, (error, message), between, again, phases = py.run(load_twice)
    assert (first, again) == (["loaded", 3], ["loaded", 3])
    assert (error, "unload the other module first" in message) == ("LoadError", True)
    assert (between, phases) == ([4, "ready"], ["unloaded", "ready", "native"])


async def start_namespace():
    import unpanic

    import js

    found = []
    namespace = await imported(STARTUP)
    wasm = STARTUP.replace(".js", "_bg.wasm")
    js.globalThis.__unpanicFailStart = True
    try:
        await attempt(found, unpanic.load(namespace, wasm=wasm))
    finally:
        js.globalThis.__unpanicFailStart = False
    await attempt(found, unpanic.load(namespace, wasm=wasm))
    return found


def test_start_function_of_a_namespace(py):
    """A panic in its start function raises a StartError; the next load works if the function no longer panics."""
    (error, message), then = py.run(start_namespace)
    assert (error, "in the start function" in message, then) == ("StartError", True, ["loaded", 3])
