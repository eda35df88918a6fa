"""Bad input to `load` gets an error with the input and the remedy, and leaves nothing half loaded."""

import socket
import threading
from pathlib import Path

import pytest

from tests.places import EVERYWHERE

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rust/fixtures/silent/pkg/abort"
GLUE = "/fixtures/silent/pkg/abort/silent.js"
WASM = "/fixtures/silent/pkg/abort/silent_bg.wasm"
WASM_BYTES = (PACKAGE / "silent_bg.wasm").read_bytes()
GLUE_TEXT = (PACKAGE / "silent.js").read_text()
HTML = "<!doctype html><title>not here</title>"
MAGIC = b"\0asm\x01\0\0\0"


async def refused(glue, wasm=None, options=None):
    """Returns what `load` raises, and the state after it. The right files load before and after."""
    import sys

    import unpanic

    first = await unpanic.load(GLUE)
    modules = set(sys.modules)
    if isinstance(wasm, list):
        wasm = bytes(wasm)
    found = {"class": "nothing"}
    try:
        await unpanic.load(**{"glue": glue, "wasm": wasm, **(options or {})})
    except Exception as error:
        found = {name: getattr(error, name, None) for name in ("status", "url")}
        found |= {"class": type(error).__name__, "message": str(error), "is_load_error": is_load_error(error)}
    found["new modules"] = sorted(set(sys.modules) - modules)
    second = await unpanic.load(GLUE)
    found["after"] = [first.add(1, 2), second.add(3, 4), unpanic.status(second).generation]
    unpanic.unload(first)
    unpanic.unload(second)
    return found


def is_load_error(error):
    import unpanic

    return isinstance(error, unpanic.LoadError)


def check_refused(found, error, *words):
    """Checks the class and the words of the message, and that nothing is left."""
    assert found["class"] == error, found.get("message")
    assert [word for word in words if word not in found["message"]] == [], found["message"]
    assert found["message"][-1] in ".)?", found["message"]
    assert (found["new modules"], found["after"]) == ([], [3, 7, 0])


def test_what_every_test_here_varies_loads(py):
    """The right files, served in the same way, load."""
    url = py.site.server.route("/twin/silent.js", GLUE_TEXT)
    py.site.server.route("/twin/silent_bg.wasm", WASM_BYTES)
    for arguments in ({"glue": GLUE}, {"glue": url}, {"glue": GLUE, "wasm": list(WASM_BYTES)}):
        assert py.run(refused, **arguments)["class"] == "nothing"


@EVERYWHERE
@pytest.mark.parametrize("status", [404, 403, 500, 503])
@pytest.mark.parametrize("which", ["glue", "wasm"])
def test_http_error(py, which, status):
    """A URL with an HTTP error raises a FetchError with the status, whichever file it is."""
    url = py.site.server.route("/bad/answer", HTML, status=status)
    found = py.run(refused, **{"glue": GLUE, which: url})
    check_refused(found, "FetchError", url, str(status))
    assert (found["status"], found["url"], found["is_load_error"]) == (status, url, True)


@pytest.mark.parametrize("status", [404, 200])
def test_default_wasm_that_is_elsewhere(py, status):
    """If the Wasm file is not beside the glue, the error says how to name it, whatever the server answers instead."""
    url = py.site.server.route(f"/lonely-{status}/silent.js", GLUE_TEXT)
    py.site.server.route(f"/lonely-{status}/silent_bg.wasm", HTML, status=status)
    hint = "Put the Wasm file there, or pass it as `wasm`: a URL, a path or bytes."
    error = "FetchError" if status == 404 else "CompileError"
    check_refused(py.run(refused, glue=url), error, "silent_bg.wasm", hint)
    assert py.run(refused, glue=url, wasm=WASM)["class"] == "nothing"


