"""The first page: the bank, with unpanic and without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.site.conftest import FIRST_SCREEN

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


@pytest.fixture(scope="module")
def opened(open_page: Callable[[str], Page]) -> Page:
    """The page, with both halves ready."""
    page = open_page("")
    expect(page.locator("#without-state")).to_have_text("ready", timeout=60_000)
    return page


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """The page with a new bank that rolls back, the original source, and the other half unchanged."""
    yield opened
    if opened.locator("#original").is_enabled():
        opened.locator("#original").click()
    switch(opened, "none")
    switch(opened, "rollback")


def switch(page: Page, strategy: str) -> None:
    """Chooses the strategy after a crash, and waits for the new bank."""
    page.get_by_role("radio", name=strategy, exact=True).check()
    expect(lines(page).filter(has_text="the bank is loaded").last).to_contain_text(f"recovery: {strategy}")
    expect(fact(page, "generation")).to_have_text("0")


def press(page: Page, name: str) -> None:
    page.get_by_role("group", name="Let the teller call").get_by_role("button", name=name).click()


def lines(page: Page) -> Locator:
    return page.get_by_role("log", name="What happened, with unpanic").get_by_role("listitem")


def says(page: Page, pattern: str) -> None:
    """Waits until the last line of the log matches."""
    expect(lines(page).last).to_have_text(re.compile(pattern))


def fact(page: Page, name: str) -> Locator:
    """Returns a fact that the page shows about the bank: a balance, the generation, or calls in flight."""
    term = page.locator("dt", has_text=re.compile(f"^{name}$"))
    return page.locator("#accounts div", has=term).locator("dd")


def write(page: Page, source: str, old: str, new: str) -> None:
    """Types the whole source into the editor, with one change."""
    assert old in source
    editor = page.get_by_role("textbox", name="Source of teller.py")
    editor.press("Control+a")
    page.keyboard.insert_text(source.replace(old, new))


@pytest.fixture(scope="module")
def source(opened: Page) -> str:
    """The original source of the teller."""
    return opened.evaluate("fetch('teller.py').then(response => response.text())")


def test_the_first_screen_shows_everything(page: Page):
    """Promise, counters, buttons, switch, banks, source, exception, Rust and timeline fit on one screen."""
    for selector in ("h1", "#survived", "#actions", ".switch", "#log", "#without", "#editor", "#exception", "#rust"):
        expect(page.locator(selector)).to_be_in_viewport(ratio=1)
    # One step reads all values, because the page redraws the picture five times a second.
    bottom = page.locator("#timeline").evaluate("place => place.querySelector('svg').getBoundingClientRect().bottom")
    assert bottom <= FIRST_SCREEN["height"]


def test_an_ordinary_call(page: Page):
    """A call of Rust shows its result, and the account changes."""
    press(page, "Deposit")
    says(page, r"gen 0 deposit\(\) → 105")
    expect(fact(page, "ada")).to_have_text("105")
    expect(page.locator("#with-state")).to_have_text("ready")


TIME = r"in (?:\d+\.\d|less than 0\.1) ms"


def test_rollback_is_the_default(open_page: Callable[[str], Page]):
    """The page begins with the strategy that a module from elsewhere has by default."""
    expect(open_page("").get_by_role("radio", name="rollback")).to_be_checked()


def test_a_panic_is_rolled_back(page: Page):
    """An overdraft is one exception with the lines of Python and Rust; generation and balances stay."""
    survived = int(page.locator("#survived").inner_text())
    press(page, "Deposit")
    press(page, "Overdraw")
    says(page, rf"rolled back {TIME}: same generation, every balance as before the call\s*$")
    expect(lines(page).nth(-2)).to_have_text(re.compile(r"overdraw\(\) RustPanic: insufficient funds: ada has 105"))
    expect(fact(page, "ada")).to_have_text("105")
    expect(fact(page, "bob")).to_have_text("20")
    expect(fact(page, "generation")).to_have_text("0")
    expect(page.locator("#survived")).to_have_text(str(survived + 1))
    expect(page.locator("#recovery")).to_have_text(re.compile(r"^(\d+\.\d|< 0\.1) ms$"))

    traceback = page.get_by_role("region", name="Traceback").inner_text().splitlines()
    assert traceback[0] == "Traceback (most recent call last):"
    assert re.search(r'File "teller.py", line \d+, in overdraw', traceback[1])
    assert "bank.withdraw" in traceback[2]
    assert any(re.search(r'File "src/lib.rs", line \d+, in bank::withdraw', line) for line in traceback)
    assert "unpanic.errors.RustPanic: insufficient funds" in traceback[-1]
    expect(page.locator("#rust-place")).to_have_text(re.compile(r"^line \d+$"))
    expect(page.locator("#rust .marked")).to_contain_text('panic!("insufficient funds')

    press(page, "Deposit")
    says(page, r"gen 0 deposit\(\) → 110")


def test_a_panic_resets(page: Page):
    """The next call runs in a new generation, whose accounts the teller has opened again."""
    switch(page, "reset")
    press(page, "Deposit")
    press(page, "Overdraw")
    says(page, r"recovered: generation 1 in \d+\.\d ms")
    expect(fact(page, "ada")).to_have_text("100")
    expect(fact(page, "generation")).to_have_text("1")
    press(page, "Deposit")
    says(page, r"gen 1 deposit\(\) → 105")


def test_the_log_says_what_was_lost_and_refilled(page: Page):
    """The log says that a reset lost the state, and that the teller filled the bank again."""
    switch(page, "reset")
    press(page, "Overdraw")
    says(page, r"recovered: generation 1 in \d+\.\d ms; state lost; morning\(\) opened the accounts again\s*$")
    switch(page, "unwind")
    expect(lines(page).filter(has_text="the bank is loaded").last).to_contain_text("the bank is loaded again")


def test_the_marked_line_of_rust_can_be_read_whole(page: Page):
    """A panic's message may be longer than its panel, so the line wraps."""
    press(page, "Overdraw")
    wide = page.locator("#rust .marked").evaluate("line => line.scrollWidth > line.clientWidth")
    over = "line => line.getBoundingClientRect().right > line.parentElement.getBoundingClientRect().right"
    assert not wide
    assert not page.locator("#rust .marked").evaluate(over)
    page.set_viewport_size({"width": 375, "height": 812})
    assert not page.locator("#rust .marked").evaluate(over)
    page.set_viewport_size(FIRST_SCREEN)


