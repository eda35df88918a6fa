"""Packages are loaded by their names: from a folder that the server has, and from jsDelivr, which is played here."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.jsdelivr import FILES, LISTS
from tests.places import EVERYWHERE

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "js/node_modules"
BUNDLE = ROOT / "js/dist/unpanic.js"
PRQL = "npm:prql-js@0.12.1"
FOLDER = "/npm/{name}/{path}"


async def load_named(specs, base=None, options=None):
    """Loads packages, and returns for each its name, its signatures, and the log; or the error."""
    import inspect
    import logging

    import unpanic

    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger = logging.getLogger("unpanic")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    found = []
    unpanic.npm(base=base)
    try:
        for spec in specs:
            try:
                module = await unpanic.load(spec, recovery="reset", **(options or {}))
            except unpanic.LoadError as error:
                found.append([type(error).__name__, str(error), getattr(error, "status", None)])
                continue
            told = [module.__name__, module.__spec__.origin, sorted(dir(module))]
            if module.__name__ == "prql_js":
                told.append([str(inspect.signature(module.compile)), module.compile("from a")[:6]])
            found.append(told)
            unpanic.unload(module)
    finally:
        unpanic.npm()
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    return found, [message for message in records if "version" in message]


@EVERYWHERE
def test_a_folder_that_the_page_has(py):
    """`base` names a folder. The package is found in it, runs, and has its types; no other server is asked."""
    before = len(py.site.server.requests)
    (found,), log = py.run(load_named, specs=["npm:prql-js"], base=FOLDER)
    name, origin, exports, (signature, result) = found
    assert (name, origin) == ("prql_js", f"{py.url}/npm/prql-js/dist/web/prql_js.js")
    assert result == "SELECT"
    assert "prql_query: str" in signature
    assert "compile" in exports
    assert log == [f"npm:prql-js is version 0.12.1. To keep it, write {PRQL}."]
    asked = [path for path in py.site.server.requests[before:] if path.startswith("/npm/")]
    files = ["package.json", "dist/web/prql_js.js", "dist/web/prql_js.d.ts", "dist/web/prql_js_bg.wasm"]
    assert sorted(asked) == sorted(f"/npm/prql-js/{file}" for file in files)


def test_jsdelivr(py, jsdelivr):
    """Without `base`, packages come from jsDelivr. Its list of files leads to the glue, and a version is asked once."""
    names = ["npm:oxigraph", "npm:oxigraph", "npm:@resvg/resvg-wasm@2.6.2", "npm:@ruvector/exotic-wasm"]
    del jsdelivr.requests[:]
    found, log = py.run(load_named, specs=names)
    assert [(name, origin) for name, origin, *_ in found] == [
        ("oxigraph", f"{FILES}oxigraph@0.5.11/web.js"),
        ("oxigraph", f"{FILES}oxigraph@0.5.11/web.js"),
        ("resvg_wasm", f"{FILES}@resvg/resvg-wasm@2.6.2/index.mjs"),
        ("exotic_wasm", f"{FILES}@ruvector/exotic-wasm@0.1.29/ruvector_exotic_wasm.js"),
    ]
    assert len(log) == 3
    assert "npm:oxigraph is version 0.5.11. To keep it, write npm:oxigraph@0.5.11." in log
    assert jsdelivr.requests.count(f"{LISTS}oxigraph") == 1
    assert jsdelivr.requests.count(f"{LISTS}oxigraph@0.5.11") == 1
    assert f"{LISTS}@resvg/resvg-wasm" not in jsdelivr.requests


SEVERAL = [f"npm:@jsquash/resize@2.1.1/lib/{folder}" for folder in ("hqx", "magic-kernel", "resize")]
ERRORS = [
    ("npm:prql-jz", None, "FetchError", 'There is no package "prql-jz" on npm. Check its name.', 404),
    ("npm:prql-js@0.12.9", None, "FetchError", f'prql-js has no version "0.12.9". Load the nearest: {PRQL}.', None),
    (f"{PRQL}/web/prql.js", None, "FetchError", f'{PRQL} has no file "web/prql.js". Load the nearest: {PRQL}/', None),
    ("npm:prql js", None, "FetchError", '"npm:prql js" names no package: write npm:NAME, npm:NAME@VERSION or', None),
    ("npm:@jsquash/resize@2.1.1", None, "GlueError", f"Load one of them: {', '.join(SEVERAL)}.", None),
    ("npm:commander", None, "GlueError", "commander@", None),
    ("npm:prql-jz", FOLDER, "FetchError", "There is no npm:prql-jz here: ", 404),
    ("npm:prql-js@0.12.0", FOLDER, "FetchError", 'prql-js has no version "0.12.0" here: ', None),
]


@pytest.mark.parametrize(("spec", "base", "kind", "text", "status"), ERRORS)
def test_what_does_not_exist(py, jsdelivr, spec, base, kind, text, status):  # noqa: ARG001
    """The error says what does not exist, and what does."""
    ((name, message, code),), _ = py.run(load_named, specs=[spec], base=base)
    assert (name, code) == (kind, status)
    assert text in message
    assert len(message) < 350


def hash_of(path: str) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384((MODULES / path).read_bytes()).digest()).decode()


def test_integrity(py, jsdelivr):  # noqa: ARG001
    """Glue and Wasm of a package must have one of the hashes; otherwise nothing runs."""
    right = " ".join(hash_of(f"prql-js/dist/web/prql_js{end}") for end in (".js", "_bg.wasm"))
    (found,), _ = py.run(load_named, specs=[PRQL], options={"integrity": right})
    assert found[0] == "prql_js"
    ((kind, message, _),), _ = py.run(load_named, specs=[PRQL], options={"integrity": right.split()[0]})
    assert kind == "FetchError"
    assert "prql_js_bg.wasm is not what `integrity` allows" in message


async def wrong_base():
    import unpanic

    try:
        unpanic.npm(base="/npm/{name}")
    except ValueError as error:
        return str(error)
    return ""


def test_a_template_without_a_place(py):
    """`npm` refuses a template that lacks a place."""
    assert py.run(wrong_base).startswith('base="/npm/{name}": it must be a URL with {name} and {path} in it')


PLAIN = """async ([spec, base]) => {
    const { load, npm } = await import("/unpanic.js");
    const told = [];
    console.info = (text) => told.push(text);
    try {
        if (base) npm({ base });
        const module = await load(spec);
        const exports = Object.keys(module.exports);
        module.unload();
        return { told, exports: exports.length > 0 };
    } catch ({ name, message }) {
        return { told, name, message };
    }
}"""


def plain(page, server, spec, base="", policy="", **headers: str) -> dict[str, Any]:
    """Loads a package by the runtime for plain JavaScript, on a page with a content security policy."""
    server.route("/unpanic.js", BUNDLE.read_text("utf-8"))
    if policy:
        headers["content_security_policy"] = policy
    page.goto(server.route("/plain/", "<!doctype html>", content_type="text/html", **headers))
    return page.evaluate(PLAIN, [spec, base])


def test_plain_javascript(page, server, jsdelivr):  # noqa: ARG001
    """`load` of the runtime for plain JavaScript takes names, too, and `npm` a template."""
    assert plain(page, server, PRQL) == {"told": [], "exports": True}
    pins = ["unpanic: npm:prql-js is version 0.12.1. To keep it, write npm:prql-js@0.12.1."]
    assert plain(page, server, "npm:prql-js") == {"told": pins, "exports": True}
    assert plain(page, server, "npm:prql-js", FOLDER) == {"told": pins, "exports": True}
    assert plain(page, server, "npm:prql-js", "/npm/")["name"] == "TypeError"


SCRIPTS = "script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'"


def test_a_policy_without_jsdelivr(page, server, jsdelivr, uncaught):  # noqa: ARG001
    """The error names the directive, and what to add. With that added, the package loads."""
    found = plain(page, server, "npm:prql-js", policy=f"connect-src 'self'; {SCRIPTS}")
    assert found["name"] == "FetchError"
    assert found["message"].endswith(
        "(connect-src) forbids it: add https://cdn.jsdelivr.net https://data.jsdelivr.com to its connect-src."
    )
    policy = f"connect-src 'self' https://cdn.jsdelivr.net https://data.jsdelivr.com; {SCRIPTS}"
    assert plain(page, server, PRQL, policy=policy) == {"told": [], "exports": True}


def test_a_policy_without_scripts_of_a_cdn(page, server):
    """A file that the glue imports comes as a script: the error names that directive."""
    glue = (ROOT / "rust/fixtures/silent/pkg/abort/silent.js").read_text()
    other = server.url.replace("127.0.0.1", "localhost")
    cors = {"access_control_allow_origin": "*"}
    manifest = {"name": "snippet", "version": "1.0.0", "module": "silent.js", "files": ["silent.js", "silent_bg.wasm"]}
    server.route("/cdn/snippet/package.json", json.dumps(manifest), **cors)
    server.route("/cdn/snippet/silent.js", 'import { one } from "./snippets/one.js";\n' + glue, **cors)
    server.route("/cdn/snippet/snippets/one.js", "export const one = 1;", **cors)
    wasm = (ROOT / "rust/fixtures/silent/pkg/abort/silent_bg.wasm").read_bytes()
    server.route("/cdn/snippet/silent_bg.wasm", wasm, **cors)
    base = f"{other}/cdn/{{name}}/{{path}}"
    found = plain(page, server, "npm:snippet@1.0.0", base, f"connect-src 'self' {other}; {SCRIPTS}")
    assert found["name"] == "FetchError"
    assert f"Cannot import {other}/cdn/snippet/snippets/one.js: " in found["message"]
    assert found["message"].endswith(f"forbids it: add {other} to its script-src.")
    assert plain(page, server, "npm:snippet@1.0.0", base, f"connect-src 'self' {other}; {SCRIPTS} {other}")["exports"]


def test_offline(page, server, context, uncaught):  # noqa: ARG001
    """Without a network the error says so."""
    server.route("/unpanic.js", BUNDLE.read_text("utf-8"))
    page.goto(server.route("/plain/", "<!doctype html>", content_type="text/html"))
    page.evaluate("import('/unpanic.js')")
    context.set_offline(True)
    try:
        found = page.evaluate(PLAIN, ["npm:never-asked-before@1.0.0", ""])
    finally:
        context.set_offline(False)
    assert found["name"] == "FetchError"
    assert (
        ": the browser is offline. Check the network, or pass a mirror or a folder that you serve" in found["message"]
    )


# A service worker that keeps what the page has fetched, as pages have it that work offline.
CACHING = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith((async () => {
    const cache = await caches.open("offline");
    try {
        const response = await fetch(event.request);
        await cache.put(event.request, response.clone());
        return response;
    } catch (error) {
        const kept = await cache.match(event.request);
        if (kept) return kept;
        throw error;
    }
})()));
"""
CONTROLLED = """async () => {
    await navigator.serviceWorker.register("/cached/worker.js");
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller)
        await new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
}"""


