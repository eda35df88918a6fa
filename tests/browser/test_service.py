"""Python answers requests of the page, such as its own `fetch`, through a real service worker.

The tests compare the page's responses with the browser's network events. The page is loaded once, and a marker on its
`window` shows that it is still the same page.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import unpanic
from unpanic_tools.testing.host import PageHost, Watch
from unpanic_tools.testing.in_browser import InBrowser

from tests.browser.builds import load

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Response

    from tests.pyodides import OwnSite


# What a test keeps from one run to the next.
KEPT = {}

pytestmark = pytest.mark.parametrize("realm", ["page"])

ROOT = Path(__file__).parents[2]
WORKER = "/unpanic-service-worker.js"
PROBLEM = "application/problem+json"

# Sends requests at the same time. Returns the responses and the order in which they ended.
FETCH = """async (requests) => {
    let ended = 0;
    return Promise.all(requests.map(async ([url, init = {}]) => {
        try {
            const response = await fetch(url, init);
            const body = await response.text();
            return { status: response.status, type: response.headers.get("content-type"), body, order: ended++,
                     headers: Object.fromEntries(response.headers) };
        } catch (error) {
            return { error: error.name, order: ended++ };
        }
    }));
}"""


@pytest.fixture(scope="module")
def context(browser: Browser, uncaught_errors: Watch) -> Iterator[BrowserContext]:
    """A separate context, because the service worker controls all pages of a context."""
    with contextlib.closing(browser.new_context()) as context, uncaught_errors.watching(context):
        yield context


@pytest.fixture(scope="module")
def pyodide_hosts() -> dict[str, PageHost]:
    return {}


@pytest.fixture(scope="module")
def new_pyodide_host(context: BrowserContext, pyodide_site: OwnSite) -> Callable[[str], PageHost]:
    pyodide_site.server.route(WORKER, (ROOT / "js/dist/service-worker.js").read_text("utf-8"))
    return lambda realm: PageHost(context, pyodide_site, realm)


class Web:
    """The page's network: the results of `fetch`, and the browser's events."""

    def __init__(self, py: InBrowser, engine: str) -> None:
        self.py, self.page = py, py.page
        self.tells = engine != "webkit"  # WebDriver has no network events
        self.tells_of_worker = engine == "chromium"  # WebDriver BiDi does not report it
        self.seen: list[Response] = []
        self.page.on("response", self._saw)
        self.page.evaluate("() => { window.marker = 'here' }")

    def _saw(self, response: Response) -> None:
        self.seen.append(response)

    def fetch(self, *requests: Any) -> list[Any]:
        """Sends requests at the same time: addresses below /bank/, or pairs with the arguments of `fetch`."""
        pairs = [(request, {}) if isinstance(request, str) else request for request in requests]
        self.seen.clear()
        outcomes = self.page.evaluate(FETCH, [[f"/bank/{path}", init] for path, init in pairs])
        for (path, _), outcome in zip(pairs, outcomes, strict=True):
            if self.tells and "status" in outcome and [path for path, _ in pairs].count(path) == 1:
                [event] = [event for event in self.seen if event.url == f"{self.py.url}/bank/{path}"]
                assert event.status == outcome["status"]
                assert event.from_service_worker or not self.tells_of_worker
                assert event.headers.get("content-type") == outcome["type"]
        if self.tells and all("status" in outcome for outcome in outcomes):
            assert sorted(e.status for e in self.seen) == sorted(outcome["status"] for outcome in outcomes)
        for outcome in outcomes:
            if outcome.get("body") and "json" in (outcome["type"] or ""):
                outcome["json"] = json.loads(outcome["body"])
        return outcomes

    def close(self) -> None:
        assert self.page.evaluate("window.marker") == "here", "the page was reloaded"
        self.page.remove_listener("response", self._saw)


@pytest.fixture
def web(py: InBrowser, engine: str) -> Iterator[Web]:
    web = Web(py, engine)
    yield web
    py.run(stop)
    web.close()


async def stop():
    import asyncio

    if server := KEPT.pop("server", None):
        await server.close()
    KEPT.pop("events", None)
    await asyncio.sleep(0)


async def serve(build="abort", deadly=False, seconds=10):
    """Serves routes of every kind below /bank/. With `deadly`, the fixture `faults` adds ways to die."""
    import asyncio
    import time

    from unpanic import service

    bank = await load(build, "bank", panic_hook=lambda _: None)
    faults = await load(build, "faults", panic_hook=lambda _: None) if deadly else None
    router = service.Router()
    events = KEPT["events"] = []
    accounts = service.Keyed(bank.Account, lambda name: bank.Account(name, 100))

    @router.get("/count")
    def count(_):
        return {"count": bank.count()}

    @router.get("/slow/{ms}")
    async def slow(_, ms):
        events.append(f"began {ms}")
        await bank.slow(int(ms))
        events.append(f"ended {ms}")
        return "done"

    @router.get("/panic")
    def panic(_):
        bank.transfer("ada", "bob", 5_000)

    @router.get("/panic-later")
    async def panic_later(_):
        await asyncio.gather(bank.transfer_later(20, "ada", "bob", 5_000))

    @router.get("/rescued")
    async def rescued(_):
        try:
            await bank.transfer_later(20, "ada", "bob", 5_000)
        except Exception as error:
            await bank.slow(30)
            return f"rescued from {type(error).__name__}"

    @router.get("/die/{how}")
    def die(_, how):
        return getattr(faults, how)(*(["hi"] if how == "throw_str" else []))

    @router.get("/idle")
    async def idle(_):
        events.append("idle")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    @router.get("/accounts/{name}")
    def balance(_, name):
        return {"balance": accounts[name].balance}

    @router.post("/accounts/{name}")
    async def deposit(request, name):
        accounts[name].deposit((await request.json())["amount"])
        return {"balance": accounts[name].balance}

    @router.delete("/accounts/{name}")
    def close(_, name):
        del accounts[name]
        return service.Response(status=204)

    @router.route("/echo", ["PUT", "PATCH", "GET"])
    async def echo(request):
        chunks = [len(chunk) async for chunk in request]
        return service.Response(
            {
                "method": request.method,
                "query": request.query,
                "a": request.query.getlist("a"),
                "x": request.headers.get("X-Ask"),
                "chunks": chunks,
            },
            201,
            {"X-Answer": "yes"},
        )

    @router.get("/stream/{how}")
    async def stream(_, how):
        async def parts():
            try:
                for number in range(3):
                    yield f"{number} "
                if how == "panics":
                    bank.transfer("ada", "bob", 5_000)
                if how == "waits":
                    await asyncio.sleep(60)
            finally:
                events.append(f"stream {how} ended")

        return service.Response(parts(), headers={"content-type": "text/plain"})

    @router.get("/bad")
    def bad(_):
        return 5

    @router.get("/late/{how}")
    async def late(_, how):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append(f"{how} was cancelled")
            await asyncio.sleep(0.3)
            if how == "ends":
                raise
        return "late"

    @router.get("/busy/{seconds}")
    def busy(_, seconds):
        events.append("busy")
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until:
            pass
        events.append(time.time())
        return "done"

    @router.get("/header")
    def header(request):
        response = service.Response(request.headers["x-ask"])
        response.headers.append(("x-answer", request.headers["x-ask"]))
        return response

    @router.get("/latin")
    def latin(_):
        return service.Response("", headers={"x-answer": "".join(map(chr, range(0xA1, 0x100)))})

    @router.get("/changed/{what}")
    def changed(_, what):
        response = service.Response("text")
        match what:
            case "status":
                response.status = 99
            case "caron":
                response.headers.append(("x", "ž"))
            case "lines":
                response.headers.append(("x", "a\r\nb"))
            case "nul":
                response.headers.append(("x", "\0"))
            case _:
                response.status = int(what)
        return response

    @router.get("/raise/{name}")
    def raises(_, name):
        class Unprintable(Exception):
            def __str__(self):
                raise ZeroDivisionError

        raise {"exit": SystemExit(1), "interrupt": KeyboardInterrupt(), "unprintable": Unprintable()}[name]

    KEPT["bank"] = bank
    KEPT["server"] = await service.serve("/bank/", router, worker="/unpanic-service-worker.js", timeout=seconds)


def events():

    return KEPT["events"]


BUILDS = ["abort", "unwind"]


def crash_of(outcome: Any) -> dict[str, Any]:
    """Returns the crash that a response describes."""
    assert (outcome["status"], outcome["type"]) == (500, PROBLEM)
    return {name: outcome["json"][name] for name in ("kind", "message", "call", "generation", "interrupted")}


CRASH = {"kind": "panic", "message": "insufficient funds", "call": "transfer", "generation": 0}


@pytest.mark.parametrize("build", BUILDS)
def test_simultaneous_requests_with_one_that_panics(py, web, build):
    """In an abort build all requests in flight fail with the crash; if panics unwind, only one fails."""
    py.run(serve, build=build)
    *others, failed = web.fetch("slow/400", "slow/401", "idle?1" if build == "abort" else "slow/402", "panic")
    crash = crash_of(failed)
    assert crash == {**CRASH, "interrupted": False}
    location = failed["json"]["location"]
    assert location["file"] == "src/lib.rs"
    assert location["line"] > 0
    assert failed["json"]["recovery"] == ("unwind" if build == "unwind" else "reset")
    if build == "unwind":
        assert [other["status"] for other in others] == [200, 200, 200]
    else:
        assert [crash_of(other) for other in others] == [{**CRASH, "interrupted": True}] * 3
        assert py.run(events)[-1] == "cancelled"
        assert not [event for event in py.run(events) if event.startswith("ended")]
    assert web.fetch("slow/1")[0]["status"] == 200


@pytest.mark.parametrize("build", BUILDS)
def test_several_after_a_panic(py, web, build):
    """Later requests are answered with 200. The counter restarts at 1 after a reset, and goes on after unwinding."""
    py.run(serve, build=build)
    assert [one["json"]["count"] for _ in range(2) for one in web.fetch("count")] == [1, 2]
    assert web.fetch("panic")[0]["status"] == 500
    after = web.fetch("count?1", "count?2", "count?3")
    assert [one["status"] for one in after] == [200, 200, 200]
    assert sorted(one["json"]["count"] for one in after) == ([3, 4, 5] if build == "unwind" else [1, 2, 3])


@pytest.mark.parametrize("build", BUILDS)
def test_three_cycles(py, web, build):
    """In three cycles of panic and recovery, each crash has its generation, and the next request is answered."""
    py.run(serve, build=build)
    generations, counts = [], []
    for _ in range(3):
        counts.append(web.fetch("count")[0]["json"]["count"])
        generations.append(crash_of(web.fetch("panic")[0])["generation"])
    assert (generations, counts) == (([0, 0, 0], [1, 2, 3]) if build == "unwind" else ([0, 1, 2], [1, 1, 1]))


@pytest.mark.parametrize("path", ["panic", "panic-later"])
@pytest.mark.parametrize("build", BUILDS)
def test_bad_requests_of_one_client_end_nothing(py, web, build, path):
    """Any number of crashes can follow each other, because a handler's call has a caller: its request."""
    py.run(serve, build=build)
    count = 101 if path == "panic" else 25
    asked = f"""async () => {{
        const seen = [];
        for (let i = 0; i < {count}; i++) seen.push((await fetch("/bank/{path}")).status);
        return seen;
    }}"""
    assert web.page.evaluate(asked) == [500] * count
    assert web.fetch("count")[0]["json"] == {"count": 1}


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize(("how", "kind"), [("abort", "trap"), ("out_of_memory", "out_of_memory")])
def test_other_ways_to_die(py, web, build, how, kind):
    """An explicit abort and missing memory become a 500 that says so, and then the server goes on."""
    py.run(serve, build=build, deadly=True)
    crash = crash_of(web.fetch(f"die/{how}")[0])
    assert (crash["kind"], crash["call"]) == (kind, how)
    assert web.fetch("die/bump")[0]["status"] == 500  # an int is no response
    assert web.fetch("count")[0]["json"] == {"count": 1}


