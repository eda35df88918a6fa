"""Pages whose content security policy forbids scripts from text and from blob: URLs, from Python and JavaScript.

A worker has the policy of its own response, so the server sends the policy with every file of the plugin.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from unpanic_tools.testing.host import PageHost
from unpanic_tools.testing.in_browser import InBrowser
from unpanic_tools.testing.site import PAGES

from scripts.serve import Server
from tests.browser.builds import caught

ROOT = Path(__file__).parents[2]
OWN_PAGES = Path(__file__).parent / "pages"
BANK = ROOT / "rust/fixtures/bank/pkg"
STRICT = "script-src 'self' 'wasm-unsafe-eval'"
# The policy of the pages in each folder.
POLICIES = {"/strict": STRICT, "/blob": f"{STRICT} blob:", "/eval": f"{STRICT} 'unsafe-eval'"}
# A crash costs its call where a factory could be made. Imported glue is reset.
ROLLED_BACK = [[5, True, "RustPanic", "insufficient funds", "int", 5, True, 0], ["factory", "rollback"]]
RESET = [[5, True, "RustPanic", "insufficient funds", "CallInterrupted", 5, True, 1], ["native", "reset"]]


@pytest.fixture(scope="module")
def pages(server: Server) -> None:
    """The plugin's pages, and those of the tests, under each policy."""
    for folder, policy in POLICIES.items():
        for file in [*PAGES.glob("*.*"), *OWN_PAGES.glob("*.*")]:
            server.route(f"{folder}/{file.name}", file.read_bytes(), content_security_policy=policy)