@pytest.mark.parametrize("which", ["glue", "wasm", "types"])
def test_path_that_is_not_there(py, which):
    """If a text names neither a file nor an address of the server, the error has both places."""
    place = "/drive/pkg/bank.file"
    found = py.run(refused, glue=GLUE, wasm=None, options={which: place})
    check_refused(found, "FetchError", py.url + place, "404", f"and there is no file {place}. Check the URL.")
    py.site.server.route("/spa/bank.file", HTML)
    found = py.run(refused, glue=GLUE, wasm=None, options={which: "/spa/bank.file"})
    assert found["is_load_error"]
    text = "and there is no file /spa/bank.file. Check the URL."
    assert (text in found["message"]) == (which != "types"), found["message"]
    found = py.run(refused, glue=GLUE, wasm=None, options={which: f"{py.url}/drive/pkg/bank.file"})
    assert "there is no file" not in found["message"]


async def printed_by_a_failed_load(types):
    """Returns what the load prints, and what it raises."""
    import asyncio
    import contextlib
    import io

    import unpanic

    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        try:
            await unpanic.load(GLUE, types=types)
        except unpanic.FetchError as error:
            raised = str(error)
        await asyncio.sleep(0.1)
    return [raised, printed.getvalue()]


def test_types_that_are_not_there_are_told_once(py):
    """The exception reports the missing types, and nothing is printed as unhandled."""
    raised, printed = py.run(printed_by_a_failed_load, types="nope.d.ts")
    assert "nope.d.ts" in raised
    assert printed == ""


def test_build_with_threads(py):
    """A build whose memory is shared with other workers is refused with the reason."""
    found = py.run(refused, glue=GLUE, wasm=list(MAGIC + bytes([5, 4, 1, 3, 1, 9])))
    check_refused(found, "LoadError", "Wasm data is a build with threads", "no crash could be undone", "+atomics")


