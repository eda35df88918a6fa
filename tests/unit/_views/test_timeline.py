"""A module's history has limits, and a timeline draws it."""

from __future__ import annotations

import asyncio
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic._recovery.history import MOST, CrashMark, History, Span
from unpanic._views.bursts import Burst, within
from unpanic._views.grouping import close, pack
from unpanic._views.timeline import Timeline
from unpanic._views.words import duration, round_step, short_number, visible

from tests.unit.fakes import PANIC, FakeBrowser, FakeDriver, crash, function, make_module

SVG = "{http://www.w3.org/2000/svg}"
ENDS = ["returned", "failed", "interrupted", "cancelled"]


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def timeline(**parts: Any) -> Timeline:
    """A timeline of ten seconds."""
    given = {"generations": [Span("0", 100)], "crashes": [], "bursts": [], "calls": []} | parts
    return Timeline("bank", 100, 110, **given)


def drawn(shown: Timeline) -> ET.Element:
    """Returns the picture, read as XML."""
    return ET.fromstring(shown.svg)


def titles(shown: Timeline) -> list[str]:
    return [title.text or "" for title in drawn(shown).iter(f"{SVG}title")][1:]


def texts(shown: Timeline) -> list[str]:
    return [text.text or "" for text in drawn(shown).iter(f"{SVG}text")]


def test_everything_is_told_in_words():
    """Each thing has a title, so that nothing depends on place or colour alone."""
    shown = timeline(
        generations=[Span("0", 100, 104), Span("1", 104.5)],
        crashes=[CrashMark(104, "panic", "insufficient funds", "Account.withdraw", 0)],
        bursts=[Burst(101, 103, 1200, 0), Burst(108, 108, 1, 1)],
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
    """A shape shows how a call ended. The legend explains only the shapes in the picture."""
    shapes = set()
    for how in ENDS:
        shown = timeline(calls=[Span("slow", 101, 102, how)])
        (mark,) = [
            each for each in drawn(shown).iter(f"{SVG}svg") if each.findtext(f"{SVG}title", "").startswith("slow")
        ]
        shapes.add((mark[0].tag, mark[0].get("d"), mark[0].get("fill") == "none"))
        assert {*texts(shown)} & {"crash", "recovery", "in flight", *ENDS} == {how}
    assert len(shapes) == 4


def test_the_picture_is_accessible():
    """It is an image with a label, a title and a description, and is as wide as its place."""
    root = drawn(timeline())
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Timeline of the Rust module bank"
    assert root.findtext(f"{SVG}title") == "Timeline of the Rust module bank"
    assert root.findtext(f"{SVG}desc") == "10 s, 1 generation, 0 crashes, 0 calls"
    assert root.get("width") == "100%"
    # Nothing is scaled, so texts keep their size in a narrow place.
    assert root.get("viewBox") is None


def test_colours_follow_the_reader():
    """In a notebook it has the text colour, and as an image the colours that the reader prefers."""
    shown = timeline()
    assert "prefers-color-scheme" in shown.svg
    assert shown._repr_svg_() == shown.svg
    assert "<style" not in shown._repr_html_()
    assert 'fill="currentColor"' in shown._repr_html_()


def test_what_users_wrote_is_escaped():
    """Names and messages are always text."""
    nasty = "</title><script>alert('\"&')</script>"
    shown = Timeline(
        nasty, 0, 1, [Span("0", 0)], [CrashMark(0.5, "panic", nasty, nasty, 0)], [], [Span(nasty, 0, 1, "failed")]
    )
    root = drawn(shown)
    assert not list(root.iter(f"{SVG}script"))
    assert titles(shown)[1] == f"panic in {nasty}: {nasty}"
    assert root.get("aria-label") == f"Timeline of the Rust module {nasty}"


NO_TEXT = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\ud800", "\udfff", "\ufffe", "\uffff"]


@pytest.mark.parametrize("character", [*NO_TEXT, "]]>", "<![CDATA[", "&#0;", "\U0001f600"], ids=ascii)
def test_no_text_breaks_the_picture(character: str, tmp_path: Path):
    """Control characters, lone surrogates and other characters that XML forbids are replaced."""
    nasty = f"a{character}b"
    shown = Timeline(
        nasty, 0, 1, [Span("0", 0)], [CrashMark(0.5, nasty, nasty, nasty, 0)], [], [Span(nasty, 0, 1, "failed")]
    )
    root = drawn(shown)
    expected = visible(nasty) if character != "\r" else nasty.replace("\r", "\n")  # XML's line end
    assert f"{expected}: failed after 1 s" in titles(shown)
    assert root.get("aria-label") == f"Timeline of the Rust module {visible(nasty)}"
    shown.save(tmp_path / "nasty.svg")
    ET.parse(tmp_path / "nasty.svg")
    shown._repr_html_().encode()


def test_neighbours_are_drawn_as_one():
    """A thousand crashes become a few marks with their number, and the picture stays small."""
    count = 1000
    shown = timeline(
        generations=[Span(str(at), 100 + at / 100, 100.009 + at / 100) for at in range(count)],
        crashes=[CrashMark(100.009 + at / 100, "panic", f"number {at}", "f", at) for at in range(count)],
        bursts=[Burst(100 + at / 100, 100.001 + at / 100, 10, at) for at in range(count)],
        calls=[Span("slow", 100 + at / 100, 110, "failed") for at in range(count)],
    )
    found = titles(shown)
    assert found[0] == "generation 0 to 8"
    assert any(title.endswith("\nand 74 more") for title in found)
    assert "90 calls" in found
    assert "84" in texts(shown)
    assert "async calls (and 988 more)" in texts(shown)
    assert len(shown.svg) < 150_000


def test_a_moment_has_an_axis():
    """A timeline right after the load has no length, but is drawn."""
    shown = Timeline("bank", 5.0, 5.0, [Span("0", 5.0)], [], [], [])
    assert {"0", "0.2 ms", "1 ms"} <= {*texts(shown)}
    assert repr(shown) == "<Timeline of 'bank': 0 ms, 1 generation, 0 crashes, 0 calls>"


STEPS = [
    (0.0125, 0.02, "ms"), (0.3, 0.5, "ms"), (0.6, 1, "s"), (1, 1, "s"), (1.25, 2, "s"), (22, 50, "s"), (31, 60, "min"),
    (110, 120, "min"), (700, 900, "min"), (1500, 1800, "min"), (4000, 7200, "h"), (5 * 3600, 6 * 3600, "h"),
    (86400, 86400, "days"), (15 * 86400, 20 * 86400, "days"),
]  # fmt: skip


@pytest.mark.parametrize(("least", "step", "unit"), STEPS)
def test_the_axis_has_round_numbers(least: float, step: float, unit: str):
    """Steps are 1, 2 or 5 times a power of ten; for minutes and hours they are those of a clock."""
    seconds, told, _ = round_step(least)
    assert (seconds, told) == (pytest.approx(step), unit)


def test_a_young_module_has_an_axis_in_milliseconds():
    """An old one has minutes or hours. No labels overlap, even in a narrow picture."""
    for length, label in ((0.12, "40 ms"), (8, "4 s"), (1300, "10 min"), (110_000, "12 h")):
        shown = Timeline("bank", 0, length, [Span("first", 0)], [], [], [])
        assert label in texts(shown)
        places = []
        for text in drawn(shown).iter(f"{SVG}text"):
            if re.fullmatch(r"0|[\d.]+ (ms|s|min|h)", text.text or ""):
                place, width = float(text.get("x", "").rstrip("%")), 100 / 380 * 6.5 * len(text.text or "")
                places.append(
                    (place - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "")], width)
                )
        assert len(places) >= 4
        assert all(left + width <= after for (left, width), (after, _) in pairwise(places))


