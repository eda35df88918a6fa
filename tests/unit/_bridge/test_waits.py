"""Waits: a request to stop is kept for those who wait."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from unpanic._bridge.waits import Waits, _Wait


@pytest.fixture(autouse=True)
def handler() -> Iterator[Any]:
    """Python's own handler of SIGINT, which must be there again after each test."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def make_waits(meanwhile: Callable[[], object], check: Callable[[], object] = lambda: None) -> Waits:
    def run_sync(awaitable: Any) -> None:
        awaitable.close()
        meanwhile()

    return Waits(run_sync, check)


def stop() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def future() -> Iterator[Any]:
    """What is waited for."""
    loop = asyncio.new_event_loop()
    yield loop.create_future()
    loop.close()


def test_a_request_ends_the_wait_and_nothing_else(future: Any):
    """The code that runs meanwhile goes on: it may be what wakes the one who waits."""
    went_on = []

    def meanwhile() -> None:
        stop()
        went_on.append(True)

    with pytest.raises(KeyboardInterrupt):
        make_waits(meanwhile).wait(future)
    assert went_on == [True]


def test_a_request_that_no_python_has_seen_is_found(future: Any):
    """While the event loop is idle, no Python code runs that could see it."""
    with pytest.raises(KeyboardInterrupt):
        make_waits(lambda: None, stop).wait(future)


def test_a_second_request_is_raised_where_it_comes(future: Any):
    """Code that computes for ever meanwhile can be stopped."""
    stopped = []

    def meanwhile() -> None:
        stop()
        try:
            stop()
        except KeyboardInterrupt:
            stopped.append(True)

    with pytest.raises(KeyboardInterrupt):
        make_waits(meanwhile).wait(future)
    assert stopped == [True]


@pytest.mark.parametrize("first", ["inner", "outer"])
def test_waits_end_in_any_order(first: str, handler: Any):
    """The handler is Python's again when the last one has ended."""
    waits = make_waits(lambda: None)
    begun = [_Wait(), _Wait()]
    for wait in begun:
        waits._begin(wait)
    ended, other = begun if first == "outer" else begun[::-1]
    waits._end(ended)
    stop()
    assert (ended.is_stopped, other.is_stopped) == (False, True)
    assert waits._end(other) is handler


def test_a_handler_that_somebody_set_meanwhile_stays(future: Any):
    """It is not unpanic's to replace."""
    heard = []

    def mine(*_: Any) -> None:
        heard.append(True)

    make_waits(lambda: signal.signal(signal.SIGINT, mine)).wait(future)
    stop()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert heard == [True]


def test_the_programs_own_handler_hears_of_it(future: Any):
    """If it raises nothing, the wait ends as if nothing had happened, and whoever waits looks again."""
    heard = []
    signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    make_waits(stop).wait(future)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert heard == [True]


def test_an_ignored_request_stays_ignored(future: Any):
    """Then there is nothing to keep."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    make_waits(stop).wait(future)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_an_exception_of_the_wait_restores_the_handler(future: Any):
    """The stack could not be suspended."""

    def fail() -> None:
        raise RuntimeError("Cannot stack switch")

    with pytest.raises(RuntimeError):
        make_waits(fail).wait(future)
