"""Each form in which `load` and `load_sync` take glue and Wasm, and the modules that they return."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "rust/fixtures"
GLUE = "/fixtures/silent/pkg/abort/silent.js"
GLUE_TEXT = (FIXTURES / "silent/pkg/abort/silent.js").read_text()
BANK = "/fixtures/bank/pkg/abort/bank.js"
FAULTS = "/fixtures/faults/pkg/abort/faults.js"
WASM = "/fixtures/silent/pkg/abort/silent_bg.wasm"

GLUE_FORMS = ["absolute", "rooted", "relative", "query", "URL object", "file", "Path", "relative file", "relative Path"]
WASM_FORMS = [
    "absolute", "rooted", "URL object", "Response", "Module", "ArrayBuffer", "Uint8Array",
    "bytes", "bytearray", "memoryview", "array", "file", "Path",
]  # fmt: skip
SYNC_GLUE_FORMS = ["file", "Path", "relative file", "relative Path"]
SYNC_WASM_FORMS = ["Module", "ArrayBuffer", "Uint8Array", "bytes", "bytearray", "memoryview", "array", "file", "Path"]


async def given_as(form, url):
    """Returns a file of the server in one of the forms that `load` takes."""
    import array
    from pathlib import Path

    from pyodide.http import pyfetch

    import js

    absolute = js.URL.new(url, js.location.href).href
    path = Path("/home/pyodide/given") / url.rpartition("/")[2]
    data = await (await pyfetch(absolute)).bytes()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    buffer = js.Uint8Array.new(data)
    forms = {
        "absolute": lambda: absolute,
        "rooted": lambda: url,
        "relative": lambda: ".." + url,
        "query": lambda: absolute + "?version=1.2/3#top",
        "URL object": lambda: js.URL.new(absolute),
        "Response": lambda: js.fetch(absolute),
        "Module": lambda: js.WebAssembly.compile(buffer),
        "ArrayBuffer": lambda: buffer.buffer,
        "Uint8Array": lambda: buffer,
        "bytes": lambda: data,
        "bytearray": lambda: bytearray(data),
        "memoryview": lambda: memoryview(data),
        "array": lambda: array.array("B", data),
        "file": lambda: str(path),
        "Path": lambda: path,
        "relative file": lambda: f"given/{path.name}",
        "relative Path": lambda: Path("given", path.name),
    }
    given = forms[form]()
    return await given if form in ("Response", "Module") else given


async def load_as(verb, glue_form, wasm_form):
    """Loads a module and uses it up to the generation after a crash; and once more as it is loaded without an option.

    Returns what became of the first one, and how calls of the second one recover.
    """
    import inspect

    import unpanic

    async def load(**options):
        wasm = await given_as(wasm_form or "file", WASM)
        loaded = getattr(unpanic, verb)(await given_as(glue_form, GLUE), wasm=wasm if wasm_form else None, **options)
        return await loaded if inspect.isawaitable(loaded) else loaded

    module = await load(recovery="reset")
    crashes = []
    try:
        module.boom("äöü")
    except unpanic.Crash as crash:
        crashes.append(crash.kind)
    state = unpanic.status(module)
    found = [module.__name__, module.add(2, 3), crashes, state.generation, state.adapter]
    unpanic.unload(module)
    module = await load()
    return found, unpanic.status(module).recovery


WORKS = [["silent", 5, ["panic"], 1, "factory"], "rollback"]
# A compiled module cannot be rewritten any more.
WORKS_COMPILED = [WORKS[0], "reset"]


@pytest.mark.parametrize("form", GLUE_FORMS)
def test_glue_given_as(py, form):
    """Each form of glue loads, and finds its Wasm file beside it."""
    assert py.run(load_as, verb="load", glue_form=form, wasm_form=None) == WORKS


@pytest.mark.parametrize("form", WASM_FORMS)
def test_wasm_given_as(py, form):
    """Each form of Wasm loads with glue from a URL."""
    works = WORKS_COMPILED if form == "Module" else WORKS
    assert py.run(load_as, verb="load", glue_form="rooted", wasm_form=form) == works


@pytest.mark.parametrize("form", SYNC_GLUE_FORMS)
def test_glue_given_at_once_as(py, form):
    """`load_sync` takes a path, and finds the Wasm file beside it."""
    assert py.run(load_as, verb="load_sync", glue_form=form, wasm_form=None) == WORKS


@pytest.mark.parametrize("form", SYNC_WASM_FORMS)
def test_wasm_given_at_once_as(py, form):
    """`load_sync` takes each form of Wasm that needs no download."""
    works = WORKS_COMPILED if form == "Module" else WORKS
    assert py.run(load_as, verb="load_sync", glue_form="file", wasm_form=form) == works


async def load_files(verb, cases):
    """Returns what `load` raises for wrong files, and checks that the right ones load afterwards."""
    import inspect
    from pathlib import Path

    import unpanic

    glue = Path(await given_as("Path", GLUE))
    await given_as("Path", WASM)
    alone = Path("alone/silent.js")
    alone.parent.mkdir(exist_ok=True)
    alone.write_bytes(glue.read_bytes())
    paths = {"good": glue, "alone": alone, "missing": Path("missing.js"), "url": GLUE, "folder": alone.parent}
    outcomes = []
    for first, second in cases:
        try:
            loaded = getattr(unpanic, verb)(paths[first], wasm=paths.get(second))
            module = await loaded if inspect.isawaitable(loaded) else loaded
            outcomes.append([module.__name__, ""])
        except Exception as error:
            outcomes.append([type(error).__name__, str(error)])
    return outcomes


@pytest.mark.parametrize("verb", ["load", "load_sync"])
def test_missing_files(py, verb):
    """A missing file raises a FetchError that names it. `load_sync` refuses a URL and names `load`."""
    cases = [("missing", ""), ("folder", ""), ("alone", ""), ("good", "missing"), ("good", "")]
    outcomes = py.run(load_files, verb=verb, cases=cases)
    assert [error for error, _ in outcomes] == ["FetchError"] * 4 + ["silent"]
    words = ["missing.js", "alone", "silent_bg.wasm", "missing.js"]
    assert all(word in message for word, (_, message) in zip(words, outcomes, strict=False)), outcomes
    [(error, message)] = py.run(load_files, verb="load_sync", cases=[("url", "")])
    assert (error, GLUE in message, "await load(" in message) == ("FetchError", True, True)


NAMES = {
    "my-lib.v2.js": "my_lib_v2",
    "1st.mjs": "_1st",
    "class.js": "class",
    "$x.js": "_x",
    "plain": "plain",
    ".js": "names",
}


async def names(urls, own):
    import unpanic

    found = []
    for url in urls:
        module = await unpanic.load(url, wasm=WASM, name=own)
        found.append([module.__name__, type(module).__name__, module.add(1, 2)])
    return found


def test_name(py):
    """A module is named by the option `name`, by its glue file, or by the folder if the file's name has no meaning."""
    for file in NAMES:
        py.site.server.route(f"/names/{file}", GLUE_TEXT, content_type="text/javascript")
    urls = [f"/names/{file}" for file in NAMES]
    for own in (None, "its own name"):
        found = py.run(names, urls=urls, own=own)
        assert [name for name, *_ in found] == [own or name for name in NAMES.values()]
        assert all(rest == ["RustModule", 3] for _, *rest in found), found