def test_durations_and_numbers_are_short():
    """They have the unit that people would choose."""
    assert [*map(duration, (0, 0.0125, 3, 90, 5400))] == ["0 ms", "12.5 ms", "3 s", "1.5 min", "1.5 h"]
    assert [*map(short_number, (0, 9999, 10_000, 999_999, 3_400_000))] == ["0", "9,999", "10k", "999k", "3.4M"]


def bars(shown: Timeline) -> list[tuple[float, float | None, str]]:
    """Returns the start and the width of each bar of calls, in percent or None for a tick, and its title."""
    found = []
    for rect in drawn(shown).iter(f"{SVG}rect"):
        if rect.findtext(f"{SVG}title", "").endswith(("call", "calls")):
            width = rect.get("width", "")
            left = float(rect.get("x", "").rstrip("%"))
            found.append((left, float(width[:-1]) if width.endswith("%") else None, rect.findtext(f"{SVG}title", "")))
    return found


def test_calls_are_drawn_in_their_generation():
    """A bar right before a crash ends there, and a bar right after it begins there."""
    shown = timeline(
        generations=[Span("0", 100, 105), Span("1", 105.02)],
        bursts=[Burst(104.9, 105, 40, 0), Burst(105.02, 105.05, 7, 1), Burst(105.06, 105.2, 7, 1)],
    )
    (left, width, before), (after_left, _, after) = bars(shown)
    crash = 2 + 96 / 2
    assert (before, after) == ("40 calls", "14 calls")
    assert left + (width or 0) == pytest.approx(crash, abs=0.01)
    assert after_left >= crash