@pytest.mark.parametrize("which", ["glue", "wasm"])
def test_no_server(py, which):
    """A missing server raises a FetchError without a status."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/gone.js"
    found = py.run(refused, **{"glue": GLUE, which: url})
    check_refused(found, "FetchError", url, "offline")
    assert (found["status"], found["url"]) == (None, url)


def test_cors(py):
    """A response of another origin without CORS headers raises a FetchError that names the headers."""
    url = py.url.replace("127.0.0.1", "localhost") + GLUE
    found = py.run(refused, glue=url)
    check_refused(found, "FetchError", url, "CORS")
    assert found["status"] is None


def test_connection_that_breaks(py):
    """A download that ends before its announced length raises a FetchError, not a CompileError."""
    head = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 99999\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/cut.wasm"
        thread = threading.Thread(target=answer_once, args=(listening, head + WASM_BYTES[:1000]))
        thread.start()
        found = py.run(refused, glue=GLUE, wasm=url)
        thread.join()
    check_refused(found, "FetchError", url, "to its end")


def answer_once(listening, data):
    connection, _ = listening.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(data)


def test_invalid_url(py):
    """A text that cannot be a URL raises a FetchError that shows it."""
    check_refused(py.run(refused, glue="http://["), "FetchError", '"http://["', "not a valid URL")


WRONG_GLUE = [
    ("html.js", HTML, ["an HTML page", "Check the URL."]),
    ("data.js", '{"name": "silent"}', ["JSON"]),
    ("list.js", "[1, 2]", ["JSON"]),
    ("empty.js", "", ["an empty file"]),
    ("wasm.js", WASM_BYTES, ["a Wasm file. Pass the glue", "as `wasm`"]),
    ("other.js", "export const answer = 42;", ["JavaScript", "Load a JavaScript file that wasm-bindgen wrote."]),
    ("broken.js", GLUE_TEXT[: len(GLUE_TEXT) // 2], ["not a JavaScript module", "("]),
    ("text.js", "Not found, sorry", ["not a JavaScript module"]),
    ("napi.js", 'import { napi } from "napi-wasm";\nexport const it = napi;', ["a Node-API module"]),
    ("emscripten.js", "var ENVIRONMENT_IS_WEB = true;\nexport default Module;", ["Emscripten"]),
    ("common.js", "module.exports = { answer: 42 };", ["a CommonJS module"]),
    (
        "old.js",
        "let wasm;\nfunction init(module) {\n  return load(module).then(({ instance, module }) => {\n"
        "    wasm = instance.exports;\n    init.__wbindgen_wasm_module = module;\n  });\n}\nexport default init;",
        ["before 0.2.60 (2019)", "newer"],
    ),
]


@pytest.mark.parametrize(("name", "body", "words"), WRONG_GLUE, ids=[name for name, *_ in WRONG_GLUE])
def test_not_glue(py, name, body, words):
    """A file that is no glue raises a GlueError with the content and the URL."""
    url = py.site.server.route(f"/bad/{name}", body)
    check_refused(py.run(refused, glue=url), "GlueError", url, *words)


def test_regular_expression_that_is_none(py):
    """A mistake in glue that only the engine notices raises a GlueError too."""
    url = py.site.server.route("/bad/pattern.js", GLUE_TEXT + "\nconst pattern = /(/;\n")
    found = py.run(refused, glue=url, wasm=WASM)
    check_refused(found, "GlueError", url, "cannot be made a function", "regular expression")


# The error for the last one does not name a remedy, but the place that makes no sense.
WRONG_WASM = {
    "html": (HTML.encode(), ["not Wasm", "an HTML page"]),
    "json": (b'{"a": 1}', ["not Wasm", "JSON"]),
    "empty": (b"", ["not Wasm", "an empty file"]),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", ["not Wasm", "Git LFS"]),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0", ["not Wasm", "gzip"]),
    "rubbish": (b"\xde\xad\xbe\xef", ["not Wasm", "de ad be ef"]),
    "header only": (MAGIC[:6], ["truncated", "6 bytes"]),
    "cut in a section": (WASM_BYTES[: len(WASM_BYTES) // 2], ["truncated"]),
    "last byte lost": (WASM_BYTES[:-1], ["truncated"]),
    "component": (b"\0asm\x0d\0\x01\0", ["component", "core module"]),
    "unknown section": (MAGIC + b"\x7f\x01\0", ["section"]),
}


@EVERYWHERE
@pytest.mark.parametrize("how", ["url", "bytes"])
@pytest.mark.parametrize("case", WRONG_WASM)
def test_not_wasm(py, case, how):
    """A file that is no Wasm, or cut short, raises a CompileError that says so, from a URL and as bytes."""
    body, words = WRONG_WASM[case]
    url = py.site.server.route("/bad/some.wasm", body)
    found = py.run(refused, glue=GLUE, wasm=url if how == "url" else list(body))
    check_refused(found, "CompileError", *words, url if how == "url" else "Wasm data")


# Chromium names its flag, and Firefox describes the code. WebKit says less.
PAGES, NEWER = "custom page sizes", "a newer kind of type"
MISSING_FEATURES = {
    "memory with pages of another size": ("050401080000", PAGES, PAGES, PAGES),
    "continuation type of stack switching": ("01060260 0000 5d00", "wasmfx", "stack switching", NEWER),
    "shared function type": ("0105016560 0000", "shared", NEWER, NEWER),
    "string reference": ("0105016001 6700", "stringref", NEWER, NEWER),
}


@pytest.mark.parametrize("case", MISSING_FEATURES)
def test_missing_feature(py, engine, case):
    """Wasm that needs a feature which this browser lacks raises a CompileError that names the feature."""
    section, *features = MISSING_FEATURES[case]
    feature = dict(zip(("chromium", "firefox", "webkit"), features, strict=True))[engine]
    found = py.run(refused, glue=GLUE, wasm=list(MAGIC + bytes.fromhex(section)))
    check_refused(found, "CompileError", "needs a feature that this browser lacks", feature)


MISMATCHES = {
    "another crate": (
        GLUE,
        "/fixtures/startup/pkg/abort/startup_bg.wasm",
        ["imports ./startup_bg.js.__wb", "which the glue does not have"],
    ),
    "nothing at all": (GLUE, list(MAGIC), ["has no export abort", "Wasm data"]),
}


@pytest.mark.parametrize("case", MISMATCHES)
def test_files_of_two_builds(py, case):
    """Glue and Wasm of different builds raise a GlueError that names the missing exports and the file."""
    glue, wasm, words = MISMATCHES[case]
    check_refused(py.run(refused, glue=glue, wasm=wasm), "GlueError", "do not belong together", "same build", *words)


@pytest.mark.parametrize(
    ("glue", "wasm", "error", "word"),
    [(WASM, GLUE, "GlueError", "a Wasm file. Pass the glue (.js) as `glue`"), (GLUE, GLUE, "CompileError", "not Wasm")],
)
def test_swapped(py, glue, wasm, error, word):
    """The error recognises that glue and Wasm are in each other's place."""
    check_refused(py.run(refused, glue=glue, wasm=wasm), error, word)


