"""Where a load finds types, and what it does without them."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic import FetchError
from unpanic._declarations.file import type_file

from tests.unit.fakes import FakeBrowser, FakeDriver, Foreign, function

TYPES = "export function greet(who: string, loudly?: boolean): string;"
PAGE = "\n<!doctype html><title>App</title>"


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver(
        {"functions": [function("greet", "string", "bool?", result="string")]}, {"greet": lambda *_: "hi"}
    )


@pytest.fixture
def browser(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> FakeBrowser:
    browser = FakeBrowser(driver)
    monkeypatch.setattr("unpanic._load.load.current_browser", lambda: browser)
    return browser


def parameters(glue: Any = "/pkg/bank.js", **options: Any) -> list[str]:
    return [*inspect.signature(asyncio.run(unpanic.load(glue, **options)).greet).parameters]


ORIGINS = [
    ("/pkg/bank.js", "/pkg/bank.d.ts"),
    ("https://example.com/bank.mjs?v=3#x", "https://example.com/bank.d.ts?v=3#x"),
    ("bank.js", "bank.d.ts"),
    ("/pkg/bank", None),
    ("data:text/javascript,export{}//bank.js", None),
    ("blob:https://example.com/1.js", None),
]


@pytest.mark.parametrize(("glue", "origin"), ORIGINS)
def test_types_lie_beside_the_glue(glue: str, origin: str | None):
    """The file's name is the glue's, with another ending; what has no place of its own has none beside it."""
    found = type_file(None, glue, None)
    assert (found and found.origin) == origin
    assert found is None or not found.is_named


def test_an_imported_namespace_has_no_place(browser: FakeBrowser):
    """Only a file that the user names counts."""
    browser.files = {"/bank.d.ts": TYPES}
    assert parameters(Foreign("namespace")) == ["a", "b"]
    assert browser.fetched == []
    assert parameters(Foreign("namespace"), types="/bank.d.ts") == ["who", "loudly"]


def test_types_give_names(browser: FakeBrowser):
    """The types come from beside the glue, or from the place that the user names."""
    browser.files = {"/pkg/bank.d.ts": TYPES, "/other.d.ts": TYPES.replace("who", "whom")}
    assert parameters() == ["who", "loudly"]
    assert parameters(types="/other.d.ts") == ["whom", "loudly"]
    assert browser.fetched == ["/pkg/bank.d.ts", "/other.d.ts"]


@pytest.mark.parametrize("text", [None, PAGE, "", "// nothing", '{"error": 404}'])
def test_types_that_nobody_named_may_be_missing(browser: FakeBrowser, text: str | None):
    """The module then has only the facts that the glue states."""
    browser.files = {} if text is None else {"/pkg/bank.d.ts": text}
    assert parameters() == ["a", "b"]


def test_types_that_the_user_named_must_be_there(browser: FakeBrowser, driver: FakeDriver):
    """The error shows the content of the file, and the module that was loaded meanwhile is closed."""
    with pytest.raises(unpanic.FetchError, match=r"^Cannot fetch /no.d.ts: the server answered 404"):
        parameters(types="/no.d.ts")
    browser.files = {"/page.d.ts": PAGE}
    with pytest.raises(unpanic.LoadError, match=r"^/page.d.ts holds no TypeScript declarations: it begins with '<!doc"):
        parameters(types="/page.d.ts")
    assert driver.closed == 2


def test_files_of_the_file_system_are_read(browser: FakeBrowser, tmp_path: Path):
    """Types are read beside a glue file and from a path, also by `load_sync`."""
    glue, types = tmp_path / "bank.js", tmp_path / "bank.d.ts"
    glue.write_text("export {};")
    assert parameters(glue) == ["a", "b"]
    types.write_text(TYPES)
    assert parameters(glue) == parameters(str(glue)) == parameters(types=types) == ["who", "loudly"]
    assert [*inspect.signature(unpanic.load_sync(glue).greet).parameters] == ["who", "loudly"]
    for load in (unpanic.load_sync, lambda *args, **options: asyncio.run(unpanic.load(*args, **options))):
        with pytest.raises(unpanic.FetchError, match=r"There is no file '.*no.d.ts' in Pyodide's file system"):
            load(glue, types=tmp_path / "no.d.ts")
    with pytest.raises(ValueError, match=r"load_sync takes types from a path"):
        unpanic.load_sync(glue, types="https://example.com/bank.d.ts")
    assert browser.fetched == []


class SlowHost(FakeBrowser):
    """Needs a turn of the loop for each step of a file, and notes when the files begin and end."""

    def __init__(self, driver: FakeDriver) -> None:
        super().__init__(driver)
        self.events: list[str] = []
        self.failure: Exception | None = None

    async def load(self, *args: Any) -> Any:
        await self.steps("glue", 5)
        if self.failure:
            raise self.failure
        return await super().load(*args)

    async def fetch_text(self, url: str) -> str:
        await self.steps("types", 8)
        return await super().fetch_text(url)

    async def steps(self, name: str, count: int) -> None:
        self.events.append(f"{name} begins")
        try:
            for _ in range(count):
                await asyncio.sleep(0)
        finally:
            self.events.append(f"{name} ends")


@pytest.fixture
def slow(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> SlowHost:
    slow = SlowHost(driver)
    monkeypatch.setattr("unpanic._load.load.current_browser", lambda: slow)
    return slow


def test_types_come_meanwhile(slow: SlowHost):
    """The types are fetched in parallel with the module, and the load waits for them."""
    slow.files = {"/pkg/bank.d.ts": TYPES}
    assert parameters() == ["who", "loudly"]
    assert slow.events == ["glue begins", "types begins", "glue ends", "types ends"]


def test_a_load_that_fails_ends_the_fetch(slow: SlowHost):
    """The load raises its own error, and nothing stays pending."""
    slow.failure = unpanic.GlueError("no glue")

    async def main() -> int:
        with pytest.raises(unpanic.GlueError, match="no glue"):
            await unpanic.load("/pkg/bank.js")
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert slow.events[-2:] == ["glue ends", "types ends"]


@pytest.mark.parametrize("turns", [3, 7])
def test_a_load_that_is_cancelled_ends_the_fetch(slow: SlowHost, driver: FakeDriver, turns: int):
    """At any point nothing stays pending, and a module that has arrived is closed."""

    async def main() -> int:
        loading = asyncio.ensure_future(unpanic.load("/pkg/bank.js"))
        for _ in range(turns):
            await asyncio.sleep(0)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert sorted(slow.events) == ["glue begins", "glue ends", "types begins", "types ends"]
    assert driver.closed == (turns == 7)


def test_types_lie_beside_the_place_that_the_glue_came_from(browser: FakeBrowser, driver: FakeDriver):
    """If a server sends glue from another folder than the requested one, the types are beside it there."""
    driver.moved_to = "https://host/v2/bank.js?x=1"
    browser.files = {"/pkg/bank.d.ts": TYPES.replace("who", "old"), "https://host/v2/bank.d.ts?x=1": TYPES}
    assert parameters() == ["who", "loudly"]
    assert parameters(types="/pkg/bank.d.ts") == ["old", "loudly"]


@pytest.mark.usefixtures("browser")
def test_named_types_that_fail_early_are_told_once():
    """Only the load raises the error: Pyodide's loop would print the error of a task that nobody awaits yet."""
    tasks: list[asyncio.Task[Any]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(lambda loop, coroutine: tasks.append(asyncio.Task(coroutine, loop=loop)) or tasks[-1])
        await unpanic.load("/pkg/bank.js", types="nope.d.ts")

    with pytest.raises(FetchError, match=r"nope\.d\.ts.*, and there is no file .*/nope\.d\.ts\.$"):
        asyncio.run(main())
    assert any("_fetch" in repr(task) for task in tasks)
    assert [task.exception() for task in tasks if "_fetch" in repr(task)] == [None]