@pytest.mark.parametrize("width", [1280, 375])
def test_the_log_cuts_no_line_in_half(page: Page, width: int):
    """The log shows only whole lines, and its last line is visible."""
    page.set_viewport_size({"width": width, "height": 800})
    for name in ("Deposit", "Overdraw", "Deposit", "Overdraw", "Deposit"):
        press(page, name)
    says(page, r"deposit\(\)")
    cut = """log => {
        const {top, bottom} = log.getBoundingClientRect();
        return [...log.querySelectorAll("li > span")].flatMap((part) => [...part.getClientRects()])
            .filter((line) => [top, bottom].some((edge) => line.top < edge - 2 && line.bottom > edge + 2)).length;
    }"""
    assert page.locator("#log").evaluate(cut) == 0
    assert page.locator("#log").evaluate("log => log.scrollHeight - log.clientHeight - log.scrollTop < 2")
    page.set_viewport_size(FIRST_SCREEN)


def test_the_way_to_the_documentation_and_back(page: Page):
    """The page links to the start of the documentation, which links back."""
    expect(page.locator(".hero code")).to_have_text('bank = await unpanic.load("bank/bank.js")')
    docs = page.context.new_page()
    docs.goto(page.url)
    docs.get_by_role("link", name="begin on your own page").click()
    expect(docs.get_by_role("heading", level=1)).to_contain_text("unpanic")
    docs.get_by_role("link", name="The demo site").click()
    assert docs.url.removesuffix("index.html") == page.url.removesuffix("index.html")
    docs.goto(f"{page.url.removesuffix('index.html')}docs/reference/errors.html")
    docs.locator(".md-header__button.md-logo").click()
    assert docs.url.removesuffix("index.html") == page.url.removesuffix("index.html")
    docs.close()


