"""`make bench`: measures what unpanic costs, in one run of one browser, as ratios of alternating rounds.

The browser runs without a driver. An attached debugger would make every thrown exception several
times slower, and the figures would say little about a user's page.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import tables
from bench.loading import ROUNDS, measure_loading
from scripts import browser as launcher
from scripts import sizes
from scripts.serve import Server
from scripts.wheel import built as built_wheel

ROOT = Path(__file__).parents[1]
TIMEOUT_SECONDS = 1800
RESULT = "/bench/result/"

# The targets that docs/measurements.md states.
TARGETS = {
    "numeric call / proxy.name(...)": 0.65,
    "numeric call / held bare proxy": 1.1,
    "crash to next good call / JavaScript exception": 3.0,
}

# What may be asked of calls that can be stopped: in the mean, for one call, and of the rewriter.
MOST_MEAN = 1.10
MOST_NS = 20
LEAST_MB = 20
# How many milliseconds after its deadline a call may raise.
MOST_LATE = 50

# What scripts run in the page besides the one that is asked for.
MODULES = ("work.py", "failing.py")

# These headers isolate the page. Its clock then has steps of 5 µs instead of 100 µs.
HEADERS = {
    "content_type": "text/html",
    "cross_origin_opener_policy": "same-origin",
    "cross_origin_embedder_policy": "require-corp",
}

PAGE = """<!doctype html><title>bench</title><script type="module">
const report = (figures) => fetch("%(result)s" + encodeURIComponent(JSON.stringify(figures)));
try {
    const { loadPyodide } = await import("/pyodide/pyodide.mjs");
    const pyodide = await loadPyodide();
    pyodide.unpackArchive(await (await fetch("%(wheel)s")).arrayBuffer(), "wheel");
    pyodide.FS.mkdir("bench");
    for (const name of %(modules)s)
        pyodide.FS.writeFile(`bench/${name}`, await (await fetch(`/bench/${name}`)).text());
    pyodide.runPython(await (await fetch("/bench/%(script)s")).text());
    const figures = JSON.parse(await pyodide.runPythonAsync("await main(%(scale)s)"));
    await report({ ...figures, browser: navigator.userAgent.match(/Chrom[^ ]*/)[0] });
} catch (error) {
    await report({ error: String(error) });
}
</script>"""


def measure(scale: float, script: str = "measure.py") -> dict[str, Any]:
    """Returns the figures of one run of a script in this folder, which runs in the page."""
    wheel = built_wheel()
    with Server() as server:
        for file in (script, *MODULES):
            server.route(f"/bench/{file}", (ROOT / "bench" / file).read_bytes())
        page = PAGE % {
            "result": RESULT,
            "wheel": f"/wheel/{wheel.name}",
            "scale": scale,
            "script": script,
            "modules": json.dumps(MODULES),
        }
        with running_browser(server.route("/bench/", page, **HEADERS)):
            figures = wait_for_result(server)
    if "error" in figures:
        raise SystemExit(f"The benchmark failed in the page:\n{figures['error']}")
    return figures


@contextlib.contextmanager
def running_browser(url: str) -> Iterator[None]:
    """Runs the browser that set-up chose, with a fresh profile."""
    choice = launcher.chosen("chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        sandbox = [] if choice["chromium_sandbox"] else ["--no-sandbox"]
        # `flat` (failing.py) has the garbage collected before it looks at the memory.
        arguments = [
            "--headless",
            "--js-flags=--expose-gc",
            *sandbox,
            *launcher.ARGUMENTS["chromium"],
            f"--user-data-dir={profile}",
        ]
        command = [choice["executable_path"], *arguments, url]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def wait_for_result(server: Server) -> dict[str, Any]:
    """Returns the figures that the page reported."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        for path in server.requests:
            if path.startswith(RESULT):
                return json.loads(path.removeprefix(RESULT))
        time.sleep(0.2)
    raise SystemExit(f"The benchmark reported nothing in {TIMEOUT_SECONDS} seconds.")


def report(figures: dict[str, Any]) -> None:
    """Prints medians with their spread, and compares them to the targets."""
    print(f"{figures['browser']}; median (lowest to highest round)\n")
    for name, taken in figures["times"].items():
        print(f"{name:48} {taken['median']:9.2f} µs  ({taken['low']:.2f} to {taken['high']:.2f})")
    print()
    for name, ratio in figures["ratios"].items():
        target = TARGETS.get(name)
        verdict = "" if target is None else f"  target {target}: {'met' if ratio['median'] <= target else 'MISSED'}"
        print(f"{name:48} {ratio['median']:9.2f}     ({ratio['low']:.2f} to {ratio['high']:.2f}){verdict}")
    print()


