"""Glue for every target of wasm-bindgen loads, with every rule of recovery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

TARGETS = ["bundler", "deno", "experimental-nodejs-module", "module", "no-modules", "nodejs"]
ROOT = Path(__file__).parents[2]
WASM = "/fixtures/people/pkg/abort/people_bg.wasm"


async def live(glue, wasm, recovery):
    """Uses a module, has it panic three times, and returns what is left each time."""
    import unpanic

    people = await unpanic.load(glue, wasm=wasm, recovery=recovery)
    found = []
    for guest in ("ada", "bob", "eve"):
        person = people.Person(guest)
        people.invite(guest)
        try:
            person.age  # noqa: B018
        except unpanic.RustPanic as panic:
            found.append([panic.message, person.name])
    status = unpanic.status(people)
    return found, status.target, status.adapter, status.recovery, status.generation


@pytest.mark.parametrize("target", TARGETS)
def test_a_panic_is_rolled_back(py: InBrowser, target: str):
    """Guests that were invited before a panic stay, and so do objects."""
    found, *status = py.run(live, glue=f"/fixtures/people/targets/{target}/people.js", wasm=WASM, recovery="auto")
    assert found == [
        ["ada has no age; guests: ada", "ada"],
        ["bob has no age; guests: ada and bob", "bob"],
        ["eve has no age; guests: ada and bob and eve", "eve"],
    ]
    assert status == [target, "factory", "rollback", 0]


@pytest.mark.parametrize("target", TARGETS)
def test_a_panic_resets(py: InBrowser, target: str):
    """Each generation begins with the state of the start, and objects are made again."""
    found, *status = py.run(live, glue=f"/fixtures/people/targets/{target}/people.js", wasm=WASM, recovery="reset")
    assert found == [[f"{name} has no age; guests: {name}", name] for name in ("ada", "bob", "eve")]
    assert status == [target, "factory", "reset", 3]


async def stop(glue, wasm):
    import unpanic

    people = await unpanic.load(glue, wasm=wasm, timeout=5)
    return unpanic.status(people).interruptible, people.Person("ada").name


@pytest.mark.parametrize("target", TARGETS)
def test_calls_can_be_stopped(py: InBrowser, target: str):
    """The Wasm file is rewritten for deadlines as that of glue for the web is."""
    assert py.run(stop, glue=f"/fixtures/people/targets/{target}/people.js", wasm=WASM) == [True, "ada"]


async def names_in_page(glue, wasm):
    """What a load adds to the page's global names."""
    import unpanic

    import js

    before = set(js.Object.getOwnPropertyNames(js.globalThis))
    people = await unpanic.load(glue, wasm=wasm)
    people.Person("ada")
    return sorted(set(js.Object.getOwnPropertyNames(js.globalThis)) - before)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_of_the_target_leaks_into_the_page(py: InBrowser, target: str):
    """Scripts set a global variable, and Node has some of its own: none of them is in the page afterwards."""
    found = py.run(names_in_page, glue=f"/fixtures/people/targets/{target}/people.js", wasm=WASM)
    assert (
        set(found) & {"wasm_bindgen", "require", "module", "exports", "__dirname", "Deno", "process", "wasm"} == set()
    )


COMMON_JS = """
const g = require("./people.js");
module.exports = { ...g, named: (name) => g.Person.named(name).name, crash: () => g.Person.named("Eve").age };
"""


async def use_common_js(url, wasm):
    """Calls functions that a CommonJS file has around glue, before and after a reset."""
    import unpanic

    people = await unpanic.load(url, wasm=wasm, recovery="reset")
    before = people.named
    rows = [people.named("Ada"), before is people.named, "named" in dir(people)]
    unpanic.reset(people)
    return [*rows, people.named("Bob"), before is people.named, unpanic.status(people).generation]


def test_functions_of_common_js_after_a_reset(py):
    """They are those of the generation that lives."""
    glue = (ROOT / "rust/fixtures/people/pkg/abort/people.js").read_bytes()
    py.site.server.route("/common/people.js", glue)
    url = py.site.server.route("/common/index.js", COMMON_JS)
    assert py.run(use_common_js, url=url, wasm=WASM) == ["Ada", True, True, "Bob", False, 1]
