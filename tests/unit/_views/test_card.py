"""A module and its status look like a card in notebooks, lines of text, or one line for `repr`."""

from __future__ import annotations

import html.parser
from typing import Any

import pytest
import unpanic
from unpanic._exports.rust_module import RustModule
from unpanic._views.colours import AMBER, GREEN, RED
from unpanic._views.words import count, crashes_of, size

from tests.unit.fakes import FakeDriver, crash, function, make_module

PANIC = unpanic.RustPanic(
    "a < b", module="bank", call="Account.withdraw", location=unpanic.Location("src/lib.rs", 75, 13)
)
STATUS = unpanic.Status(
    name="<bank>",
    generation=1,
    phase="ready",
    recovery="reset",
    adapter="factory",
    calls=1234,
    crashes={"panic": 1, "stack_overflow": 2},
    resets=3,
    rollbacks=0,
    in_flight=2,
    memory_bytes=1114112,
    spare="ready",
    spare_bytes=65536,
    shadow_bytes=131072,
    last_crash=PANIC,
    timings={"load": 12.5, "recovery": 0.456},
)
TEXT = """\
Rust module <bank>
  state       ● ready
  generation  1 (3 resets)
  calls       1,234 (2 in flight)
  crashes     1 panic, 2 stack overflows
  memory      1.1 MB, and a copy of 131.1 kB to roll back to, and a spare of 65.5 kB
  recovery    reset, 0.46 ms
  last crash  a < b (panic in bank.Account.withdraw, src/lib.rs:75:13)"""


class Printer:
    """Plays IPython's pretty printer. `stack` holds the objects that are being printed, the outermost first."""

    def __init__(self, depth: int = 1) -> None:
        self.stack = list(range(depth))
        self.shown = ""

    def text(self, text: str) -> None:
        self.shown += text


