"""Protocols for the side of serving that is in the browser: `_gateway.py` implements them, and tests play them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ..errors import UnpanicError

__all__ = ["Exchange", "Gateway", "ServiceError"]


class ServiceError(UnpanicError):
    """Requests cannot be served on this page; the message says why and what to do."""


class Exchange(Protocol):
    """One request, and the way back for its answer.

    Attributes:
        mode: the `mode` of a JavaScript request, by which a browser tells who sends it.
        referrer: the `referrer` of a JavaScript request.
        referrer_policy: the `referrerPolicy` of a JavaScript request.
        waited: the seconds since the request was sent.
        aborted: called when nobody waits for the answer any more.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    mode: str
    referrer: str
    referrer_policy: str
    waited: float
    aborted: Callable[[], None]

    async def read(self) -> bytes | None: ...
    def answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes | None) -> None: ...
    async def send(self, chunk: bytes) -> None: ...
    def end(self, error: str = "") -> None: ...
    def close(self) -> None: ...


class Gateway(Protocol):
    """The way by which requests come to this Python."""

    def prefix(self, text: str) -> str: ...
    async def open(
        self, prefix: str, worker: str, timeout: float | None, receive: Callable[[Exchange], None]
    ) -> Callable[[], Awaitable[None]]: ...
