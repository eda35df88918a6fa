"""The past of a module: what is kept of it, and the picture that is drawn of it."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic import _module
from unpanic._history import MOST, CrashMark, History, Span
from unpanic._timeline import Burst, Timeline, close, packed, round_step

from tests.unit.fakes import PANIC, FakeDriver, FakeHost, crash, function, make_module

SVG = "{http://www.w3.org/2000/svg}"
ENDS = ["returned", "failed", "interrupted", "cancelled"]


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def timeline(**parts: Any) -> Timeline:
    """A timeline of ten seconds."""
    given = {"generations": [Span("0", 100)], "crashes": [], "bursts": [], "calls": []} | parts
    return Timeline("bank", 100, 110, **given)


def drawn(shown: Timeline) -> ET.Element:
    """The picture, read as XML."""
    return ET.fromstring(shown.svg)


def titles(shown: Timeline) -> list[str]:
    return [title.text or "" for title in drawn(shown).iter(f"{SVG}title")][1:]


def texts(shown: Timeline) -> list[str]:
    return [text.text or "" for text in drawn(shown).iter(f"{SVG}text")]


def test_everything_is_told_in_words():
    """Each thing has a title, so that nothing is told by its place or its colour alone."""
    shown = timeline(
        generations=[Span("0", 100, 104), Span("1", 104.5)],
        crashes=[CrashMark(104, "panic", "insufficient funds", "Account.withdraw", 0)],
        bursts=[Burst(101, 103, 1200), Burst(108, 108, 1)],
        calls=[Span("slow", 101, 102 + at, how) for at, how in enumerate(ENDS)] + [Span("slow", 105)],
    )
    calls = [f"slow: {how} after {at} s" for at, how in enumerate(ENDS, 1)] + ["slow: in flight after 5 s"]
    assert titles(shown)[:6] == [
        "generation 0",
        "generation 1",
        "recovery to generation 1: 500 ms",
        "panic in Account.withdraw: insufficient funds",
        "1,200 calls",
        "1 call",
    ]
    assert sorted(titles(shown)[6:]) == sorted(calls * 2)  # the line, and the mark at its end
    assert repr(shown) == "<Timeline of 'bank': 10 s, 2 generations, 1 crash, 1,201 calls, 5 of them async>"


def test_ends_have_shapes_of_their_own():
    """How a call ended is told without a colour; the legend names each shape."""
    shapes = set()
    for how in ENDS:
        (mark,) = [group for group in drawn(timeline(calls=[Span("slow", 101, 102, how)])).iter(f"{SVG}g")
                   if group.findtext(f"{SVG}title")]  # fmt: skip
        shapes.add((mark[0].tag, mark[0].get("d"), mark[0].get("fill") == "none"))
    assert len(shapes) == 4
    assert {"crash", "recovery", "in flight", *ENDS} <= set(texts(timeline()))


def test_the_picture_is_accessible():
    """It is an image with a label, a title and a description, and its width is that of its place."""
    root = drawn(timeline())
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Timeline of the Rust module bank"
    assert root.findtext(f"{SVG}title") == "Timeline of the Rust module bank"
    assert root.findtext(f"{SVG}desc") == "10 s, 1 generation, 0 crashes, 0 calls"
    assert root.get("width") == "100%"
    assert root.get("viewBox", "").startswith("0 0 960 ")


def test_colours_follow_the_reader():
    """In a notebook its text colour, as an image what the reader prefers."""
    shown = timeline()
    assert "prefers-color-scheme" in shown.svg
    assert shown._repr_svg_() == shown.svg
    assert "<style" not in shown._repr_html_()
    assert 'fill="currentColor"' in shown._repr_html_()


def test_what_users_wrote_is_escaped():
    """Names and messages are text, whatever is in them."""
    nasty = "</title><script>alert('\"&')</script>"
    shown = Timeline(
        nasty, 0, 1, [Span("0", 0)], [CrashMark(0.5, "panic", nasty, nasty, 0)], [], [Span(nasty, 0, 1, "failed")]
    )
    root = drawn(shown)
    assert not list(root.iter(f"{SVG}script"))
    assert titles(shown)[1] == f"panic in {nasty}: {nasty}"
    assert root.get("aria-label") == f"Timeline of the Rust module {nasty}"


def test_neighbours_are_drawn_as_one():
    """A thousand crashes are a few marks that tell how many they are, in a picture that stays small."""
    count = 1000
    shown = timeline(
        generations=[Span(str(at), 100 + at / 100, 100.009 + at / 100) for at in range(count)],
        crashes=[CrashMark(100.009 + at / 100, "panic", f"number {at}", "f", at) for at in range(count)],
        bursts=[Burst(100 + at / 100, 100.001 + at / 100, 10) for at in range(count)],
        calls=[Span("slow", 100 + at / 100, 110, "failed") for at in range(count)],
    )
    found = titles(shown)
    assert found[0] == "generation 0 to 4"
    assert any(title.endswith("\nand 21 more") for title in found)
    assert "50 calls" in found
    assert "and 988 more" in texts(shown)
    assert len(shown.svg) < 150_000


def test_a_moment_has_an_axis():
    """A timeline that is asked for right after the load has no length, and is drawn all the same."""
    shown = Timeline("bank", 5.0, 5.0, [Span("0", 5.0)], [], [], [])
    assert "0 s" in texts(shown)
    assert repr(shown) == "<Timeline of 'bank': 0 s, 1 generation, 0 crashes, 0 calls>"


@pytest.mark.parametrize(("least", "step"), [(0.0125, 0.02), (1.25, 2), (1, 1), (30, 50), (75, 100), (0.6, 1)])
def test_the_axis_has_round_numbers(least: float, step: float):
    """1, 2 or 5 times a power of ten."""
    assert round_step(least) == pytest.approx(step)


def test_calls_are_packed_into_rows():
    """A row is used again when its call has ended; what finds no row is counted."""
    one, two, three = Span("a", 0, 2), Span("b", 1, None), Span("c", 2, 3)
    assert packed([three, two, one], 5) == ([[one, three], [two]], 0)
    assert packed([Span("a", 0, 1)] * 20, 5)[1] == 8


def test_groups_begin_with_their_first():
    """So a long chain of neighbours does not become one group."""
    assert close([0.0, 3, 6, 9], lambda place: place) == [[0, 3], [6, 9]]


def test_it_is_saved(tmp_path: Path):
    """As UTF-8."""
    shown = timeline()
    shown.save(tmp_path / "bank.svg")
    assert (tmp_path / "bank.svg").read_text("utf-8") == shown.svg


# What is kept.


def test_history_is_bounded():
    """The newest thousand of each, and of a message its beginning."""
    history = History("bank", FakeHost(), Clock())
    panic = unpanic.RustPanic("x" * 1000, module="bank")
    for number in range(MOST + 10):
        history.crashed(panic)
        history.recovered(number + 1)
        history.call_ended("slow", 1.0, "returned")
    for kept in (history.crashes, history.generations[:-1], history.calls):
        assert len(kept) == MOST
    assert history.generations[-1].name == str(MOST + 10)
    assert len(history.crashes[0].message) == 200


def test_generations_end_when_they_die():
    """The time until the next one is that of the recovery."""
    clock = Clock()
    history = History("bank", FakeHost(), clock)
    clock.now = 101
    history.died()
    history.died()
    clock.now = 102
    history.recovered(1)
    assert history.generations == [Span("0", 100, 101), Span("1", 102)]


def test_developer_tools_are_told_later():
    """A load, a crash and a recovery are entries of the Performance panel, when the event loop turns."""
    clock, host = Clock(), FakeHost()
    history = History("bank", host, clock)
    history.loaded(0.5)
    clock.now = 101
    history.crashed(unpanic.RustPanic("boom", call="f", module="bank"))
    history.died()
    clock.now = 103
    history.recovered(1)
    assert (len(host.waiting), host.measured) == (1, [])
    host.waiting.pop()()
    module = ("module", "bank")
    told = (module, ("kind", "panic"), ("call", "f"), ("message", "boom"))
    assert host.measured == [
        ("bank: load", 3.5, 3, "primary", (module,)),
        ("bank: crash", 2, 2, "error", told),
        ("bank: recovery", 2, 0, "secondary", (module, ("generation", "1"))),
    ]
    history.crashed(unpanic.RustPanic("boom"))
    assert len(host.waiting) == 1


def test_a_module_has_its_timeline():
    """Crashes, recoveries, and async calls with the way in which they ended."""

    async def main() -> Timeline:
        driver = FakeDriver({"functions": [function("slow", result="float", is_async=True)]})
        module, supervisor, bank = make_module(driver, panic_hook=lambda _panic: None)
        _module.register(bank, module)
        futures = [supervisor.started(number, "slow", None) for number in range(1, 8)]
        futures[3].cancel()
        supervisor.settled(1, "x")
        supervisor.settled_by_error(2, 7, None, "7", "slow")
        supervisor.settled_by_unwinding(3, *PANIC, "slow")
        supervisor.settled(4, "x")
        crash(supervisor, call="slow", suspects=[5], interrupted=[6])
        driver.told_bursts = [1000.0, 400.0, 900.0, 12.0, 950.0, 990.0, 0.0]
        shown = unpanic.timeline(bank)
        await asyncio.gather(*futures[:6], return_exceptions=True)
        return shown

    shown = asyncio.run(main())
    assert [call.how for call in shown.calls] == [
        "returned", "failed", "failed", "cancelled", "failed", "interrupted", ""
    ]  # fmt: skip
    assert [(crash.kind, crash.call, crash.generation) for crash in shown.crashes] == [("panic", "slow", 0)] * 2
    assert [generation.name for generation in shown.generations] == ["0", "1"]
    (burst,) = shown.bursts
    assert (round(shown.ended - burst.began, 3), round(shown.ended - burst.ended, 3), burst.calls) == (0.6, 0.1, 12)


def test_a_module_that_has_ended_has_a_past():
    """Its last generation has an end."""
    module, supervisor, bank = make_module(FakeDriver({}))
    _module.register(bank, module)
    supervisor.unload()
    (generation,) = unpanic.timeline(bank).generations
    assert generation.ended is not None
