"""A notebook shows cards, tracebacks, completion in IPython, timelines, and entries of the Performance panel."""

import json
import re

import pytest

from tests.browser.builds import caught, load

WHEELS = [
    "asttokens", "decorator", "executing", "ipython", "ipython_pygments_lexers", "jedi", "matplotlib_inline",
    "parso", "prompt_toolkit", "pure_eval", "pygments", "stack_data", "traitlets", "wcwidth",
]  # fmt: skip


async def install_ipython(files):
    """Unpacks the wheels into a folder of Python's path."""
    from pyodide.http import pyfetch

    for file in files:
        await (await pyfetch(f"/wheels/{file}")).unpack_archive(format="wheel", extract_dir="/home/pyodide")
    return len(files)


@pytest.fixture
def ipython(fresh_py):
    """A Pyodide with IPython in it."""
    from pathlib import Path

    folder = Path(__file__).parents[2] / ".cache/wheels"
    files = [file.name for file in sorted(folder.glob("*.whl")) if file.name.split("-")[0] in WHEELS]
    assert fresh_py.run(install_ipython, files=files, timeout=120) == len(WHEELS)
    return fresh_py


def new_shell():
    """An IPython shell without terminal, colours and history."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("colors", "nocolor")
    return shell


async def notebook():
    import unpanic
    from IPython.core.completer import provisionalcompleter
    from IPython.utils.capture import capture_output

    bank = await load("abort", "bank", panic_hook=lambda _: None)
    shell = new_shell()
    shell.push({"bank": bank, "unpanic": unpanic})
    caught(bank.transfer, "ada", "bob", 1)
    found = {}
    for name, value in {"bank": bank, "status": unpanic.status(bank), "timeline": unpanic.timeline(bank)}.items():
        formatted, _ = shell.display_formatter.format(value)
        found[name] = {kind: str(text) for kind, text in formatted.items()}
    formatted, _ = shell.display_formatter.format([bank])
    found["list"] = formatted["text/plain"]
    for mode in ("Plain", "Context", "Verbose", "Minimal"):
        shell.InteractiveTB.set_mode(mode)
        with capture_output() as output:
            shell.run_cell("account = bank.Account('ada', 1)\ndef pay():\n    account.withdraw(1000)\npay()")
        found[mode] = output.stdout + output.stderr
    with capture_output() as output:
        shell.run_cell("bank.balance_of('nobody')")
    found["Err"] = output.stdout + output.stderr
    found["mistakes"] = []
    for mistake in ("bank.add(2, 2**40)", "bank.open(3, 4)", "bank.trasfer", "account.balanse"):
        with capture_output() as output:
            shell.run_cell(mistake)
        found["mistakes"].append(output.stdout + output.stderr)
    for name in ("bank.add", "bank.Account", "account.withdraw", "bank.slow"):
        found[f"{name}?"] = shell.object_inspect_mime(name)["text/plain"]
    with capture_output() as output:
        shell.run_cell("help(bank.add)")
    found["help"] = output.stdout
    for jedi in (False, True):
        shell.Completer.use_jedi = jedi
        with provisionalcompleter():
            found[f"complete {jedi}"] = sorted(match.text for match in shell.Completer.completions("bank.tr", 7))
    return found


@pytest.mark.parametrize("realm", ["page"])
def test_ipython(ipython):
    """A module, its status and its timeline have displays, names complete, and a panic shows one traceback."""
    found = ipython.run(notebook, timeout=120)
    for name in ("bank", "status"):
        assert set(found[name]) == {"text/plain", "text/html"}
        assert found[name]["text/plain"].startswith("Rust module bank\n  state       ● ready\n  generation  1 ")
        assert "insufficient funds (panic in bank.transfer, src/lib.rs:107:9)" in found[name]["text/html"]
    assert set(found["timeline"]) == {"text/plain", "text/html", "image/svg+xml"}
    assert found["timeline"]["text/plain"].startswith("<Timeline of 'bank': ")
    assert found["list"] == "[<Rust module 'bank': ready, generation 1, 1 call, 1 crash>]"
    last = "RustPanic: insufficient funds (in bank.Account.withdraw, src/lib.rs:75:13; reset to generation "
    for mode in ("Plain", "Context", "Verbose", "Minimal"):
        text = found[mode]
        assert last in text, text
        assert not re.search(r"\.js\b|wasm-function|pyodide/unpanic|Could not get source|:0\b", text), text
        if mode != "Minimal":
            assert "account.withdraw(1000)" in text, text
            assert re.search(r"File src/lib\.rs:75,? in bank::Account::withdraw", text), text
    assert "RustError: no such account: nobody" in found["Err"]
    assert "pyodide/unpanic" not in found["Err"]
    for text in found["mistakes"]:
        assert "Error" in text
        assert (
            re.findall(r"File (\S+):\d+|Cell (In\[\d+\])", text)
            == re.findall(r"File (\S+):\d+|Cell (In\[\d+\])", text)[:1]
        ), text
        assert "unpanic" not in text, text
    assert found["bank.add?"].startswith("Signature: bank.add(a: int, b: int) -> int\nDocstring: Adds two numbers.\n")
    assert "signature: bank.Account(owner: str, balance: int)" in found["bank.Account?"], found["bank.Account?"]
    assert "Somebody's money." in found["bank.Account?"]
    signature = "Signature: account.withdraw(amount: int) -> None\n"
    assert found["account.withdraw?"].startswith(f"{signature}Docstring: Takes money out; panics when there is not")
    assert found["bank.slow?"].startswith("Signature: bank.slow(ms: int) -> ")
    assert "add(a: int, b: int) -> int\n    Adds two numbers.\n" in found["help"]
    for jedi in ("False", "True"):
        assert [match.strip(".") for match in found[f"complete {jedi}"]] == ["transfer", "transfer_later"], jedi


async def a_past():
    import asyncio

    import unpanic

    bank = await load("abort", "bank", panic_hook=lambda _: None)
    for _ in range(20):
        bank.add(1, 2)
    await asyncio.sleep(0.12)
    calls = [asyncio.ensure_future(bank.slow(ms)) for ms in (1, 60_000)]
    await asyncio.sleep(0.05)
    caught(bank.transfer, "ada", "bob", 1)
    bank.add(1, 2)
    await asyncio.gather(*calls, return_exceptions=True)
    shown = unpanic.timeline(bank)
    bursts = [[burst.calls, burst.generation] for burst in shown.bursts]
    (crash,) = shown.crashes
    in_order = [
        [shown.began <= burst.began <= burst.ended <= shown.ended, (burst.began < crash.at) == (burst.generation == 0)]
        for burst in shown.bursts
    ]
    unpanic.unload(bank)
    return [
        repr(shown),
        bursts,
        in_order,
        [[call.name, call.how] for call in shown.calls],
        [[crash.call, crash.generation] for crash in shown.crashes],
        len(unpanic.timeline(bank).generations),
    ]


def test_a_timeline_knows_the_past(py):
    """It has bursts of calls, async calls with their ends, crashes and generations, also after `unload`."""
    text, bursts, in_order, calls, crashes, generations = py.run(a_past)
    assert re.fullmatch(r"<Timeline of 'bank': [\d.]+ m?s, 2 generations, 1 crash, 24 calls, 2 of them async>", text)
    # The calls of one turn of the event loop form one burst, unless a crash is between them.
    assert bursts == [[20, 0], [2, 0], [1, 0], [1, 1]]
    assert in_order == [[True, True]] * 4
    assert calls == [["slow", "returned"], ["slow", "interrupted"]]
    assert crashes == [["transfer", 0]]
    assert generations == 2


async def measured(crashes):
    import asyncio

    from pyodide.code import run_js

    heard = run_js(
        """(() => {
            const heard = [];
            const observer = new PerformanceObserver((list) => {
                for (const { name, duration, detail } of list.getEntries()) {
                    // What happened in the test before may be told only now.
                    if (name.startsWith("watched: ")) heard.push([name, duration, detail]);
                }
            });
            observer.observe({ entryTypes: ["measure"] });
            return { text: () => JSON.stringify(heard), stop: () => observer.disconnect() };
        })()"""
    )
    before = run_js("performance.getEntriesByType('measure').length")
    bank = await load("abort", "bank", panic_hook=lambda _: None, name="watched")
    for _ in range(crashes):
        caught(bank.transfer, "ada", "bob", 1)
        bank.add(1, 2)
    await asyncio.sleep(0.2)
    after = run_js("performance.getEntriesByType('measure').length")
    text = heard.text()
    heard.stop()
    return text, after - before


def test_developer_tools_show_what_happened(py):
    """A load, a crash and a recovery are entries of a track, and none stays in the page's buffer."""
    text, left = py.run(measured, crashes=20)
    entries = json.loads(text)
    assert left == 0
    assert [name for name, _, _ in entries] == ["watched: load"] + ["watched: crash", "watched: recovery"] * 20
    (_, load_ms, load_detail), (_, crash_ms, crash_detail), (_, recovery_ms, recovery_detail) = entries[:3]
    assert load_ms > recovery_ms > crash_ms == 0
    track = {"dataType": "track-entry", "track": "unpanic"}
    assert load_detail == {"devtools": {**track, "color": "primary", "properties": [["module", "watched"]]}}
    assert crash_detail["devtools"]["properties"] == [
        ["module", "watched"], ["kind", "panic"], ["call", "transfer"], ["message", "insufficient funds"]
    ]  # fmt: skip
    assert recovery_detail["devtools"]["color"] == "secondary"


async def without_measure():
    import asyncio

    from pyodide.code import run_js

    kept = run_js("const kept = performance.measure; performance.measure = undefined; kept")
    bank = await load("abort", "bank", panic_hook=lambda _: None)
    caught(bank.transfer, "ada", "bob", 1)
    await asyncio.sleep(0.2)
    run_js("(kept) => { performance.measure = kept; }")(kept)
    return bank.add(1, 2)


def test_a_place_without_performance_entries_is_no_error(py):
    """Modules load and crash as usual in engines without `performance.measure`."""
    assert py.run(without_measure) == 3
