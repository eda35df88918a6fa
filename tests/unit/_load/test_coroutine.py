"""The awaitable that `load` returns."""

from __future__ import annotations

import asyncio
import collections.abc
import gc
import inspect
import traceback
import warnings
from pathlib import Path
from typing import Any

import pytest
import unpanic

from tests.unit.fakes import FakeBrowser, FakeDriver, function

GLUE = "http://host/bank.js"


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch) -> FakeBrowser:
    described = {"functions": [function("add", "i32", "i32", result="i32", numeric=True)]}
    browser = FakeBrowser(FakeDriver(described, {"add": lambda a, b: a + b}))
    monkeypatch.setattr("unpanic._load.load.current_browser", lambda: browser)
    return browser


def by_await() -> Any:
    async def main() -> Any:
        return await unpanic.load(GLUE)

    return asyncio.run(main())


def by_task() -> Any:
    async def main() -> Any:
        task = asyncio.create_task(unpanic.load(GLUE), name="loading")
        assert "load" in repr(task)
        return await task

    return asyncio.run(main(), debug=True)


def by_gather() -> Any:
    async def main() -> Any:
        return (await asyncio.gather(unpanic.load(GLUE), asyncio.sleep(0)))[0]

    return asyncio.run(main())


def by_timeout() -> Any:
    async def main() -> Any:
        return await asyncio.wait_for(unpanic.load(GLUE), 10)

    return asyncio.run(main())


def by_run() -> Any:
    return asyncio.run(unpanic.load(GLUE))


@pytest.mark.parametrize("way", [by_await, by_task, by_gather, by_timeout, by_run])
def test_it_is_whatever_a_coroutine_is(way: Any):
    """Python and asyncio accept it wherever they accept the result of an `async def`."""
    assert way().add(2, 3) == 5


def test_it_is_a_coroutine_to_those_who_ask():
    """Inspection says so, and says that `load` itself is an async function."""
    loading = unpanic.load(GLUE)
    assert asyncio.iscoroutine(loading)
    assert isinstance(loading, collections.abc.Coroutine)
    assert inspect.isawaitable(loading)
    assert inspect.iscoroutinefunction(unpanic.load)
    assert [*inspect.signature(unpanic.load).parameters][:3] == ["glue", "wasm", "types"]
    loading.close()


def test_a_forgotten_await_says_so_at_the_first_attribute():
    """The traceback ends at the user's line, and Python's own warning appears as usual."""
    bank: Any = unpanic.load(GLUE)
    with pytest.raises(AttributeError, match=r"no attribute 'add'.*Write `await unpanic\.load\(\.\.\.\)`\.") as caught:
        bank.add(2, 3)
    assert [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)] == [__file__]
    assert "await unpanic.load(...)" in repr(bank)
    assert not hasattr(bank, "_repr_html_")
    with pytest.raises(AttributeError):
        bank.rate = 3
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        del bank, caught
        gc.collect()
    assert ["never awaited" in str(warning.message) for warning in found] == [True]


def test_it_can_be_given_up():
    """`close` and `throw` are those of the coroutine."""
    loading: Any = unpanic.load(GLUE)
    with pytest.raises(KeyError):
        loading.throw(KeyError("enough"))
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        asyncio.run(loading)


def test_a_wrong_option_is_told_without_a_line_of_unpanic():
    """A wrong keyword raises Python's own message at the user's line."""
    with pytest.raises(TypeError, match=r"load\(\) got an unexpected keyword argument 'speed'") as caught:
        unpanic.load(GLUE, speed=3)  # type: ignore[call-arg]
    assert [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)] == [__file__]


def test_a_warning_of_the_load_is_at_the_users_line(browser: FakeBrowser):
    """The warning is about exports that the glue calls and the Wasm file lacks."""
    assert browser.driver is not None
    browser.driver.description["warnings"] = ["bank.js calls what bank_bg.wasm does not export: gone."]

    async def main() -> None:
        await unpanic.load(GLUE)

    with pytest.warns(RuntimeWarning, match="does not export: gone") as found:
        asyncio.run(main())
    assert [warning.filename for warning in found] == [__file__]


