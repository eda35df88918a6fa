"""What it costs that calls can be rolled back, as the tables of README.md and docs/measurements.md.

`python -m bench.run --only rollback` measures it and prints them; `python -m bench.tables` writes them to these files.
"""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "dist" / "rollback.json"

MOST_PACKAGES = 1.10
MOST_KERNELS = 1.15
MOST_LONG = 1.05
MOST_DEARER_NS = 150
MOST_MEMORY = 2
MOST_CRASH_US = 100
MOST_PAGE_US = 1
MOST_LOADING = 1.3
LEAST_MB = 20
MOST_RUNTIME_KB = 60
MOST_WHEEL_KB = 300
# By how much what is in memory may differ after 10,000 panics, and still be called flat.
MOST_GROWTH = 1.05

GROUPS = {"five kernels": ("kernel ", MOST_KERNELS), "five real packages": ("", MOST_PACKAGES)}
KINDS = {"optimised code": "warm", "from the first call": "first"}
WAYS = {"alone, with pauses": "with pauses", "in a row": "in a row"}


@dataclass(frozen=True)
class Row:
    """A cost, what was measured, what was wanted, and whether it was missed."""

    what: str
    measured: str
    wanted: str
    is_missed: bool = False
    is_detail: bool = False
    # The figure alone, for the README; empty if it is all of `measured`.
    figure: str = ""

    def __str__(self) -> str:
        measured = f"**{self.measured}**" if self.is_missed else self.measured
        return f"| {self.what} | {measured} | {self.wanted} |"


def geometric_mean(ratios: list[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, ratios)))