async def public_names(glue, classes):
    import unpanic

    module = await unpanic.load(glue)
    special = {name for name in dir(module) if name.startswith("__")}
    usual = {"__name__", "__doc__", "__loader__", "__package__", "__spec__", "__getattr__"}
    found = [sorted(special - usual)]
    found.append(sorted(set(dir(module)) - special))
    found += [sorted(name for name in dir(getattr(module, cls)) if name[0] != "_") for cls in classes]
    unpanic.unload(module)
    return found


@pytest.mark.parametrize(
    ("glue", "classes"),
    [
        (BANK, {"Account": ["balance", "deposit", "free", "named", "owner", "withdraw"]}),
        (FAULTS, {"FragileDrop": ["free"], "Color": None}),
    ],
)
def test_exports_are_attributes_and_nothing_else(py, glue, classes):
    """A module has the names of its .d.ts except those of the glue's own. A class has its members and `free`."""
    declared = (FIXTURES / glue.removeprefix("/fixtures/")).with_suffix(".d.ts").read_text()
    exports = set(re.findall(r"^export (?:function|class|enum) (\w+)", declared, re.MULTILINE))
    members = {name: names for name, names in classes.items() if names}
    expected = [[], sorted(exports - {"initSync", "setPanicHook"}), *members.values()]
    assert py.run(public_names, glue=glue, classes=list(members)) == expected


