"""Wasm files without glue: their exports, memories, globals and imports, and what survives a crash."""

import base64
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAIN = (ROOT / "rust/raw/pkg/plain.wasm").read_bytes()
DATA = base64.b64encode(PLAIN).decode()
# The module imports these two.
LIST = "It imports env.log(i32, f64), env.pick(i64) -> i64."


async def load_plain(data, *, log=None, pick=None, **options):
    """Loads the module; by default its imports do nothing."""
    import base64
    import warnings

    import unpanic

    imports = {"env": {"log": log or (lambda *_: None), "pick": pick or (lambda value: value)}}
    with warnings.catch_warnings(record=True):
        return await unpanic.load(base64.b64decode(data), imports=imports, name="plain", **options)


async def use(data):
    """Calls each kind of export."""
    import inspect

    import unpanic

    plain = await load_plain(data)
    refused = []
    for run in (
        lambda: plain.add(2**40, 1),
        lambda: plain.double(2**64),
        lambda: plain.double("1"),
        lambda: plain.half("1"),
        lambda: plain.add(1),
    ):
        try:
            run()
        except (TypeError, OverflowError) as error:
            refused.append(str(error))
    return {
        "adapter": unpanic.status(plain).adapter,
        "recovery": unpanic.status(plain).recovery,
        "values": [plain.add(2, right=3), plain.double(-(2**62)), plain.half(3), plain.scale(2, 0.25), plain.both(-3)],
        "types": [type(value).__name__ for value in (plain.half(4), plain.scale(2, 2), plain.double(1))],
        "signatures": [str(inspect.signature(f)).replace("'", "") for f in (plain.add, plain.double, plain.scale)],
        "refused": refused,
        "public": [name for name in dir(plain) if not name.startswith("_")],
    }


def test_exports_are_typed_functions(py):
    """Types and names come from the file, and numbers that do not fit are refused."""
    assert py.run(use, data=DATA) == {
        "adapter": "raw",
        "recovery": "rollback",
        "values": [5, -(2**63), 1.5, 0.5, [-3, -3]],
        "types": ["float", "float", "int"],
        "signatures": [
            "(left: int, right: int) -> int",
            "(value: int) -> int",
            "(value: float, arg1: float) -> float",
        ],
        "refused": [
            "add() argument 'left': 1099511627776 does not fit a 32-bit integer (-2147483648 to 4294967295)",
            "double() argument 'value': 18446744073709551616 does not fit a 64-bit integer "
            "(-9223372036854775808 to 18446744073709551615)",
            "double() argument 'value': 'str' object cannot be interpreted as an integer",
            "half() argument 'value': must be a real number, not str",
            "add() missing 1 required positional argument: 'right'",
        ],
        "public": sorted([
            "add", "ask", "both", "bump", "counter", "divide", "double", "grow", "half", "limit", "load", "memory",
            "ratio", "scale", "spin", "store", "tell",
        ]),
    }  # fmt: skip


async def use_memory(data, recovery):
    """Writes and reads the memory and the globals, and lets a call crash that has written too."""
    import unpanic

    plain = await load_plain(data, recovery=recovery)
    memory = plain.memory
    memory[0:4] = b"abcd"
    memory[10] = 7
    plain.counter.value, plain.ratio.value = 30, 0.25
    before = [plain.load(10), bytes(memory[0:4]).decode(), plain.counter.value, plain.ratio.value, plain.limit.value]
    crashes = []
    for _ in range(3):
        try:
            plain.divide(1, 0)
        except unpanic.Crash as crash:
            crashes.append([crash.kind, crash.code, crash.call, crash.recovery])
        plain.store(20, 5)
    after = [memory[10], memory[0:4].decode(), plain.counter.value, plain.ratio.value, memory[20]]
    return before, crashes, after, len(memory), unpanic.status(plain).generation


