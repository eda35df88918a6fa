"""Serving without a browser: requests in flight, responses, routes, keyed objects, and crashes."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from unpanic import CallInterrupted, ModuleTerminated, RustError, Trap, service
from unpanic.service._problems import explain

from tests.unit.fakes import FakeDriver, crash, function, make_module, struct
from tests.unit.service.serving import FakeExchange, Site, run, turns


def answer(result: Any, method: str = "GET", **options: Any) -> FakeExchange:
    """Returns the response for a handler that returns or raises something."""

    def handler(_: service.Request) -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    async def main() -> FakeExchange:
        async with Site(handler, **options) as site:
            return await site.ask("/x", method)

    return run(main)


@pytest.mark.parametrize(
    ("result", "status", "kind", "body"),
    [
        ("é", 200, "text/plain; charset=utf-8", "é".encode()),
        (b"\0", 200, "application/octet-stream", b"\0"),
        (bytearray(b"a"), 200, "application/octet-stream", b"a"),
        ({"a": 1}, 200, "application/json", b'{"a": 1}'),
        ([1], 200, "application/json", b"[1]"),
        (service.Response("a", 201, {"Content-Type": "text/html"}), 201, None, b"a"),
        (service.Response("a", 204), 204, "text/plain; charset=utf-8", b""),
    ],
)
def test_results(result: Any, status: int, kind: str | None, body: bytes):
    """Text, bytes, JSON and responses are sent as they are. A status without a body has no body."""
    got = answer(result)
    assert (got.status, got.answer_headers.get("content-type"), got.body) == (status, kind, body)


def test_head_has_no_body():
    """The response has neither a whole body nor a stream."""
    assert answer("text", "HEAD").body == b""
    assert answer(service.Response(iter("ab")), "HEAD").body == b""


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: 5,
         "TypeError: A handler returns a Response, text, bytes, a dict or list (JSON) or None (404), not int."),
        (lambda: service.Response("", 99), "ValueError: The status of a response is 200 to 599, not 99."),
        (lambda: service.Response("", "200"), "ValueError: The status of a response is 200 to 599, not '200'."),
        (lambda: service.Response("", 200, {"a": "b\nc"}),
         "ValueError: The header a cannot be 'b\\nc': one line of Latin-1 is allowed."),
        (lambda: service.Response("", 200, {"a b": ""}), "ValueError: 'a b' cannot be the name of a header."),
        (lambda: service.Response(5),
         "TypeError: The body of a response is text, bytes, a dict, a list or an iterable, not int."),
        (lambda: {"a": float("nan")}, "ValueError: Out of range float values are not JSON compliant"),
    ],
)  # fmt: skip
def test_bad_results(make: Any, text: str, caplog: pytest.LogCaptureFixture):
    """A result that cannot be sent becomes a 500 that says so, and is logged with its traceback."""

    async def main() -> FakeExchange:
        async with Site(lambda _: make()) as site:
            return await site.ask("/x")

    got = run(main)
    assert got.status == 500
    assert got.problem["detail"].startswith(text)
    [record] = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == ("unpanic.service", logging.ERROR, "GET /x failed.")
    assert record.exc_info


@pytest.mark.parametrize(
    ("error", "status", "members", "logged"),
    [
        (service.HTTPError(403, "no", code=7), 403, {"title": "Forbidden", "detail": "no", "code": 7}, 0),
        (RustError("no such account"), 500, {"kind": "exception", "exception": "RustError"}, 1),
        (ValueError("x"), 500, {"detail": "ValueError: x", "message": "x"}, 1),
        (TimeoutError("of its own"), 500, {"exception": "TimeoutError"}, 1),
        (ModuleTerminated("over"), 503, {"kind": "terminated", "detail": "over"}, 0),
        (CallInterrupted("reset"), 500, {"kind": "interrupted", "interrupted": True}, 0),
        (asyncio.CancelledError(), 500, {"kind": "cancelled"}, 0),
        (
            Trap("unreachable", call="f", module="bank", generation=2),
            500,
            {"kind": "trap", "message": "unreachable", "call": "f", "module": "bank", "generation": 2,
             "location": None, "interrupted": False},
            0,
        ),
        (
            CallInterrupted("interrupted", crash=Trap("unreachable", call="f", module="bank")),
            500,
            {"kind": "trap", "detail": "interrupted", "call": "f", "interrupted": True},
            0,
        ),
    ],
)  # fmt: skip
def test_exceptions(error: BaseException, status: int, members: Any, logged: int, caplog: pytest.LogCaptureFixture):
    """An exception of a handler becomes a problem document with a fitting status."""
    got = answer(error)
    assert got.status == got.problem["status"] == status
    assert got.problem["type"] == "about:blank"
    assert {name: got.problem[name] for name in members} == members
    assert len(caplog.records) == logged


def test_nothing_is_not_found():
    """None becomes a 404."""
    got = answer(None)
    assert (got.status, got.problem["title"]) == (404, "Not Found")


def test_a_request_tells_what_was_asked():
    """Headers match in any case, the body can be read in every form and repeatedly, and bad JSON is a 400."""

    async def handler(request: service.Request) -> Any:
        chunks = [chunk async for chunk in request] if request.path == "/chunks" else []
        return {
            "header": request.headers["x-A"],
            "count": len(request.headers),
            "chunks": len(chunks),
            "text": await request.text(),
            "json": await request.json() if request.path == "/" else None,
        }

    async def main() -> None:
        async with Site(handler) as site:
            headers = [("X-a", "1"), ("x-A", "2")]
            whole = await site.ask("/", "POST", chunks=(b"[1,", b"2]"), headers=headers)
            expected = {"header": "1, 2", "count": 1, "chunks": 0, "text": "[1,2]", "json": [1, 2]}
            assert json.loads(whole.body or b"") == expected
            parts = await site.ask("/chunks", "POST", chunks=(b"[1,", b"2]"), headers=headers)
            assert json.loads(parts.body or b"")["chunks"] == 2
            wrong = await site.ask("/", "POST", chunks=(b"x",), headers=headers)
            assert (wrong.status, wrong.problem["detail"]) == (
                400, "The body is not JSON: Expecting value: line 1 column 1 (char 0)"
            )  # fmt: skip

    run(main)


def test_paths_and_queries():
    """The path is decoded and begins with a slash. Of parameters with one name the last counts, but all are kept."""
    request = service.Request(FakeExchange("/a%20b/?q=1&q=2&e="), "/bank/")
    assert (request.path, request.query) == ("/a b/", {"q": "2", "e": ""})
    assert [request.query.getlist(name) for name in "qex"] == [["1", "2"], [""], []]
    assert json.dumps(request.query) == '{"q": "2", "e": ""}'
    assert service.Request(FakeExchange("/"), "/bank/").path == "/"


def test_a_stream_waits_until_it_is_wanted():
    """A part is made when the page wants it. A failing stream breaks off, and an abandoned one is closed."""
    made: list[Any] = []

    async def parts() -> Any:
        try:
            for number in range(3):
                made.append(number)
                yield str(number)
        finally:
            made.append("closed")

    def fails() -> Any:
        yield b"a"
        raise ValueError("x")

    async def main() -> None:
        async with Site(lambda request: service.Response(fails() if request.path == "/fails" else parts())) as site:
            whole = await site.ask("/")
            assert (whole.status, whole.body, whole.sent, whole.error) == (200, None, [b"0", b"1", b"2"], "")
            broken = await site.ask("/fails")
            assert (broken.sent, broken.error) == ([b"a"], "The request failed in Python.")
            made.clear()
            left = FakeExchange("/")
            left.wanted = asyncio.Semaphore(1)
            site.gateway.receive(left)
            await turns()
            assert (left.sent, made) == ([b"0"], [0, 1])
            left.aborted()
            await turns()
            assert (made, left.error, left.closed) == ([0, 1, "closed"], None, 1)

    run(main)


def test_a_deadline_cancels_the_handler():
    """The response is a 504, and the handler is cancelled."""
    cancelled = []

    async def handler(_: service.Request) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    async def main() -> FakeExchange:
        async with Site(handler, timeout=0.01) as site:
            return await site.ask("/x")

    got = run(main)
    assert (got.status, got.problem["detail"], cancelled) == (504, "GET /x took longer than 0.01 s.", [1])


def test_a_closed_server():
    """It answers 503 to requests in flight, and a second close does no harm."""

    async def main() -> None:
        async with Site(lambda _: asyncio.Event().wait()) as site:
            waiting = site.begin("/x")
            await turns()
            assert repr(site.server) == "<Server /bank/ 1 in flight>"
            await site.server.close()
            await site.server.close()
            await turns()
            assert (waiting.status, waiting.closed, site.gateway.ended) == (503, 1, 1)
            assert repr(site.server) == "<Server /bank/ closed>"

    run(main)


# Crashes.


class Bank:
    """A module with an async function `slow`. The test decides how its calls end."""

    def __init__(self, recovery: str = "auto") -> None:
        self.begun = 0
        described = {"functions": [function("slow", result="string", is_async=True)]}
        self.driver = FakeDriver(described, {"slow": self.begin})
        hook = {"panic_hook": lambda _panic: None}
        self.module, self.supervisor, self.bank = make_module(self.driver, recovery=recovery, **hook)

    def begin(self, *_: Any) -> int:
        self.begun += 1
        return self.begun

    def crash(
        self, suspects: tuple[int, ...] = (), interrupted: tuple[int, ...] = (), call: str = "slow", **how: Any
    ) -> Any:
        return crash(self.supervisor, call=call, suspects=list(suspects), interrupted=list(interrupted), **how)


def test_a_crash_ends_all_in_flight():
    """The request that crashed gets the exception and may go on. The others end by themselves, or are ended."""

    async def main() -> None:
        bank = Bank()
        go_on = asyncio.Event()

        async def handler(request: service.Request) -> Any:
            if request.path == "/crashes":
                try:
                    raise bank.crash(interrupted=(1,))
                except Exception:
                    await go_on.wait()
                    return "rescued"
            if request.path == "/calls":
                await asyncio.gather(asyncio.create_task(wrapped(bank.bank.slow())))
            return await asyncio.Event().wait()

        async def wrapped(call: Any) -> Any:
            return await call

        async with Site(handler) as site:
            calls, waits = site.begin("/calls"), site.begin("/waits")
            await turns()
            crashes = site.begin("/crashes")
            await turns()
            assert (crashes.status, crashes.closed) == (0, 0)
            assert (calls.status, waits.status) == (500, 500)
            assert calls.problem["detail"].startswith("bank.slow was interrupted: another call crashed: insufficient")
            assert waits.problem["detail"].startswith("This request was interrupted: another one crashed: insufficient")
            for got in (calls, waits):
                assert (got.problem["message"], got.problem["interrupted"]) == ("insufficient funds", True)
                assert got.problem["location"] == {"file": "src/lib.rs", "line": 41, "column": 9}
            later = site.begin("/waits")
            go_on.set()
            await turns()
            assert (crashes.status, crashes.body, later.status) == (200, b"rescued", 0)

    run(main)


@pytest.mark.parametrize("obstacle", ["", "the browser has no memory"])
def test_a_crash_that_is_rolled_back_ends_nothing_else(obstacle: str):
    """The other requests in flight go on, unless the rollback fails."""

    async def main() -> None:
        bank = Bank("rollback")
        bank.driver.obstacle = obstacle

        async def handler(request: service.Request) -> Any:
            if request.path == "/crashes":
                raise bank.crash(can_roll_back=True)
            return await asyncio.Event().wait()

        async with Site(handler) as site:
            waits = site.begin("/waits")
            await turns()
            crashes = await site.ask("/crashes")
            await turns()
            assert crashes.problem["recovery"] == ("reset" if obstacle else "rollback")
            assert (crashes.status, waits.status) == (500, 500 if obstacle else 0)

    run(main)


def test_who_awaits_the_call_that_failed_is_spared():
    """A handler that awaits the call, even through tasks, gets the exception and answers as it likes."""

    async def main() -> None:
        bank = Bank()
        go_on = asyncio.Event()

        async def handler(_: service.Request) -> Any:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(asyncio.wait_for(bank.bank.slow(), 10))
            except* Exception:
                await go_on.wait()
            return "rescued"

        async with Site(handler) as site:
            failed, other = site.begin("/1"), site.begin("/2")
            await turns()
            bank.crash(suspects=(1,))
            await turns()
            assert (failed.status, other.status) == (0, 500)
            go_on.set()
            await turns()
            assert (failed.status, failed.body) == (200, b"rescued")

    run(main)


def test_requests_that_may_be_to_blame():
    """Each gets a problem with the crash. One that waits for another call gets a problem with an interruption."""

    async def main() -> None:
        bank = Bank()

        async def handler(_: service.Request) -> Any:
            return await asyncio.gather(bank.bank.slow())

        async with Site(handler) as site:
            first, second, other = site.begin("/1"), site.begin("/2"), site.begin("/3")
            await turns()
            bank.crash(call="", suspects=(1, 2), interrupted=(3,))
            await turns()
            assert [exchange.status for exchange in (first, second, other)] == [500] * 3
            assert [exchange.problem["interrupted"] for exchange in (first, second, other)] == [False, False, True]
            for exchange in (first, second):
                assert "(in one of 2 calls of bank.slow, " in exchange.problem["detail"]
                assert exchange.problem["call"] == ""

    run(main)


def test_a_stream_breaks_off_when_another_request_crashes():
    """Its status has been sent, so its body ends in an error."""

    async def main() -> None:
        bank = Bank()

        async def parts() -> Any:
            yield "a"
            await asyncio.Event().wait()

        async with Site(lambda _: service.Response(parts())) as site:
            streaming = site.begin("/")
            await turns()
            bank.crash()
            await turns()
            assert (streaming.status, streaming.sent, streaming.closed) == (200, [b"a"], 1)
            assert streaming.error

    run(main)


def test_only_crashes_of_named_modules_count():
    """A crash of another module ends nothing."""

    async def main() -> None:
        bank, other = Bank(), Bank()
        async with Site(lambda _: asyncio.Event().wait(), modules=[bank.bank]) as site:
            waiting = site.begin("/")
            await turns()
            other.crash()
            await turns()
            assert waiting.status == 0
            bank.crash()
            await turns()
            assert waiting.status == 500

    run(main)


# Routes.


def router() -> service.Router:
    router = service.Router()

    @router.get("/")
    def home(_: service.Request) -> str:
        return "home"

    @router.get("/accounts/{name}")
    async def account(_: service.Request, name: str) -> str:
        return f"account {name}"

    @router.route("/accounts/{name}", ["put", "PATCH"])
    def change(request: service.Request, name: str) -> str:
        return f"{request.method} {name}"

    @router.get("/v1.0/{year}-{month}")
    def month(_: service.Request, **parts: str) -> Any:
        return parts

    return router


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/", 200, b"home"),
        ("HEAD", "/", 200, b""),
        ("GET", "/accounts/ada%20l%2Fb", 200, b"account ada l/b"),
        ("PUT", "/accounts/ada", 200, b"PUT ada"),
        ("PATCH", "/accounts/ada", 200, b"PATCH ada"),
        ("GET", "/v1.0/2026-11", 200, b'{"year": "2026", "month": "11"}'),
        ("GET", "/v1x0/2026-11", 404, None),
        ("GET", "/accounts/", 404, None),
        ("GET", "/accounts/a/b", 404, None),
    ],
)
def test_routes(method: str, path: str, status: int, body: bytes | None):
    """The first route that fits answers, with its parameters decoded. Without one the response is a 404."""

    async def main() -> FakeExchange:
        async with Site(router()) as site:
            return await site.ask(path, method)

    got = run(main)
    assert got.status == status
    if body is not None:
        assert got.body == body


def test_a_wrong_method():
    """A 405 names the methods of the path."""

    async def main() -> FakeExchange:
        async with Site(router()) as site:
            return await site.ask("/accounts/ada", "DELETE")

    got = run(main)
    assert (got.status, got.answer_headers["allow"]) == (405, "GET, HEAD, PATCH, PUT")
    assert got.problem["detail"] == "/accounts/ada takes GET, HEAD, PATCH, PUT, not DELETE."


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_each_method_has_its_decorator(verb: str):
    """They have the names of the methods, and return the function itself."""
    router = service.Router()

    def handler(_: service.Request) -> str:
        return verb

    assert getattr(router, verb)("/x")(handler) is handler
    assert router(service.Request(FakeExchange("/x", verb.upper()), "/bank/")) == verb


@pytest.mark.parametrize("path", ["x", "/{}", "/{a b}", "/{a}/{a}"])
def test_bad_routes(path: str):
    """A malformed path raises when the route is added."""
    with pytest.raises(ValueError, match=r"slash|parameter"):
        service.Router().get(path)


# Keyed objects.


def test_keyed_objects():
    """Each key has one object until that is deleted. After a reset the object is made again, without a warning."""
    driver = FakeDriver({"classes": [struct("Account", "string")], "functions": []})
    for objects in ("recreate", "stale"):
        _, supervisor, bank = make_module(driver, objects=objects, panic_hook=lambda _: None)
        made: list[str] = []

        def make(key: str, made: list[str] = made, bank: Any = bank) -> Any:
            made.append(key)
            return bank.Account(key)

        accounts = service.Keyed(bank.Account, make)
        ada = accounts["ada"]
        assert accounts["ada"] is ada
        assert (list(accounts), len(accounts), "ada" in accounts, "bob" in accounts) == (["ada"], 1, True, False)
        crash(supervisor)
        assert accounts["ada"] is ada
        assert ada.__rust_handle__.live("use")  # its next use
        assert made == ["ada", "ada"]
        del accounts["ada"]
        assert accounts["ada"] is not ada
        accounts["ada"].free()
        assert accounts["ada"].__rust_handle__.live("use")
        assert made == ["ada"] * 4
        assert repr(accounts) == "<Keyed Account: 'ada'>"


def test_keyed_objects_are_of_their_class():
    """A class that is not exported, or an object of another class, is refused."""
    bank = make_module(FakeDriver({"classes": [struct("Account", "string")], "functions": []}))[2]
    with pytest.raises(TypeError, match="exported class"):
        service.Keyed(dict)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"make\('ada'\) returned 5, not a Account"):
        service.Keyed(bank.Account, lambda _: 5)["ada"]
    assert service.Keyed(bank.Account)["ada"]


# Public names.


def test_public_names_are_documented():
    """`help()` has a text for each."""
    for name in service.__all__:
        assert getattr(service, name).__doc__, name
    assert sorted(service.__all__) == list(service.__all__)


def test_import_does_not_bring_it():
    """`import unpanic` alone does not load it."""
    import subprocess
    import sys

    code = "import sys, unpanic; sys.exit('unpanic.service' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def test_serving_needs_a_browser():
    """In plain CPython the error says so. Wrong arguments raise first."""
    for arguments, kind, text in (
        (("/", lambda _: 1), RuntimeError, "plain CPython"),
        (("/", 5), TypeError, "handler"),
    ):
        with pytest.raises(kind, match=text):
            asyncio.run(service.serve(*arguments))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="timeout=0"):
        asyncio.run(service.serve("/", lambda _: 1, timeout=0))


def test_explaining_needs_no_message():
    """An exception without a text has a detail too."""
    assert json.loads(explain(ValueError()).body)["detail"] == "ValueError: "