async def constants(glue):
    import enum

    import unpanic

    module = await unpanic.load(glue, wasm=WASM)
    is_enum = issubclass(module.Shade, enum.IntEnum)
    return [
        getattr(module, "lambda")(2, 3),
        module.VERSION,
        module.LIMIT,
        module.OFF,
        is_enum,
        dict(module.Shade.__members__),
    ]


def test_constants_and_keywords(py):
    """Constants are Python values, enums are IntEnum, and an export can have the name of a keyword."""
    more = 'export const VERSION = "1.2"; export const LIMIT = 2.5; export const OFF = null;\n'
    more += 'export const Shade = Object.freeze({Light: 0, "0": "Light", Dark: -7, "-7": "Dark"});\n'
    url = py.site.server.route(
        "/constants.js", more + GLUE_TEXT.replace("export function add(", "export function lambda(")
    )
    assert py.run(constants, glue=url) == [5, "1.2", 2.5, None, True, {"Light": 0, "Dark": -7}]


async def unload_twice():
    import unpanic

    bank = await unpanic.load(BANK)
    add, account = bank.add, bank.Account("ada", 1)
    found = [add(1, 2), account.balance]
    unpanic.unload(bank)
    unpanic.unload(bank)
    for use in (lambda: bank.add(1, 2), lambda: add(1, 2), lambda: account.balance, lambda: bank.Account("bob", 2)):
        try:
            found.append(use())
        except unpanic.ModuleTerminated as error:
            found.append("unloaded" in str(error))
    account.free()
    return [*found, unpanic.status(bank).phase, unpanic.status(bank).in_flight]


def test_unload(py):
    """Every use of an unloaded module says so. A second unload, or freeing its objects, is no error."""
    assert py.run(unload_twice) == [3, 1, True, True, True, True, "unloaded", 0]


async def two_modules(urls):
    import unpanic

    first, second = [await unpanic.load(url, recovery="reset") for url in urls]
    found = [first is second, [first.count(), first.count(), second.count()]]
    account, waiting = second.Account("ada", 5), second.slow(20)
    try:
        first.transfer("nobody", "no one", 1)
    except unpanic.RustPanic as panic:
        found.append(panic.module)
    states = [unpanic.status(module) for module in (first, second)]
    found.append([[state.generation, sum(state.crashes.values())] for state in states])
    return [*found, await waiting, account.balance, [first.count(), second.count()]]


@pytest.mark.parametrize("other", [BANK, BANK + "?other", "/fixtures/bank/pkg/unwind/bank.js"])
def test_two_modules(py, other):
    """Two modules share nothing, even from one URL: a crash of one does not affect the other."""
    expected = [False, [1, 2, 1], "bank", [[1, 1], [0, 0]], 20, 5, [1, 2]]
    assert py.run(two_modules, urls=[BANK, other]) == expected


