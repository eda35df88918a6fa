"""Requests reach Python only from pages of its own origin, not from another port or another site.

Engines differ in the facts that they give to a worker; py/unpanic/service/_admission.py lists the measurements. Each
kind of request that is refused to other pages is answered for a page of this origin.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error
from unpanic_tools.testing.host import PageHost, Watch
from unpanic_tools.testing.in_browser import InBrowser

from scripts.serve import Server
from tests.pyodides import OwnSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Response

# What a test keeps from one run to the next.
KEPT = {}

pytestmark = pytest.mark.parametrize("realm", ["page"])

ROOT = Path(__file__).parents[2]
WORKER = "/unpanic-service-worker.js"
SANDBOX = "sandbox allow-scripts allow-forms allow-popups allow-top-navigation"

# The ways in which a page requests an address. Forms send text that the handler of docs/requests.md reads as JSON.
FORM = """url => {
    const form = document.createElement("form");
    Object.assign(form, { method: "METHOD", enctype: "text/plain", action: url });
    form.innerHTML = `<input name='{"amount": 70, "x": "' value='"}'>`;
    document.body.append(form);
    form.submit();
}"""
NAVIGATIONS = {
    "link": "url => document.body.appendChild(Object.assign(document.createElement('a'), { href: url })).click()",
    "form GET": FORM.replace("METHOD", "GET"),
    "form POST": FORM.replace("METHOD", "POST"),
    "iframe": "url => { document.body.appendChild(document.createElement('iframe')).src = url }",
    "open": "url => { open(url) }",
    "open without opener": "url => { open(url, '_blank', 'noopener') }",
    "open, then go there": "url => { open('about:blank').location = url }",
    "location": "url => { location = url }",
    "refresh": """url => {
        const meta = Object.assign(document.createElement("meta"), { httpEquiv: "refresh", content: `0;url=${url}` });
        document.head.append(meta);
    }""",
}
SUBRESOURCES = {
    "fetch": "url => { fetch(url).catch(() => {}) }",
    "fetch with CORS": "url => { fetch(url, { headers: { 'x-a': '1' }, credentials: 'include' }).catch(() => {}) }",
    "fetch without CORS": "url => { fetch(url, { method: 'POST', mode: 'no-cors', body: '{}' }).catch(() => {}) }",
    "image": "url => { new Image().src = url }",
    "beacon": "url => { navigator.sendBeacon(url, '{}') }",
}
WAIT = 15.0
# Firefox shows no JSON in a frame, and says so.
NOT_SHOWN = "A ServiceWorker intercepted the request and encountered an unexpected error"
WAYS = NAVIGATIONS | SUBRESOURCES
OUTSIDE = ["another port", "another site"]


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


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Server]:
    with Server() as server:
        yield server


async def serve(**options):
    from unpanic import service

    if before := KEPT.pop("server", None):
        await before.close()
    asked = KEPT["asked"] = []
    router = service.Router()

    @router.get("/{number}")
    def read(_, number):
        asked.append(number)
        return {"read": number}

    @router.post("/{number}")
    async def withdraw(request, number):
        asked.append(number)
        return {"withdrawn": (await request.json()).get("amount")}

    KEPT["server"] = await service.serve("/bank/", router, worker="/unpanic-service-worker.js", **options)


def asked():

    return KEPT["asked"]


async def stop():

    await KEPT.pop("server").close()


def visit(tab: Page, address: str) -> None:
    """Goes to a page. Tries again if Playwright confuses the navigation with an earlier one."""
    for attempt in range(3):
        try:
            tab.goto(address)
            return
        except Error as error:
            if "is interrupted by another navigation" not in str(error) or attempt == 2:
                raise
            tab.wait_for_timeout(100)


class World:
    """Pages of three origins, and the results of their requests."""

    numbers = itertools.count(1)

    def __init__(self, py: InBrowser, context: BrowserContext, server: Server, elsewhere: Server) -> None:
        self.py, self.context = py, context
        self.servers = {"own": server, "another port": elsewhere, "another site": elsewhere}
        self.origins = {
            "own": server.url,
            "another port": elsewhere.url,
            "another site": elsewhere.url.replace("127.0.0.1", "localhost"),
        }
        self.responses: list[Response] = []
        self.before = set(context.pages)
        self.tab = context.new_page()
        context.on("response", self._saw)

    def _saw(self, response: Response) -> None:
        self.responses.append(response)

    def close(self) -> None:
        for page in set(self.context.pages) - self.before:
            # Chromium may never close a page that is navigating.
            visit(page, "about:blank")
            page.close()
        self.context.remove_listener("response", self._saw)

    def page(self, where: str, path: str = "/pages/some.html", **headers: str) -> str:
        """Returns the address of a page at a place."""
        self.servers[where].route(
            path, "<!doctype html><title>a page</title><body>", content_type="text/html", **headers
        )
        return self.origins[where] + path

    def ask(self, way: str, page: str, *hops: str) -> str:
        """Returns the result of a page's request, after redirections: `answered`, `refused` or `passed by`.

        A request that is passed by goes to the network, where there is nothing at that address.
        """
        number = str(next(self.numbers))
        path = f"/bank/{number}"
        target = self.origins["own"] + path
        for index, hop in reversed(list(enumerate(hops))):
            redirect = f"/redirect/{number}/{index}"
            self.servers[hop].route(redirect, status=307, location=target, access_control_allow_origin="*")
            target = self.origins[hop] + redirect
        return self._outcome(number, path, lambda tab: self._go(tab, page, way, target))

    def _go(self, tab: Any, page: str, way: str, target: str) -> None:
        visit(tab, page)
        # This is not awaited, because it may take the page away.
        tab.evaluate(f"url => {{ setTimeout({WAYS.get(way, way)}, 0, url) }}", target)

    def typed_in(self) -> str:
        """Returns what becomes of an address that is typed in."""
        number = str(next(self.numbers))
        return self._outcome(number, f"/bank/{number}", lambda tab: tab.goto(f"{self.origins['own']}/bank/{number}"))

    def _outcome(self, number: str, path: str, act: Callable[[Any], object]) -> str:
        act(self.tab)
        is_in_network = False
        until = time.monotonic() + WAIT
        while not (seen := [one for one in self.responses if urlsplit(one.url).path == path]) and not is_in_network:
            assert time.monotonic() < until, f"nothing became of {path}; {[one.url for one in self.responses[-3:]]}"
            self.tab.wait_for_timeout(10)
            is_in_network = path in self.servers["own"].requests
        is_run = number in self.py.run(asked)
        outcome = "passed by" if is_in_network else {200: "answered", 403: "refused"}[seen[0].status]
        assert is_run == (outcome == "answered"), "the handler ran"
        if seen and seen[0].request.is_navigation_request():
            self._arrived(path)
        return outcome

    def _arrived(self, path: str) -> None:
        """Waits until a navigation shows its page. A frame that Firefox leaves empty never does."""
        until = time.monotonic() + 1
        while time.monotonic() < until:
            pages = set(self.context.pages) - self.before
            if any(frame.url.split("?")[0].endswith(path) for page in pages for frame in page.frames):
                break
            self.tab.wait_for_timeout(10)


@pytest.fixture
def world(py: InBrowser, context: BrowserContext, server: Server, elsewhere: Server) -> Iterator[World]:
    world = World(py, context, server, elsewhere)
    yield world
    py.run(stop)
    world.close()


@pytest.mark.parametrize("way", WAYS)
def test_pages_of_this_origin(world, way):
    """Every request of a page of this origin is answered."""
    world.py.run(serve)
    assert world.ask(way, world.page("own")) == "answered"


@pytest.mark.parametrize("where", OUTSIDE)
@pytest.mark.parametrize("way", WAYS)
def test_pages_of_others(world, way, where, engine):
    """Navigations of other pages are refused, and their fetches never reach Python."""
    if (way, where, engine) == ("iframe", "another port", "firefox"):
        world.py.expect_errors(NOT_SHOWN)
    world.py.run(serve)
    passes_by = way in SUBRESOURCES or (way, where) == ("iframe", "another site")
    assert world.ask(way, world.page(where)) == ("passed by" if passes_by else "refused")


@pytest.mark.parametrize("way", ["link", "form POST", "iframe", "open"])
def test_redirects(world, way, engine):
    """A redirection through this origin changes nothing. After one through another origin, a navigation is refused."""
    if (way, engine) == ("iframe", "firefox"):
        world.py.expect_errors(NOT_SHOWN)
    world.py.run(serve)
    own = world.page("own")
    assert world.ask(way, own, "own") == "answered"
    assert world.ask(way, own, "own", "own") == "answered"
    for where in OUTSIDE:
        assert world.ask(way, own, where) == "refused"
        assert world.ask(way, own, "own", where) == "refused"
        assert world.ask(way, own, where, "own") == "refused"
        page = world.page(where)
        passes_by = (way, where) == ("iframe", "another site")
        for hops in ["own"], [where], [where, "own"]:
            assert world.ask(way, page, *hops) == ("passed by" if passes_by else "refused"), hops


@pytest.mark.parametrize("way", ["fetch", "fetch without CORS", "image"])
def test_redirects_of_what_is_fetched(world, way):
    """A worker gets only the address that a page names. A fetch that another site redirects here passes by."""
    world.py.run(serve)
    for hop in ["own", *OUTSIDE]:
        assert world.ask(way, world.page("own"), hop) == "passed by"


def test_no_referrer(world):
    """A page without a referrer proves no origin, so its navigations are refused; its fetches are answered."""
    world.py.run(serve)
    for where in ["own", *OUTSIDE]:
        page = world.page(where, "/pages/silent.html", referrer_policy="no-referrer")
        for way in "link", "form POST", "open":
            assert world.ask(way, page) == "refused"
    assert world.ask("fetch", world.page("own", "/pages/silent.html", referrer_policy="no-referrer")) == "answered"
    assert world.typed_in() == "refused"


def test_referrers_that_prove_nothing(world, engine):
    """The page at / and one with a full referrer look like a redirection. A form also shows its Origin."""
    world.py.run(serve)
    for page in (
        world.page("own", "/"),
        world.page("own", "/pages/open.html", referrer_policy="unsafe-url"),
        world.page("own", "/pages/older.html", referrer_policy="no-referrer-when-downgrade"),
    ):
        for hops in [], ["another port"], ["own", "another site"]:
            assert world.ask("link", page, *hops) == "refused"
        # Firefox does not show the Origin to a worker.
        assert world.ask("form POST", page) == ("answered" if engine == "chromium" else "refused")
        assert world.ask("form POST", page, "another port") == "refused"
    assert world.ask("link", world.page("own", "/pages/some.html", referrer_policy="same-origin")) == "answered"


def test_frames_of_this_origin(world):
    """A frame without an address counts as its page. Requests of a sandboxed frame pass by."""
    world.py.run(serve)
    page = world.page("own")
    srcdoc = """url => {
        const frame = document.createElement("iframe");
        SANDBOX
        frame.srcdoc = `<body><script>(WAY)(${JSON.stringify(url)})</script>`;
        document.body.append(frame);
    }"""
    for way in "link", "form POST", "fetch":
        frame = srcdoc.replace("WAY", WAYS[way].replace("`", r"\`").replace("${", r"\${"))
        assert world.ask(frame.replace("SANDBOX", ""), page) == "answered"
        assert world.ask(frame.replace("SANDBOX", "frame.sandbox = 'allow-scripts allow-forms'"), page) == "passed by"


def test_a_page_in_a_sandbox(world):
    """Its origin is opaque, whatever its address, so its navigations are refused and its fetches pass by."""
    world.py.run(serve)
    page = world.page("own", "/pages/sandboxed.html", content_security_policy=SANDBOX)
    for way in "link", "form POST":
        assert world.ask(way, page) == "refused"
    for way in "open", "fetch":  # the new window is in the sandbox too
        assert world.ask(way, page) == "passed by"
    open_ = world.page("own", "/pages/both.html", content_security_policy=SANDBOX, referrer_policy="unsafe-url")
    assert world.ask("link", open_) == "refused"


def test_navigations_from_anywhere(world):
    """`navigations=True` answers GET from any page, but no request with a body."""
    world.py.run(serve, navigations=True)
    for where in ["own", *OUTSIDE]:
        page = world.page(where)
        for way in "link", "open", "form GET":
            assert world.ask(way, page) == "answered"
        assert world.ask("form POST", page) == ("answered" if where == "own" else "refused")
    assert world.ask("link", world.page("another site"), "another port") == "answered"
    assert world.typed_in() == "answered"


@pytest.mark.parametrize("named", OUTSIDE)
def test_named_origins(world, named):
    """`allow` answers navigations of one origin and of no other. Fetches of that origin still pass by."""
    world.py.run(serve, allow=[world.origins[named]])
    for where in ["own", *OUTSIDE]:
        page = world.page(where)
        for way in "link", "form POST", "open":
            assert world.ask(way, page) == ("answered" if where in ("own", named) else "refused")
    assert world.ask("fetch", world.page(named)) == "passed by"
    assert world.typed_in() == "refused"


def test_this_origin_may_be_named(world):
    """With this origin in `allow`, the page at / may link here."""
    world.py.run(serve, allow=[world.origins["own"]])
    assert world.ask("link", world.page("own", "/")) == "answered"
    assert world.ask("link", world.page("another port", "/")) == "refused"


def test_what_a_refusal_says(world, context):
    """A user who followed the link reads the reason, and the author reads the remedy."""
    world.py.run(serve)
    tab = context.new_page()
    response = tab.goto(f"{world.origins['own']}/bank/0")
    body = json.loads(response.text())
    tab.close()
    assert (response.status, response.headers["content-type"]) == (403, "application/problem+json")
    assert body["title"] == "Forbidden"
    assert body["detail"] == (
        f"This navigation does not provably come from a page of {world.origins['own']}: it has no referrer: the "
        "address was typed in, or a page asks browsers to send none. What to do: fetch() from a page of this origin is "
        "answered; serve(..., navigations=True) answers GET and HEAD from anywhere."
    )


# Another worker of this origin, which sends the same messages to all pages as the service's own worker.
FOREIGN = """
addEventListener("message", async ({ data }) => {
  for (const client of await clients.matchAll({ includeUncontrolled: true, type: "window" })) {
    const { port1, port2 } = new MessageChannel();
    client.postMessage(data, [port2]);
  }
});
"""
SEND = """async ([script, path]) => {
    const names = (await navigator.locks.query()).held.map((lock) => lock.name);
    const unpanic = names.find((name) => name.endsWith(" /bank/"));
    const seen = { method: "GET", url: location.origin + path, mode: "cors", referrer: "", referrerPolicy: "" };
    const message = { unpanic, asked: Date.now(), headers: [], body: false, ...seen };
    const registration = await navigator.serviceWorker.register(script);
    const worker = registration.installing ?? registration.waiting ?? registration.active;
    while (worker.state !== "activated") await new Promise((resolve) => setTimeout(resolve, 10));
    worker.postMessage(message);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await registration.unregister();
}"""


def test_another_worker_of_this_origin(world, server):
    """The page ignores its messages, and still accepts those of the service's own worker."""
    world.py.run(serve)
    server.route("/aside/foreign.js", FOREIGN)
    world.py.page.evaluate(SEND, ["/aside/foreign.js", "/bank/forged"])
    assert world.ask("fetch", world.page("own")) == "answered"
    assert "forged" not in world.py.run(asked)
