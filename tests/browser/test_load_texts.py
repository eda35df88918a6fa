"""What a user sees when loading fails: the exact text for each way that people meet, the most frequent ones first.

A text is what Python prints below the last frame: the exception's class and its message. It fits into two lines of a
terminal of 120 columns, at most one of its own line breaks included, with the short addresses of these tests. It says
what was found, and what to do. The frames above it are the user's: none is unpanic's.

`docs/reference/errors.md` has a row for each way, which is checked here too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from unpanic_tools.testing.host import PageHost
from unpanic_tools.testing.in_browser import InBrowser
from unpanic_tools.testing.site import PAGES

from scripts.serve import Server
from tests.browser.builds import padded
from tests.jsdelivr import Jsdelivr

ROOT = Path(__file__).parents[2]
ERRORS = ROOT / "docs/reference/errors.md"
FIXTURES = ROOT / "rust/fixtures"
GLUE = (FIXTURES / "silent/pkg/abort/silent.js").read_bytes()
WASM = (FIXTURES / "silent/pkg/abort/silent_bg.wasm").read_bytes()
ANOTHER = (FIXTURES / "startup/pkg/abort/startup_bg.wasm").read_bytes()
PLAIN = (ROOT / "rust/raw/pkg/plain.wasm").read_bytes()
HTML = b"<!doctype html><title>Home</title>"
MAGIC = b"\0asm\1\0\0\0"
# (module (import "wasi_snapshot_preview1" "fd_write" (func))); a memory that is shared; a type that holds a stringref
WASI = MAGIC + b"\1\4\1\x60\0\0\2\x23\1\x16wasi_snapshot_preview1\x08fd_write\0\0"
SHARED = MAGIC + bytes([5, 4, 1, 3, 1, 9])
STRINGREF = MAGIC + bytes.fromhex("01050160016700")
INIT = b'import unpanic\n\nunpanic.load_sync("silent.js", name=__name__)\n'
OLD = b"""\
let wasm;
function init(module) {
  return load(module).then(({ instance, module }) => {
    wasm = instance.exports;
    init.__wbindgen_wasm_module = module;
  });
}
export default init;
"""

COLUMNS = 120
REMEDY = re.compile(
    r"(?:^|[.:;] |, or |Allow it, or first |First `await )"
    r"(?:[Cc]heck|[Pp]ut|[Ll]oad|[Pp]ass|[Aa]dd|[Aa]llow|[Ss]erve|[Bb]uild|[Tt]ake|[Uu]se|[Uu]pdate|[Ww]rite|Correct|"
    r"run|it must be|for a URL use|unpanic)\b|must be"
)
NOTHING = "nothing was raised\n"


@dataclass(frozen=True)
class Way:
    """One way in which a load fails.

    Attributes:
        text: what Python prints; `{url}` and `{other}` stand for the addresses of two servers.
        meaning: what the documentation says about it.
        options: those of `load`; the name of the module for `import`.
        files: what the server has.
        drive: the files of Pyodide's file system, by their paths, and where they are on the server.
        verb: `load`, `load_sync` or `import`.
        place: the page; by default any.
        quotes: whether the text has words of the engine, in brackets. Those here are Chromium's.
    """

    text: str
    meaning: str
    options: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    drive: dict[str, str] = field(default_factory=dict)
    verb: str = "load"
    place: str = ""
    quotes: bool = False


def package(folder: str, glue: bytes = GLUE, wasm: bytes | None = WASM) -> dict[str, Any]:
    """Returns the options and the files of a package that the server has under its own folder."""
    files = {f"/{folder}/silent.js": glue} | ({f"/{folder}/silent_bg.wasm": wasm} if wasm else {})
    return {"options": {"glue": f"/{folder}/silent.js"}, "files": files}


def script(name: str, source: bytes) -> dict[str, Any]:
    """Returns the options and the files for a script that is loaded in place of glue."""
    return {"options": {"glue": f"/js/{name}.js"}, "files": {f"/js/{name}.js": source}}


def local(folder: str, verb: str, wasm: bytes | None = None, **files: bytes) -> dict[str, Any]:
    """Returns the options and the files of a package in Pyodide's file system."""
    named = {"silent.js": GLUE, "__init__.py": INIT} | ({"silent_bg.wasm": wasm} if wasm else {}) | files
    return {
        "options": {"glue": folder if verb.startswith("import") else f"{folder}/silent.js"},
        "files": {f"/drive/{folder}/{name}": body for name, body in named.items()},
        "drive": {f"{folder}/{name}": f"/drive/{folder}/{name}" for name in named},
        "verb": verb,
    }