@pytest.mark.parametrize("build", BUILDS)
def test_a_panic_of_an_async_call(py, web, build):
    """The panic fails its own request, also through a gather, and the other requests of an abort build."""
    py.run(serve, build=build)
    failed, other = web.fetch("panic-later", "slow/300")
    assert crash_of(failed) == {**CRASH, "call": "transfer_later", "interrupted": False}
    assert other["status"] == (200 if build == "unwind" else 500)


def test_requests_that_may_be_to_blame(py, web):
    """If one of two calls of a function panics, both requests get the crash itself."""
    py.run(serve)
    *suspects, other = web.fetch("panic-later?1", "panic-later?2", "slow/300")
    assert [crash_of(suspect) for suspect in suspects] == [{**CRASH, "call": "", "interrupted": False}] * 2
    assert "in one of 2 calls of bank.transfer_later" in suspects[0]["json"]["detail"]
    assert crash_of(other) == {**CRASH, "call": "", "interrupted": True}


def test_a_handler_may_catch_its_crash(py, web):
    """A handler that catches the crash of its call answers as it likes, and the other requests fail."""
    py.run(serve)
    rescued, other = web.fetch("rescued", "idle")
    assert (rescued["status"], rescued["body"]) == (200, "rescued from RustPanic")
    assert crash_of(other)["interrupted"]
    assert other["order"] < rescued["order"]