def test_a_page_that_works_offline(page, server, context):
    """A service worker that keeps responses keeps those of a CDN: its page loads the package without a network."""
    cors = {"access_control_allow_origin": "*"}
    package = MODULES / "prql-js"
    for file in ("package.json", "dist/web/prql_js.js", "dist/web/prql_js_bg.wasm"):
        server.route(f"/mirror/prql-js@0.12.1/{file}", (package / file).read_bytes(), **cors)
    base = f"{server.url.replace('127.0.0.1', 'localhost')}/mirror/{{name}}@{{version}}/{{path}}"
    server.route("/unpanic.js", BUNDLE.read_text("utf-8"))
    server.route("/cached/worker.js", CACHING, content_type="text/javascript")
    page.goto(server.route("/cached/", "<!doctype html>", content_type="text/html"))
    page.evaluate(CONTROLLED)
    spec = f"{PRQL}/dist/web/prql_js.js"
    assert page.evaluate(PLAIN, [spec, base]) == {"told": [], "exports": True}
    page.reload()  # the page itself comes through the service worker, too
    assert page.evaluate(PLAIN, [spec, base]) == {"told": [], "exports": True}
    context.set_offline(True)
    try:
        page.reload()
        assert page.evaluate(PLAIN, [spec, base]) == {"told": [], "exports": True}
    finally:
        context.set_offline(False)
        page.evaluate("caches.delete('offline')")
        page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.map((one) => one.unregister()))")
