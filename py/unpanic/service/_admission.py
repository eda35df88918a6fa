"""Whose requests a service answers: those of its own origin's pages, and those that `serve` was told to answer.

A service worker gets two kinds of requests. `fetch` and the files that a document loads come only from pages and
workers of its own origin. Navigations come from everywhere: links, forms, frames and windows of other sites.
A service worker sees this much of a navigation (measured in Chromium 156 and Firefox 153):

- `Origin`, with a POST in Chromium; it is `null` after a redirect through another origin. Firefox does not show it.
- The referrer. No page can make it name another origin. A browser cuts it down to the origin when a request leaves
  that origin, and the rest does not come back when a redirect returns. So a whole address is a proof, and a bare
  origin is not: `https://own.example/` is also what is left after a redirect through another site. Neither is the
  address of a page that sends all of it to other sites (`unsafe-url`, `no-referrer-when-downgrade`).
- `Sec-Fetch-Site` in neither of the two. In an engine that shows it, it answers the question completely.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from ._exchange import Exchange

__all__ = ["Admission"]

SUBRESOURCES = ("cors", "no-cors", "same-origin")
SENT_WHOLE = ("unsafe-url", "no-referrer-when-downgrade")
# The slash at the end is allowed, because people copy it from the address bar.
ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Sender(NamedTuple):
    """Where a request seems to come from, and why that is not proved; `doubt` is empty if it is proved."""

    origin: str
    doubt: str


class Admission:
    """Decides which requests are answered.

    Args:
        navigations: whether GET and HEAD are answered wherever a navigation comes from.
        allow: origins whose navigations are answered, whatever their method.

    Raises:
        TypeError: `allow` is one text instead of several.
        ValueError: a text in `allow` is not an origin.
    """

    def __init__(self, navigations: bool = False, allow: Iterable[str] = ()) -> None:
        if isinstance(allow, str):
            raise TypeError(f"allow={allow!r}: it must be a list of origins: allow=[{allow!r}].")
        self._navigations = navigations
        self._allowed = frozenset(_normalized(origin) for origin in allow)

    def refusal(self, exchange: Exchange) -> str:
        """Returns why a request is not answered and what to do about it; an empty text if it is answered."""
        own = _origin(exchange.url)
        headers = {name.lower(): value for name, value in exchange.headers}
        if exchange.mode in SUBRESOURCES:
            if headers.get("origin", own) == own and headers.get("sec-fetch-site", "same-origin") == "same-origin":
                return ""
            return f"This request does not come from a page of {own}."
        is_reading = exchange.method in ("GET", "HEAD")
        if is_reading and self._navigations:
            return ""
        sender = _sender(exchange, headers, own)
        if not sender.doubt or sender.origin in self._allowed:
            return ""
        advice = ["fetch() from a page of this origin is answered"]
        if is_reading:
            advice.append("serve(..., navigations=True) answers GET and HEAD from anywhere")
        if sender.origin:
            advice.append(f"serve(..., allow=[{sender.origin!r}]) answers what comes from there")
        return (
            f"This navigation does not provably come from a page of {own}: {sender.doubt}. "
            f"What to do: {'; '.join(advice)}."
        )


def _sender(exchange: Exchange, headers: dict[str, str], own: str) -> Sender:
    """Returns where a navigation comes from."""
    site, policy = headers.get("sec-fetch-site"), exchange.referrer_policy
    origin = headers.get("origin") or (_origin(exchange.referrer) if exchange.referrer else "")
    if site == "same-origin" and origin in ("", "null", own):
        return Sender(own, "")
    if origin == "null":
        return Sender("", "its Origin is null, as after a redirect through another site or in a sandboxed frame")
    if not origin:
        return Sender("", "it has no referrer: the address was typed in, or a page asks browsers to send none")
    if origin != own:
        return Sender(origin, f"it comes from {origin}")
    if site is not None:
        return Sender(own, f"the browser calls it {site}, as after a redirect through another site")
    if "origin" in headers:
        return Sender(own, "")
    if policy in SENT_WHOLE:
        return Sender(own, f"its page has the referrer policy {policy}, which hides a redirect through another site")
    parts = urlsplit(exchange.referrer)
    if parts.path in ("", "/") and not parts.query:
        return Sender(own, "its referrer has no path, as after a redirect through another site, or on the page at /")
    return Sender(own, "")


def _origin(url: str) -> str:
    """Returns the origin of an address that a browser wrote."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _normalized(text: str) -> str:
    """Returns an origin that a user wrote as browsers write it.

    Raises:
        ValueError: the text is not an origin.
    """
    match = ORIGIN.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError(
            f"allow has {text!r}: an origin is written like 'https://other.example' or 'http://localhost:8000'."
        )
    scheme, host, port = match.groups()
    scheme = scheme.lower()
    is_default = port is None or int(port) == DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host.lower()}" + ("" if is_default else f":{int(port)}")