async def reset():
    import unpanic

    unpanic.reset(KEPT["bank"])


def begin(web: Web, path: str, server: InBrowser | None = None) -> None:
    """Sends a long request, and waits until its handler runs."""
    server = server or web.py
    before = len(server.run(events))
    web.page.evaluate("path => { window.begun = fetch('/bank/' + path) }", path)
    while len(server.run(events)) == before:
        pass


BEGUN = "async () => { const answer = await window.begun; return [answer.status, await answer.json()] }"


def test_an_explicit_reset(py, web):
    """A reset fails only the requests whose calls it interrupted."""
    py.run(serve)
    begin(web, "slow/5000")
    py.run(reset)
    status, body = web.page.evaluate(BEGUN)
    assert status == 500
    assert (body["kind"], body["interrupted"]) == ("interrupted", True)


def test_requests_run_concurrently(py, web):
    """Two slow requests overlap: each begins before the other one ends."""
    py.run(serve)
    assert [one["status"] for one in web.fetch("slow/60", "slow/61")] == [200, 200]
    log = py.run(events)
    assert sorted(log[:2]) == ["began 60", "began 61"]
    assert sorted(log[2:]) == ["ended 60", "ended 61"]


def test_methods_headers_and_bodies(py, web):
    """Method, headers, query and body reach Python, and status and headers of the response reach the page."""
    py.run(serve)
    put, patch, head = web.fetch(
        ("echo?a=1&b=%20&a=2", {"method": "PUT", "body": "hello", "headers": {"x-ask": "1"}}),
        ("echo", {"method": "PATCH", "body": "x" * 100_000}),
        ("count", {"method": "HEAD"}),
    )
    assert put["json"] == {
        "method": "PUT", "query": {"a": "2", "b": " "}, "a": ["1", "2"], "x": "1", "chunks": [5]
    }  # fmt: skip
    assert (put["status"], put["headers"]["x-answer"]) == (201, "yes")
    assert sum(patch["json"]["chunks"]) == 100_000
    assert (head["status"], head["body"]) == (200, "")