def test_no_keyboard_shortcut_where_there_is_no_keyboard(page: Page):
    """The button shows its shortcut for a mouse, but not for a finger."""
    expect(page.locator("#run kbd")).to_be_visible()
    touch = page.context.browser.new_context(has_touch=True, is_mobile=True)
    phone = touch.new_page()
    phone.goto(page.url)
    expect(phone.locator("#run")).to_be_visible(timeout=60_000)
    expect(phone.locator("#run kbd")).to_be_hidden()
    touch.close()


def test_the_timeline_begins_at_the_first_event(open_page: Callable[[str], Page]):
    """A young page has no empty stretch: its first generation begins near the left edge."""
    young = open_page("")
    bar = young.locator("#timeline .generation").first
    expect(bar).to_be_visible(timeout=60_000)
    young.wait_for_timeout(5_500)
    # One step reads all values, because the page redraws the picture five times a second.
    begins = """place => {
        const picture = place.querySelector("svg");
        const left = (shape) => shape.getBoundingClientRect().left;
        return (left(picture.querySelector(".generation")) - left(picture)) / picture.getBoundingClientRect().width;
    }"""
    assert young.locator("#timeline").evaluate(begins) < 0.2
    young.close()


def test_a_panic_unwinds(page: Page):
    """In a build that unwinds, the generation and its state go on."""
    switch(page, "unwind")
    press(page, "Deposit")
    press(page, "Overdraw")
    says(page, "unwound: same generation, its state is as the panic left it")
    expect(fact(page, "ada")).to_have_text("105")
    press(page, "Deposit")
    says(page, r"gen 0 deposit\(\) → 110")


def test_a_panic_ends_the_bank(page: Page):
    """Without recovery every later call says that the module has ended, and the page can load it again."""
    switch(page, "none")
    survived = page.locator("#survived").inner_text()
    again = page.get_by_role("button", name="Load the bank again")
    expect(again).to_be_hidden()
    press(page, "Overdraw")
    says(page, "the module has ended")
    expect(lines(page).last).to_have_class("crash")
    expect(page.locator("#with-state")).to_have_text("ended")
    expect(page.locator("#with-state")).to_have_class("pill bad")
    press(page, "Deposit")
    says(page, r"deposit\(\) ModuleTerminated: ")
    expect(fact(page, "ada")).to_have_text("?")
    expect(page.locator("#survived")).to_have_text(survived)
    again.click()
    expect(fact(page, "ada")).to_have_text("100")
    expect(again).to_be_hidden()


EACH_RESETTING = pytest.mark.parametrize("strategy", ["reset", pytest.param("unwind", marks=pytest.mark.long)])
NO_PANICS = pytest.mark.parametrize(
    ("name", "kind", "function"),
    [("Audit", "StackOverflow", "good_for"), ("Statements", "OutOfMemory", "write_page")],
)


@NO_PANICS
def test_what_is_no_panic_is_rolled_back_too(page: Page, name: str, kind: str, function: str):
    """Stack overflow and missing memory are undone like a panic, and the page shows the Rust function."""
    press(page, "Deposit")
    press(page, name)
    says(page, rf"rolled back {TIME}: same generation, every balance as before the call")
    expect(lines(page).nth(-2)).to_contain_text(f"{kind}: ")
    expect(page.locator("#rust-place")).to_have_text(f"in fn {function}")
    press(page, "Deposit")
    says(page, r"gen 0 deposit\(\) → 110")


