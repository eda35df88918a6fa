"""What cannot be rolled back is loaded as ever, and reset; its status says why. To demand rollback is an error then."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import wasmtime

from scripts.serve import Server
from tests.browser.builds import padded

BANK = Path(__file__).parents[2] / "rust/fixtures/bank/pkg/abort"
GLUE = "/fixtures/bank/pkg/abort/bank.js"
MEMORY = '(memory (export "memory") 1)'
ADD = '(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))'


# What the glue of `bank` wants besides. It calls some when it begins, and takes the number for a slot of the table.
WANTED = {*re.findall(r"\bwasm\.(\w+)", (BANK / "bank.js").read_text("utf-8"))}
FUNCTIONS = sorted(WANTED - {"memory", "add", "__wbindgen_externrefs"})
STUBS = f"""(func {" ".join(f'(export "{name}")' for name in FUNCTIONS)} (result i32) (i32.const 4))
    (table (export "__wbindgen_externrefs") 8 externref)"""


def module(*fields: str) -> bytes:
    """A Wasm file with these fields and the function `add`, which fits to the glue of the fixture `bank`."""
    return bytes(wasmtime.wat2wasm(f"(module {' '.join(fields)} {ADD} {STUBS})"))


def cut(wasm: bytes) -> bytes:
    return wasm[: len(wasm) // 2]


def damaged(wasm: bytes) -> bytes:
    """Returns the file with nonsense in the middle of its code."""
    middle = len(wasm) // 2
    return wasm[:middle] + b"\xff" * 64 + wasm[middle + 64 :]


# Which feature is used, the module, and why it cannot be rolled back.
REFUSED = {
    "atomics": (module(MEMORY, "(func (i32.atomic.store (i32.const 0) (i32.const 1)))"), "it uses threads"),
    "memory64": (module('(memory (export "memory") i64 1)'), "it uses memory64"),
    "several memories": (module(MEMORY, '(memory (export "other") 1)'), "it has several memories"),
    "no memory": (module(), "it has no memory"),
    "hidden memory": (module("(memory 1)"), "it does not export its memory"),
    "imported memory": (
        module('(import "./bank_bg.js" "memory" (memory 1))', '(export "memory" (memory 0))'),
        "it imports its memory",
    ),
    "imported global": (
        module('(import "./bank_bg.js" "global" (global (mut i32)))', MEMORY),
        "it imports a global that it can change",
    ),
    "dropped growth": (module(MEMORY, "(func (drop (memory.grow (i32.const 1))))"), "memory.grow"),
    "no room": (module('(memory (export "memory") 65505)'), "leaves no room"),
}
# What no option makes loadable.
BROKEN = {
    "shared memory": module('(memory (export "memory") 1 1 shared)'),
    "cut": cut((BANK / "bank_bg.wasm").read_bytes()),
    "damaged": damaged((BANK / "bank_bg.wasm").read_bytes()),
    "no Wasm": b"<!doctype html>",
    "nothing": b"",
}


async def load_in_all_ways(glue, wasm):
    """Returns for each recovery what the load comes to, and what the log says of it."""
    import logging
    import warnings

    import unpanic

    warnings.simplefilter("ignore")  # the glue calls much that the Wasm file lacks
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append([record.levelname, record.unpanic])
    logger = logging.getLogger("unpanic")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    found = {}
    for recovery in ("reset", "auto", "rollback"):
        try:
            module = await unpanic.load(glue, wasm=wasm, recovery=recovery)
            status = unpanic.status(module)
            found[recovery] = [module.add(2, 3), status.recovery, status.why]
            unpanic.unload(module)
        except unpanic.LoadError as error:
            found[recovery] = [type(error).__name__, str(error)]
    logger.removeHandler(handler)
    logger.setLevel(level)
    return found, [[level, data["reason"]] for level, data in records if data["event"] == "no rollback"]


@pytest.fixture
def glue(server: Server) -> str:
    """Glue that offers a memory and a global."""
    text = (BANK / "bank.js").read_text("utf-8")
    offers = (
        "memory: new WebAssembly.Memory({initial: 1}), global: new WebAssembly.Global({value: 'i32', mutable: true}, 0)"
    )
    head = "const import0 = {\n        __proto__: null,\n"
    assert text.count(head) == 1
    return server.route("/offering/bank.js", text.replace(head, f"{head}        {offers},\n"))


@pytest.mark.parametrize("feature", REFUSED)
def test_what_is_refused_is_reset_and_says_why(py, server: Server, glue: str, feature: str):
    wasm, reason = REFUSED[feature]
    found, logged = py.run(load_in_all_ways, glue=glue, wasm=server.route(f"/refused/{feature[-6:]}.wasm", wasm))
    assert found["reset"][:2] == [5, "reset"], found["reset"]
    five, recovery, why = found["auto"]
    assert (five, recovery) == (5, "reset")
    assert why.startswith("its calls cannot be rolled back: ")
    assert reason in why
    assert logged == [["INFO", why.partition(": ")[2]]]
    name, text = found["rollback"]
    assert name == "CompileError"
    assert 'cannot be loaded with `recovery="rollback"`' in text
    assert reason in text


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_broken_fails_as_ever(py, server: Server, fault: str):
    """The rewriter that sees the file first does not change what the error says."""
    wasm = server.route(f"/broken/{fault[-5:]}.wasm", BROKEN[fault])
    found, logged = py.run(load_in_all_ways, glue=GLUE, wasm=wasm)
    name, text = found["reset"]
    assert name in ("CompileError", "LoadError"), found
    assert found["auto"] == [name, text.replace("compileStreaming", "compile")]
    assert found["rollback"][0] in ("CompileError", "LoadError"), found
    assert logged == []


@pytest.mark.parametrize("limits", ["1 1", "0", "0 0", "1 65536"])
def test_memory_has_room_for_the_cards(py, server: Server, limits: str):
    """A memory that may not grow gets room for the table of cards nevertheless."""
    wasm = server.route("/limits.wasm", module(f'(memory (export "memory") {limits})'))
    found, logged = py.run(load_in_all_ways, glue=GLUE, wasm=wasm)
    assert [found[recovery][:2] for recovery in found] == [[5, "reset"], [5, "rollback"], [5, "rollback"]]
    assert logged == []


async def load_where_the_engine_refuses(glue, wasm):
    from pyodide.code import run_js

    mend = run_js("""(() => {
        const { compile } = WebAssembly;
        WebAssembly.compile = (bytes) =>
            new TextDecoder("latin1").decode(bytes).includes("unpanic.rewritten")
                ? Promise.reject(new WebAssembly.CompileError("it is too strange"))
                : compile.call(WebAssembly, bytes);
        return () => { WebAssembly.compile = compile; };
    })()""")
    try:
        return await load_in_all_ways(glue, wasm)
    finally:
        mend()


def test_a_rewritten_file_that_the_engine_refuses(py, server: Server):
    """The original is taken in its place. No other test has loaded these bytes, so the engine has to compile them."""
    wasm = server.route("/refused.wasm", padded((BANK / "bank_bg.wasm").read_bytes(), 9))
    found, logged = py.run(load_where_the_engine_refuses, glue=GLUE, wasm=wasm)
    reason = "the browser does not compile its rewritten Wasm file (it is too strange)"
    assert found["auto"] == [5, "reset", f"its calls cannot be rolled back: {reason}"]
    assert logged == [["INFO", reason]]
    name, text = found["rollback"]
    assert name == "CompileError"
    assert "it is too strange" in text


async def load_at_once(wasm):
    import pathlib

    import unpanic
    from pyodide.http import pyfetch

    glue = "/fixtures/bank/pkg/abort/bank.js"
    folder = pathlib.Path("/tmp/at_once")
    folder.mkdir(exist_ok=True)
    for name, url in [("bank.js", glue), ("bank_bg.wasm", wasm)]:
        (folder / name).write_bytes(await (await pyfetch(url)).bytes())
    bank = unpanic.load_sync(folder / "bank.js")
    status = unpanic.status(bank)
    found = [bank.add(2, 3), status.recovery, status.why]
    unpanic.unload(bank)
    return found


def test_a_file_that_becomes_too_large_for_the_main_thread(py, server: Server, refuses: bool):
    """Where 8 MB are compiled at once and no more, a file just below that is loaded as it is."""
    wasm = (BANK / "bank_bg.wasm").read_bytes()
    body = padded(wasm, (8 << 20) - len(wasm) - 5)
    assert len(body) == 8 << 20
    found = py.run(load_at_once, wasm=server.route("/at-once.wasm", body))
    assert found[:2] == [5, "reset" if refuses else "rollback"]
    if refuses:
        assert "the browser does not compile its rewritten Wasm file" in found[2]


async def without_rewriter(glue, content):
    """Loads where the rewriter's file is missing, or has this content; and then where it is what it was."""
    from importlib import resources
    from pathlib import Path

    file = Path(str(resources.files("unpanic").joinpath("rewriter.wasm")))
    original = file.read_bytes()
    file.unlink()
    try:
        if content:
            file.write_bytes(content.encode())
        found, logged = await load_in_all_ways(glue, None)
    finally:
        file.write_bytes(original)
    # The file that was compiled without it would be taken again.
    return found, logged, await load_in_all_ways(glue, glue.replace(".js", "_bg.wasm?again"))