LARGE = padded(WASM, 9_000_000)
WAYS = {
    "a URL that does not exist": Way(
        "FetchError: Cannot fetch {url}/gone/bank.js: the server answered 404 Not Found, and there is no file "
        "/gone/bank.js. Check the URL.",
        "The text names neither a file of the server nor one of Pyodide's file system.",
        {"glue": "/gone/bank.js"},
    ),
    "a package's name without npm:": Way(
        "FetchError: Cannot fetch {url}/tests/prql-js: the server answered 404 Not Found, and there is no file "
        "/home/pyodide/prql-js. Check the URL, or write npm:prql-js for a package on npm.",
        "A text without `npm:` is a URL or a path.",
        {"glue": "prql-js"},
    ),
    "a page in place of the glue": Way(
        "GlueError: {url}/app/bank.js is not wasm-bindgen glue: found an HTML page, which many servers send for a "
        "wrong URL, and there is no file /app/bank.js. Check the URL.",
        "The server of a single-page application answers every path with its page.",
        {"glue": "/app/bank.js"},
        {"/app/bank.js": HTML},
    ),
    "no Wasm file beside the glue": Way(
        "FetchError: Cannot fetch {url}/a/silent_bg.wasm: the server answered 404 Not Found. Put the Wasm file there, "
        "or pass it as `wasm`: a URL, a path or bytes.",
        "Nothing was said about the Wasm file, so it was looked for where the glue itself would. Maybe your bundler "
        "renames or inlines it.",
        **package("a", wasm=None),
    ),
    "a page in place of the Wasm file": Way(
        "CompileError: {url}/b/silent_bg.wasm is not Wasm: found an HTML page. Put the Wasm file there, or pass it as "
        "`wasm`: a URL, a path or bytes.",
        "The same, where the server answers every path with a page.",
        **package("b", wasm=HTML),
    ),
    "no such package": Way(
        'FetchError: There is no package "prql-jz" on npm. Check its name.',
        "Names are exactly as on npm, with the scope: `npm:@scope/name`.",
        {"glue": "npm:prql-jz"},
    ),
    "no such version": Way(
        'FetchError: prql-js has no version "0.12.9". Load the nearest: npm:prql-js@0.12.1.',
        "The package exists, but not in this version.",
        {"glue": "npm:prql-js@0.12.9"},
    ),
    "no such file in the package": Way(
        'FetchError: npm:prql-js@0.12.1 has no file "web/prql.js". Load the nearest: '
        "npm:prql-js@0.12.1/dist/bundler/prql_js.js, npm:prql-js@0.12.1/dist/node/prql_js.js, "
        "npm:prql-js@0.12.1/dist/web/prql_js.js.",
        "Paths begin at the folder of `package.json`.",
        {"glue": "npm:prql-js@0.12.1/web/prql.js"},
    ),
    "several files of glue": Way(
        "GlueError: npm:@jsquash/resize@2.1.1 has 3 files of glue. Load one of them: "
        "npm:@jsquash/resize@2.1.1/lib/hqx, npm:@jsquash/resize@2.1.1/lib/magic-kernel, "
        "npm:@jsquash/resize@2.1.1/lib/resize.",
        "Nothing in the package tells which of them you mean.",
        {"glue": "npm:@jsquash/resize@2.1.1"},
    ),
    "no glue in the package": Way(
        "GlueError: https://cdn.jsdelivr.net/npm/wasm-feature-detect@1.9.0/dist/esm/index.js is JavaScript, but not "
        "the "
        "glue that wasm-bindgen writes: it has no Wasm instance. Load a JavaScript file that wasm-bindgen wrote.",
        "What the package exports holds no Rust module of wasm-bindgen's.",
        {"glue": "npm:wasm-feature-detect@1.9.0"},
    ),
    "no name of a package": Way(
        'FetchError: "npm:prql js" names no package: write npm:NAME, npm:NAME@VERSION or '
        "npm:NAME@VERSION/path/to/glue.js.",
        "What follows `npm:` cannot be a name.",
        {"glue": "npm:prql js"},
    ),
    "offline": Way(
        "FetchError: Cannot fetch https://far.example/bank.js: the browser is offline. Check the network.",
        "The browser says itself that it has no network.",
        {"glue": "https://far.example/bank.js"},
        place="offline",
    ),
    "no server": Way(
        "FetchError: Cannot fetch http://127.0.0.1:9/bank.js: offline, no such server, or its CORS headers forbid it. "
        "Check the URL, and that the server allows this page.",
        "Browsers do not tell these apart. Their console often says more.",
        {"glue": "http://127.0.0.1:9/bank.js"},
    ),
    "another origin without CORS": Way(
        "FetchError: Cannot fetch {other}/c/silent.js: offline, no such server, or its CORS headers forbid it. "
        "Check the URL, and that the server allows this page.",
        "A server of another origin has to send `Access-Control-Allow-Origin`.",
        {"glue": "{other}/c/silent.js"},
        {"/c/silent.js": GLUE},
    ),
    "connect-src": Way(
        "FetchError: Cannot fetch {other}/c/silent.js: the page's content security policy (connect-src) forbids it: "
        "add {other} to its connect-src.",
        "The page itself forbids to fetch from there; see [Content security policies](../content-security-policy.md).",
        {"glue": "{other}/c/silent.js"},
        place="registered",
    ),
    "connect-src, for a package": Way(
        "FetchError: Cannot fetch https://data.jsdelivr.com/v1/packages/npm/prql-js: the page's content security "
        "policy "
        "(connect-src) forbids it: add https://cdn.jsdelivr.net https://data.jsdelivr.com to its connect-src.",
        "The same for a package by its name. `unpanic.npm(base=…)` takes packages from your own server.",
        {"glue": "npm:prql-js"},
        place="evaluating",
    ),
    "script-src, for unpanic": Way(
        "LoadError: The page's content security policy forbids 'unsafe-eval'. Allow it, or first run in the page:\n"
        'pyodide.registerJsModule("unpanic_runtime", await import("/unpanic/_runtime.js"));',
        "unpanic's JavaScript has to be [a file](../content-security-policy.md#the-runtime-as-a-file), which you "
        "serve.",
        {"glue": "/d/silent.js"},
        place="strict",
    ),
    "script-src, for the package": Way(
        "GlueError: {url}/d/silent.js cannot be supervised: the page's content security policy forbids it. Allow "
        "'unsafe-eval' or blob: in its script-src, or serve what `npx unpanic factory silent.js` makes beside it.",
        "The glue has to become a function; [a factory file](../content-security-policy.md#a-factory-file) is one.",
        **package("d"),
        place="registered",
    ),
    "glue and Wasm file of two builds": Way(
        "GlueError: {url}/e/silent.js and its Wasm file do not belong together: the Wasm file imports "
        "./startup_bg.js.__wbg_get_2080c49015e35254, which the glue does not have. Take both from the same build.",
        "One of the two is older, or of another package. Maybe a cache has kept it.",
        **package("e", wasm=ANOTHER),
    ),
    "a Wasm file in place of the glue": Way(
        "GlueError: {url}/d/silent_bg.wasm is not wasm-bindgen glue: found a Wasm file. Pass the glue (.js) as `glue`, "
        "and this file as `wasm`.",
        "The two arguments have changed places.",
        {"glue": "/d/silent_bg.wasm", "wasm": "/d/silent.js"},
        package("d")["files"],
    ),
    "a Wasm file without its glue": Way(
        "GlueError: {url}/f/silent_bg.wasm was written by wasm-bindgen and needs its glue, and there is none at "
        "{url}/f/silent.js. Load the glue instead, and pass this file as `wasm`.",
        "The glue was looked for beside the Wasm file.",
        {"glue": "/f/silent_bg.wasm"},
        {"/f/silent_bg.wasm": WASM},
    ),
    "imports of a Wasm file": Way(
        "LoadError: {url}/f/plain.wasm needs imports that were not given. Add to `imports`: env.log(i32, f64), "
        "env.pick(i64) -> i64.",
        "A file [without glue](../loading.md#wasm-without-glue) gets its imports from you.",
        {"glue": "/f/plain.wasm"},
        {"/f/plain.wasm": PLAIN},
    ),
    "WASI": Way(
        "LoadError: {url}/f/wasi.wasm was built for WASI (it imports wasi_snapshot_preview1.fd_write), which unpanic "
        "does not offer. Build it for wasm32-unknown-unknown, without files, clocks and output.",
        "Such a program expects an operating system.",
        {"glue": "/f/wasi.wasm"},
        {"/f/wasi.wasm": WASI},
    ),
    "threads": Way(
        "LoadError: {url}/g/silent_bg.wasm is a build with threads, under which no crash could be undone. Load the "
        "package's build without threads, or build it without `-Ctarget-feature=+atomics`.",
        "Other workers run in the same memory.",
        **package("g", wasm=SHARED),
    ),
    "a CommonJS bundle": Way(
        "GlueError: {url}/js/bundle.js is a CommonJS bundle with wasm-bindgen's glue in it, not a JavaScript module: "
        "load the package's ES module instead.",
        "A bundler has wrapped the glue for Node.js.",
        **script("bundle", b"module.exports = { load: () => __wbg_init(WebAssembly.instantiateStreaming) };"),
    ),
    "Emscripten": Way(
        "GlueError: {url}/js/emscripten.js is not wasm-bindgen glue: found JavaScript that Emscripten wrote. Load a "
        "JavaScript file that wasm-bindgen wrote.",
        "It is no Rust module of wasm-bindgen's; `Go` and `Node-API` are named in the same way.",
        **script("emscripten", b"var ENVIRONMENT_IS_WEB = true;\nexport default Module;"),
    ),
    "AssemblyScript": Way(
        "GlueError: {url}/js/assembly.js is not wasm-bindgen glue: found JavaScript that AssemblyScript wrote. Load "
        "its Wasm file instead, and pass what that imports as `imports`.",
        "Its Wasm file can be loaded without glue.",
        **script("assembly", b"export const it = __liftString(1);"),
    ),
    "no JavaScript": Way(
        "GlueError: {url}/js/text.js is not a JavaScript module: Unexpected token (1:4). Load a JavaScript file that "
        "wasm-bindgen wrote.",
        "The brackets have the line and the column.",
        **script("text", b"Not found, sorry"),
    ),
    "glue of 2019": Way(
        "GlueError: {url}/js/old.js is glue of wasm-bindgen before 0.2.60 (2019), whose init cannot run again at once "
        "after a crash. Load a newer version of the package, or build it with a newer wasm-bindgen.",
        "Newer glue, of 2020 too, loads.",
        **script("old", OLD),
    ),
    "an import that is missing": Way(
        'GlueError: {url}/h/silent.js imports "zod", which cannot be loaded (Failed to fetch dynamically imported '
        "module: {url}/h/zod). Serve it there, or bundle it.",
        "The glue imports another module: a snippet, or, as here, a package.",
        **package("h", b'import { z } from "zod";\n' + GLUE),
        quotes=True,
    ),
    "a file that is cut": Way(
        "CompileError: {url}/i/silent_bg.wasm is truncated: section 0 should hold 148 bytes, 147 are there. Take the "
        "whole file.",
        "The end of the Wasm file is missing.",
        **package("i", wasm=WASM[:-1]),
    ),
    "a feature that the browser lacks": Way(
        "CompileError: Cannot compile {url}/j/silent_bg.wasm: it needs a feature that this browser lacks: stringref "
        "(invalid value type 'stringref', enable with --wasm-stringref @+13). Update the browser.",
        "Or build the package without that feature.",
        **package("j", wasm=STRINGREF),
        quotes=True,
    ),
    "another hash": Way(
        "FetchError: {url}/d/silent.js is not what `integrity` allows: its hash is "
        "sha384-WZuxW2H3cVdZfHVeOO9Ly4r+HdKGP4Lp67Vq/w1Iy46vhhnlH8T4eNGr2XMPF8tI. Add that, if it is the right file: "
        "each file needs its own.",
        "Nothing of the file has run. [Pinning the files](../loading.md#pinning-the-files) says which files need a "
        "hash.",
        {"glue": "/d/silent.js", "integrity": f"sha384-{'A' * 64}"},
        package("d")["files"],
    ),
    "a start function that crashes": Way(
        "StartError: The start function of startup crashed: in the start function (src/lib.rs:14:9). Correct it there, "
        "or load another version.",
        "`crash` of the exception has the Rust frames.",
        {"glue": "/fixtures/startup/pkg/abort/startup.js"},
    ),
    "types that do not exist": Way(
        "FetchError: Cannot fetch {url}/d/bank.d.ts: the server answered 404 Not Found, and there is no file "
        "/d/bank.d.ts. Check the URL.",
        "Only `types` that you name have to exist.",
        {"glue": "/d/silent.js", "types": "/d/bank.d.ts"},
        package("d")["files"],
    ),
    "types that are none": Way(
        "LoadError: /d/html.d.ts holds no TypeScript declarations: it begins with '<!doctype "
        "html><title>Home</title>'. Pass the package's .d.ts file as `types`, or leave it out.",
        "The file that you named as `types` is something else.",
        {"glue": "/d/silent.js", "types": "/d/html.d.ts"},
        {**package("d")["files"], "/d/html.d.ts": HTML},
    ),
    "a URL for load_sync": Way(
        "FetchError: There is no file '/pkg/bank.js' in Pyodide's file system, where load_sync looks; for a URL use "
        "`await load(...)`.",
        "`load_sync` fetches nothing.",
        {"glue": "/pkg/bank.js"},
        verb="load_sync",
    ),
    "too large for load_sync": Way(
        "CompileError: Cannot compile silent_bg.wasm at once: it is larger than 8 MB, which this browser does in "
        "workers only. Use the asynchronous `load`, or a worker.",
        "Only Chromium's main thread has this limit.",
        **local("big", "load_sync", LARGE),
    ),
    "a wheel without its Wasm file": Way(
        "ImportError: cannot import 'lonely': There is no file \"silent_bg.wasm\" beside "
        "file:///home/pyodide/lonely/silent.js. Put the Wasm file there, or pass it as `wasm`: a URL, a path or bytes.",
        "A build tool has left the Wasm file out of the wheel.",
        **local("lonely", "import"),
    ),
    "a wheel too large to import": Way(
        "ImportError: cannot import 'heavy': Cannot compile silent_bg.wasm at once: it is larger than 8 MB, which this "
        "browser does in workers only. First `await unpanic.load('/home/pyodide/heavy/silent.js', name='heavy')`.",
        "In a callback `import` cannot wait. The module that was loaded before is the one that it finds.",
        **local("heavy", "import in a callback", LARGE),
    ),
    "an argument of the wrong type": Way(
        "TypeError: glue must be a URL, a path, an imported namespace or the bytes of a Wasm file, not int",
        "The other options are checked in the same way.",
        {"glue": 3},
    ),
    "an option that does not exist": Way(
        "ValueError: recovery='undo': it must be 'auto', 'reset', 'rollback' or 'none'.",
        "So are the values that an option can have.",
        {"glue": "/d/silent.js", "recovery": "undo"},
    ),
}
ANYWHERE = [name for name, way in WAYS.items() if not way.place]
ON_A_PAGE = [name for name, way in WAYS.items() if way.place]