@pytest.mark.parametrize("recovery", ["rollback", "reset"])
def test_a_crash_brings_memory_and_globals_back(py, recovery):
    """A rollback keeps what Python wrote before, and a reset shows the new instance through the same names."""
    before, crashes, after, length, generation = py.run(use_memory, data=DATA, recovery=recovery)
    assert before == [7, "abcd", 30, 0.25, 9007199254740993]
    assert crashes == [["trap", "divide_by_zero", "divide", recovery]] * 3
    assert after == ([7, "abcd", 30, 0.25, 5] if recovery == "rollback" else [0, "\0\0\0\0", 7, 0.5, 5])
    assert (length, generation) == (65536, 0 if recovery == "rollback" else 3)


async def grow_memory(data, recovery):
    """Lets Python and the module grow the memory, with a crash between."""
    import contextlib

    import unpanic

    plain = await load_plain(data, recovery=recovery)
    lengths = [len(plain.memory)]
    plain.memory.grow(1)
    lengths.append(len(plain.memory))
    plain.memory[-1] = 9
    with contextlib.suppress(unpanic.Crash):
        plain.divide(1, 0)
    lengths.append(len(plain.memory))
    last = plain.memory[-1]
    plain.grow(1)
    lengths.append(len(plain.memory))
    try:
        plain.memory.grow(9)
    except MemoryError as error:
        text = str(error)
    unpanic.reset(plain)
    lengths.append(len(plain.memory))
    outside = []
    for place in (lengths[-1], -lengths[-1] - 1):
        try:
            plain.memory[place]
        except IndexError:
            outside.append(place < 0)
    return lengths, last, text, outside


@pytest.mark.parametrize("recovery", ["rollback", "reset"])
def test_the_bounds_of_a_memory_are_those_of_now(py, recovery):
    """They follow growth by either side, and a reset."""
    lengths, last, text, outside = py.run(grow_memory, data=DATA, recovery=recovery)
    # Behind the first page is room for what rollback needs, once the memory has grown.
    grown = 65536 + 2**20 if recovery == "rollback" else 65536
    if recovery == "rollback":
        assert lengths == [65536, grown + 65536, grown + 65536, grown + 2 * 65536, 65536]
    else:
        assert lengths == [65536, 2 * 65536, 65536, 2 * 65536, 65536]
    assert last == (9 if recovery == "rollback" else 0)
    assert text == "plain.memory cannot grow by 9 pages of 64 KiB"
    assert outside == [False, True]


async def call_imports(data, recovery):
    """Lets imports write into the memory, raise, and return what does not fit."""
    import unpanic

    seen = []

    def log(code, weight):
        seen.append([code, weight, type(weight).__name__])
        plain.memory[100] = code + 1
        plain.counter.value = 50 + code

    def pick(value):
        plain.memory[101] = 9
        return [value + 1, None, 2**64][int(value)] if value < 3 else 1 // 0

    plain = await load_plain(data, log=log, pick=pick, recovery=recovery)
    plain.tell(3)
    good = [plain.ask(0), plain.memory[100], plain.counter.value]
    plain.memory[101] = 0
    crashes = []
    for run in (lambda: plain.tell(0), lambda: plain.ask(1), lambda: plain.ask(2), lambda: plain.ask(3)):
        try:
            run()
        except unpanic.Crash as crash:
            cause = crash.__cause__
            crashes.append([crash.kind, type(cause).__name__, getattr(cause, "__notes__", [])])
    return seen, good, crashes, [plain.memory[100], plain.memory[101], plain.counter.value], plain.ask(0)


def test_imports_are_python_functions(py):
    """They get and return numbers of the file's types, and what they do is rolled back with the call."""
    seen, good, crashes, after, again = py.run(call_imports, data=DATA, recovery="rollback")
    assert seen == [[3, 1.0, "float"], [0, 1.0, "float"]]
    assert good == [1, 4, 53]
    note = ["in what env.pick returned to plain, which must be i64"]
    assert crashes == [
        ["trap", "NoneType", []],
        ["foreign", "TypeError", note],
        ["foreign", "OverflowError", note],
        ["foreign", "ZeroDivisionError", []],
    ]
    assert (after, again) == ([4, 0, 53], 1)