@EACH_RESETTING
@NO_PANICS
def test_what_is_no_panic_resets_too(page: Page, strategy: str, name: str, kind: str, function: str):
    """Where nothing is rolled back, stack overflow and missing memory reset, and the page shows the Rust function."""
    switch(page, strategy)
    press(page, name)
    says(page, "recovered: generation 1 in")
    expect(lines(page).nth(-2)).to_contain_text(f"{kind}: ")
    expect(page.locator("#exception")).to_contain_text(f"bank::{function}")
    expect(page.locator("#rust-place")).to_have_text(f"in fn {function}")
    expect(page.locator("#rust .marked")).to_contain_text(f"fn {function}(")
    press(page, "Deposit")
    says(page, r"gen 1 deposit\(\) → 105")


@EACH_RESETTING
def test_an_endless_loop_is_stopped(page: Page, strategy: str):
    """The timeout resets the module with the loop, which can be called again, and the bank kept its state."""
    switch(page, strategy)
    survived = int(page.locator("#survived").inner_text())
    press(page, "Deposit")
    for generation in (0, 1):
        press(page, "Endless loop")
        says(page, rf"recovered: generation {generation + 1} of loops in \d+\.\d ms; the bank went on\s*$")
        expect(lines(page).nth(-3)).to_have_text(re.compile(r"loop\(\) Rust computes on this page"))
        expect(lines(page).nth(-2)).to_have_text(
            re.compile(rf"gen {generation} loop\(\) CallTimeout: stopped after \d+\.\d s, in the Rust function spin")
        )
    expect(page.locator("#survived")).to_have_text(str(survived + 2))
    expect(page.locator("#with-state")).to_have_text("ready")

    traceback = page.get_by_role("region", name="Traceback").inner_text()
    assert re.search(r'File "teller.py", line \d+, in loop', traceback)
    assert "unpanic.errors.CallTimeout: stopped after" in traceback
    expect(page.get_by_role("heading", name="src/shapes.rs")).to_be_visible()
    expect(page.locator("#rust-place")).to_have_text("in fn spin")
    expect(page.locator("#rust .marked")).to_contain_text("pub fn spin() {")
    titles = page.locator("#timeline .mark.crash title").all_text_contents()
    assert titles.count("timeout in spin") >= 2

    press(page, "Deposit")
    says(page, r"gen 0 deposit\(\) → 110")
    press(page, "Overdraw")
    expect(page.get_by_role("heading", name="src/lib.rs")).to_be_visible()


def test_an_endless_loop_is_rolled_back(page: Page):
    """The timeout ends the loop with one exception, in the same generation, again and again."""
    press(page, "Deposit")
    for _ in range(2):
        press(page, "Endless loop")
        says(page, rf"rolled back {TIME}: same generation, as before loop\(\); the bank went on\s*$")
        expect(lines(page).nth(-2)).to_have_text(re.compile(r"gen 0 loop\(\) CallTimeout: stopped after \d+\.\d s"))
    press(page, "Deposit")
    says(page, r"gen 0 deposit\(\) → 110")


def test_an_endless_loop_ends_its_module(page: Page):
    """Without recovery the timeout is the end of the module with the loop; the bank goes on."""
    switch(page, "none")
    press(page, "Endless loop")
    says(page, "the module has ended")
    expect(page.locator("#with-state")).to_have_text("ended")
    press(page, "Endless loop")
    says(page, r"loop\(\) ModuleTerminated: ")
    press(page, "Deposit")
    says(page, r"gen 0 deposit\(\) → 105")
    page.get_by_role("button", name="Load the bank again").click()
    expect(page.locator("#with-state")).to_have_text("ready")