MISSING = [
    ("/drive/pkg/bank.js", "/drive/pkg/bank.js"),
    ("./pkg/bank.js", "{here}/pkg/bank.js"),
    ("../bank.js", "{here}/../bank.js"),
]


@pytest.mark.parametrize(("glue", "file"), MISSING)
def test_a_path_that_is_not_there_names_the_file(
    browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch, glue: str, file: str
):
    """The text was taken for a URL because no such file exists, and the message has both."""
    url = "http://host/" + glue.lstrip("./")

    async def load(*_: Any) -> None:
        raise unpanic.FetchError(f"Cannot fetch {url}: the server answered 404 Not Found.", url=url, status=404)

    monkeypatch.setattr(browser, "load", load)
    with pytest.raises(unpanic.FetchError) as caught:
        asyncio.run(unpanic.load(glue))
    expected = f"Cannot fetch {url}: the server answered 404 Not Found, and there is no file {file}."
    assert str(caught.value) == expected.replace("{here}", str(Path.cwd()))
    assert (caught.value.status, caught.value.url) == (404, url)


@pytest.mark.parametrize(
    ("glue", "is_name"),
    [
        ("prql-js", True),
        ("prql-js@0.12.1", True),
        ("@jsquash/resize", True),
        ("@jsquash/resize@2.1.1", True),
        ("bank.js", False),
        ("bank_bg.wasm", False),
        ("/prql-js", False),
        ("./prql-js", False),
        ("pkg/prql-js", False),
    ],
)
def test_a_name_without_npm_says_how_to_write_it(
    browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch, glue: str, is_name: bool
):
    """A package's bare name was taken for a URL: the message says how a package is written."""

    async def load(*_: Any) -> None:
        raise unpanic.FetchError(f"Cannot fetch http://host/{glue}: the server answered 404 Not Found. Check the URL.")

    monkeypatch.setattr(browser, "load", load)
    with pytest.raises(unpanic.FetchError) as caught:
        asyncio.run(unpanic.load(glue))
    advice = f" Check the URL, or write npm:{glue} for a package on npm."
    assert str(caught.value).endswith(advice) == is_name
    assert ("npm:" in str(caught.value)) == is_name


def test_a_url_that_is_not_there_speaks_of_no_file(browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch):
    """Other errors of a file that exists do not speak of a missing file either."""

    async def load(options: Any, *_: Any) -> None:
        raise (unpanic.FetchError if "missing" in options["glue"] else unpanic.GlueError)(f"{options['glue']} is bad.")

    monkeypatch.setattr(browser, "load", load)
    for glue in ("https://host/missing.js", "pkg/found.js"):
        with pytest.raises(unpanic.LoadError, match=r"is bad\.$"):
            asyncio.run(unpanic.load(glue))


def test_load_sync_names_the_file_that_is_not_there():
    """For `load_sync`, a text without a scheme is a path."""
    with pytest.raises(unpanic.FetchError, match=r"There is no file '/drive/bank\.js' in Pyodide's file system"):
        unpanic.load_sync("/drive/bank.js")
    with pytest.raises(ValueError, match=r"not 'https://host/bank\.js': use `await load"):
        unpanic.load_sync("https://host/bank.js")


async def load_wrong_glue() -> None:
    await unpanic.load(3)


async def load_wrong_option() -> None:
    await unpanic.load(GLUE, recovery="undo")


async def load_wrong_glue_at_once() -> None:
    unpanic.load_sync("https://host/bank.js")


@pytest.mark.parametrize("way", [load_wrong_glue, load_wrong_option, load_wrong_glue_at_once])
def test_a_wrong_value_is_told_without_a_line_of_unpanic(way: Any):
    """The traceback of a mistake ends at the line that calls `load` or `load_sync`."""
    with pytest.raises((TypeError, ValueError)) as caught:
        asyncio.run(way())
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == way.__name__
