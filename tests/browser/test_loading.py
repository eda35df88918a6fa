"""Files are compiled while they download, once for each URL. They are checked, and a load can be cancelled."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from scripts.serve import Server
from tests.browser.builds import padded

FIXTURES = Path(__file__).parents[2] / "rust" / "fixtures"
# Counts the compiles of files: those that are streams, and those that were rewritten and are bytes.
SPIED = """globalThis.spy ??= (() => {
    const spy = {};
    for (const name of ["compile", "compileStreaming"]) {
        const real = WebAssembly[name];
        spy[name] = 0;
        WebAssembly[name] = (...args) => { spy[name]++; return real.apply(WebAssembly, args); };
    }
    return spy;
})()"""


async def load_often(wasm, count, recovery):
    import asyncio

    import unpanic
    from pyodide.code import run_js

    spy = run_js(SPIED)
    before = [spy.compile, spy.compileStreaming]
    glue = "/fixtures/bank/pkg/abort/bank.js"
    at_once = await asyncio.gather(*(unpanic.load(glue, wasm=wasm, recovery=recovery) for _ in range(count)))
    later = await unpanic.load(glue, wasm=wasm, recovery=recovery)
    banks = [*at_once, later]
    for number, bank in enumerate(banks):
        bank.open("ada", number)
    compiles = [spy.compile - before[0], spy.compileStreaming - before[1]]
    return compiles, [bank.balance_of("ada") for bank in banks]


@pytest.mark.parametrize(("recovery", "compiles"), [("reset", [0, 1]), ("auto", [1, 0])])
def test_a_url_is_compiled_once(py, server: Server, engine: str, recovery: str, compiles: list[int]):
    """Four modules of one URL share one compile, and have instances of their own.

    It streams, except where the file is rewritten first, and in WebKit, which would lose names of functions. A file
    that this browser has rewritten before is found by its content, so this test has a file of its own.
    """
    content = padded((FIXTURES / "bank/pkg/abort/bank_bg.wasm").read_bytes(), 1_001)
    wasm = server.route("/loading/once.wasm", content, etag='"1"')
    expected = [1, 0] if engine == "webkit" else compiles
    assert py.run(load_often, wasm=wasm, count=3, recovery=recovery) == [expected, [0, 1, 2, 3]]


def large_bank(megabytes: int) -> bytes:
    """A Wasm file that takes some time to download."""
    return padded((FIXTURES / "bank/pkg/abort/bank_bg.wasm").read_bytes(), megabytes * 1_000_000)


async def watch_progress(wasm):
    import unpanic

    steps = []
    await unpanic.load(
        "/fixtures/bank/pkg/abort/bank.js", wasm=wasm, progress=lambda loaded, total: steps.append((loaded, total))
    )
    return steps


def test_progress_tells_how_far_a_download_is(py, server: Server):
    """The reported progress grows, and ends at the whole length."""
    body = large_bank(6)
    steps = py.run(watch_progress, wasm=server.route(f"/loading/progress-{py.realm}.wasm", body))
    assert steps[-1] == [len(body), len(body)]
    assert len(steps) > 1
    assert [loaded for loaded, _ in steps] == sorted({loaded for loaded, _ in steps})


async def give_up(wasm, how):
    import asyncio

    import unpanic

    glue = "/fixtures/bank/pkg/abort/bank.js"
    began = asyncio.Event()

    def progress(_loaded, total):
        began.set()
        if how == "raise":
            raise RuntimeError(f"enough at {total}")

    loading = asyncio.ensure_future(unpanic.load(glue, wasm=wasm, progress=progress))
    if how == "cancel":
        await began.wait()
        loading.cancel()
    [outcome] = await asyncio.gather(loading, return_exceptions=True)
    bank = await unpanic.load(glue, wasm=wasm)
    return f"{type(outcome).__name__}: {outcome}", bank.add(2, 3)


@pytest.mark.parametrize("how", ["cancel", "raise"])
def test_a_load_can_be_given_up(py, server: Server, how: str):
    """A cancellation or an exception of the callback ends the load, and then the same URL loads as usual."""
    body = large_bank(8)
    outcome, five = py.run(give_up, wasm=server.route(f"/loading/{how}-{py.realm}.wasm", body), how=how)
    assert outcome == {"cancel": "CancelledError: ", "raise": f"RuntimeError: enough at {len(body)}"}[how]
    assert five == 5


async def time_out(wasm):
    import asyncio

    import unpanic

    before = asyncio.all_tasks()
    try:
        async with asyncio.timeout(0):
            await unpanic.load("/fixtures/bank/pkg/abort/bank.js", wasm=wasm)
    except TimeoutError:
        return len(asyncio.all_tasks() - before)
    return -1


def test_a_load_can_have_a_deadline(py, server: Server):
    """`asyncio.timeout` ends the load and leaves nothing behind."""
    assert py.run(time_out, wasm=server.route("/loading/deadline.wasm", large_bank(4))) == 0


def sha384(data: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode()


def served(server: Server, name: str) -> tuple[str, str, str]:
    """Returns the URL of glue with a side effect, and the hashes of the glue and of its Wasm file."""
    glue = b"globalThis.checkedGlueRan = (globalThis.checkedGlueRan ?? 0) + 1;\n"
    glue += (FIXTURES / "bank/pkg/abort/bank.js").read_bytes()
    wasm = (FIXTURES / "bank/pkg/abort/bank_bg.wasm").read_bytes()
    server.route(f"/checked/{name}/bank_bg.wasm", wasm)
    return server.route(f"/checked/{name}/bank.js", glue), sha384(glue), sha384(wasm)


async def load_checked(glue, integrity):
    import unpanic

    import js

    js.checkedGlueRan = 0
    try:
        bank = await unpanic.load(glue, integrity=integrity)
    except unpanic.LoadError as error:
        return type(error).__name__, str(error), js.checkedGlueRan
    return "loaded", bank.add(2, 3), js.checkedGlueRan


def test_files_must_have_their_hashes(py, server: Server):
    """With both hashes the module loads. If a hash is wrong nothing runs, and the message has the actual hash."""
    url, glue, wasm = served(server, "both")
    assert py.run(load_checked, glue=url, integrity=f"{glue} {wasm}") == ["loaded", 5, 1]
    for integrity, missing, name in [(glue, wasm, "bank_bg.wasm"), (wasm, glue, "bank.js")]:
        kind, text, ran = py.run(load_checked, glue=url, integrity=integrity)
        assert (kind, ran) == ("FetchError", 0)
        assert f"{name} is not what `integrity` allows: its hash is {missing}. Add that, " in text


def test_what_is_no_hash_is_refused(py, server: Server):
    """A malformed hash is refused before any file is used."""
    url, _, _ = served(server, "none")
    kind, text, ran = py.run(load_checked, glue=url, integrity="sha1-abc")
    assert (kind, ran) == ("LoadError", 0)
    assert '"sha1-abc" is no hash; expected one like "sha384-" and 64 characters of base64.' in text


async def load_checked_files(glue, integrity, sync):
    import pathlib

    import unpanic
    from pyodide.http import pyfetch

    import js

    folder = pathlib.Path("/tmp/checked")
    folder.mkdir(exist_ok=True)
    for name in ("bank.js", "bank_bg.wasm"):
        (folder / name).write_bytes(await (await pyfetch(glue.replace("bank.js", name))).bytes())
    js.checkedGlueRan = 0
    path = folder / "bank.js"
    try:
        bank = unpanic.load_sync(path, integrity=integrity) if sync else await unpanic.load(path, integrity=integrity)
    except unpanic.LoadError as error:
        return type(error).__name__, js.checkedGlueRan
    return bank.add(2, 3), js.checkedGlueRan


@pytest.mark.parametrize("sync", [True, False])
def test_files_of_pyodides_file_system_are_checked_too(py, server: Server, sync: bool):
    """`load` and `load_sync` check the hashes of local files."""
    url, glue, wasm = served(server, "files")
    assert py.run(load_checked_files, glue=url, integrity=f"{wasm} {glue}", sync=sync) == [5, 1]
    for integrity in (glue, wasm):
        assert py.run(load_checked_files, glue=url, integrity=integrity, sync=sync) == ["FetchError", 0]


async def load_namespace_checked(integrity):
    import unpanic
    from pyodide.code import run_js

    namespace = await run_js("import('/fixtures/bank/pkg/reset/bank.js?' + Math.random())")
    try:
        await unpanic.load(namespace, wasm="/fixtures/bank/pkg/reset/bank_bg.wasm", integrity=integrity)
    except unpanic.LoadError as error:
        return str(error)


def test_what_has_run_already_cannot_be_checked(py):
    """A hash for an imported namespace is refused."""
    text = py.run(load_namespace_checked, integrity=sha384(b""))
    assert "cannot be checked, it has run already: pass the glue's URL instead." in text