def test_unknown_routes_and_methods(py, web):
    """An unknown path is a 404. A known path with another method is a 405 that names the allowed methods."""
    py.run(serve)
    unknown, wrong, bad = web.fetch("nowhere", ("count", {"method": "POST"}), "bad")
    assert (unknown["status"], unknown["type"], unknown["json"]["title"]) == (404, PROBLEM, "Not Found")
    assert (wrong["status"], wrong["headers"]["allow"]) == (405, "GET, HEAD")
    assert (bad["status"], bad["type"]) == (500, PROBLEM)
    assert bad["json"]["detail"].startswith("TypeError: A handler returns a Response")


def test_a_deadline(py, web):
    """An async handler that exceeds its deadline is cancelled, and its request is answered with 504."""
    py.run(serve, seconds=0.5)
    late = web.fetch("idle")[0]
    assert (late["status"], late["type"]) == (504, PROBLEM)
    assert py.run(events) == ["idle", "cancelled"]


def test_a_handler_that_does_not_end(py, web):
    """Its request is answered at the deadline, even if it ignores its cancellation or takes long to end."""
    py.run(serve, seconds=0.5)
    for how in "ends", "goes-on":
        assert web.fetch(f"late/{how}")[0]["status"] == 504
        assert py.run(events)[-1] == f"{how} was cancelled"
    while py.run(in_flight):  # their later results are no second answer
        pass