def test_wrong_mime_type(py):
    """Wasm and glue load even if the server sends them as text/plain."""
    url = py.site.server.route("/mime/silent.js", GLUE_TEXT, content_type="text/plain")
    py.site.server.route("/mime/silent_bg.wasm", WASM_BYTES, content_type="text/plain")
    assert py.run(refused, glue=url)["class"] == "nothing"


OPTIONS = [
    ({"recovery": "undo"}, "ValueError", "'undo'"),
    ({"recovery": None}, "ValueError", "None"),
    ({"objects": "keep"}, "ValueError", "'keep'"),
    ({"restart_budget": 0}, "ValueError", "positive"),
    ({"restart_budget": "3"}, "ValueError", "'3'"),
    ({"timeout": 0}, "ValueError", "timeout"),
    ({"timeout": -1}, "ValueError", "-1"),
    ({"timeout": True}, "TypeError", "timeout"),
    ({"timeout": "1"}, "TypeError", "str"),
    ({"types": 3}, "TypeError", "types"),
    ({"name": 3}, "TypeError", "name"),
    ({"glue": 3}, "TypeError", "glue"),
    ({"glue": None}, "TypeError", "glue"),
    ({"glue": {}}, "TypeError", "glue"),
    ({"wasm": 3}, "TypeError", "wasm"),
    ({"wasm": {}}, "TypeError", "wasm"),
    ({"speed": 3}, "TypeError", "speed"),
]


@pytest.mark.parametrize(("options", "error", "word"), OPTIONS, ids=[str(options) for options, *_ in OPTIONS])
def test_options(py, options, error, word):
    """An unknown option, or a value that an option does not take, is refused by its name."""
    found = py.run(refused, glue=GLUE, options=options)
    assert (found["class"], word in found["message"]) == (error, True), found
    assert (found["new modules"], found["after"], found["is_load_error"]) == ([], [3, 7, 0], False)


def test_options_that_exist(py):
    """Each option loads with a value that it takes."""
    options = {"recovery": "none", "objects": "stale", "restart_budget": 1, "timeout": 1.5, "name": "own"}
    assert py.run(refused, glue=GLUE, options=options)["class"] == "nothing"


async def start(build, fail):
    import unpanic

    import js

    js.globalThis.__unpanicFailStart = fail
    found = {}
    try:
        found["sum"] = (await unpanic.load(f"/fixtures/startup/pkg/{build}/startup.js")).add(1, 2)
    except unpanic.StartError as error:
        crash = error.crash
        found = {"message": str(error), "crash": type(crash).__name__, "panic": crash.message, "kind": crash.kind}
        found["place"] = [crash.location.file.endswith("src/lib.rs"), crash.location.line]
    finally:
        js.globalThis.__unpanicFailStart = False
    module = await unpanic.load(f"/fixtures/startup/pkg/{build}/startup.js")
    found["after"] = module.add(1, 2)
    unpanic.unload(module)
    return found


@EVERYWHERE
@pytest.mark.parametrize("build", ["abort", "reset", "unwind"])
def test_start_function_that_panics(py, build):
    """A panic in the start function raises a StartError with the panic and its place; without it the file loads."""
    assert py.run(start, build=build, fail=False) == {"sum": 3, "after": 3}
    found = py.run(start, build=build, fail=True)
    source = (ROOT / "rust/fixtures/startup/src/lib.rs").read_text().splitlines()
    line = next(number for number, text in enumerate(source, 1) if "panic!(" in text)
    assert found.pop("message").startswith("The start function of startup crashed: in the start function")
    assert found == {
        "crash": "RustPanic", "panic": "in the start function", "kind": "panic", "place": [True, line], "after": 3,
    }  # fmt: skip
