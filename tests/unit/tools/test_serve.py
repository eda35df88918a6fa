"""`unpanic serve`: what browsers get, and what open pages hear."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from unpanic_tools.cli import main

from tests.unit.tools.processes import Running, connected, request, running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of several types, beside one that is not served."""
    folder = tmp_path_factory.mktemp("served") / "site"
    (folder / "below").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>\n<title>A page</title>")
    (folder / "below" / "index.html").write_text("below")
    for name in ("a.wasm", "a.mjs", "a.cjs", "a.whl", "a.py", "a.unknown"):
        (folder / name).write_bytes(b"\0asm")
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    return folder


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[Running]:
    with running("serve", site, "--port", "0") as server:
        yield server


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/a.wasm", "application/wasm"),
        ("/a.mjs", "text/javascript; charset=utf-8"),
        ("/a.cjs", "text/javascript; charset=utf-8"),
        ("/a.whl", "application/zip"),
        ("/a.py", "text/plain; charset=utf-8"),
        ("/a.unknown", "application/octet-stream"),
        ("/", "text/html; charset=utf-8"),
    ],
)
def test_each_file_has_its_type(path: str, kind: str, server: Running):
    """Browsers compile only application/wasm while it arrives, and import only JavaScript."""
    response, _ = request(server, path)
    assert (response.status, response.getheader("Content-Type")) == (200, kind)


def test_pages_are_isolated_and_not_kept(server: Running):
    """Every answer has the headers for shared memory, and no answer is taken from a cache unasked."""
    for path in ("/", "/a.wasm", "/nowhere"):
        response, _ = request(server, path)
        assert response.getheader("Cross-Origin-Opener-Policy") == "same-origin"
        assert response.getheader("Cross-Origin-Embedder-Policy") == "require-corp"
        assert response.getheader("Cache-Control") == "no-cache"


def test_a_folder_is_its_index(server: Running):
    """A page is what it was, with a script after the doctype."""
    assert request(server, "/")[1] == (
        b'<!doctype html><script src="/__unpanic__/page.js"></script>\n<title>A page</title>'
    )
    assert request(server, "/below/")[1].endswith(b"below")
    response, _ = request(server, "/below")
    assert (response.status, response.getheader("Location")) == (307, "below/")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/below/../../secret.txt"]
)
def test_nothing_else_is_served(path: str, server: Running):
    """What is outside of the folder is not found, whatever leads there."""
    response, body = request(server, path)
    assert response.status == 404
    assert body.endswith(b" is not here.\n")


def test_head_has_no_body(server: Running, site: Path):
    """HEAD tells the length."""
    response, body = request(server, "/a.wasm", "HEAD")
    assert response.getheader("Content-Length") == str((site / "a.wasm").stat().st_size)
    assert body == b""


def test_open_pages_hear_of_a_change(server: Running, site: Path):
    """The stream says so when a file changes."""
    with connected(server, "/__unpanic__/changes") as stream:
        assert stream.getheader("Content-Type").startswith("text/event-stream")
        assert stream.readline() == b": open\n"
        (site / "new.txt").write_text("new")
        assert stream.readline() == b"\n"
        assert stream.readline() == b'data: {"kind": "reload"}\n'


def test_ctrl_c_is_the_usual_end(site: Path):
    """It ends at once and well, although a page listens."""
    with running("serve", site, "--port", "0") as server:
        with connected(server, "/__unpanic__/changes") as stream:
            assert stream.readline() == b": open\n"
            assert server.interrupt() == 0
        assert server.process.stderr.read() == ""


def test_without_reload_and_isolation(site: Path):
    """Pages stay as they are, and may take what other hosts send."""
    with running("serve", site, "--port", "0", "--no-reload", "--no-isolate") as server:
        response, body = request(server, "/")
        assert response.getheader("Cross-Origin-Opener-Policy") is None
        assert body == (site / "index.html").read_bytes()
        assert request(server, "/__unpanic__/changes")[0].status == 404


def test_a_port_that_is_taken(site: Path, capsys: pytest.CaptureFixture[str]):
    """The line names a way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(site), "--port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"unpanic: port {port} cannot be used: Address already in use. --port 0 takes any free one.\n"
    )
    assert main(["serve", str(site), "--port", "70000"]) == 2
    assert "65535" in capsys.readouterr().err


def test_what_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One line says what to name."""
    assert main(["serve", str(tmp_path / "gone")]) == 1
    assert capsys.readouterr().err == f"unpanic: {tmp_path / 'gone'} is not a folder: name one with an index.html.\n"
