"""A service admits requests by the facts that a browser reports. See tests/browser/test_service_origins.py too."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from unpanic import service

from tests.unit.service.serving import FakeExchange, Site, run

OWN = "http://localhost"
OTHER = "http://other.example"
PAGE = f"{OWN}/page.html"


def ask(method: str = "GET", headers: Any = (), *, options: Any = None, **told: Any) -> FakeExchange:
    """Returns the status of a request for which a browser reports these facts."""
    ran = []

    async def main() -> FakeExchange:
        async with Site(lambda _: ran.append(1) or "answered", **(options or {})) as site:
            return await site.ask("/x", method, headers=headers, **told)

    got = run(main)
    assert got.status in (200, 403)
    assert bool(ran) == (got.status == 200), "a handler ran for a request that was refused"
    return got


def navigate(referrer: str = "", **more: Any) -> FakeExchange:
    return ask(mode="navigate", referrer=referrer, **more)


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
@pytest.mark.parametrize("headers", [(), [("Origin", OWN)], [("Sec-Fetch-Site", "same-origin")]])
def test_what_a_page_of_this_origin_fetches_is_answered(mode: str, headers: Any):
    """A worker gets fetches only of its own origin, so they need no proof, and may lack a referrer."""
    assert ask("POST", headers, mode=mode).status == 200


@pytest.mark.parametrize(
    "headers", [[("Origin", OTHER)], [("origin", "null")], [("Sec-Fetch-Site", "cross-site")]], ids=str
)
def test_a_fetch_that_says_it_is_another_page_s_is_not(headers: Any):
    """Such a fetch is refused, should an engine let one through."""
    got = ask(headers=headers)
    assert (got.status, got.problem["detail"]) == (403, f"This request does not come from a page of {OWN}.")


@pytest.mark.parametrize(
    ("told", "is_answered", "why"),
    [
        # The full address of a page of this origin. It is complete only if the request passed through no other origin.
        ({"referrer": PAGE}, True, ""),
        ({"referrer": f"{OWN}/?q"}, True, ""),
        ({"referrer": f"{OWN}/"}, False, "its referrer has no path"),
        ({"referrer": PAGE, "referrer_policy": "unsafe-url"}, False, "the referrer policy unsafe-url"),
        ({"referrer": PAGE, "referrer_policy": "no-referrer-when-downgrade"}, False, "no-referrer-when-downgrade"),
        ({"referrer": PAGE, "referrer_policy": "same-origin"}, True, ""),
        ({"referrer": PAGE, "referrer_policy": ""}, True, ""),
        # The address of a page of another origin.
        ({"referrer": f"{OTHER}/"}, False, f"it comes from {OTHER}."),
        ({"referrer": f"{OWN}:8000/page.html"}, False, f"it comes from {OWN}:8000."),
        ({"referrer": f"{OWN}.example/page.html"}, False, f"it comes from {OWN}.example."),
        ({"referrer": "http://evil@localhost/page.html"}, False, "it comes from http://evil@localhost."),
        ({"referrer": "https://localhost/page.html"}, False, "it comes from https://localhost."),
        ({"referrer": ""}, False, "it has no referrer"),
        ({"referrer": "about:client"}, False, "it comes from"),
        # If there is an Origin, it decides.
        ({"headers": [("Origin", OWN)]}, True, ""),
        ({"headers": [("ORIGIN", OWN)], "referrer": f"{OWN}/"}, True, ""),
        ({"headers": [("Origin", "null")], "referrer": PAGE}, False, "its Origin is null"),
        ({"headers": [("Origin", OTHER)], "referrer": PAGE}, False, f"it comes from {OTHER}."),
        # Sec-Fetch-Site decides too, and it takes redirections into account.
        ({"headers": [("Sec-Fetch-Site", "same-origin")], "referrer": f"{OWN}/"}, True, ""),
        ({"headers": [("Sec-Fetch-Site", "same-origin"), ("Origin", OWN)]}, True, ""),
        ({"headers": [("Sec-Fetch-Site", "same-site")], "referrer": PAGE}, False, "the browser calls it same-site"),
        ({"headers": [("Sec-Fetch-Site", "cross-site"), ("Origin", OWN)]}, False, "the browser calls it cross-site"),
        ({"headers": [("Sec-Fetch-Site", "none")]}, False, "it has no referrer"),
        ({"headers": [("Sec-Fetch-Site", "same-origin")]}, True, ""),
        ({"headers": [("Sec-Fetch-Site", "same-origin"), ("Origin", "null")]}, True, ""),
        ({"headers": [("Sec-Fetch-Site", "same-origin"), ("Origin", OTHER)]}, False, f"it comes from {OTHER}."),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("mode", ["navigate", "websocket", "undefined"])
def test_navigations(told: dict[str, Any], is_answered: bool, why: str, method: str, mode: str):
    """They are answered if a page of this origin provably made them. Unknown modes count as navigations."""
    got = ask(method, mode=mode, **told)
    assert got.status == (200 if is_answered else 403)
    if not is_answered:
        assert got.problem["title"] == "Forbidden"
        assert got.problem["detail"].startswith(f"This navigation does not provably come from a page of {OWN}: ")
        assert why in got.problem["detail"]


def test_a_refusal_says_what_to_do():
    """The text can be copied: `navigations` for requests that only read, `allow` for a known origin."""
    assert navigate(f"{OTHER}/").problem["detail"] == (
        f"This navigation does not provably come from a page of {OWN}: it comes from {OTHER}. What to do: fetch() from "
        "a page of this origin is answered; serve(..., navigations=True) answers GET and HEAD from anywhere; "
        f"serve(..., allow=['{OTHER}']) answers what comes from there."
    )
    assert navigate(method="POST").problem["detail"] == (
        f"This navigation does not provably come from a page of {OWN}: it has no referrer: the address was typed in, "
        "or a page asks browsers to send none. What to do: fetch() from a page of this origin is answered."
    )
    assert navigate(method="HEAD", headers=[("Origin", "null")]).body == b""


def test_a_refusal_is_in_the_log(caplog: pytest.LogCaptureFixture):
    """Its level is INFO, because strangers can cause any number of refusals."""
    caplog.set_level(logging.INFO)
    navigate()
    [record] = caplog.records
    assert (record.name, record.levelno) == ("unpanic.service", logging.INFO)
    assert record.getMessage().startswith("GET /x was refused. This navigation does not provably come from")


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 403)])
@pytest.mark.parametrize("told", [{}, {"referrer": f"{OTHER}/"}, {"headers": [("Origin", "null")]}], ids=str)
def test_navigations_from_anywhere(method: str, status: int, told: Any):
    """`navigations=True` answers requests that only read."""
    assert navigate(method=method, options={"navigations": True}, **told).status == status


@pytest.mark.parametrize(
    ("allow", "told", "status"),
    [
        (OTHER, {"referrer": f"{OTHER}/"}, 200),
        (OTHER, {"headers": [("Origin", OTHER)]}, 200),
        (f"{OTHER}/", {"referrer": f"{OTHER}/"}, 200),
        (f"{OTHER}:80", {"referrer": f"{OTHER}/"}, 200),
        ("HTTP://Other.Example:080", {"referrer": f"{OTHER}/"}, 200),
        ("http://[::1]:8000", {"referrer": "http://[::1]:8000/a"}, 200),
        (OWN, {"referrer": f"{OWN}/"}, 200),
        (OWN, {"referrer": PAGE, "referrer_policy": "unsafe-url"}, 200),
        (OWN, {"headers": [("Origin", "null")], "referrer": f"{OWN}/"}, 403),
        (OTHER, {"headers": [("Origin", "null")], "referrer": f"{OTHER}/"}, 403),
        (OTHER, {"referrer": f"{OTHER}:8000/"}, 403),
        (OTHER, {"referrer": "https://other.example/"}, 403),
        (OTHER, {"referrer": "http://a.other.example/"}, 403),
        (OTHER, {"referrer": "http://other.example.evil.example/"}, 403),
        (OTHER, {}, 403),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_named_origins(allow: str, told: Any, status: int, method: str):
    """`allow` answers requests of these origins, with any method. Scheme, host and port must match."""
    assert navigate(method=method, options={"allow": [allow]}, **told).status == status


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "other.example", "//other.example", "http://", "http://*.example", f"{OTHER}/page", f"{OTHER}?q",
     f"{OTHER}#a", "http://me@other.example", f"{OTHER}:x", f"{OTHER}:123456", "http://bücher.example", f"{OTHER}\n",
     "", 5, None, b"http://other.example"],
)  # fmt: skip
def test_what_is_no_origin(origin: Any):
    """The error comes when the option is set."""
    with pytest.raises(ValueError, match=r"allow has .*: an origin is written like 'https://other\.example'"):
        service.Server("/bank/", lambda _: "", allow=[origin])


def test_one_text_is_no_list():
    """Its letters are not taken for origins."""
    with pytest.raises(TypeError, match=r"it must be a list of origins: allow=\['http://other\.example'\]"):
        service.Server("/bank/", lambda _: "", allow=OTHER)