class Reader(html.parser.HTMLParser):
    """Notes the open tags of each text, and fails if tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.found.append((self.open[-1], data))


@pytest.fixture
def loaded() -> tuple[Any, Any]:
    """Returns a module as `load` leaves it, and its supervisor."""
    driver = FakeDriver({"functions": [function("f")]}, {"f": lambda: None})
    _, supervisor, bank = make_module(driver, panic_hook=lambda _panic: None)
    return bank, supervisor


def test_the_text():
    """`str` and a terminal have all important facts, in units that people read."""
    assert str(STATUS) == TEXT
    printer = Printer()
    STATUS._repr_pretty_(printer, False)
    assert printer.shown == TEXT


def test_what_became_of_failed_calls():
    """A module that rolls back says how often it did; one that does not says why."""
    rolled_back = {"recovery": "rollback", "why": "it was rewritten", "rollbacks": 2, "resets": 1}
    shown = str(unpanic.Status(**{**vars(STATUS), **rolled_back}))
    assert "generation  1 (2 rollbacks, 1 reset)" in shown
    assert "recovery    rollback, 0.46 ms\n" in shown
    shown = str(unpanic.Status(**{**vars(STATUS), "why": "its glue was imported"}))
    assert "recovery    reset, 0.46 ms (its glue was imported)\n" in shown


def test_the_repr_of_a_status_is_its_data():
    """It is the `repr` of a dataclass."""
    assert repr(STATUS).startswith("Status(name='<bank>', generation=1, phase='ready', recovery='reset'")


def test_the_card():
    """It is a table with a caption and a header in each row, escaped, with styles of its own."""
    text = STATUS._repr_html_()
    found = Reader(text).found
    lines = TEXT.splitlines()
    assert found[0] == ("caption", lines[0])
    pairs = [line.strip().split("  ", 1) for line in lines[1:]]
    assert found[1:] == [cell for name, value in pairs for cell in (("th", name), ("td", value.strip()))]
    assert text.count('scope="row"') == 7
    assert "<style" not in text
    assert "class=" not in text


@pytest.mark.parametrize(
    ("phase", "colour"), [("ready", GREEN), ("recovering", AMBER), ("terminated", RED), ("unloaded", None)]
)
def test_the_state_has_a_colour_and_a_word(phase: str, colour: str | None):
    """It also has a sign, so it is recognisable in three ways."""
    text = unpanic.Status(**{**vars(STATUS), "phase": phase})._repr_html_()
    assert f" {phase}</td>" in text
    assert [found for found in (GREEN, AMBER, RED) if f"color:{found}" in text] == ([colour] if colour else [])


@pytest.mark.parametrize("character", ["\0", "\x1b[31m", "\x9b", "\ud800", "\uffff"], ids=ascii)
def test_no_text_breaks_the_card(character: str):
    """Control characters do nothing to a terminal, and lone surrogates can be sent as UTF-8."""
    panic = unpanic.RustPanic(f"a{character}b", module="bank", call=f"f{character}")
    status = unpanic.Status(**{**vars(STATUS), "last_crash": panic, "name": f"m{character}"})
    for text in (str(status), status._repr_html_()):
        assert character not in text
        text.encode()


def test_crashes_are_counted_in_words():
    """The words fit one or several crashes of a kind."""
    kinds = ("panic", "trap", "stack_overflow", "out_of_memory", "foreign", "timeout")
    assert [crashes_of(kind, 1) for kind in kinds] == [
        "1 panic", "1 trap", "1 stack overflow", "1 time out of memory", "1 foreign exception", "1 timeout"
    ]  # fmt: skip
    assert [crashes_of(kind, 2) for kind in ("panic", "out_of_memory")] == ["2 panics", "2 times out of memory"]


def test_a_long_message_is_cut():
    """A panic may carry a whole document."""
    long = unpanic.RustPanic("x" * 10_000, module="bank")
    shown = str(unpanic.Status(**{**vars(STATUS), "last_crash": long})).splitlines()[-1]
    assert shown == f"  last crash  {'x' * 200}… (panic in no call)"


def test_a_module_without_a_crash_says_so():
    """There is no row for events that never happened."""
    shown = str(unpanic.Status(**{**vars(STATUS), "last_crash": None, "crashes": {}, "timings": {}}))
    assert "crashes     none" in shown
    assert "recovery    reset\n" in shown + "\n"
    assert "last crash" not in shown


def test_the_repr_of_a_module(loaded: tuple[Any, Any]):
    """It is one line with state, generation and calls, and with crashes if there are any."""
    bank, supervisor = loaded
    bank.f()
    assert repr(bank) == "<Rust module 'bank': ready, generation 0, 1 call>"
    crash(supervisor)
    crash(supervisor)
    assert repr(bank) == "<Rust module 'bank': ready, generation 2, 1 call, 2 crashes>"
    assert unpanic.status(bank).last_crash is not None


def test_a_module_shows_the_card_of_its_status(loaded: tuple[Any, Any]):
    """A notebook and a terminal show it. Inside of a list it takes one line."""
    bank, _ = loaded
    assert bank._repr_html_() == unpanic.status(bank)._repr_html_()
    for depth, expected in ((1, str(unpanic.status(bank))), (2, repr(bank))):
        printer = Printer(depth)
        bank._repr_pretty_(printer, False)
        assert printer.shown == expected


def test_a_repr_never_raises(loaded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch):
    """It works after `unload`, for a module half built, and if the runtime does not answer."""
    bank, supervisor = loaded
    supervisor.unload()
    assert repr(bank) == "<Rust module 'bank': unloaded, generation 0, 0 calls>"
    half_built = RustModule("bank")
    assert repr(half_built) == "<Rust module 'bank'>"
    assert half_built._repr_html_() is None
    printer = Printer()
    half_built._repr_pretty_(printer, False)
    assert printer.shown == repr(half_built)
    del half_built.__name__
    assert repr(half_built) == "<Rust module None>"
    monkeypatch.setattr(supervisor.context.driver, "statistics", lambda: 1 / 0)
    assert repr(bank) == "<Rust module 'bank'>"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (1114112, "1.1 MB"), (4 << 30, "4.3 GB")]
)
def test_sizes_have_units(number: int, text: str):
    """Units are powers of a thousand, as in the display of a download."""
    assert size(number) == text


def test_counts_have_their_plural():
    """A count of one has no plural."""
    assert [count(number, "crash") for number in (0, 1, 1000)] == ["0 crashes", "1 crash", "1,000 crashes"]
