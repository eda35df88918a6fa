"""The demo site's transcript, as `make demo` runs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from scripts import demo
from scripts.serve import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

SLOW = 120_000

TIME = r"(?:\d+\.\d|less than 0\.1) ms"
# The essential lines, in this order, with others between them.
ESSENTIAL = [
    r'bank\.transfer\("ada", "bob", 30\)  ->  None',
    r'bank\.transfer\("ada", "bob", 10_000\)  ->  RustPanic: insufficient funds \(src/lib\.rs:\d+:\d+\)',
    rf"rolled back in {TIME}: still generation 0",
    r"\[generation 0\]  bank\.add\(2, 3\)  ->  5",
    r'bank\.balance_of\("ada"\)  ->  70',
    r'bank\.balance_of\("bob"\)  ->  50',
    *[rf"bank\.slow\({ms}\)  ->  {ms} after \d+ ms" for ms in ("1_000", "1_100", "1_200", "1_300", "1_400")],
    *[
        part
        for number in ("", r" \(median of 2\)", r" \(median of 3\)")
        for part in (
            r'\[generation 0\]  prql_js\.compile\(".*\[300 times\].*"\)  ->  StackOverflow: ',
            rf"rolled back in {TIME}{number}: still generation 0",
            r'\[generation 0\]  prql_js\.compile\(".*"\)  ->  "SELECT \* FROM employees LIMIT 3',
        )
    ],
    r'await unpanic\.load\("loops/loops\.js", timeout=1\)  ->  module loops',
    r"\[generation 0\]  loops\.spin\(\)  ->  CallTimeout: stopped after \d+\.\d s, in the Rust function spin",
    rf"rolled back in {TIME}: still generation 0",
    r"\[generation 0\]  loops\.add\(2, 3\)  ->  5",
    r"5 crashes survived",
]


@pytest.fixture(scope="module")
def served(built: str) -> Iterator[Server]:  # noqa: ARG001 - it is there
    """The site as `make demo` serves it."""
    with demo.serve() as server:
        yield server


@pytest.fixture(scope="module")
def context(browser: Browser):
    """A context without a service worker, because the tests answer requests for files themselves."""
    return browser.new_context(service_workers="block")


def run_demo(page: Page, server: Server) -> list[str]:
    """Opens the page, waits until it has finished, and returns its messages in the console."""
    lines: list[str] = []
    page.on("console", lambda message: message.type == "log" and lines.append(message.text))
    page.goto(f"{server.url}/transcript.html")
    page.locator("#state[data-result]").wait_for(timeout=SLOW)
    return lines


def test_everything_happens_as_it_should(page: Page, served: Server, violations, fits):
    """Page and console show the essential lines in their order, also in a second run.

    Axe finds no problem, and a phone needs no sideways scrolling.
    """
    lines = run_demo(page, served)
    print(*lines, sep="\n")
    remaining = iter(lines)
    for pattern in ESSENTIAL:
        assert any(re.search(pattern, line) for line in remaining), f"no line like {pattern} in its place"
    assert not [line for line in lines if line.startswith("NOT AS IT SHOULD BE")]

    expect(page.locator("#state")).to_have_attribute("data-result", "good")
    shown = [" ".join(line.split()) for line in page.locator("#transcript li").all_inner_texts()]
    assert shown == [" ".join(line.split()) for line in lines]
    for name, crashes in (("bank", "1"), ("prql_js", "3"), ("loops", "1")):
        row = page.locator(f"#status-{name}")
        assert row.locator("td").all_inner_texts() == ["0", crashes, "0"]

    assert violations(page) == []
    assert fits(page) == []

    page.get_by_role("button", name="Run again").click()
    page.locator("#state:not([data-result])").wait_for()
    expect(page.locator("#state")).to_have_attribute("data-result", "good", timeout=SLOW)
    assert len(page.locator("#transcript li").all()) == len(shown)


def test_the_demo_notices_what_goes_wrong(page: Page, served: Server):
    """If the query crashes nothing, the demo says so and does not report success."""
    source = (demo.ROOT / "web" / "transcript.py").read_text()
    assert source.count('" * 300') == 2
    served.route("/transcript.py", source.replace('" * 300', '" * 3'))
    try:
        lines = run_demo(page, served)
    finally:
        del served.routes["/transcript.py"]
    assert page.locator("#state").get_attribute("data-result") == "bad"
    assert "NOT AS IT SHOULD BE. Expected: the deep query crashed." in lines
    assert "Checks that failed, see above: 4." in lines