async def fail(verb, options, drive):
    """Loads, and returns what Python prints."""
    import importlib
    import sys
    import traceback
    from pathlib import Path

    import unpanic
    from pyodide.http import pyfetch

    import js

    for place, url in drive.items():
        Path(place).parent.mkdir(exist_ok=True)
        Path(place).write_bytes(await (await pyfetch(url)).bytes())
    js.globalThis.__unpanicFailStart = True
    sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()
    try:
        if verb == "import in a callback":
            errors = []

            def run():
                try:
                    unpanic.unload(importlib.import_module(options["glue"]))
                except Exception as error:
                    errors.append(error)

            js.Function.new("run", "run()")(run)
            return "".join(traceback.format_exception(errors[0])) if errors else NOTHING
        if verb == "import":
            module = importlib.import_module(options["glue"])
        elif verb == "load_sync":
            module = unpanic.load_sync(**options)
        else:
            module = await unpanic.load(**options)
        unpanic.unload(module)
    except Exception as error:
        return "".join(traceback.format_exception(error))
    finally:
        del sys.path[0]
        js.globalThis.__unpanicFailStart = False
    return NOTHING


def check(py: InBrowser, name: str, engine: str, *, expects: bool = True) -> None:
    """Lets a load fail in one way, and compares what Python prints."""
    way, server = WAYS[name], py.site.server
    for path, body in way.files.items():
        server.route(path, body)
    addresses = {"url": server.url, "other": server.url.replace("127.0.0.1", "localhost")}
    options = {key: fill(value, **addresses) if isinstance(value, str) else value for key, value in way.options.items()}
    printed = py.run(fail, verb=way.verb, options=options, drive=way.drive)
    if not expects:
        assert printed == NOTHING
        return
    frames, text = split(printed)
    expected = fill(way.text, **addresses)
    if way.quotes and engine != "chromium":
        text, expected = (re.sub(r"(: [\w ]+)?\(.*\)", "", part) for part in (text, expected))
    assert text == expected
    own = [file for file in frames if not re.search(r"test_load_texts\.py|[/ ]importlib[/.]|/lonely/|/heavy/", file)]
    assert (own, frames != []) == ([], True), printed


