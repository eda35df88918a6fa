"""Every request is answered by its deadline, for any behaviour and any response of its handler."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from unpanic import service

from tests.unit.service.serving import FakeExchange, Site, run, turns


class Unprintable(Exception):
    """Asking for its text raises an exception."""

    def __str__(self) -> str:
        raise ZeroDivisionError


class Unready(service.HTTPError):
    """An exception that a user made without a response."""

    def __init__(self) -> None:
        pass


def raises(error: BaseException) -> Any:
    raise error


def changed(**attributes: Any) -> service.Response:
    """Returns a response that was changed after it was made."""
    response = service.Response("text")
    for name, value in attributes.items():
        setattr(response, name, value)
    return response


def spoilt(**attributes: Any) -> service.HTTPError:
    error = service.HTTPError(404)
    for name, value in attributes.items():
        setattr(error.response, name, value)
    return error


def ask(handler: Any, **options: Any) -> FakeExchange:
    async def main() -> FakeExchange:
        async with Site(handler, **options) as site:
            return await site.ask("/x")

    return run(main)


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"status": 99}, "ValueError: The status of a response is 200 to 599, not 99."),
        ({"status": 600}, "ValueError: The status of a response is 200 to 599, not 600."),
        ({"status": "200"}, "ValueError: The status of a response is 200 to 599, not '200'."),
        ({"status": None}, "ValueError: The status of a response is 200 to 599, not None."),
        ({"headers": {"x": "ž"}}, "ValueError: The header x cannot be 'ž': one line of Latin-1 is allowed."),
        ({"headers": [("x", "a\r\nb")]}, r"ValueError: The header x cannot be 'a\r\nb': one line of Latin-1 is"),
        ({"headers": [("x", "a\0")]}, r"ValueError: The header x cannot be 'a\x00': one line of Latin-1 is allowed."),
        ({"headers": [("x y", "a")]}, "ValueError: 'x y' cannot be the name of a header."),
        ({"headers": ["x"]}, "ValueError: not enough values to unpack"),
        ({"headers": 5}, "TypeError: 'int' object is not iterable"),
        ({"body": 5}, "TypeError: The body of a response is text, bytes, a dict, a list or an iterable, not int."),
        ({"body": {"a": {1}}}, "TypeError: Object of type set is not JSON serializable"),
        ({"body": "\ud800"}, "UnicodeEncodeError: "),
    ],
    ids=str,
)  # fmt: skip
def test_a_response_that_cannot_be_sent(attributes: Any, why: str, caplog: pytest.LogCaptureFixture):
    """An invalid change becomes a 500 with the reason, and is logged. This also holds for an error's response."""
    got = ask(lambda _: changed(**attributes))
    assert got.status == 500
    assert got.problem["detail"].startswith(why)
    assert len(caplog.records) == 1
    got = ask(lambda _: raises(spoilt(**attributes)))
    assert got.status == 500
    assert got.problem["detail"].startswith(f"HTTPError: 404, and the response for it cannot be made: {why}")


@pytest.mark.parametrize(
    ("attributes", "status", "body", "headers"),
    [
        ({"status": 201}, 201, b"text", {}),
        ({"body": "other"}, 200, b"other", {}),
        ({"body": {"a": 1}}, 200, b'{"a": 1}', {}),
        ({"body": None}, 200, b"", {}),
        ({"headers": {"x": 5}}, 200, b"text", {"x": "5"}),
        ({"headers": [("x", "é\t\xff")]}, 200, b"text", {"x": "é\t\xff"}),
        ({"headers": None}, 200, b"text", {}),
        ({"status": 204}, 204, b"", {}),
        ({"status": 304, "body": iter("ab")}, 304, b"", {}),
        ({"body": iter(["a", b"b"])}, 200, None, {}),
    ],
    ids=str,
)
def test_a_response_that_was_changed(attributes: Any, status: int, body: bytes | None, headers: Any):
    """Valid changes are sent. A status without a body has no body."""
    got = ask(lambda _: changed(**attributes))
    assert (got.status, got.body) == (status, body)
    assert {name: got.answer_headers[name] for name in headers} == headers