def members(work: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The kernels, or what is none."""
    return {name: taken for name, taken in work.items() if name.startswith("kernel ") == bool(prefix)}


def medians(work: dict[str, Any], kind: str) -> dict[str, float]:
    return {name: taken[kind]["median"] for name, taken in work.items()}


def mean_and_worst(ratios: dict[str, float]) -> str:
    worst = max(ratios, key=ratios.__getitem__)
    return f"{geometric_mean([*ratios.values()]):.2f}, worst {ratios[worst]:.2f} ({worst})"


def spread(taken: dict[str, float], form: str = ".2f") -> str:
    """A median and its quartiles."""
    return f"{taken['median']:{form}} ({taken['low']:{form}} to {taken['high']:{form}})"


def slow_downs(figures: dict[str, Any]) -> Iterator[Row]:
    for group, (prefix, most) in GROUPS.items():
        for label, kind in KINDS.items():
            ratios = medians(members(figures["work"], prefix), kind)
            is_missed = geometric_mean([*ratios.values()]) > most
            what = f"{group}, {label}, geometric mean"
            figure = f"{geometric_mean([*ratios.values()]):.2f}"
            yield Row(what, mean_and_worst(ratios), f"at most {most:.2f}", is_missed, figure=figure)


def long_calls(figures: dict[str, Any]) -> Iterator[Row]:
    for label, way in WAYS.items():
        ratios = medians(figures["long"], way)
        is_missed = max(ratios.values()) > MOST_LONG
        what = f"a call of over 1 ms, {label}, geometric mean"
        figure = f"{max(ratios.values()):.2f}"
        yield Row(what, mean_and_worst(ratios), f"each at most {MOST_LONG}", is_missed, figure=figure)


def dearer_calls(figures: dict[str, Any]) -> Iterator[Row]:
    for name, taken in figures["calls"].items():
        is_missed = taken["median"] > MOST_DEARER_NS
        what = f"a call: {name}; {taken['ns']:.0f} ns without"
        figure = f"{taken['median']:+.0f} ns"
        yield Row(what, f"{spread(taken, '+.0f')} ns", f"at most +{MOST_DEARER_NS} ns", is_missed, figure=figure)
    awaits = figures["awaits"]
    yield Row(f"an `await`; {awaits['us']:.1f} µs without", f"{spread(awaits, '+.1f')} µs", "")


def memory(figures: dict[str, Any]) -> Iterator[Row]:
    for name, taken in figures["memory"].items():
        share = (taken["memory_bytes"] + taken["shadow_bytes"]) / taken["own_bytes"]
        what = f"memory of {name}, with the copy and the marks; {taken['own_bytes'] / 1e6:.1f} MB without"
        is_missed, figure = share > MOST_MEMORY, f"{share:.2f}"
        yield Row(what, f"{share:.2f} times", f"at most {MOST_MEMORY} times", is_missed, figure=figure)


def crashes(figures: dict[str, Any]) -> Iterator[Row]:
    for name, taken in figures["crashes"].items():
        is_wanted = name == "a panic, rollback"
        is_missed = is_wanted and taken["median"] > MOST_CRASH_US
        what = "crash to next good call in Python" if is_wanted else f"the same: {name}"
        wanted = f"at most {MOST_CRASH_US} µs" if is_wanted else ""
        figure = f"{taken['median']:.0f} µs"
        yield Row(what, f"{spread(taken, '.0f')} µs", wanted, is_missed, not is_wanted, figure)
    counts = sorted(figures["touching"], key=int)
    for count in counts:
        taken = figures["touching"][count]
        most = MOST_CRASH_US + MOST_PAGE_US * int(count)
        what = f"the same, {count} pages touched"
        yield Row(what, f"{spread(taken, '.0f')} µs", f"at most {most} µs", taken["median"] > most, True)
    few, many = (figures["touching"][count]["median"] for count in (counts[0], counts[-1]))
    each = (many - few) / (int(counts[-1]) - int(counts[0]))
    yield Row("the same, for each touched page", f"+{each:.2f} µs", f"at most +{MOST_PAGE_US} µs", each > MOST_PAGE_US)


# What `flat` in bench/failing.py counts, and how it is written.
COUNTED = {
    "rust_bytes": ("Rust", 1e6, "MB"),
    "python_bytes": ("Python's heap", 1e6, "MB"),
    "python_objects": ("Python objects", 1, ""),
    "javascript_bytes": ("JavaScript's heap", 1e6, "MB"),
}


def flatness(figures: dict[str, Any]) -> Iterator[Row]:
    flat = figures["flat"]
    growth = {name: late / flat["early"][name] if late else 1 for name, late in flat["late"].items()}
    worst = max(growth.values())
    what = f"{flat['count']:,} panics in a row: memory at the end, against a tenth of the way"
    yield Row(what, f"{worst:.2f}", "flat", worst > MOST_GROWTH)
    for name, (label, unit, symbol) in COUNTED.items():
        early, late = (flat[when][name] / unit for when in ("early", "late"))
        form = ".1f" if unit > 1 else ",.0f"
        yield Row(f"the same: {label}", f"{early:{form}} to {late:{form}} {symbol}".strip(), "", False, True)


def rewriting(figures: dict[str, Any]) -> Iterator[Row]:
    for key, what in (("rewriting", "rewriting"), ("rewriting for both", "rewriting for `timeout=` as well")):
        for label, kind in (("right after the page has loaded", "first"), ("optimised", "later")):
            files = figures[key].values()
            speed = sum(file["megabytes"] for file in files) / sum(file["megabytes"] / file[kind] for file in files)
            wanted, is_detail = f"at least {LEAST_MB} MB/s", key != "rewriting"
            yield Row(f"{what}, {label}", f"{speed:.0f} MB/s", wanted, speed < LEAST_MB, is_detail)


def loading(figures: dict[str, Any]) -> Iterator[Row]:
    for name, taken in figures["loading"].items():
        ratios = [mine / theirs for mine, theirs in zip(taken["tracked"], taken["plain"], strict=True)]
        low, median, high = statistics.quantiles(ratios)
        line, which = name.split(", ")
        what = f"{which} load of 4 MB, {line}; {statistics.median(taken['plain']):.0f} ms without"
        measured = spread({"low": low, "median": median, "high": high})
        yield Row(what, measured, f"at most {MOST_LOADING}", median > MOST_LOADING, figure=f"{median:.2f}")


def file_sizes(figures: dict[str, Any]) -> Iterator[Row]:
    for part, what, most in (
        ("runtime.js", "the runtime, compressed", MOST_RUNTIME_KB),
        ("without rewriter", "the wheel without rewriter", MOST_WHEEL_KB),
    ):
        size = next(size for name, size in figures["sizes"].items() if part in name)
        yield Row(what, f"{size:.1f} kB", f"at most {most} kB", size > most)


PARTS = (slow_downs, long_calls, dearer_calls, memory, crashes, flatness, rewriting, loading, file_sizes)


def rows(figures: dict[str, Any]) -> list[Row]:
    return [row for part in PARTS for row in part(figures)]


def summary(figures: dict[str, Any]) -> list[str]:
    """The lines of README.md, each figure with its goal in parentheses. What missed its goal is bold."""
    table = {row.what.partition(";")[0]: row for row in rows(figures)}

    def short(what: str, goal: str = "") -> str:
        row = table[what]
        figure = row.figure or row.measured
        return (f"**{figure}**" if row.is_missed else figure) + (f" ({goal})" if goal else "")

    def slow_down(group: str, kind: str, goal: str = "") -> str:
        return short(f"{group}, {kind}, geometric mean", goal)

    dearer = {name: taken["median"] for name, taken in figures["calls"].items()}
    least, most = (f"a call: {choose(dearer, key=dearer.__getitem__)}" for choose in (min, max))
    largest = max(memory(figures), key=lambda row: float(row.figure)).what.partition(";")[0]
    longest = max(long_calls(figures), key=lambda row: float(row.figure)).what
    warm, first = KINDS
    kernels, packages = GROUPS
    return [
        f"- Real packages {slow_down(packages, warm, '1.10')}, {first} {slow_down(packages, first)};",
        f"  kernels {slow_down(kernels, warm, '1.15')}, {first} {slow_down(kernels, first)}; "
        f"calls over 1 ms at worst {short(longest, '1.05')}.",
        f"- A call {short(least)} to {short(most, '150')}, most with strings. Memory {short(largest, '2')} times.",
        f"- Crash to next good call {short('crash to next good call in Python', '100')}, and "
        f"{short('the same, for each touched page', '1')} for each touched page.",
        f"- Rewriting {short('rewriting, right after the page has loaded', '20')}. First load of 4 MB "
        f"{short('first load of 4 MB, loopback', '1.3')} times on loopback,",
        f"  {short('first load of 4 MB, 50 Mbit/s')} at 50 Mbit/s; second {short('second load of 4 MB, loopback')}.",
        f"- Runtime {short('the runtime, compressed', '60')}, "
        f"wheel without rewriter {short('the wheel without rewriter', '300')}.",
    ]


def detail(figures: dict[str, Any]) -> list[str]:
    """The lines of docs/measurements.md: each kernel and package, and each row with its spread."""
    return [
        *slow_down_table(figures["work"]),
        "",
        *long_table(figures["long"]),
        "",
        "| | measured | wanted |",
        "| --- | --- | --- |",
        *map(str, rows(figures)),
    ]


def slow_down_table(work: dict[str, Any]) -> list[str]:
    lines = ["| | takes | " + " | ".join(KINDS) + " |", "| --- | --- | --- | --- |"]
    for group, (prefix, most) in GROUPS.items():
        for name, taken in members(work, prefix).items():
            cells = [spread(taken[kind]) for kind in KINDS.values()]
            lines.append(f"| {name} | {taken['ms']:.1f} ms | {' | '.join(cells)} |")
        ratios = [medians(members(work, prefix), kind).values() for kind in KINDS.values()]
        means = [geometric_mean([*values]) for values in ratios]
        cells = [f"**{mean:.2f}**" if mean > most else f"{mean:.2f}" for mean in means]
        lines.append(f"| *{group}, geometric mean (wanted: {most:.2f})* | | {' | '.join(cells)} |")
    return lines


def long_table(long: dict[str, Any]) -> list[str]:
    heads = [f"long calls, {label}" for label in WAYS]
    lines = [f"| | takes | memory | {' | '.join(heads)} |", "| --- | --- | --- | --- | --- |"]
    for name, taken in long.items():
        ratios = [taken[way] for way in WAYS.values()]
        cells = [f"**{spread(ratio)}**" if ratio["median"] > MOST_LONG else spread(ratio) for ratio in ratios]
        lines.append(f"| {name} | {taken['ms']:.1f} ms | {taken['megabytes']:.1f} MB | {' | '.join(cells)} |")
    return lines


def report(figures: dict[str, Any]) -> None:
    before, after = figures["loads"]
    print(f"{figures['browser']}; the machine's load before {before:.1f} and after {after:.1f}\n")
    print("README.md:\n", *summary(figures), "\ndocs/measurements.md:\n", *detail(figures), "", sep="\n")


MARKED = re.compile(r"(<!-- figures of rollback: begin[^\n]*-->\n).*?(<!-- figures of rollback: end)", re.DOTALL)


def fill_in(text: str, lines: list[str]) -> str:
    """The text with the lines in the part that is marked for them."""
    new = "\n".join(lines) + "\n"
    result, count = MARKED.subn(lambda found: found[1] + new + found[2], text)
    if count != 1:
        raise ValueError(f"There are {count} parts for the figures of rollback, not one.")
    return result


def main() -> None:
    figures = json.loads(FIGURES.read_text())
    for name, lines in (("README.md", summary(figures)), ("docs/measurements.md", detail(figures))):
        file = ROOT / name
        file.write_text(fill_in(file.read_text("utf-8"), lines), "utf-8")


if __name__ == "__main__":
    main()
