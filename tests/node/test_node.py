"""Pyodide under Node, with files of Node's file system and with servers, for quick tests."""

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.builds import caught
from tests.browser.test_capsules import PEOPLE, check_replayed, keep_objects, replay_objects

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/getting-started/node.md"
FILE = re.compile(r'^```\w+ title="(.*?)"\n(.*?)^```', re.M | re.S)
OUTPUT = re.compile(r"^```text\n(.*?)^```", re.M | re.S)
BUILDS = ["abort", "reset", "unwind"]
BANK = "/fixtures/bank/pkg/abort/bank.js"
DEATHS = [
    ("panic_message", [], "RustPanic"),
    ("trap_unreachable", [], "Trap"),
    ("abort", [], "Trap"),
    ("shadow_stack_overflow", [], "StackOverflow"),
    ("engine_stack_overflow", [], "StackOverflow"),
    ("out_of_memory", [], "OutOfMemory"),
    ("throw_str", ["hi"], "RustError"),
]


async def die(build, deaths):
    import unpanic

    faults = await unpanic.load(f"/fixtures/faults/pkg/{build}/faults.js", panic_hook=lambda _: None)
    found = []
    for name, arguments in deaths:
        error = caught(getattr(faults, name), *arguments)
        found.append([type(error).__name__, faults.add(1, 2), faults.echo_string("wörld")])
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_every_crash(py, build):
    """Every kind of crash arrives under Node as in a browser, and costs one exception."""
    found = py.run(die, build=build, deaths=[death[:2] for death in DEATHS])
    assert found == [[kind, 3, "wörld"] for *_, kind in DEATHS]


async def recover(glue, recovery, delay):
    import asyncio
    import warnings

    import unpanic

    warnings.simplefilter("ignore")
    bank = await unpanic.load(glue, recovery=recovery, panic_hook=lambda _: None)
    add = bank.add
    account = bank.Account("ada", 100)
    in_flight = [bank.slow(delay), bank.slow(delay + 1)]
    panic = caught(account.withdraw, 1000)
    ended = await asyncio.gather(*in_flight, return_exceptions=True)
    return {
        "panic": [type(panic).__name__, str(panic.location), panic.frames[0].function.endswith("::withdraw")],
        "in flight": [
            [type(end).__name__, end.crash is panic] if isinstance(end, BaseException) else end for end in ended
        ],
        "after": [add(2, 3), account.balance, await bank.slow(5), unpanic.status(bank).generation],
    }


PANIC = ["RustPanic", "src/lib.rs:75:13", True]
# For each recovery, how long the calls in flight would take, and what is found.
RECOVERED = {
    "auto": (200, {"panic": PANIC, "in flight": [200, 201], "after": [5, 100, 5, 0]}),
    "reset": (10_000, {"panic": PANIC, "in flight": [["CallInterrupted", True]] * 2, "after": [5, 100, 5, 1]}),
}


@pytest.mark.parametrize("recovery", RECOVERED)
def test_recovery_from_a_path(py, recovery):
    """With glue from a mounted folder, names and objects work after a panic. Only a reset interrupts other calls."""
    delay, found = RECOVERED[recovery]
    assert py.run(recover, glue=BANK, recovery=recovery, delay=delay) == found


@pytest.mark.parametrize("recovery", RECOVERED)
def test_recovery_from_a_server(py, recovery):
    """The same holds with the full URL of a server."""
    delay, found = RECOVERED[recovery]
    assert py.run(recover, glue=py.url + BANK, recovery=recovery, delay=delay) == found


async def load_from_files(glue):
    from pathlib import Path

    import unpanic

    data = Path(glue.replace(".js", "_bg.wasm")).read_bytes()
    found = []
    for module in (unpanic.load_sync(glue), await unpanic.load(Path(glue), wasm=data)):
        crash = caught(module.transfer, "ada", "bob", 1)
        found.append([type(crash).__name__, module.add(2, 3)])
    return found


def test_at_once_and_with_bytes(py):
    """`load_sync` takes a path, and the Wasm file may come as bytes."""
    assert py.run(load_from_files, glue=BANK) == [["RustPanic", 5]] * 2


async def refused(glue):
    import unpanic

    try:
        await unpanic.load(glue)
    except unpanic.FetchError as error:
        return str(error)


@pytest.mark.parametrize(
    ("glue", "words"),
    [
        ("/fixtures/gone.js", "neither a file that is here nor a full URL"),
        ("file:///fixtures/bank/pkg/abort/bank.js", "pass a path in Pyodide's file system"),
    ],
)
def test_what_cannot_be_fetched(py, glue, words):
    """A path without a file, and a file: URL, are refused, and the error says what to pass instead."""
    assert words in py.run(refused, glue=glue)


async def load_named(base, specs):
    """Loads packages from a server, and returns their names and signatures, or the errors."""
    import inspect

    import unpanic

    unpanic.npm(base=base)
    found = []
    for spec in specs:
        try:
            module = await unpanic.load(spec)
        except unpanic.LoadError as error:
            found.append([type(error).__name__, str(error)])
            continue
        named = [name for name in ("compile", "Store") if hasattr(module, name)]
        found.append([module.__name__, [str(inspect.signature(getattr(module, name))) for name in named]])
        unpanic.unload(module)
    try:
        unpanic.npm(base="/{name}")
    except ValueError as error:
        found.append(str(error)[:16])
    unpanic.npm()
    return found


def test_packages_by_their_names(py):
    """Packages come from the server that `npm` names, with their types; what is not there is an error."""
    base = py.url + "/npm/{name}/{path}"
    specs = ["npm:prql-js", "npm:oxigraph@0.5.11", "npm:prql-js@0.11.0", "npm:gone", "npm:"]
    prql, oxigraph, version, gone, nothing, template = py.run(load_named, base=base, specs=specs)
    assert prql[0] == "prql_js"
    assert prql[1][0].startswith("(prql_query: str, ")
    assert oxigraph[0] == "oxigraph"
    url = f"{py.url}/npm/prql-js/package.json"
    remedy = "Load npm:prql-js@0.12.1, or serve version 0.11.0 there."
    assert version == ["FetchError", f'prql-js has no version "0.11.0" here: {url} is of 0.12.1. {remedy}']
    assert gone[1].startswith(f"There is no npm:gone here: {py.url}/npm/gone/package.json does not exist.")
    assert nothing[1].startswith('"npm:" names no package')
    assert template == 'base="/{name}": '


def test_getting_started(tmp_path, node_pyodide, built_wheel):
    """The files of the page for Node run, and print the lines of the page."""
    text = PAGE.read_text("utf-8")
    (output,) = OUTPUT.findall(text)
    for name, source in FILE.findall(text):
        (tmp_path / name).write_text(source)
    shutil.copytree(ROOT / "rust/fixtures/bank/pkg/abort", tmp_path / "bank")
    shutil.copy(built_wheel, tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/pyodide").symlink_to(node_pyodide)
    done = subprocess.run(["node", "main.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == (output, 0), done.stderr[-2000:]


def test_a_crash_on_a_page_is_replayed(py, new_pyodide_host, py_in):
    """Node loads the same files, gets the capsules, and has the same crashes, with objects too."""
    with contextlib.closing(new_pyodide_host("page")) as host:
        capsules, _ = py_in(host).run(keep_objects, build="abort")
    answers, mine = py.run(replay_objects, glue=PEOPLE.format("abort"), capsules=capsules)
    check_replayed(capsules, answers, mine)