def in_flight():

    return len(KEPT["server"]._flights)


# A worker has its own thread, so it gets requests while the page is busy.
WHILE_BUSY = """urls => new Promise((resolve, reject) => {
    const ask = async (urls) => postMessage(await Promise.all(urls.map(async (url) => {
        const response = await fetch(url);
        const at = Date.now() / 1000; // Firefox waits for the page before it gives a worker the body
        return { status: response.status, detail: (await response.json()).detail, at };
    })));
    const source = new Blob([`(${ask})(${JSON.stringify(urls)})`], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(source));
    worker.onmessage = ({ data }) => resolve(data) ?? worker.terminate();
    worker.onerror = reject;
})"""


def test_a_handler_that_keeps_python_busy(py, web, engine):
    """The service worker answers for Python while it is busy, and requests that waited behind it never run."""
    py.run(serve, seconds=0.5)
    urls = [f"{py.url}/bank/{path}" for path in ("busy/3", "slow/1")]
    answers = web.page.evaluate(WHILE_BUSY, urls)
    assert [answer["status"] for answer in answers] == [504, 504]
    for answer in answers:
        assert answer["detail"] == (
            "Python did not answer within 0.5 s: something keeps the page busy that serves /bank/."
        )
    log = py.run(events)
    assert log[0] == "busy"
    if engine != "webkit":  # where requests of a page's workers go through the page
        assert all(answer["at"] < log[1] for answer in answers), "Python had an end before the answer came"
    assert len(log) == 2, "a handler ran for a request that was answered"
    assert web.fetch("slow/1")[0]["status"] == 200


async def serve_loops(seconds):
    """Handlers whose Rust does not end by itself, in a module that can be stopped."""
    import asyncio
    import math

    from unpanic import service

    loops = await unpanic.load("/fixtures/loops/pkg/abort/loops.js", timeout=math.inf)
    router = service.Router()
    KEPT["events"] = []
    KEPT["loops"] = loops

    @router.get("/spin")
    def spin(_):
        loops.spin()

    @router.get("/poll")
    async def poll(_):
        await loops.spin_async(1)

    @router.get("/late")
    def late(_):
        async def compute():
            await asyncio.sleep(2 * seconds)
            KEPT["events"].append(loops.fibonacci(27))

        KEPT["late"] = asyncio.ensure_future(compute())
        return {"sum": loops.add(2, 3)}

    @router.get("/stream")
    def stream(_):
        async def parts():
            await asyncio.sleep(2 * seconds)
            yield str(loops.fibonacci(27))

        return service.Response(parts())

    KEPT["server"] = await service.serve("/bank/", router, worker="/unpanic-service-worker.js", timeout=seconds)