def fill(text: str, **addresses: str) -> str:
    """Puts addresses into a text."""
    return re.sub(r"\{(url|other)\}", lambda match: addresses[match[1]], text)


def split(printed: str) -> tuple[list[str], str]:
    """Returns the files of the frames, and the text below the last one, without the module of its class."""
    blocks = printed.rpartition("Traceback (most recent call last):\n")[2]
    lines = blocks.splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("  "))
    text = "\n".join(lines[last + 1 :]).strip()
    return re.findall(r'^  File "(.*?)"', blocks, re.MULTILINE), text.removeprefix("unpanic.errors.")


@pytest.fixture(autouse=True, scope="module")
def jsdelivr(context) -> Iterator[Jsdelivr]:
    """JsDelivr has the packages of js/node_modules."""
    jsdelivr = Jsdelivr(ROOT / "js/node_modules")
    with jsdelivr.served(context):
        yield jsdelivr


@pytest.mark.parametrize("name", ANYWHERE)
def test_the_text(py: InBrowser, name: str, engine: str, refuses: bool):
    """Python prints this text, below frames of the user's only. Where a large file can be loaded, nothing is raised."""
    check(py, name, engine, expects=refuses or "too large" not in name)


# Pages by the names that `place` has, and their policies; "registered" has the runtime as a file.
SCRIPTS = "script-src 'self' 'wasm-unsafe-eval'"
POLICIES = {
    "strict": SCRIPTS,
    "registered": f"{SCRIPTS}; connect-src 'self'",
    "evaluating": f"{SCRIPTS} 'unsafe-eval'; connect-src 'self'",
}


