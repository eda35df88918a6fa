"""The rules of recovery hold in glue that a bundler minified, and in an application of one file."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.serve import Server
from tests.browser import (
    test_callbacks,
    test_deaths,
    test_entries,
    test_in_flight,
    test_lowering,
    test_names_and_objects,
    test_nesting,
    test_python_feel,
)
from tests.browser.builds import caught

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "rust/fixtures"

# The source that a page bundles, with its own code around the glue.
HOLDER = 'import * as bank from "./bank.js"; export { bank };'
APPLICATION = """
import { load } from "unpanic";
import * as glue from "./bank.js";
import wasm from "./bank_bg.wasm";

export async function story() {
    const bank = await load(glue, { wasm });
    const { Account, add, slow, transfer } = bank.exports;
    const outcome = (error) => [error.name, error.kind];
    const found = [new Account("ada", 5n).balance === 5n];
    const inFlight = slow(10_000).catch(outcome);
    try {
        transfer("ada", "bob", 1n);
    } catch (error) {
        found.push(outcome(error));
    }
    found.push(await inFlight, add(2, 3), new Account("eve", 1n).owner, await slow(5), bank.generation);
    bank.unload();
    return found;
}
"""


def bundle(folder: Path, source: str, *options: str) -> Path:
    """Runs esbuild on a file beside the bank, and returns the folder of its output."""
    for file in (FIXTURES / "bank/pkg/reset").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "entry.js").write_text(source)
    run_esbuild(str(folder / "entry.js"), f"--outdir={folder / 'out'}", "--public-path=/bundled", *options)
    return folder / "out"


def run_esbuild(*arguments: str) -> None:
    common = ["--bundle", "--format=esm", "--log-level=error", "--alias:unpanic=./js/dist/unpanic.js"]
    subprocess.run(["js/node_modules/.bin/esbuild", *common, *arguments], cwd=ROOT, check=True)


def serve(server: Server, folder: Path) -> None:
    for file in folder.iterdir():
        server.route(f"/bundled/{file.name}", file.read_bytes())


@pytest.fixture(scope="module")
def minified(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bundles the glue of the fixtures with esbuild, where `builds.load` looks for it."""
    folder = tmp_path_factory.mktemp("minified")
    crates = ("bank", "faults", "hookless", "lists", "shapes")
    glue = [str(FIXTURES / f"{crate}/pkg/reset/{crate}.js") for crate in crates]
    run_esbuild("--minify", "--entry-names=[name]", f"--outdir={folder}", *glue)
    for file in folder.iterdir():
        server.route(f"/minified/{file.name}", file.read_bytes())


@pytest.mark.parametrize(
    "rule",
    [
        test_callbacks.test_rust_closures,
        test_deaths.test_overflows_and_memory,
        test_deaths.test_panics,
        test_deaths.test_traps,
        test_entries.test_async_functions,
        test_entries.test_closures,
        test_entries.test_closures_that_javascript_calls,
        test_entries.test_free,
        test_entries.test_members,
        test_entries.test_timers_of_a_dead_generation_do_nothing,
        test_in_flight.test_calls_of_one_function,
        test_in_flight.test_cancelled_and_forgotten_calls,
        test_in_flight.test_unload_interrupts,
        test_lowering.test_an_object_is_not_taken_for_another_one,
        test_lowering.test_objects_that_cannot_all_live,
        test_names_and_objects.test_freed_and_moved_objects,
        test_names_and_objects.test_names_stay_right,
        test_names_and_objects.test_no_object_stays_locked,
        test_names_and_objects.test_objects_are_made_again,
        test_names_and_objects.test_objects_can_be_stale,
        test_names_and_objects.test_stale_objects_free_nothing,
        test_names_and_objects.test_track,
        test_nesting.test_another_module_never_notices,
        test_python_feel.test_calls_by_python_names,
        test_python_feel.test_enums,
        test_python_feel.test_functions_of_numbers,
        test_python_feel.test_objects_show_their_values,
        test_python_feel.test_signatures,
        test_python_feel.test_subclasses,
    ],
    ids=lambda rule: rule.__name__,
)
def test_rules_hold_in_minified_glue(py, engine, minified, rule):  # noqa: ARG001
    """The rules for an imported namespace also hold if a minifier renamed everything inside."""
    wanted = {"py": py, "engine": engine, "build": "minified"}
    rule(**{name: wanted[name] for name in inspect.signature(rule).parameters})