def test_a_single_call_is_a_tick():
    """The tick is at the time of the call, and has no length."""
    shown = timeline(bursts=[Burst(101, 101.0002, 1), Burst(109, 109.0001, 1)])
    assert [(width, title) for _, width, title in bars(shown)] == [(None, "1 call")] * 2
    assert [left for left, _, _ in bars(shown)] == [11.6, 88.4]


def test_what_never_happened_has_no_row():
    """A module that has only been loaded has nothing but a generation."""
    assert {"crashes", "calls", "async calls"} & {*texts(timeline())} == set()
    assert "ended" in texts(timeline(generations=[Span("0", 100, 104)]))


def test_calls_are_packed_into_tracks():
    """A track is used again when its call has ended; calls that find no track are counted."""
    one, two, three = Span("a", 0, 2), Span("b", 1, None), Span("c", 2, 3)
    assert pack([three, two, one], 5) == ([[one, three], [two]], 0)
    assert pack([Span("a", 0, 1)] * 20, 5)[1] == 8


def test_groups_begin_with_their_first():
    """A long chain of neighbours therefore does not become one group."""
    assert close([0.0, 3, 6, 9], lambda place: place, 4) == [[0, 3], [6, 9]]


def test_it_is_saved(tmp_path: Path):
    """The file is UTF-8."""
    shown = timeline()
    shown.save(tmp_path / "bank.svg")
    assert (tmp_path / "bank.svg").read_text("utf-8") == shown.svg


# The history.


def test_history_is_bounded():
    """It keeps the newest thousand of each, and the beginning of a long message."""
    history = History("bank", FakeBrowser(), Clock())
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
    """The time until the next generation is the time of the recovery."""
    clock = Clock()
    history = History("bank", FakeBrowser(), clock)
    clock.now = 101
    history.died()
    history.died()
    clock.now = 102
    history.recovered(1)
    assert history.generations == [Span("0", 100, 101), Span("1", 102)]


def test_developer_tools_are_told_later():
    """Loads, crashes and recoveries become entries of the Performance panel when the loop turns."""
    clock, browser = Clock(), FakeBrowser()
    history = History("bank", browser, clock)
    history.loaded(0.5)
    clock.now = 101
    history.crashed(unpanic.RustPanic("boom", call="f", module="bank"))
    history.died()
    clock.now = 103
    history.recovered(1)
    assert (len(browser.waiting), browser.measured) == (1, [])
    browser.waiting.pop()()
    module = ("module", "bank")
    told = (module, ("kind", "panic"), ("call", "f"), ("message", "boom"))
    assert browser.measured == [
        ("bank: load", 3.5, 3, "primary", (module,)),
        ("bank: crash", 2, 2, "error", told),
        ("bank: recovery", 2, 0, "secondary", (module, ("generation", "1"))),
    ]
    history.crashed(unpanic.RustPanic("boom"))
    assert len(browser.waiting) == 1


def test_a_module_has_its_timeline():
    """It has crashes, recoveries, and async calls with their ends."""

    async def main() -> Timeline:
        driver = FakeDriver({"functions": [function("slow", result="float", is_async=True)]})
        _, supervisor, bank = make_module(driver, panic_hook=lambda _panic: None)
        futures = [supervisor.started(number, "slow", None) for number in range(1, 8)]
        futures[3].cancel()
        supervisor.settled(1, "x")
        supervisor.settled_by_error(2, 7, None, "7", None, "slow")
        supervisor.settled_by_unwinding(3, *PANIC, "slow")
        supervisor.settled(4, "x")
        crash(supervisor, call="slow", suspects=[5], interrupted=[6])
        driver.told_bursts = [1000.0, 400.0, 900.0, 12.0, 9.0, 950.0, 990.0, 0.0, 9.0]
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
    assert (round(shown.ended - burst.began, 3), round(shown.ended - burst.ended, 3)) == (0.6, 0.1)
    assert (burst.calls, burst.generation) == (12, 9)


def test_bursts_are_inside_of_their_generation():
    """This holds for any clock of JavaScript, which is coarse in some browsers."""
    assert within(Span("0", 1.0, 2.0), Burst(0.9995, 2.0005, 3, 0)) == Burst(1.0, 2.0, 3, 0)
    assert within(Span("1", 1.0), Burst(0.9, 0.95, 3, 1)) == Burst(1.0, 1.0, 3, 1)
    assert within(None, Burst(1.0, 2.0, 3, 7)) == Burst(1.0, 2.0, 3, 7)


def test_a_module_that_has_ended_has_a_past():
    """Its last generation has an end."""
    _, supervisor, bank = make_module(FakeDriver({}))
    supervisor.unload()
    (generation,) = unpanic.timeline(bank).generations
    assert generation.ended is not None