async def load_moved(glue):
    """Loads a module whose glue the server sends from another folder. Returns its results and its types."""
    import unpanic

    silent = await unpanic.load(glue)
    found = [silent.__name__, silent.add(2, 3), hasattr(silent, "Cents")]
    try:
        silent.boom("on to the next generation")
    except unpanic.Crash:
        found.append(silent.add(3, 4))
    unpanic.unload(silent)
    return found


def test_glue_that_was_redirected_finds_its_files(py):
    """The Wasm file, the types and the imports of glue are beside the address that the glue came from."""
    server = py.site.server
    source = "import { seven } from './snippets/seven.js';\n" + GLUE_TEXT + "\nexport const lucky = seven;\n"
    server.route("/v2/pkg/silent.js", source)
    server.route("/v2/pkg/snippets/seven.js", "export const seven = 7;")
    server.route("/v2/pkg/silent_bg.wasm", (FIXTURES / "silent/pkg/abort/silent_bg.wasm").read_bytes())
    server.route(
        "/v2/pkg/silent.d.ts", "export type Cents = number;\nexport function add(a: number, b: number): Cents;"
    )
    for number, status in enumerate((301, 302, 307, 308)):
        latest = server.route(f"/latest-{number}/silent.js", status=status, location="/v2/pkg/silent.js")
        assert py.run(load_moved, glue=latest) == ["silent", 5, True, 7]
    assert not [path for path in server.requests if re.match(r"/latest-\d/.*(wasm|snippets)", path)]


async def names_of(places):
    import unpanic

    found = []
    for place in places:
        module = await unpanic.load(place)
        found.append(module.__name__)
        unpanic.unload(module)
    return found


def test_a_file_whose_name_tells_nothing_is_named_after_its_folder(py):
    """Files named `index`, `web`, `main` or `wasm` get the name of their folder or package; others keep their name."""
    names = {
        "/node_modules/some-bank/dist/web/index.js": "some_bank",
        "/npm/@scope/some-bank@1.2.0/web.js": "some_bank",
        "/bank/pkg/main.js": "bank",
        "/index/bank.js": "bank",
    }
    for place in names:
        py.site.server.route(place, GLUE_TEXT)
        folder = place.rpartition("/")[0]
        py.site.server.route(f"{folder}/silent_bg.wasm", (FIXTURES / "silent/pkg/abort/silent_bg.wasm").read_bytes())
    assert py.run(names_of, places=[*names]) == [*names.values()]


async def load_lacking(glue):
    """Returns the warnings of the load, the results of calls, and the error of a call of the missing export."""
    import warnings

    import unpanic

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        silent = await unpanic.load(glue, wasm=WASM)
    found = [[warning.category.__name__, str(warning.message), warning.filename] for warning in warned]
    raised = []
    for call in (lambda: silent.gone(1), silent.later):
        try:
            result = call()
            await result
        except Exception as error:
            raised.append([type(error).__name__, str(error)])
    state = [silent.add(2, 3), unpanic.status(silent).generation]
    unpanic.unload(silent)
    return found, raised, state


def test_an_export_that_is_missing_is_a_warning(py):
    """The rest of the package works. A call that needs the export raises, and nothing is reset."""
    calls = "export function gone(a) { return wasm.gone(a); }\nexport async function later() { return wasm.later(); }\n"
    glue = py.site.server.route("/lacking/silent.js", GLUE_TEXT + "\n" + calls)
    warned, raised, state = py.run(load_lacking, glue=glue)
    assert [(kind, file.rpartition("/")[2]) for kind, _, file in warned] == [("RuntimeWarning", "test_load_forms.py")]
    assert "does not export: gone, later." in warned[0][1]
    assert [kind for kind, _ in raised] == ["GlueError", "GlueError"]
    assert "calls the export gone, which its Wasm file does not have" in raised[0][1]
    assert state == [5, 0]