async def use_bundle(how):
    import unpanic
    from pyodide.code import run_js
    from pyodide.http import pyfetch

    import js

    url = "/fixtures/bank/pkg/reset/bank_bg.wasm"
    glue = (await run_js("import('/bundled/entry.js?' + Math.random())")).bank
    data = await (await pyfetch(url)).bytes()
    wasm = {
        "url": url,
        "bytes": data,
        "Response": await js.fetch(url),
        "Module": await js.WebAssembly.compile(js.Uint8Array.new(data)),
        "data URL": "data:application/wasm;base64," + js.btoa("".join(map(chr, data))),
    }[how]
    bank = await unpanic.load(glue, wasm=wasm)
    account = bank.Account("ada", 5)
    found = [bank.__name__, account.balance, account.owner]
    crash = caught(bank.transfer, "ada", "bob", 1)
    return [*found, type(crash).__name__, crash.message, bank.add(2, 3), bank.Account.named("eve").owner]


@pytest.mark.parametrize("minify", [False, True], ids=["plain", "minified"])
@pytest.mark.parametrize("how", ["url", "bytes", "Response", "Module", "data URL"])
def test_wasm_of_a_bundle(py, tmp_path, how, minify):
    """A bundle's namespace object takes the Wasm file in every form, but only an address can name the module."""
    serve(py.site.server, bundle(tmp_path, HOLDER, *["--minify"] * minify))
    name = "bank" if how in ("url", "Response") else "module"
    found = py.run(use_bundle, how=how)
    assert found == [name, 5, "ada", "RustPanic", "insufficient funds", 5, "eve"]


async def use_registered(form):
    import importlib

    import pyodide_js
    import unpanic
    from pyodide.code import run_js

    namespace = await run_js("import('/bundled/entry.js?' + Math.random())")
    pyodide_js.registerJsModule("bank_glue", namespace.bank if form == "object" else namespace)
    try:
        glue = importlib.import_module("bank_glue")
        bank = await unpanic.load(glue, wasm="/fixtures/bank/pkg/reset/bank_bg.wasm")
    finally:
        pyodide_js.unregisterJsModule("bank_glue")
        sys.modules.pop("bank_glue")
    caught(bank.transfer, "ada", "bob", 1)
    return [bank.add(2, 3), sorted(name for name in vars(bank) if not name.startswith("__"))]


@pytest.mark.parametrize(("form", "source"), [("object", HOLDER), ("module", 'export * from "./bank.js";')])
def test_namespace_that_the_page_registered(py, tmp_path, form, source):
    """A page registers the namespace as a Python module, and only the exports come from it."""
    serve(py.site.server, bundle(tmp_path, source, "--minify"))
    added, names = py.run(use_registered, form=form)
    exports = "Account add audit balance_later balance_of count deposit open slow statements total"
    assert (added, names) == (5, [*exports.split(), "transfer", "transfer_later", "withdraw"])


@pytest.mark.parametrize("loader", ["file", "binary", "dataurl"])
def test_application_of_one_file(page, server, tmp_path, loader):
    """The runtime, the glue and the page's code work in one minified script that brings the Wasm file."""
    serve(server, bundle(tmp_path, APPLICATION, "--minify", f"--loader:.wasm={loader}"))
    page.goto(server.route("/plain/", "<!doctype html>", content_type="text/html"))
    found = page.evaluate("async () => (await import('/bundled/entry.js?' + Math.random())).story()")
    assert found == [True, ["Crash", "panic"], ["CallInterrupted", None], 5, "eve", 5, 1]
