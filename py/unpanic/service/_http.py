"""Requests, responses, and problems: responses that tell of an error."""

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ._exchange import Exchange

__all__ = ["HTTPError", "Headers", "Query", "Request", "Response", "problem"]

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A header's value may hold no line breaks, and nothing beyond Latin-1.
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
EMPTY = (204, 205, 304)


class Headers(Mapping[str, str]):
    """Headers by name, in any case."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._values[key] = f"{self._values[key]}, {value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values})"


class Query(dict[str, str]):
    """The parameters of an address by name. If several have one name, it stands for the last of them.

    Example:
        >>> request.query["tag"], request.query.getlist("tag")   # /notes?tag=a&tag=b
        ('b', ['a', 'b'])
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = list(pairs)
        super().__init__(self._pairs)

    def getlist(self, name: str) -> list[str]:
        """Returns all values of a parameter in their order, or an empty list if there is none."""
        return [value for key, value in self._pairs if key == name]


class Request:
    """A request of the page.

    `async for chunk in request` gives the body as it comes; `bytes`, `text` and `json` wait for all of it.

    Attributes:
        method: `GET`, `POST` and so on.
        url: the whole address.
        path: what follows the served prefix, decoded, with a slash before it: `/accounts/ada`.
        query: the parameters of the address by name. If several have one name, it stands for the last of them;
            `query.getlist(name)` has all.
        headers: by name, in any case.
    """

    def __init__(self, exchange: Exchange, prefix: str) -> None:
        parts = urlsplit(exchange.url)
        self.method, self.url = exchange.method, exchange.url
        self.raw_path = "/" + parts.path.removeprefix(prefix)
        self.path = unquote(self.raw_path)
        self.query = Query(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = Headers(exchange.headers)
        self._exchange = exchange
        self._body: bytes | None = None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yields the body, chunk by chunk."""
        if self._body is not None:
            yield self._body
            return
        while (chunk := await self._exchange.read()) is not None:
            yield chunk

    async def bytes(self) -> bytes:
        """Returns the whole body."""
        if self._body is None:
            self._body = b"".join([chunk async for chunk in self])
        return self._body

    async def text(self) -> str:
        """Returns the whole body as text, which is UTF-8."""
        return (await self.bytes()).decode()

    async def json(self) -> Any:
        """Returns the whole body, read as JSON.

        Raises:
            HTTPError: 400, if the body is not JSON.
        """
        try:
            return json.loads(await self.bytes())
        except ValueError as error:
            raise HTTPError(400, f"The body is not JSON: {error}") from None


class Response:
    """The answer of a handler.

    Args:
        body: text, bytes, a dict or list (sent as JSON), None, or an iterable or async iterable of
            texts and bytes, which is streamed.
        status: 200 to 599.
        headers: names and values, as a mapping or in pairs; `content-type` follows from the body if it is not among
            them.

    Raises:
        TypeError: the body is of another type.
        ValueError: HTTP does not allow the status or a header.

    Example:
        >>> service.Response("gone", 410, {"cache-control": "no-store"})
    """

    def __init__(
        self, body: Any = None, status: int = 200, headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None
    ) -> None:
        self.status = _status(status)
        self.headers = _headers(headers)
        kind, self.body = _content(body)
        if kind and "content-type" not in (name.lower() for name, _ in self.headers):
            self.headers.append(("content-type", kind))
        self._is_spent = False

    def __repr__(self) -> str:
        return f"<Response {self.status}>"

    def check(self) -> "Response":
        """Checks the attributes again, because a handler may have assigned to them; returns the response.

        Raises:
            TypeError: the body cannot be sent.
            ValueError: the status or a header cannot be sent.
        """
        self.status = _status(self.status)
        self.headers = _headers(self.headers)
        self.body = _content(self.body)[1]
        return self

    def parts(self) -> Any:
        """Returns the body of a response that is streamed.

        Raises:
            RuntimeError: the body is an iterator, and was sent before.
        """
        if hasattr(self.body, "__next__") or hasattr(self.body, "__anext__"):
            if self._is_spent:
                raise RuntimeError("This Response was sent before, and its body is an iterator: make one per request.")
            self._is_spent = True
        return self.body

    @property
    def is_empty(self) -> bool:
        """Whether HTTP forbids a body for the status of this response."""
        return self.status in EMPTY

    @classmethod
    def of(cls, result: object) -> "Response":
        """Returns a handler's result as a response."""
        if isinstance(result, Response):
            return result
        if result is None:
            return problem(404, "There is nothing here.")
        if not isinstance(result, str | bytes | bytearray | memoryview | dict | list):
            raise TypeError(
                "A handler returns a Response, text, bytes, a dict or list (JSON) or None (404), "
                f"not {type(result).__name__}."
            )
        return cls(result)


def _status(status: Any) -> int:
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"The status of a response is 200 to 599, not {status!r}.")
    return int(status)


def _headers(headers: Any) -> list[tuple[str, str]]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return [_header(str(name), str(value)) for name, value in pairs]


def _header(name: str, value: str) -> tuple[str, str]:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a header.")
    if not VALUE.fullmatch(value):
        raise ValueError(f"The header {name} cannot be {value!r}: one line of Latin-1 is allowed.")
    return name, value


def _content(body: Any) -> tuple[str, Any]:
    """Returns the media type of a body, and its bytes; instead of them the body itself if it has to be streamed."""
    if body is None:
        return "", b""
    if isinstance(body, str):
        return "text/plain; charset=utf-8", body.encode()
    if isinstance(body, dict | list):
        return "application/json", json.dumps(body, allow_nan=False).encode()
    if isinstance(body, bytes | bytearray | memoryview):
        return "application/octet-stream", bytes(body)
    if hasattr(body, "__aiter__") or hasattr(body, "__iter__"):
        return "application/octet-stream", body
    raise TypeError(f"The body of a response is text, bytes, a dict, a list or an iterable, not {type(body).__name__}.")


class HTTPError(Exception):
    """An exception for handlers to raise: it answers with a status and an `application/problem+json` body.

    Args:
        status: such as 403.
        detail: what went wrong, for people.
        headers: more headers of the response.
        members: more members of the body.

    Attributes:
        response: the `Response` that is sent.

    Example:
        >>> raise service.HTTPError(404, "no such account")
    """

    def __init__(
        self, status: int, detail: str = "", *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(f"{status} {detail}".rstrip())
        self.response = problem(status, detail, headers=headers, **members)


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """Returns an error as a response: problem details of RFC 9457."""
    title = HTTPStatus(status).phrase if status in HTTPStatus else ""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    return Response(body, status, {**(headers or {}), "content-type": "application/problem+json"})
