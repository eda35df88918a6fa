"""The local web server of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from scripts.serve import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def get(server: Server, path: str, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(server.url.removeprefix("http://"))
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_wasm_has_its_mime_type(server: Server):
    """Browsers stream-compile only application/wasm."""
    response, body = get(server, "/pyodide/pyodide.asm.wasm")
    assert response.getheader("Content-Type") == "application/wasm"
    assert body.startswith(b"\0asm")


def test_route_answers_with_what_was_given(server: Server):
    """A route sets status, headers and body, with or without a query."""
    server.route("/glue.js", "broken(", status=203, content_security_policy="default-src 'none'")
    response, body = get(server, "/glue.js?v=1")
    assert (response.status, body) == (203, b"broken(")
    assert response.getheader("Content-Type") == "text/javascript"
    assert response.getheader("Content-Security-Policy") == "default-src 'none'"


def test_head_has_no_body(server: Server):
    """HEAD returns only the length."""
    server.route("/some.bin", b"1234")
    response, body = get(server, "/some.bin", "HEAD")
    assert (response.getheader("Content-Length"), body) == ("4", b"")


@pytest.mark.parametrize("path", ["/nothing", "/wheel/../pyproject.toml", "/wheel/%2e%2e/pyproject.toml"])
def test_nothing_outside_the_folders_is_served(server: Server, path: str):
    """A path that leaves its folder is not found, like one that does not exist."""
    assert get(server, path)[0].status == 404


def test_isolated_pages_have_the_headers_for_shared_memory(server: Server):
    """The same files are there below /isolated/ with two headers more, and without them everywhere else."""
    names = ("Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy")
    plain, page = get(server, "/tests/host.html")
    isolated, same = get(server, "/isolated/tests/host.html")
    assert [plain.getheader(name) for name in names] == [None, None]
    assert [isolated.getheader(name) for name in names] == ["same-origin", "require-corp"]
    assert page == same
    assert get(server, "/isolated/wheel/%2e%2e/pyproject.toml")[0].status == 404