def test_an_endless_loop_freezes_the_other_half(page: Page, violations, fits):
    """Without unpanic nothing answers any more, until the visitor ends the worker; the page goes on all the time."""
    ready(page)
    end, reload = (page.get_by_role("button", name=name) for name in ("End its worker", "Reload"))
    expect(end).to_be_hidden()
    press(page, "Endless loop")
    says(page, "as before loop")
    state = page.locator("#without-state")
    expect(state).to_have_text(re.compile(r"^no answer for [2-4] s$"))
    expect(state).to_have_text("no answer for 5 s", timeout=10_000)
    expect(end).to_be_visible()
    expect(theirs(page).last).to_have_text(re.compile(r"loop\(\) no answer"))
    press(page, "Deposit")
    expect(theirs(page).last).to_have_text(re.compile(r"deposit\(\) no answer"))
    says(page, r"gen 0 deposit\(\) → 105")
    assert violations(page) == []
    assert fits(page) == []

    end.click()
    expect(state).to_have_text("ended: only a reload helps")
    expect(theirs(page).last).to_have_text(re.compile(r"worker\.terminate\(\) ends the loop"))
    expect(end).to_be_hidden()
    expect(reload).to_be_focused()
    press(page, "Deposit")
    says(page, r"deposit\(\) → 110")
    expect(state).to_have_text("ended: only a reload helps")
    reload.click()
    expect(state).to_have_text("ready")
    press(page, "Deposit")
    expect(theirs(page).last).to_have_text(re.compile(r"deposit\(\) → 105"))


def test_a_half_that_starts_makes_up_for_calls(page: Page):
    """What a visitor presses while the other half is starting is called there too, in the same order."""
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("#without-state")).to_have_text("starting Python")
    press(page, "Deposit")
    press(page, "Endless loop")
    says(page, "as before loop")
    expect(theirs(page).filter(has_text=re.compile(r"deposit\(\) → 105"))).to_have_count(1)
    expect(page.locator("#without-state")).to_contain_text("no answer for")
    expect(theirs(page).last).to_have_text(re.compile(r"loop\(\) no answer"))


@pytest.mark.long  # the test of the half that freezes ends its worker, and starts it again
def test_a_reload_ends_an_endless_loop_too(page: Page):
    """A visitor may also reload the half that hangs, without ending its worker first."""
    ready(page)
    press(page, "Endless loop")
    expect(page.locator("#without-state")).to_contain_text("no answer for")
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("#without-state")).to_have_text("starting Python")
    expect(page.get_by_role("button", name="End its worker")).to_be_hidden()
    expect(page.locator("#without-state")).to_have_text("ready")
    press(page, "Deposit")
    expect(theirs(page).last).to_have_text(re.compile(r"deposit\(\) → 105"))


def test_other_calls_leave_the_other_half_answering(page: Page):
    """Waiting and overflowing are no silence: the status line never says that nothing answers."""
    ready(page)
    seen = """() => {
        window.seen = [];
        new MutationObserver(() => seen.push(document.querySelector("#without-state").textContent))
            .observe(document.querySelector("#without-state"), {childList: true, subtree: true, characterData: true});
    }"""
    page.evaluate(seen)
    press(page, "Wait")
    expect(theirs(page).last).to_have_text(re.compile(r"wait\(\) → 3000"))
    press(page, "Audit")
    expect(page.locator("#without-state")).to_have_text("crashed")
    assert not [text for text in page.evaluate("seen") if "no answer" in text]


def ready(page: Page) -> None:
    """Loads the other half again."""
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("#without-state")).to_have_text("ready")


def theirs(page: Page) -> Locator:
    """The lines of the other half's log."""
    return page.frame_locator("#without").get_by_role("log").get_by_role("listitem")