@pytest.fixture(scope="module")
def packages(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`/made/bank.js` and `/made_reset/bank.js`, with factory files that the npm package's command wrote."""
    for folder, build in (("made", "abort"), ("made_reset", "reset")):
        made = tmp_path_factory.mktemp(folder)
        for file in (BANK / build).iterdir():
            (made / file.name).write_bytes(file.read_bytes())
        subprocess.run(["node", "js/dist/cli.js", "factory", str(made / "bank.js")], cwd=ROOT, check=True)
        for file in made.iterdir():
            server.route(f"/{folder}/{file.name}", file.read_bytes())


@pytest.fixture(scope="module")
def strict_hosts() -> Iterator[dict[tuple[str, str], PageHost]]:
    hosts: dict[tuple[str, str], PageHost] = {}
    yield hosts
    for host in hosts.values():
        host.close()


@pytest.fixture
def py_under(strict_hosts, new_pyodide_host, realm, py_in, pages) -> Callable[[str], InBrowser]:  # noqa: ARG001
    """Returns the Pyodide of a folder, which starts at its first use."""

    def find(folder: str) -> InBrowser:
        if (folder, realm) not in strict_hosts:
            strict_hosts[folder, realm] = new_pyodide_host(realm, f"{folder}/")
        return py_in(strict_hosts[folder, realm])

    return find


async def tell_load_error(glue):
    import unpanic

    try:
        await unpanic.load(glue)
    except unpanic.LoadError as error:
        return [type(error).__name__, str(error)]


async def recover(glue):
    import asyncio
    import warnings

    import unpanic

    warnings.simplefilter("ignore")
    bank = await unpanic.load(glue, panic_hook=lambda _: None)
    add = bank.add
    account = bank.Account("ada", 100)
    found = [add(2, 3), account.balance == 100]
    slow = bank.slow(50)
    panic = caught(bank.transfer, "ada", "bob", 1)
    (ended,) = await asyncio.gather(slow, return_exceptions=True)
    found += [type(panic).__name__, panic.message, type(ended).__name__]
    status = unpanic.status(bank)
    found += [await bank.slow(5), account.balance == add(50, 50), status.generation]
    return found, [status.adapter, status.recovery]


def test_the_runtime_as_a_file(py_under, packages):  # noqa: ARG001
    """If Python may not evaluate the runtime, `load` says how to register it; then everything works."""
    py = py_under("/strict")
    name, message = py.run(tell_load_error, glue="/made/bank.js")
    assert name == "LoadError"
    assert "'unsafe-eval'" in message
    line = message.partition("\n")[2]
    assert line == 'pyodide.registerJsModule("unpanic_runtime", await import("/unpanic/_runtime.js"));'
    assert f"```js\n{line}\n```" in (ROOT / "docs/content-security-policy.md").read_text("utf-8")
    py.register("unpanic_runtime", "/unpanic/runtime.js")
    for glue in ("/made/bank.js", "/made_reset/bank.js"):
        assert py.run(recover, glue=glue) == ROLLED_BACK


async def load_named():
    import unpanic

    try:
        unpanic.npm(base="/{name}/{path}")
        bank = await unpanic.load("npm:made@1.0.0")
    except unpanic.LoadError as error:
        return [type(error).__name__, str(error)]
    found = [bank.__name__, bank.add(2, 3)]
    unpanic.unload(bank)
    return found


def test_packages_by_their_names(py_under, packages):  # noqa: ARG001
    """The file that finds packages by their names is registered in the same way."""
    py = py_under("/strict")
    py.register("unpanic_runtime", "/unpanic/runtime.js")
    name, message = py.run(load_named)
    assert name == "LoadError"
    line = message.partition("\n")[2]
    assert line == 'pyodide.registerJsModule("unpanic_packages", await import("/unpanic/_packages.js"));'
    assert f"\n{line}\n" in (ROOT / "docs/content-security-policy.md").read_text("utf-8")
    py.register("unpanic_packages", "/unpanic/packages.js")
    py.site.server.route("/made/package.json", '{"version": "1.0.0", "module": "bank.js"}')
    assert py.run(load_named) == ["made", 5]


@pytest.fixture(scope="module")
def node_package(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`/node/people.js`, glue for Node, with the factory file that the npm package's command wrote."""
    folder = tmp_path_factory.mktemp("node")
    glue = ROOT / "rust/fixtures/people/targets/nodejs/people.js"
    wasm = ROOT / "rust/fixtures/people/pkg/abort/people_bg.wasm"
    for file in (glue, wasm):
        (folder / file.name).write_bytes(file.read_bytes())
    subprocess.run(["node", "js/dist/cli.js", "factory", str(folder / "people.js")], cwd=ROOT, check=True)
    for file in folder.iterdir():
        server.route(f"/node/{file.name}", file.read_bytes())


async def load_for_node():
    import unpanic

    try:
        people = await unpanic.load("/node/people.js")
    except unpanic.LoadError as error:
        return [type(error).__name__, str(error)]
    return [people.Person("ada").name, unpanic.status(people).target]


def test_what_is_not_glue_for_the_web(py_under, node_package):  # noqa: ARG001
    """The file that other targets need is registered in the same way, and a factory file can be made for them."""
    py = py_under("/strict")
    py.register("unpanic_runtime", "/unpanic/runtime.js")
    name, message = py.run(load_for_node)
    assert name == "LoadError"
    line = message.partition("\n")[2]
    assert line == 'pyodide.registerJsModule("unpanic_forms", await import("/unpanic/_forms.js"));'
    assert f"\n{line}\n" in (ROOT / "docs/content-security-policy.md").read_text("utf-8")
    py.register("unpanic_forms", "/unpanic/forms.js")
    assert py.run(load_for_node) == ["ada", "nodejs"]


@pytest.fixture
def strict_py(py_under) -> InBrowser:
    """A Pyodide under the strict policy, with the runtime registered."""
    py = py_under("/strict")
    py.register("unpanic_runtime", "/unpanic/runtime.js")
    return py


def test_without_a_factory_file(strict_py):
    """A package without a factory file runs if it can be reset; otherwise the error names the file and the command."""
    assert strict_py.run(recover, glue="/fixtures/bank/pkg/reset/bank.js") == RESET
    name, message = strict_py.run(tell_load_error, glue="/fixtures/bank/pkg/abort/bank.js")
    words = ["serve what `npx unpanic factory bank.js` makes beside it", "'unsafe-eval' or blob:"]
    assert (name, [word for word in words if word not in message]) == ("GlueError", [])


@pytest.mark.parametrize("build", ["abort", "reset"])
def test_a_factory_file_of_another_build(strict_py, packages, build):  # noqa: ARG001
    """A factory file from other glue is refused, even if the glue could be reset without it."""
    server = strict_py.site.server
    server.route(f"/stale/{build}.js", (BANK / build / "bank.js").read_text() + "// another build\n")
    server.route("/stale/bank_bg.wasm", (BANK / build / "bank_bg.wasm").read_bytes())
    server.route(f"/stale/{build}.factory.js", server.routes["/made/bank.factory.js"].body)
    name, message = strict_py.run(tell_load_error, glue=f"/stale/{build}.js")
    words = [f"/stale/{build}.factory.js does not belong to", f"anew with `npx unpanic factory {build}.js`"]
    assert (name, [word for word in words if word not in message]) == ("GlueError", []), message


async def load_files(glue):
    import unpanic
    from pyodide.http import pyfetch

    for name in (glue, glue.replace(".js", "_bg.wasm")):
        Path(name.rpartition("/")[2]).write_bytes(await (await pyfetch(name)).bytes())
    found = [await tell_load_error("bank.js")]
    try:
        unpanic.load_sync("bank.js")
    except unpanic.GlueError as error:
        found.append([type(error).__name__, str(error)])
    return found


def test_files_of_python(strict_py):
    """Glue in Pyodide's file system cannot be imported, so `load` and `load_sync` say to serve it."""
    found = strict_py.run(load_files, glue="/fixtures/bank/pkg/reset/bank.js")
    assert [(name, "load the package from a URL" in message) for name, message in found] == [("GlueError", True)] * 2, (
        found
    )


def test_unsafe_eval(py_under):
    """With 'unsafe-eval' the page needs nothing else."""
    assert py_under("/eval").run(recover, glue="/fixtures/bank/pkg/abort/bank.js") == ROLLED_BACK


def test_blob(py_under):
    """With blob: only the runtime must be a file, and its version must be that of the wheel."""
    bundle = (ROOT / "js/dist/runtime.js").read_text("utf-8")
    version = json.loads((ROOT / "js/package.json").read_text())["version"]
    assert bundle.count(f'version = "{version}"') == 1
    py = py_under("/blob")
    py.site.server.route("/old/runtime.js", bundle.replace(f'version = "{version}"', 'version = "0.0.1"'))
    py.register("unpanic_runtime", "/old/runtime.js")
    name, message = py.run(tell_load_error, glue="/fixtures/bank/pkg/abort/bank.js")
    assert (name, f"0.0.1, but this is unpanic {version}" in message) == ("LoadError", True)
    py.register("unpanic_runtime", "/unpanic/runtime.js")
    assert py.run(recover, glue="/fixtures/bank/pkg/abort/bank.js") == ROLLED_BACK


PLAIN = """async ([folder, realm, glue]) => {
    if (realm === "page") return (await import(`${folder}/plain.mjs`)).story(glue);
    const worker = new Worker(`${folder}/plain.mjs`, { type: "module" });
    const answer = new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });
    worker.postMessage(glue);
    return answer.finally(() => worker.terminate());
}"""
PLAIN_RECOVERED = [5, "Crash", "CallInterrupted", 5, 5, 1]


@pytest.mark.parametrize(
    ("folder", "glue"),
    [
        ("/strict", "/made/bank.js"),
        ("/strict", "/fixtures/bank/pkg/reset/bank.js"),
        ("/blob", "/fixtures/bank/pkg/abort/bank.js"),
        ("/eval", "/fixtures/bank/pkg/abort/bank.js"),
    ],
)
def test_plain_javascript(page, server, realm, pages, packages, folder, glue):  # noqa: ARG001
    """Plain JavaScript recovers with a factory file, with __wbg_reset_state, or with a policy that allows scripts."""
    page.goto(f"{server.url}{folder}/host.html?realm=page")
    assert page.evaluate(PLAIN, [folder, realm, glue]) == PLAIN_RECOVERED


def test_plain_javascript_without_a_way(page, server, realm, pages):  # noqa: ARG001
    """Without a factory file the error names the file and the other remedies."""
    page.goto(f"{server.url}/strict/host.html?realm=page")
    name, message = page.evaluate(PLAIN, ["/strict", realm, "/fixtures/bank/pkg/abort/bank.js"])
    words = ["serve what `npx unpanic factory bank.js` makes beside it", "blob:"]
    assert (name, [word for word in words if word not in message]) == ("GlueError", [])