def test_a_rewriter_that_is_missing(py):
    """That is a mistake of who serves the page, so the log warns of it."""
    found, logged, [whole, _] = py.run(without_rewriter, glue=GLUE, content="")
    assert found["reset"][:2] == [5, "reset"]
    assert found["auto"][:2] == [5, "reset"]
    assert "unpanic's own file rewriter.wasm cannot be read" in found["auto"][2]
    assert "install its wheel as it was built" in found["auto"][2]
    assert logged == [["WARNING", found["auto"][2].partition(": ")[2]]]
    name, text = found["rollback"]
    assert name == "FetchError"
    assert text.startswith(
        'The rewriter is needed for `recovery="rollback"`: unpanic\'s own file rewriter.wasm cannot be'
    )
    assert whole["auto"][1] == "rollback"


def test_a_rewriter_that_the_engine_does_not_compile(fresh_py):
    """Such as a page that a server has sent in its place; a page that has it already keeps it."""
    found, logged, [whole, _] = fresh_py.run(without_rewriter, glue=GLUE, content="<!doctype html>")
    assert found["reset"][:2] == [5, "reset"]
    assert found["auto"][:2] == [5, "reset"]
    assert "the rewriter failed (" in found["auto"][2]
    assert logged == [["INFO", found["auto"][2].partition(": ")[2]]]
    name, text = found["rollback"]
    assert name == "CompileError"
    assert 'cannot be rewritten for `recovery="rollback"`: the rewriter failed' in text
    assert whole["auto"][1] == "rollback"