def test_a_call_in_flight(page: Page, source: str):
    """An async call is in flight until it ends. A rollback leaves it alone; a reset interrupts it, as the page says."""
    write(page, source, "3_000", "300")
    page.get_by_role("button", name="Run").click()
    press(page, "Wait")
    says(page, r"wait\(\) → 300")
    expect(fact(page, "in flight")).to_have_text("0")
    expect(page.locator("#timeline .mark.returned")).not_to_have_count(0)

    write(page, source, "3_000", "30_000")
    page.get_by_role("button", name="Run").click()
    says(page, "teller.py runs: ")
    press(page, "Wait")
    expect(fact(page, "in flight")).to_have_text("1")
    press(page, "Wait")
    expect(fact(page, "in flight")).to_have_text("2")
    expect(page.locator("#timeline .mark.waiting")).to_have_count(2)
    press(page, "Overdraw")
    says(page, "rolled back")
    expect(fact(page, "in flight")).to_have_text("2")

    switch(page, "reset")
    press(page, "Wait")
    press(page, "Wait")
    expect(fact(page, "in flight")).to_have_text("2")
    press(page, "Overdraw")
    expect(lines(page).filter(has_text="CallInterrupted: by the RustPanic in bank.withdraw")).to_have_count(2)
    expect(page.locator("#timeline .mark.interrupted")).not_to_have_count(0)
    expect(page.locator("#exception")).to_contain_text("RustPanic")


def test_the_source_can_be_changed(page: Page, source: str):
    """Ctrl-Enter runs the editor's source in both halves, and Reset restores the original."""
    write(page, source, '"ada", 5', '"ada", 7')
    page.keyboard.press("Control+Enter")
    says(page, "teller.py runs: deposit, overdraw, audit, statements, loop, wait, morning")
    press(page, "Deposit")
    says(page, r"deposit\(\) → 107")
    page.get_by_role("button", name="Reset", exact=True).click()
    press(page, "Deposit")
    says(page, r"deposit\(\) → 112")


def test_a_mistake_in_the_source(page: Page, source: str):
    """The page shows a syntax error with its line, and the previous functions stay."""
    write(page, source, "def audit():", "def audit(:")
    page.get_by_role("button", name="Run").click()
    row = source[: source.index("def audit")].count("\n") + 1
    expect(page.get_by_role("alert")).to_contain_text(f"Line {row}: ")
    expect(page.locator(".cm-lintRange-error")).to_have_count(1)
    press(page, "Deposit")
    says(page, r"deposit\(\) → 105")
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)


def test_a_teller_of_ones_own(page: Page):
    """The page shows printed text, exceptions of the source, and that a function is missing."""
    editor = page.get_by_role("textbox", name="Source of teller.py")
    for text, said in (
        ("import bank\nprint('total', bank.total())", "print total 120"),
        ("1 / 0", "teller.py ZeroDivisionError: division by zero"),
    ):
        editor.press("Control+a")
        page.keyboard.insert_text(text)
        page.get_by_role("button", name="Run").click()
        expect(lines(page).filter(has_text=said)).to_have_count(1)
    press(page, "Deposit")
    says(page, r"NameError: teller.py has no function deposit\(\)")


def test_the_other_half_dies_of_the_same(page: Page):
    """Without unpanic one panic is the end: calls fail from then on, while here they go on; a reload helps."""
    ready(page)
    state = page.locator("#without-state")
    other = page.frame_locator("#without")
    press(page, "Deposit")
    expect(theirs(page).last).to_have_text(re.compile(r"deposit\(\) → 105"))
    press(page, "Overdraw")
    expect(state).to_have_text("crashed")
    expect(other.locator("#accounts")).to_contain_text("RuntimeError: unreachable")
    for calls in (1, 2):
        press(page, "Deposit")
        expect(state).to_have_text(f"dead: {calls} of {calls} calls failed since")
    expect(theirs(page).filter(has_text="deposit() JsException: RuntimeError: unreachable")).to_have_count(2)
    says(page, r"gen 0 deposit\(\) → 115")
    ready(page)
    press(page, "Deposit")
    expect(theirs(page).last).to_have_text(re.compile(r"deposit\(\) → 105"))