def report_values(figures: dict[str, Any]) -> None:
    """Prints the cost of each conversion, as docs/values.md lists it."""
    print("conversion, in and out" + " " * 23 + "time       to a call with two ints\n")
    for name, taken in figures["small"].items():
        print(f"{name:42} {taken['us']:9.2f} µs  {taken['ratio']:9.1f}")
    print("\n" + " " * 57 + "to a plain copy\n")
    for name, taken in figures["large"].items():
        print(f"{name:42} {taken['us']:9.2f} µs  {taken['ratio']:9.1f}")
    print()
    for name, taken in figures["async"].items():
        print(f"{name:42} {taken:9.2f} µs")
    print()


KINDS = (("optimised", "warm"), ("from the first call", "first"))


def report_work(title: str, work: dict[str, Any]) -> None:
    """Prints the ratios of rewritten modules to those that are not."""
    heads = ("optimised: rounds (quartiles) fastest", "from the first call")
    print(f"{title:43}{heads[0]:>34} {heads[1]:>34}\n")
    for name, taken in work.items():
        spreads = [
            f"{r['median']:7.2f} ({r['low']:.2f} to {r['high']:.2f}) {r['fastest']:.2f}"
            for r in (taken["warm"], taken["first"])
        ]
        print(f"{name:30} {taken['ms']:9.2f} ms {spreads[0]:>34} {spreads[1]:>34}")


def report_mean(label: str, ratios: dict[str, float], most: float) -> None:
    mean, worst = tables.geometric_mean([*ratios.values()]), max(ratios, key=ratios.__getitem__)
    verdict = verdict_of(mean, most)
    print(f"{label}: geometric mean {mean:.3f}, {verdict}; worst {ratios[worst]:.2f}, {worst}")


def verdict_of(value: float, most: float) -> str:
    return f"target {most:g}: {'met' if value <= most else 'MISSED'}"


def report_rewriting(rewriting: dict[str, Any]) -> None:
    """Prints how fast files are rewritten in the page, and by how much they grow."""
    print("\nrewriting in the page" + " " * 20 + "size   first time        later       grows to\n")
    for name, taken in rewriting.items():
        speeds = f"{taken['first']:7.1f} MB/s {taken['later']:7.1f} MB/s"
        print(f"{name:34} {taken['megabytes']:7.2f} MB {speeds} {taken['growth']:11.3f}")
    sizes_mb = [taken["megabytes"] for taken in rewriting.values()]
    seconds = [taken["megabytes"] / taken["first"] for taken in rewriting.values()]
    speed = sum(sizes_mb) / sum(seconds)
    print(f"all, the first time: {speed:.1f} MB/s, target {LEAST_MB}: {'met' if speed >= LEAST_MB else 'MISSED'}")


def report_loops(figures: dict[str, Any]) -> None:
    """Prints what it costs that calls can be stopped, and how that stands to the targets."""
    report_work("calls that can be stopped", figures["work"])
    for label, kind in KINDS:
        for of in ("median", "fastest"):
            ratios = {name: taken[kind][of] for name, taken in figures["work"].items()}
            report_mean(f"{label}, {of}", ratios, MOST_MEAN)
    print(f"\nstopped after the deadline by{'':20}median   nine of ten        latest\n")
    for name, taken in figures["lateness"].items():
        spread = f"{taken['median']:9.1f} ms {taken['high']:10.1f} ms {taken['most']:10.1f} ms"
        print(f"{name:42} {spread}, {taken['stops']} stops, {verdict_of(taken['most'], MOST_LATE)}")
    report_rewriting(figures["rewriting"])
    calls = figures["calls"]
    print(
        f"\na call with two ints takes {calls['ns']:.0f} ns, and {calls['median']:.0f} ns more where it can be stopped "
        f"(quartiles {calls['low']:.0f} and {calls['high']:.0f}; fastest {calls['fastest']:.0f}), "
        f"{verdict_of(calls['median'], MOST_NS)}\n"
    )


def measure_rollback(scale: float) -> dict[str, Any]:
    """Measures all that rollback costs, and keeps the figures in a file for `bench.tables`."""
    loads = [os.getloadavg()[0]]
    figures = measure(scale, "rollback.py")
    figures["loading"] = measure_loading(max(3, round(ROUNDS * scale)))
    figures["sizes"] = {name: size / sizes.KILOBYTE for name, size, _ in sizes.measured()}
    figures["loads"] = [*loads, os.getloadavg()[0]]
    tables.FIGURES.parent.mkdir(exist_ok=True)
    tables.FIGURES.write_text(json.dumps(figures, indent=1))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1, help="more or fewer turns in each round")
    parser.add_argument("--only", choices=["calls", "values", "loops", "rollback"], help="one part (default: all)")
    options = parser.parse_args()
    if options.only in (None, "calls"):
        report(measure(options.scale))
    if options.only in (None, "values"):
        report_values(measure(options.scale, "values.py"))
    if options.only in (None, "loops"):
        report_loops(measure(options.scale, "loops.py"))
    if options.only in (None, "rollback"):
        tables.report(measure_rollback(options.scale))
    sizes.main()


if __name__ == "__main__":
    main()