def test_imports_survive_resets(py):
    """Each generation calls the same functions."""
    _, _, crashes, _, again = py.run(call_imports, data=DATA, recovery="reset")
    assert ([crash[0] for crash in crashes], again) == (["trap", "foreign", "foreign", "foreign"], 1)


async def stop(data):
    """Stops an endless loop."""
    import unpanic

    plain = await load_plain(data, timeout=0.05)
    plain.memory[5] = 8
    try:
        plain.spin()
    except unpanic.CallTimeout as crash:
        return [crash.recovery, plain.memory[5], plain.add(1, 1)]


def test_a_loop_is_stopped(py):
    """A deadline ends it, and the state is kept."""
    assert py.run(stop, data=DATA) == ["rollback", 8, 2]


async def undo(data):
    """Writes in a transaction that fails, and goes back to a checkpoint."""
    import unpanic

    plain = await load_plain(data)
    plain.memory[0:2] = b"ab"
    point = unpanic.checkpoint(plain)
    try:
        with unpanic.transaction(plain):
            plain.memory[0:2] = b"xy"
            plain.counter.value = 90
            plain.store(2, 5)
            raise LookupError
    except LookupError:
        undone = [plain.memory[0:3].hex(), plain.counter.value]
    plain.memory[0:2] = b"zz"
    plain.counter.value = 91
    unpanic.restore(plain, point)
    return undone, [plain.memory[0:3].hex(), plain.counter.value], plain.add(1, 2)


def test_transactions_and_checkpoints_hold_what_python_wrote(py):
    """What is written through the memory belongs to the state like what the module writes."""
    assert py.run(undo, data=DATA) == [["616200", 7], ["616200", 7], 3]


async def load_wrong(data, imports, names):
    """Returns the error of a load with these imports, all of them functions, but for numbers."""
    import base64

    import unpanic

    given = {
        module: {name: (lambda *_: None) if value is None else value for name, value in values.items()}
        for module, values in imports.items()
    }
    try:
        await unpanic.load(base64.b64decode(data), **({"imports": given} if names else {}))
    except Exception as error:
        return type(error).__name__, str(error)


