"""What was built for a bundler: the entry and the glue itself load, with every rule of recovery."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.compat import rounds
from tests.compat.catalogue import PACKAGES
from tests.compat.test_packages import check

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

    from tests.compat.package import Package

TIMEOUT = 120
# Packages of the suite that have a build for a bundler, too. In Node a snippet cannot be imported from a server, so
# those with snippets are tested elsewhere.
ENTRIES = {
    "prql-js": "dist/bundler/prql_js",
    "@cedar-policy/cedar-wasm": "esm/cedar_wasm",
    "@automerge/automerge-wasm": "bundler/automerge_wasm",
    "@kreuzberg/html-to-markdown-wasm": "pkg/bundler/html_to_markdown_wasm",
    "parquet-wasm": "bundler/parquet_wasm",
}
BUNDLED = [
    replace(package, glue=f"{ENTRIES[package.folder]}{end}.js", target="bundler")
    for package in PACKAGES
    if package.folder in ENTRIES
    for end in ("", "_bg")
]


@pytest.mark.parametrize("recovery", ["rollback", "reset"])
@pytest.mark.parametrize("package", BUNDLED, ids=lambda package: f"{package.folder}/{package.glue}")
def test_package(py: InBrowser, package: Package, recovery: str):
    """A package for a bundler does what its build for the web does."""
    measured = py.run(
        rounds.play,
        timeout=TIMEOUT,
        glue=f"{py.url}/compat/{package.folder}/{package.glue}",
        use=package.use,
        crash=package.crash,
        keep=package.keep or rounds.keep_nothing,
        ask=package.ask or rounds.ask_nothing,
        recovery=recovery,
    )
    check(package, measured, recovery, "node")


async def tell_targets(entry, wasm):
    from pathlib import Path

    import unpanic

    data = Path(wasm).read_bytes()
    found = []
    for path in (entry, entry.replace(".js", "_bg.js")):
        for module in (unpanic.load_sync(path, wasm=data), await unpanic.load(Path(path), wasm=data)):
            person = module.Person("ada")
            found.append([unpanic.status(module).target, module.__name__, person.name])
    return found


def test_from_files(py: InBrowser):
    """The entry's glue is read from the same folder, and the status tells the target."""
    found = py.run(
        tell_targets,
        entry="/fixtures/people/targets/bundler/people.js",
        wasm="/fixtures/people/pkg/abort/people_bg.wasm",
    )
    assert [[target, name] for target, _, name in found] == [["bundler", "ada"]] * 4