async def loops_after(wait):
    import unpanic

    if wait:
        await KEPT["late"]
    loops = KEPT["loops"]
    return loops.add(2, 3), dict(unpanic.status(loops).crashes), KEPT["events"]


@pytest.mark.parametrize("path", ["spin", "poll"])
def test_a_deadline_ends_rust_that_computes(py, web, path):
    """The page is free again, the answer is a 504, and the module goes on."""
    py.run(serve_loops, seconds=0.3)
    assert web.fetch(path)[0]["status"] == 504
    assert py.run(loops_after, wait=False) == [5, {"timeout": 1}, []]


def test_a_deadline_ends_with_its_request(py, web):
    """What the handler has left behind, and a stream that has begun, compute for as long as they like."""
    py.run(serve_loops, seconds=0.2)
    answers = web.fetch("late", "stream")
    assert [(answer["status"], answer["body"]) for answer in answers] == [(200, '{"sum": 5}'), (200, "196418")]
    assert py.run(loops_after, wait=True) == [5, {}, [196418]]


def test_headers_arrive_as_they_were_sent(py, web, engine):
    """Headers keep any value, except that Chromium loses or recodes Latin-1 between page and worker."""
    py.run(serve)
    plain, latin = "".join(map(chr, range(0x21, 0x7F))), "".join(map(chr, range(0xA1, 0x100)))
    got = web.fetch(("header", {"headers": {"x-ask": plain}}))[0]
    assert (got["body"], got["headers"]["x-answer"]) == (plain, plain)
    asked = web.fetch(("header", {"headers": {"x-ask": latin}}))[0]
    answered = web.fetch("latin")[0]["headers"]["x-answer"]
    if engine == "chromium":
        assert asked["body"] == ""
        assert answered.encode("latin-1").decode() == latin
    else:
        assert (asked["body"], asked["headers"]["x-answer"]) == (latin, latin)
        assert answered == latin


def test_responses_that_cannot_be_sent(py, web):
    """A response that was changed to values which JavaScript refuses becomes a 500 with the reason."""
    py.run(serve)
    for what, why in {
        "status": "ValueError: The status of a response is 200 to 599, not 99.",
        "caron": "ValueError: The header x cannot be 'ž': one line of Latin-1 is allowed.",
        "lines": r"ValueError: The header x cannot be 'a\r\nb': one line of Latin-1 is allowed.",
        "nul": r"ValueError: The header x cannot be '\x00': one line of Latin-1 is allowed.",
    }.items():
        got = web.fetch(f"changed/{what}")[0]
        assert (got["status"], got["type"], got["json"]["detail"]) == (500, PROBLEM, why)
    for status in 204, 205, 304:  # the response has no body
        got = web.fetch(f"changed/{status}")[0]
        assert (got["status"], got["body"]) == (status, "")
    assert web.fetch("changed/201")[0]["body"] == "text"


def test_what_is_no_ordinary_exception(py, web):
    """It becomes a 500 with its name, and the next request is answered."""
    py.expect_errors("KeyboardInterrupt")  # goes on to the event loop, which handles the user's stop
    py.run(serve)
    for name, detail in {
        "exit": "SystemExit: 1",
        "unprintable": "Unprintable: (its __str__ raises ZeroDivisionError)",
        "interrupt": "KeyboardInterrupt: ",
    }.items():
        got = web.fetch(f"raise/{name}")[0]
        assert (got["status"], got["type"], got["json"]["detail"]) == (500, PROBLEM, detail)
        assert web.fetch("slow/1")[0]["status"] == 200