WRONG = {
    "none": ({}, False, f"the Wasm data needs imports that were not given. Add to `imports`: {LIST[11:]}"),
    "one missing": (
        {"env": {"log": None}},
        True,
        "the Wasm data needs imports that were not given. Add to `imports`: env.pick(i64) -> i64.",
    ),
    "one too many": (
        {"env": {"log": None, "pick": None}, "js": {"now": None}},
        True,
        f"the Wasm data does not import js.now: take that out of `imports`. {LIST}",
    ),
    "a number": (
        {"env": {"log": 3, "pick": None}},
        True,
        f"The import env.log of the Wasm data must be a function, not number. {LIST}",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_imports_are_told_with_those_that_are_wanted(py, case):
    """The message lists all that the file imports, with types."""
    imports, given, message = WRONG[case]
    assert py.run(load_wrong, data=DATA, imports=imports, names=given) == ["LoadError", message]


# (module (import "wasi_snapshot_preview1" "fd_write" (func)))
WASI = b"\0asm\1\0\0\0\1\4\1\x60\0\0\2\x23\1\x16wasi_snapshot_preview1\x08fd_write\0\0"


def test_wasi_is_named(py):
    """The error says what the file was built for."""
    kind, message = py.run(load_wrong, data=base64.b64encode(WASI).decode(), imports={}, names=False)
    assert kind == "LoadError"
    assert re.match(
        r"the Wasm data was built for WASI \(it imports wasi_snapshot_preview1\.fd_write\), which unpanic does", message
    )


async def load_form(form, url, data):
    """Loads the module from a URL, a path or with `load_sync`."""
    import base64
    import inspect
    import warnings
    from pathlib import Path

    import unpanic

    import js

    path = Path("given.wasm")
    path.write_bytes(base64.b64decode(data))
    imports = {"env": {"log": lambda *_: None, "pick": lambda value: value}}
    sources = {"URL": url, "URL object": js.URL.new(url), "path": str(path), "Path": path, "sync": path}
    load = unpanic.load_sync if form == "sync" else unpanic.load
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = load(sources[form], imports=imports)
        plain = await loaded if inspect.isawaitable(loaded) else loaded
    plain.memory[3] = 4
    return plain.__name__, plain.load(3), unpanic.status(plain).adapter, len(caught)


@pytest.mark.parametrize("form", ["URL", "URL object", "path", "Path", "sync"])
def test_each_form_of_file(py, form):
    """The module is called after its file."""
    url = py.site.server.route("/raw/given.wasm", PLAIN)
    assert py.run(load_form, form=form, url=url, data=DATA) == ["given", 4, "raw", 1]


async def load_beside(url):
    """Loads a Wasm file of wasm-bindgen's by its own name."""
    import inspect

    import unpanic

    try:
        module = await unpanic.load(url)
    except unpanic.LoadError as error:
        return type(error).__name__, str(error).replace(url.rpartition("/")[0], "")
    return module.__name__, module.add(2, 3), unpanic.status(module).adapter, str(inspect.signature(module.add))


def test_the_glue_beside_a_file_of_wasm_bindgen(py):
    """The glue is loaded with the file, and its types are those of the `.d.ts`."""
    url = f"{py.url}/fixtures/silent/pkg/abort/silent_bg.wasm"
    assert py.run(load_beside, url=url)[:3] == ["silent", 5, "factory"]


def test_a_file_of_wasm_bindgen_without_its_glue(py):
    """The error says where the glue was looked for."""
    content = (ROOT / "rust/fixtures/silent/pkg/abort/silent_bg.wasm").read_bytes()
    url = py.site.server.route("/lonely/silent_bg.wasm", content)
    assert py.run(load_beside, url=url) == [
        "GlueError",
        "/silent_bg.wasm was written by wasm-bindgen and needs its glue, and there is none at /silent.js. "
        "Load the glue instead, and pass this file as `wasm`.",
    ]


JAVASCRIPT = """async () => {
    const { load, Crash } = await import("/unpanic.js");
    const seen = [];
    const imports = { env: { log: (...args) => seen.push(args), pick: (value) => value } };
    const { exports, reset, unload } = await load("/raw/plain.wasm", { imports });
    new Uint8Array(exports.memory.buffer)[3] = 9;
    exports.counter.value = 20;
    exports.tell(1);
    const before = [exports.add(2, 3), exports.load(3), exports.bump(), exports.ask(4n) === 4n, seen.flat()];
    let crash;
    try { exports.divide(1, 0); } catch (error) { crash = error; }
    const after = [exports.load(3), exports.counter.value, exports.memory.buffer.byteLength];
    unload();
    const wrong = await load("/raw/plain.wasm").catch(({ name, message }) => [name, message]);
    const beside = await load("/fixtures/silent/pkg/abort/silent_bg.wasm");
    return { before, crash: [crash instanceof Crash, crash.kind], after, wrong, beside: beside.exports.add(2, 3) };
}"""


def test_plain_javascript(page, server):
    """The runtime without Python loads the same files."""
    server.route("/unpanic.js", (ROOT / "js/dist/unpanic.js").read_text("utf-8"))
    url = server.route("/raw/plain.wasm", PLAIN)
    page.goto(server.route("/plain/", "<!doctype html>", content_type="text/html"))
    assert page.evaluate(JAVASCRIPT) == {
        "before": [5, 9, 21, True, [1, 1]],
        "crash": [True, "trap"],
        "after": [0, 7, 65536],
        "wrong": ["LoadError", f"{url} needs imports that were not given. Add to `imports`: {LIST[11:]}"],
        "beside": 5,
    }