@pytest.mark.parametrize(
    ("error", "detail", "logged"),
    [
        (SystemExit(3), "SystemExit: 3", 1),
        (GeneratorExit(), "GeneratorExit: ", 1),
        (Unprintable(), "Unprintable: (its __str__ raises ZeroDivisionError)", 1),
        (Unready(), "Unready: , and the response for it cannot be made: AttributeError: 'Unready' object has no", 1),
        (RecursionError("deep"), "RecursionError: deep", 1),
        (MemoryError(), "MemoryError: ", 1),
        (BaseExceptionGroup("two", [SystemExit(1), ValueError()]), "BaseExceptionGroup: two (2 sub-exceptions)", 1),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("how", ["at once", "later", "in a task"])
def test_what_is_no_ordinary_exception(
    error: BaseException, detail: str, logged: int, how: str, caplog: pytest.LogCaptureFixture
):
    """It becomes a 500 with its name, and ends only its own request."""

    async def later(_: service.Request) -> None:
        await asyncio.sleep(0)
        raise error

    async def waits(_: service.Request) -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(error)
        await future

    got = ask({"at once": lambda _: raises(error), "later": later, "in a task": waits}[how])
    assert got.status == got.problem["status"] == 500
    assert got.problem["detail"].startswith(detail)
    assert len(caplog.records) == logged


def test_a_keyboard_interrupt_goes_on():
    """The request gets a 500 with its name. The stop itself is meant for the code that runs the event loop."""
    exchange = None

    async def main() -> None:
        nonlocal exchange
        async with Site(lambda _: raises(KeyboardInterrupt())) as site:
            exchange = site.begin("/x")
            await asyncio.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        run(main)
    assert exchange
    assert (exchange.status, exchange.problem["detail"], exchange.closed) == (500, "KeyboardInterrupt: ", 1)


def test_a_log_that_fails():
    """The request is answered before that, and the loop gets the error of the log."""
    heard: list[Any] = []

    def fails(_: logging.LogRecord) -> bool:
        raise OSError("full")

    async def main() -> FakeExchange:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
        async with Site(lambda _: raises(ValueError("x"))) as site:
            return await site.ask("/x")

    logger = logging.getLogger("unpanic.service")
    logger.addFilter(fails)
    try:
        got = run(main)
    finally:
        logger.removeFilter(fails)
    assert (got.status, got.problem["detail"]) == (500, "ValueError: x")
    assert [str(error) for error in heard] == ["full"]


def test_an_answer_that_does_not_go_out():
    """A response that the other end refuses becomes a 500 with the reason."""

    class Picky(FakeExchange):
        def answer(self, status: int, headers: Any, body: bytes | None) -> None:
            if status == 200:
                raise MemoryError("too long")
            super().answer(status, headers, body)

    async def main() -> FakeExchange:
        async with Site(lambda _: "text") as site:
            exchange = Picky("/x")
            site.gateway.receive(exchange)
            await turns()
            return exchange

    got = run(main)
    assert got.problem["detail"] == "The response could not be sent: MemoryError: too long"
    assert got.closed == 1


# Deadlines.


async def swallows(release: asyncio.Event) -> str:
    while not release.is_set():
        with contextlib.suppress(asyncio.CancelledError):
            await release.wait()
    return "too late"


async def tidies_up(release: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await release.wait()


async def raises_instead(release: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await release.wait()
        raise ValueError("cancelled") from None


async def streams_instead(release: asyncio.Event) -> service.Response:
    await swallows(release)
    return service.Response(iter("ab"))


@pytest.mark.parametrize("handler", [swallows, tidies_up, raises_instead, streams_instead])
def test_a_handler_that_does_not_end_when_it_is_cancelled(handler: Any):
    """The 504 is sent while the handler still runs, and is the only response."""

    async def main() -> None:
        release = asyncio.Event()
        async with Site(lambda _: handler(release), timeout=0.02) as site:
            exchange = site.begin("/x")
            while not exchange.status:
                await asyncio.sleep(0)
            assert (exchange.status, exchange.problem["detail"]) == (504, "GET /x took longer than 0.02 s.")
            await turns()
            assert repr(site.server) == "<Server /bank/ 1 in flight>"
            release.set()
            while not exchange.closed:
                await asyncio.sleep(0)
            assert (exchange.sent, exchange.error) == ([], None)

    run(main)


def test_a_handler_that_blocks():
    """A response after the deadline is not sent, even though nothing could end the handler. One in time is sent."""

    def blocks(request: service.Request) -> str:
        if request.path == "/long":
            time.sleep(0.3)
        return "done"

    async def main() -> None:
        async with Site(blocks, timeout=0.25) as site:
            assert (await site.ask("/long")).status == 504
            assert (await site.ask("/short")).status == 200

    run(main)


@pytest.mark.parametrize(("waited", "status"), [(5.0, 504), (0.0, 200)])
def test_a_request_that_waited_too_long(waited: float, status: int):
    """Its handler does not run, because the client was already told so."""
    ran = []

    async def main() -> FakeExchange:
        async with Site(lambda _: ran.append(1) or "done", timeout=2) as site:
            return await site.ask("/x", waited=waited)

    assert run(main).status == status
    assert len(ran) == (status == 200)


def test_a_handler_without_a_deadline():
    """None and infinity mean no deadline."""
    for timeout in (None, float("inf")):
        assert ask(lambda _: asyncio.sleep(0.01, "done"), timeout=timeout).body == b"done"


def test_a_deadline_is_of_the_beginning():
    """The deadline limits the start of the response. A stream may take longer."""

    async def parts() -> Any:
        for number in range(3):
            await asyncio.sleep(0.02)
            yield str(number)

    got = ask(lambda _: service.Response(parts()), timeout=0.03)
    assert (got.status, got.sent, got.error) == (200, [b"0", b"1", b"2"], "")


def test_a_deadline_of_a_server_cannot_be_changed():
    """The service worker already has the deadline."""
    server = service.Server("/bank/", lambda _: "", timeout=3)
    assert server.timeout == 3
    with pytest.raises(AttributeError):
        server.timeout = 5  # type: ignore[misc]


# Streams.


async def nothing() -> Any:
    raise ValueError("x")
    yield


async def quits() -> Any:
    yield "a"
    sys.exit(1)


def not_bytes() -> Iterator[Any]:
    yield "a"
    yield 5


@pytest.mark.parametrize(
    ("make", "sent"), [(nothing, []), (quits, [b"a"]), (not_bytes, [b"a"]), (lambda: map(int, "x"), [])]
)
def test_a_stream_that_fails(make: Any, sent: list[bytes], caplog: pytest.LogCaptureFixture):
    """It breaks off after the parts that were sent, and is logged."""
    got = ask(lambda _: service.Response(make()))
    assert (got.status, got.sent, got.error, got.closed) == (200, sent, "The request failed in Python.", 1)
    assert len(caplog.records) == 1


def test_a_response_that_is_sent_twice():
    """A whole body or a new iterable can be sent twice. An iterator is a 500 the second time."""

    class Parts:
        def __iter__(self) -> Iterator[str]:
            return iter("ab")

    async def asynchronous() -> Any:
        yield "a"
        yield "b"

    async def twice(body: Any) -> list[FakeExchange]:
        response = service.Response(body)
        async with Site(lambda _: response) as site:
            return [await site.ask("/x"), await site.ask("/x")]

    for body in ("ab", Parts(), iter("ab"), asynchronous()):
        first, second = run(lambda body=body: twice(body))
        assert first.body or first.sent
        if hasattr(body, "__next__") or hasattr(body, "__anext__"):
            assert second.problem["detail"] == (
                "RuntimeError: This Response was sent before, and its body is an iterator: make one per request."
            )
        else:
            assert (second.status, second.body, second.sent) == (200, first.body, first.sent)


def test_what_has_no_body_leaves_a_stream_alone():
    """A HEAD or a 204 does not consume the stream."""
    response = service.Response(iter("ab"))

    async def main() -> None:
        async with Site(lambda _: response) as site:
            assert (await site.ask("/x", "HEAD")).body == b""
            assert (await site.ask("/x")).sent == [b"a", b"b"]

    run(main)