def test_streams(py, web, engine):
    """A body is sent part by part. It ends in an error if its generator or another request crashes."""
    if engine == "firefox":  # reports a body that ends in an error
        py.expect_errors("A ServiceWorker intercepted the request and encountered an unexpected error")
    py.run(serve)
    good, bad = web.fetch("stream/fine", "stream/panics")
    assert (good["status"], good["body"]) == (200, "0 1 2 ")
    assert "error" in bad
    assert sorted(py.run(events)) == ["stream fine ended", "stream panics ended"]

    first = """async () => {
        window.reader = (await fetch("/bank/stream/waits")).body.getReader();
        return new TextDecoder().decode((await window.reader.read()).value);
    }"""
    assert web.page.evaluate(first).startswith("0 ")  # Firefox returns the parts that have arrived by then
    assert web.fetch("panic")[0]["status"] == 500
    rest = "async () => { try { for (;;) if ((await reader.read()).done) return 'done' } catch (e) { return 'error' } }"
    assert web.page.evaluate(rest) == "error"
    assert py.run(events)[-1] == "stream waits ended"


def test_a_stream_that_the_page_gives_up(py, web):
    """If the page cancels a body or aborts its fetch, the generator of the body ends."""
    py.run(serve)
    web.page.evaluate("""async () => {
        const stop = new AbortController();
        const reader = (await fetch("/bank/stream/waits", { signal: stop.signal })).body.getReader();
        for (let i = 0; i < 3; i++) await reader.read();
        stop.abort();
        await reader.read().catch(() => {});
    }""")
    while py.run(events) != ["stream waits ended"]:
        pass


def test_a_body_that_is_streamed_up(py, web, engine):
    """Chunks arrive as the page sends them, if the engine provides a stream."""
    if engine != "chromium":
        pytest.skip("only Chromium sends streams")
    py.run(serve)
    got = web.page.evaluate("""async () => {
        const body = new ReadableStream({
            start(c) { for (const n of [3, 4]) c.enqueue(new Uint8Array(n)); c.close() }
        });
        return (await fetch("/bank/echo", { method: "PUT", body, duplex: "half" })).json();
    }""")
    assert sum(got["chunks"]) == 7


@pytest.mark.parametrize("build", BUILDS)
def test_keyed_objects(py, web, build):
    """Each key has one object, made at its first use; a reset makes it again, and unwinding keeps its state."""
    py.run(serve, build=build)
    deposit = {"method": "POST", "body": '{"amount": 50}'}
    first = web.fetch(("accounts/ada", deposit), ("accounts/ada", deposit), "accounts/bob")
    assert sorted(one["json"]["balance"] for one in first) == [100, 150, 200]
    assert web.fetch("panic")[0]["status"] == 500
    after = [one["json"]["balance"] for one in web.fetch("accounts/ada", "accounts/bob")]
    assert after == ([200, 100] if build == "unwind" else [100, 100])
    assert web.fetch(("accounts/ada", {"method": "DELETE"}))[0]["status"] == 204
    assert web.fetch("accounts/ada")[0]["json"] == {"balance": 100}


def test_the_worker_may_stop_at_any_time(py, web, context, engine):
    """A worker that the engine stops and restarts still answers its requests; others go to the network."""
    if engine != "chromium":
        pytest.skip("stopped through Chromium's developer tools")
    py.run(serve)
    tools = context.new_cdp_session(web.page)
    tools.send("ServiceWorker.enable")
    for _ in range(2):
        tools.send("ServiceWorker.stopAllWorkers")
        assert web.fetch("count")[0]["status"] == 200
        tools.send("ServiceWorker.stopAllWorkers")
        assert web.page.evaluate("async () => (await fetch('/fixtures/nothing')).status") == 404
    tools.detach()


async def refusals(workers, prefixes):
    from unpanic import service
    from unpanic.service import _page

    async def attempt(prefix, **options):
        _page.SECONDS_TO_ANSWER = 0.2 if "foreign" in options.get("worker", "") else 5.0
        try:
            await service.serve(prefix, lambda _: "", **options)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    found = [await attempt("/other/", worker=worker) for worker in workers]
    return [*found, *[await attempt(prefix) for prefix in prefixes]]


