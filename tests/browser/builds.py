"""The builds of the fixtures, and how each is loaded. The rules of recovery must hold for all of them."""

# name: (folder of the build, whether it is loaded as an imported namespace)
BUILDS = {
    "abort": ("abort", False),
    "reset": ("reset", False),
    "native": ("reset", True),
    "unwind": ("unwind", False),
}
# The build "minified" is "native" after test_bundles.py has bundled it.
# Of the fixture `blame`: functions have no names.
NAMELESS = {"nameless": ("nameless", False)}
# In these every crash ends in a reset.
RESETTING = ["abort", "reset", "native"]
# Of the fixture `reinit`: with an abort handler, and with `__wbg_reset_state` in a build that unwinds.
RECOVERING = {
    "handler": ("handler", False),
    "handler native": ("handler", True),
    "unwind reset": ("unwind-reset", False),
    "unwind native": ("unwind-reset", True),
}
# Of the fixtures `throws` and `undo`: with glue as it was written before 2024.
OLD = {"mvp": ("mvp", False)}


def padded(wasm: bytes, size: int) -> bytes:
    """Returns a Wasm file that a custom section at its end makes larger."""
    length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 21])
    return wasm + b"\x00" + length + b"\x03pad" + bytes(size - 4)


async def load(build, crate="faults", **options):
    """Loads a fixture inside Pyodide. The guard then checks that no call is left in flight.

    A crash resets the module unless a test asks for another recovery: what a reset costs is what most tests are about.
    A build that unwinds does what it does by itself.
    """
    import unpanic
    from pyodide.code import run_js

    folder, native = {**BUILDS, **RECOVERING, **OLD, **NAMELESS}["native" if build == "minified" else build]
    if not folder.startswith("unwind"):
        options.setdefault("recovery", "reset")
    glue = f"/fixtures/{crate}/pkg/{folder}/{crate}.js"
    if native:
        options["wasm"] = glue.replace(".js", "_bg.wasm")
        if build == "minified":
            glue = f"/minified/{crate}.js"
        # A namespace has one instance for all: a query makes it the test's own.
        namespace = await run_js(f"import('{glue}?' + Math.random())")
        return await unpanic.load(namespace, **options)
    return await unpanic.load(glue, **options)


async def load_large(build, crate="faults", **options):
    """Loads a fixture with more than 8 MB, which a test has to ask for by the fixture `large`."""
    import unpanic
    from pyodide.code import run_js

    folder, native = BUILDS[build]
    glue = f"/large/{folder}/{crate}.js"
    if native:
        options["wasm"] = glue.replace(".js", "_bg.wasm")
        glue = await run_js(f"import('{glue}?' + Math.random())")
    return await unpanic.load(glue, **{"recovery": "reset", "panic_hook": lambda _: None} | options)


def caught(function, *args):
    """Returns the exception that a call raises, or None."""
    try:
        function(*args)
    except BaseException as error:
        return error
    return None


def without_switching(function, *args):
    """Calls a function where Python cannot wait: below JavaScript, as a listener of the page is."""
    from pyodide.code import run_js

    return run_js("call => call()")(lambda: function(*args))


# Slows `WebAssembly.instantiate` down, or lets it fail, until the function that this gives is called.
SLOW = """
({ ms, failure }) => {
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = async (...args) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        if (failure) throw new RangeError(failure);
        return instantiate.apply(WebAssembly, args);
    };
    return () => { WebAssembly.instantiate = instantiate; };
}
"""


def slowed(ms, failure=""):
    from pyodide.code import run_js
    from pyodide.ffi import to_js

    import js

    return run_js(SLOW)(to_js({"ms": ms, "failure": failure}, dict_converter=js.Object.fromEntries))
