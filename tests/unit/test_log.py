"""The logger `unpanic` gets the events, levels and keys that docs/logging.md lists."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic._bridge.wire import PackageAnswer
from unpanic._log import EVENTS

from tests.unit.fakes import PANIC, TRAP, FakeBrowser, FakeDriver, crash, function, make_module, struct

DOCUMENT = Path(__file__).parents[2] / "docs/logging.md"


def provoke(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every event happen."""

    def fail(*_: Any) -> None:
        raise KeyError("mine")

    def new_driver() -> FakeDriver:
        return FakeDriver({"functions": [function("f")], "classes": [struct("Account")]}, {"f": lambda: None})

    driver = new_driver()
    browser = FakeBrowser(driver)
    monkeypatch.setattr("unpanic._load.load.current_browser", lambda: browser)
    browser.packages["npm:bank"] = PackageAnswer("http://host/bank.js", "", "", "bank", "1.2.0", "npm:bank@1.2.0")
    loaded = asyncio.run(unpanic.load("npm:bank", restart_budget=2))
    account = loaded.Account()
    _, supervisor, _ = make_module(new_driver(), panic_hook=fail)
    supervisor.reset_callbacks.append(fail)
    crash(supervisor)
    crash(supervisor, call="", diagnosis=TRAP)
    unpanic.reset(loaded)
    with pytest.warns(unpanic.StateLostWarning):
        account.__rust_handle__.live("f")
    handlers = browser.handlers
    for number in range(1, 4):
        handlers["crashed"](*driver.die(*PANIC, "", number, False, False, None, None, True))
        handlers["recover"](False)
    undone = new_driver()
    context, _, _ = make_module(undone, recovery="rollback")
    for undone.obstacle in ("", "spoiled"):
        event = undone.die(*PANIC, "f", 0, len(undone.obstacle) + 1, True, None, None, True, can_roll_back=True)
        context.browser.handlers["crashed"](*event)
    handlers["unwound"](*PANIC, "f")
    handlers["failed"]("no", None, "no", "Error", "f", "borrowed")
    handlers["failedUnattended"]("no", None, "no", "Error")
    other = make_module(new_driver())[1]
    other.unload()


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> list[Any]:
    caplog.set_level(logging.DEBUG, "unpanic")
    provoke(monkeypatch)
    return caplog.records


def test_every_event_has_its_keys(records: list[Any]):
    """They are in one dict of JSON types, beside the attributes of every record."""
    plain = vars(logging.makeLogRecord({}))
    seen = set()
    for record in records:
        assert record.name == "unpanic"
        assert set(vars(record)) - set(plain) - {"message", "asctime"} == {"unpanic"}
        event, *keys = record.unpanic
        assert event == "event"
        assert tuple(keys) == EVENTS[record.unpanic["event"]]
        assert json.loads(json.dumps(record.unpanic)) == record.unpanic
        seen.add(record.unpanic["event"])
    assert seen == set(EVENTS)


def test_the_document_has_all_events(records: list[Any]):
    """The page has their level and their keys."""
    rows = re.findall(r"^\| `([\w ]+)` \| (\w+) \| (.*?) \|", DOCUMENT.read_text("utf-8"), re.M)
    assert [name for name, _, _ in rows] == list(EVENTS)
    levels = {record.unpanic["event"]: record.levelname for record in reversed(records)}
    assert {name: level for name, level, _ in rows} == levels
    documented = {name: re.findall(r"`(\w+)`", keys) for name, _, keys in rows}
    documented["crash"] = documented["panic"]
    assert {name: set(keys) | {"module", "generation"} for name, keys in documented.items()} == {
        name: set(keys) for name, keys in EVENTS.items()
    }


def test_the_messages_read_well(records: list[Any]):
    """Each is one line that says what happened to which module."""
    messages = [record.getMessage() for record in records]
    assert messages[0] == "npm:bank is version 1.2.0. To keep it, write npm:bank@1.2.0."
    assert re.fullmatch(r"bank was loaded in \d+ ms\.", messages[1])
    assert {
        "bank was reset to generation 1.",
        "The panic hook of bank failed.",
        "The callback of on_reset of bank failed.",
        "A bank.Account is made again for f.",
        "bank is replaced after an error that f threw: the objects of the call stay borrowed.",
        "A timer or a task of bank threw an error: no",
        "bank has ended: 3 crashes that nobody called for within 10 seconds: panic: insufficient funds (3 times).",
        "bank was unloaded.",
    } <= set(messages)


def test_by_default_only_what_is_wrong_is_shown(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """It is panics, crashes that nobody awaits, hooks that fail, and state that is lost although it could be kept."""
    provoke(monkeypatch)
    assert {(record.unpanic["event"], record.levelno) for record in caplog.records} == {  # type: ignore[attr-defined]
        ("no rollback", logging.WARNING),
        *((event, logging.ERROR) for event in ("panic", "crash", "throw", "hook failure")),
    }


def test_a_failing_hook_has_its_traceback(records: list[Any]):
    """It shows where the user's function raised."""
    failures = [record for record in records if record.unpanic["event"] == "hook failure"]
    assert {record.unpanic["hook"] for record in failures} == {"panic hook", "callback of on_reset"}
    assert {record.exc_info[0] for record in failures} == {KeyError}