def test_the_counters_and_the_timeline(page: Page):
    """The page's uptime continues over crashes, and the timeline shows them all."""
    uptime = page.locator("#uptime")
    before = uptime.inner_text()
    picture = page.locator("#timeline").get_by_role("img")
    crashes = int(re.search(r"(\d+) crashes", picture.get_attribute("aria-label"))[1])
    press(page, "Overdraw")
    expect(picture).to_have_attribute("aria-label", re.compile(rf" ({crashes}|{crashes + 1}) crashes"))
    expect(page.locator("#timeline .mark.crash")).not_to_have_count(0)
    expect(page.locator("#timeline .generation")).not_to_have_count(0)
    expect(uptime).not_to_have_text(before)
    assert minutes(uptime.inner_text()) > minutes(before)


def minutes(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(":")))


def test_the_keyboard_alone(page: Page):
    """Tab reaches every control in order and leaves the editor, arrows move the switch, and Enter presses."""
    page.locator("a.brand").focus()
    seen = []
    for _ in range(40):
        name = page.evaluate(
            "() => { const at = document.activeElement;"
            " return at.dataset.action || at.id || at.value || at.className || at.textContent }"
        )
        seen.append(name)
        if name == "deposit":
            page.keyboard.press("Enter")
            says(page, r"deposit\(\) → 105")
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
    wanted = [
        "deposit",
        "overdraw",
        "audit",
        "statements",
        "loop",
        "wait",
        "requests",
        "rollback",
        "log",
        "reload",
        "original",
        "run",
    ]
    assert [name for name in seen if name in wanted] == wanted, seen
    assert any("cm-content" in name for name in seen), seen

    page.get_by_role("radio", name="rollback").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="unwind")).to_be_checked()
    says(page, "teller.py runs")
    expect(lines(page).nth(-2)).to_contain_text("recovery: unwind")


def test_everybody_can_use_it(page: Page, violations, fits):
    """Axe finds no problem in light and dark after a crash, and a phone needs no sideways scrolling."""
    press(page, "Overdraw")
    says(page, "rolled back")
    assert violations(page) == []
    assert fits(page) == []


def test_less_motion(page: Page):
    """For users who prefer less motion, the timeline moves only when something happens."""
    page.emulate_media(reduced_motion="reduce")
    press(page, "Overdraw")
    says(page, "rolled back")
    place = "() => document.querySelector('#timeline .mark.crash').parentElement.getAttribute('transform')"
    before = page.evaluate(place)
    page.evaluate("new Promise(resolve => setTimeout(resolve, 500))")
    assert page.evaluate(place) == before
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_function(f"before => ({place})() !== before", arg=before)


def test_requests_in_flight(page: Page, source: str):
    """The teller answers requests, which show like calls. Only a reset makes those in flight a 500."""
    write(page, source, "3_000", "300")
    page.get_by_role("button", name="Run").click()
    press(page, "3 requests")
    expect(lines(page).filter(has_text="GET requests/wait 200 → 300")).to_have_count(3)
    expect(page.locator("#timeline .mark.returned")).not_to_have_count(0)

    write(page, source, "3_000", "30_000")
    page.get_by_role("button", name="Run").click()
    press(page, "3 requests")
    expect(fact(page, "in flight")).to_have_text("3")
    press(page, "Overdraw")
    says(page, "rolled back")
    expect(fact(page, "in flight")).to_have_text("3")
    expect(lines(page).filter(has_text="GET requests/wait 500")).to_have_count(0)

    switch(page, "reset")
    press(page, "3 requests")
    expect(fact(page, "in flight")).to_have_text("3")
    press(page, "Overdraw")
    expect(lines(page).filter(has_text="GET requests/wait 500 interrupted: panic in withdraw")).to_have_count(3)
    expect(page.locator("#with-state")).to_have_text("ready")