@pytest.fixture(scope="module")
def pages(server: Server, new_pyodide_host: Callable[..., PageHost]) -> Iterator[Callable[[str], PageHost]]:
    """Returns the Pyodide of a page with a policy, which starts at its first use."""
    hosts: dict[str, PageHost] = {}

    def find(place: str) -> PageHost:
        if place not in hosts:
            for file in PAGES.glob("*.*"):
                server.route(f"/{place}/{file.name}", file.read_bytes(), content_security_policy=POLICIES[place])
            hosts[place] = new_pyodide_host("page", f"/{place}/")
            if place == "registered":
                hosts[place].call("register", json.dumps(["unpanic_runtime", "/unpanic/runtime.js"]), 60)
        return hosts[place]

    yield find
    for host in hosts.values():
        host.close()


@pytest.mark.parametrize("realm", ["page"])
@pytest.mark.parametrize("name", [name for name in ON_A_PAGE if WAYS[name].place in POLICIES])
def test_the_text_under_a_policy(pages, py_in, name: str, realm: str, engine: str):  # noqa: ARG001
    """The same on a page with a content security policy."""
    py = py_in(pages(WAYS[name].place))
    check(py, name, engine)


@pytest.mark.parametrize("realm", ["page"])
def test_the_text_offline(py: InBrowser, context, realm: str, engine: str):  # noqa: ARG001
    """The same in a browser without a network."""
    context.set_offline(True)
    try:
        check(py, "offline", engine)
    finally:
        context.set_offline(False)


@pytest.mark.parametrize("name", WAYS)
def test_it_fits_into_two_lines_and_says_what_to_do(name: str):
    """Lines that are longer than the terminal are broken, so they count as more."""
    text = fill(WAYS[name].text, url="http://127.0.0.1:12345", other="http://localhost:12345")
    is_own = re.match("Fetch|Glue|Compile|Load|Start", text)
    lines = f"unpanic.errors.{text}" if is_own else text
    assert sum(math.ceil(len(line) / COLUMNS) for line in lines.split("\n")) <= 2
    assert REMEDY.search(text.partition(": ")[2])


def row(name: str) -> str:
    """Returns the row of the documentation for one way."""
    way = WAYS[name]
    text = fill(way.text, url="https://example.org", other="https://other.example")
    return f"| {'<br>'.join(f'`` {line} ``' for line in text.split(chr(10)))} | {way.meaning} |"


@pytest.mark.parametrize("name", WAYS)
def test_the_documentation_has_it(name: str):
    """The page about errors has the same text, and says what it means."""
    assert row(name) in ERRORS.read_text("utf-8").splitlines()
