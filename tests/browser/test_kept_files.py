"""Rewritten Wasm files are kept for the next page load, and what cannot be trusted is rewritten again."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "rust" / "fixtures"
WASM = (FIXTURES / "bank/pkg/abort/bank_bg.wasm").read_bytes()
GLUE = "/fixtures/bank/pkg/abort/bank.js"
REWRITER = (FIXTURES.parent / "rewriter/pkg/rewriter.wasm").read_bytes()
# A custom section, which changes nothing but the bytes.
OTHER_REWRITER = REWRITER + b"\0\2\1n"
DEADLINES, ROLLBACK = 1, 2
KEPT = "unpanic-rewritten-"

# The name of a runtime that each page has anew, and how often it has run the rewriter.
PREPARE = """async (rewriter) => {
    globalThis.rewritings = 0;
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
        construct(target, args) {
            if (WebAssembly.Module.exports(args[0]).some(({ name }) => name === "rewrite_module")) rewritings++;
            return new target(...args);
        },
    });
    globalThis.runtime = await import("/unpanic/runtime.js");
    globalThis.rewriter = new Uint8Array(await (await fetch(rewriter)).arrayBuffer());
}"""

LOAD = """async ([glue, wasm, options]) => {
    if (wasm.endsWith("#bytes")) wasm = new Uint8Array(await (await fetch(wasm)).arrayBuffer());
    const before = rewritings;
    const how = { rewriter, rewrites: 2, wishes: 0, rollsBack: true, ...options };
    const driver = await runtime.load({ glue, wasm, ...how }, {});
    const { rollsBack, isInterruptible } = JSON.parse(driver.describe());
    globalThis.loaded = driver;
    return { rewritten: rewritings - before, rollsBack, isInterruptible };
}"""

ENTRIES = """async () => {
    const entries = [];
    for (const name of await caches.keys())
        for (const request of await (await caches.open(name)).keys()) entries.push(`${name} ${request.url}`);
    return entries;
}"""
CLEAR = "async () => { for (const name of await caches.keys()) await caches.delete(name); }"

FRESH = {"rewritten": 1, "rollsBack": True, "isInterruptible": False}
KNOWN = {**FRESH, "rewritten": 0}

numbers = itertools.count()


class Pages:
    """Pages of one browser, one after the other."""

    def __init__(self, page, server) -> None:
        self.page = page
        self.server = server
        self.home = server.route("/kept/", "<!doctype html>", content_type="text/html")
        server.route("/kept/rewriter.wasm", REWRITER)
        server.route("/kept/other.wasm", OTHER_REWRITER)
        self.wasm = f"/kept/{next(numbers)}.wasm"
        self.serve(WASM, '"1"')
        self.page.goto(self.home)
        self.page.evaluate(CLEAR)

    def serve(self, content, etag) -> None:
        self.server.route(self.wasm, content, etag=etag)

    def open(self, before="() => {}", rewriter="/kept/rewriter.wasm") -> None:
        self.page.goto(self.home)
        self.page.evaluate(before)
        self.page.evaluate(PREPARE, rewriter)

    def load(self, wasm=None, **options):
        return self.page.evaluate(LOAD, [GLUE, wasm or self.wasm, options])

    def entries(self, count):
        """The entries, when there are as many as will be."""
        self.page.wait_for_function(f"async () => (await ({ENTRIES})()).length >= {count}")
        return self.page.evaluate(ENTRIES)


@pytest.fixture
def pages(page, server):
    return Pages(page, server)


def test_bytes_are_rewritten_once_in_a_page(pages):
    pages.open("() => { delete Cache.prototype.put; }")
    assert pages.load(pages.wasm + "#bytes") == FRESH
    assert pages.load(pages.wasm + "#bytes") == KNOWN


def test_the_next_page_load_finds_what_the_last_one_has_rewritten(pages):
    pages.open()
    assert pages.load() == FRESH
    assert len(pages.entries(2)) == 2, "a file, and a note of its URL"
    pages.open()
    assert pages.load() == KNOWN
    pages.open()
    assert pages.load(pages.wasm + "#bytes") == KNOWN, "found by its content"


def test_a_file_that_has_changed_is_rewritten_again(pages):
    pages.open()
    pages.load()
    pages.entries(2)
    pages.serve(WASM + b"\0\2\1n", '"2"')
    pages.open()
    assert pages.load() == FRESH


def test_without_a_validator_the_content_decides(pages):
    pages.server.route(pages.wasm, WASM)
    pages.open()
    assert pages.load() == FRESH
    assert len(pages.entries(1)) == 1
    pages.open()
    assert pages.load() == KNOWN


DAMAGES = {
    "cut off": "async (response) => new Response((await response.arrayBuffer()).slice(0, -9), response)",
    "one byte": """async (response) => {
        const bytes = new Uint8Array(await response.arrayBuffer());
        bytes[bytes.length - 60] ^= 1;
        return new Response(bytes, response);
    }""",
    "no hash": "async (response) => new Response(await response.arrayBuffer())",
    "empty": "async () => new Response('')",
    "another file": """async () => {
        const bytes = new Uint8Array(await (await fetch("/fixtures/loops/pkg/abort/loops_bg.wasm")).arrayBuffer());
        const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        const text = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
        return new Response(bytes, { headers: { "content-type": "application/wasm", hash: text } });
    }""",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_foreign_entry_is_never_run(pages, damage):
    pages.open()
    pages.load()
    pages.entries(2)
    replace = f"""async () => {{
        const store = await caches.open((await caches.keys())[0]);
        for (const request of await store.keys()) {{
            const response = await store.match(request);
            if (response.headers.has("size")) await store.put(request, await ({DAMAGES[damage]})(response));
        }}
    }}"""
    pages.open(replace)
    assert pages.load() == FRESH
    pages.page.wait_for_function("""async () => {
        const responses = await (await caches.open((await caches.keys())[0])).matchAll();
        return responses.filter(({ headers }) => headers.has("size")).length === 1;
    }""")
    pages.open()
    assert pages.load() == KNOWN


WITHOUT = {
    "no caches": "() => { delete Window.prototype.caches; delete globalThis.caches; }",
    "a sandboxed frame": """() => Object.defineProperty(globalThis, "caches", {
        get() { throw new DOMException("storage is denied", "SecurityError"); },
    })""",
    "a private window": "() => { CacheStorage.prototype.open = () => Promise.reject(new DOMException('')); }",
    "no quota": "() => { Cache.prototype.put = () => Promise.reject(new DOMException('', 'QuotaExceededError')); }",
    "no reading": "() => { Cache.prototype.match = () => Promise.reject(new DOMException('', 'UnknownError')); }",
    "no hashes": "() => { crypto.subtle.__proto__.digest = undefined; }",
}


@pytest.mark.parametrize("obstacle", WITHOUT)
def test_where_nothing_can_be_kept_files_are_rewritten(pages, obstacle):
    for _ in range(2):
        pages.open(WITHOUT[obstacle])
        assert pages.load() == FRESH


def test_what_files_are_rewritten_for_does_not_mix(pages):
    pages.open()
    pages.load()
    pages.entries(2)
    pages.open()
    both = {"rewritten": 1, "rollsBack": True, "isInterruptible": True}
    assert pages.load(rewrites=DEADLINES | ROLLBACK) == both
    stoppable = {"rewritten": 1, "rollsBack": False, "isInterruptible": True}
    assert pages.load(rewrites=DEADLINES, rollsBack=False) == stoppable
    pages.entries(6)
    pages.open()
    assert pages.load(rewrites=DEADLINES | ROLLBACK) == {**both, "rewritten": 0}
    assert pages.load(rewrites=DEADLINES, rollsBack=False) == {**stoppable, "rewritten": 0}
    assert pages.load() == KNOWN


def test_another_rewriter_finds_nothing_and_drops_what_the_old_one_has_kept(pages):
    pages.open()
    pages.load()
    (old,) = {entry.split()[0] for entry in pages.entries(2)}
    pages.open(rewriter="/kept/other.wasm")
    assert pages.load() == FRESH
    pages.page.wait_for_function("async (old) => !(await caches.keys()).includes(old)", arg=old)
    pages.page.wait_for_function(f"async () => (await ({ENTRIES})()).length === 2")


def test_keeping_can_be_switched_off(pages):
    pages.open()
    assert pages.load(keeps=False) == FRESH
    pages.page.wait_for_timeout(300)
    assert pages.page.evaluate(ENTRIES) == []


def test_the_oldest_entries_are_dropped_where_there_is_too_much(pages):
    pages.open()
    pages.load()
    entry = pages.entries(2)[0]
    fill = f"""async () => {{
        await ({CLEAR})();
        const store = await caches.open("{entry.split()[0]}");
        for (const name of ["a", "b"])
            await store.put("https://unpanic.invalid/" + name, new Response("", {{ headers: {{ size: "40000000" }} }}));
    }}"""
    pages.open(fill)
    assert pages.load() == FRESH
    pages.page.wait_for_function(f"async () => !(await ({ENTRIES})()).some((entry) => entry.endsWith('/a'))")
    assert any(entry.endswith("/b") for entry in pages.entries(3))