def test_what_cannot_serve(py, web, server):
    """A missing worker, or one of a wrong type, place, kind or version, is refused. The right one then replaces it."""
    py.run(serve)
    source = server.routes[WORKER].body.decode()
    server.route("/typed.js", source, content_type="text/html")
    server.route("/aside/worker.js", source)
    server.route("/tests/foreign.js", "// nothing")
    server.route("/old.js", source.replace(version(), "0.0.1"))
    url = server.url
    assert py.run(
        refusals,
        workers=["/none.js", "/typed.js", "/aside/worker.js", "/tests/foreign.js", "/old.js"],
        prefixes=["/bank", "http://elsewhere/bank/"],
    ) == [
        f"ServiceError: There is no service worker at {url}/none.js (HTTP status 404). `unpanic assets DIR` writes "
        "unpanic-service-worker.js into a folder of your site; serve(..., worker=...) tells where it is.",
        f"ServiceError: The service worker {url}/typed.js comes as text/html, not as text/javascript, so browsers "
        "refuse it.",
        f"ServiceError: The service worker {url}/aside/worker.js reaches pages below {url}/aside/, which "
        f"{py.page.url} is not: put its file into the page's folder or one above.",
        f"ServiceError: {url}/tests/foreign.js is another service worker: it does not import "
        "unpanic-service-worker.js.",
        f"ServiceError: The service worker {url}/old.js is that of unpanic 0.0.1, but this is unpanic {version()}: "
        "`unpanic assets DIR` writes the file of this version.",
        "ValueError: A prefix ends with a slash: '/bank' does not.",
        "ValueError: 'http://elsewhere/bank/' is on another origin than the page: only its own requests can be served.",
    ]
    web.page.evaluate("""async () => {
        const container = navigator.serviceWorker;
        for (const path of ["/tests/", "/aside/"]) await (await container.getRegistration(path)).unregister();
    }""")
    py.run(serve)
    assert web.fetch("count")[0]["json"] == {"count": 1}


def version() -> str:
    import unpanic

    return unpanic.__version__


FRAME = """path => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.src = path;
    frame.onload = () => resolve(frame.contentDocument.body.innerText.trim());
    document.body.append(frame);
})"""
STATUS = "async (path) => (await fetch(path)).status"


def test_while_no_python_is_there(py, web, new_pyodide_host, py_in, engine):
    """A reloaded page and others get a 503. After the server is closed, the host answers the address again.

    Of two tabs, each answers its own requests. Requests of a tab without Python are answered by the other tab.
    """
    py.run(serve)
    other = new_pyodide_host("page")
    fetch_there = Web(py_in(other), engine)
    assert fetch_there.fetch("slow/1")[0]["status"] == 200  # answered by the first tab
    assert py.run(events) == ["began 1", "ended 1"]
    assert other.page.evaluate(FRAME, "/bank/count") == '{"count": 1}'  # Python may answer for a page too
    there = fetch_there.py
    there.run(serve)
    assert fetch_there.fetch("slow/2")[0]["status"] == 200
    assert web.fetch("slow/3")[0]["status"] == 200
    assert there.run(events) == ["began 2", "ended 2"]
    assert py.run(events)[2:] == ["began 3", "ended 3"]

    py.run(stop)  # the other tab still serves that prefix
    assert web.fetch("slow/4")[0]["status"] == 200
    begin(web, "idle", there)
    other.page.reload()
    assert web.page.evaluate(BEGUN)[0] == 503
    outcome = other.page.evaluate(FETCH, [["/bank/count"]])[0]
    assert (outcome["status"], outcome["type"], outcome["headers"]["retry-after"]) == (503, PROBLEM, "1")
    assert web.page.evaluate(STATUS, "/bank/count") == 503
    other.close()

    py.run(serve)
    assert web.page.evaluate(STATUS, "/bank/count") == 200
    py.run(stop)
    assert web.page.evaluate(STATUS, "/bank/count") == 404
