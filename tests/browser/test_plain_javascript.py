"""The runtime without Python: `import { load } from "unpanic"`, on a page."""

from pathlib import Path

import pytest

BUNDLE = Path(__file__).parents[2] / "js/dist/unpanic.js"

STORY = """async () => {
    const { load, Crash, CallInterrupted, StaleObjectError } = await import("/unpanic.js");
    const panics = [];
    let resets = 0;
    const bank = await load("/fixtures/bank/pkg/abort/bank.js", {
        onPanic: ({ message, location }) => panics.push(`${message} at ${location.file}`),
        onReset: () => resets++,
    });
    const { add, slow, transfer, Account } = bank.exports;
    const attempt = (run) => { try { return run(); } catch (error) { return error; } };
    const account = new Account("ada", 5n);
    const before = [add(2, 3), account.balance === 5n, account.owner];
    const inFlight = slow(1000);
    const crash = attempt(() => transfer("ada", "bob", 1n));
    const interrupted = await inFlight.catch((error) => error);
    const stale = attempt(() => account.balance);
    const after = [add(2, 3), new Account("eve", 1n) instanceof Account, await slow(5), bank.generation];
    bank.reset();
    bank.unload();
    return {
        before, after, panics, resets,
        crash: [crash instanceof Crash, crash.kind, crash.message],
        interrupted: interrupted instanceof CallInterrupted,
        stale: stale instanceof StaleObjectError,
        ended: attempt(() => add(1, 2)).name,
    };
}"""


def test_the_story_of_a_crash(page, server):
    """Names, classes, calls in flight and stale objects behave as in Python."""
    server.route("/unpanic.js", BUNDLE.read_text("utf-8"))
    page.goto(server.route("/plain/", "<!doctype html>", content_type="text/html"))
    assert page.evaluate(STORY) == {
        "before": [5, True, "ada"],
        "after": [5, True, 5, 1],
        "panics": ["insufficient funds at src/lib.rs"],
        "resets": 2,
        "crash": [True, "panic", "insufficient funds (in bank.transfer, src/lib.rs:107:9)"],
        "interrupted": True,
        "stale": True,
        "ended": "ModuleTerminated",
    }


# Every engine limits the number of live Wasm memories. At the limit, a new one makes the engine collect dropped ones.
WITHOUT_MEMORY = """async () => {
    const { load } = await import("/unpanic.js");
    const open = () => load("/fixtures/bank/pkg/abort/bank.js");
    const memories = [];
    let failure = null;
    try {
        for (;;) memories.push(new WebAssembly.Memory({ initial: 1 }));
    } catch {
        failure = await open().catch((error) => error);
    }
    memories.length = 0;
    const bank = await open();
    const sum = bank.exports.add(2, 3);
    bank.unload();
    return [failure.name, failure.message.includes("the browser has no memory left for it"), sum];
}"""


def test_no_memory_left(page, server, engine):
    """If the browser makes no more memories, a LoadError says so. Later the package loads."""
    if engine == "webkit":
        pytest.skip("WebKit still makes memories after 24,000")
    server.route("/unpanic.js", BUNDLE.read_text("utf-8"))
    page.goto(server.route("/plain/", "<!doctype html>", content_type="text/html"))
    assert page.evaluate(WITHOUT_MEMORY) == ["LoadError", True, 5]


# PyScript starts its workers in this way.
IN_A_WORKER_OF_A_BLOB = """async (origin) => {
    const source = `
        const { load } = await import("${origin}/unpanic.js");
        const bank = await load("/fixtures/bank/pkg/abort/bank.js").catch((error) => error);
        postMessage(bank.message ?? bank.exports.add(2, 3));
    `;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(url, { type: "module" });
    const answer = await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });
    worker.terminate();
    return answer;
}"""


def test_a_worker_of_a_blob(page, server):
    """In a worker from a blob, addresses are relative to the worker's origin."""
    server.route("/unpanic.js", BUNDLE.read_text("utf-8"))
    page.goto(server.route("/plain/", "<!doctype html>", content_type="text/html"))
    assert page.evaluate(IN_A_WORKER_OF_A_BLOB, server.url) == 5
