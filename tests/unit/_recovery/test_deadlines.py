"""Deadlines: which limit holds, where it holds, and what is no limit."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import unpanic
from unpanic._recovery.deadlines import Limits, check_seconds, current_limit, ends_at
from unpanic._recovery.history import History
from unpanic._recovery.in_flight import InFlight

from tests.unit.fakes import FakeBrowser, FakeDriver

LIMITS = Limits(math.inf, is_interruptible=True)
POSITIVE = "it must be a positive number of seconds; math.inf sets no limit."
WRONG: list[tuple[Any, type[Exception], str]] = [
    (0, ValueError, f"seconds=0: {POSITIVE}"),
    (-0.0, ValueError, f"seconds=-0.0: {POSITIVE}"),
    (-1, ValueError, f"seconds=-1: {POSITIVE}"),
    (-math.inf, ValueError, f"seconds=-inf: {POSITIVE}"),
    (math.nan, ValueError, f"seconds=nan: {POSITIVE}"),
    (True, TypeError, "seconds must be a number of seconds, not bool"),
    (False, TypeError, "seconds must be a number of seconds, not bool"),
    ("1", TypeError, "seconds must be a number of seconds, not str"),
    (1j, TypeError, "seconds must be a number of seconds, not complex"),
    (None, TypeError, "seconds must be a number of seconds, not NoneType"),
    (Decimal(1), TypeError, "seconds must be a number of seconds, not Decimal"),
    (Fraction(1), TypeError, "seconds must be a number of seconds, not Fraction"),
]


@pytest.mark.parametrize(("seconds", "error", "text"), WRONG, ids=lambda value: str(value)[:20])
def test_what_is_no_time_is_refused(seconds: Any, error: type[Exception], text: str):
    """The message says what is allowed, and the deadline that was there still holds."""
    with unpanic.deadline(5):
        with pytest.raises(error) as caught, unpanic.deadline(seconds):
            pytest.fail("the block ran")
        assert str(caught.value) == text
        assert LIMITS.now() == 5


@pytest.mark.parametrize("seconds", [1, 0.5, 5e-324, 10**9, math.inf])
def test_a_positive_number_of_seconds_is_taken(seconds: float):
    """Whole numbers and infinity too; what comes out is a float."""
    checked = check_seconds(seconds, "timeout")
    assert (checked, type(checked)) == (seconds, float)


def test_a_number_beyond_the_range_of_a_float_is_no_limit():
    """An int can be that large."""
    assert check_seconds(10**400, "timeout") == math.inf


def test_the_tightest_of_nested_deadlines_holds():
    """The module's own counts with them; an exception ends a deadline like the end of its block."""
    own = Limits(2.0, is_interruptible=True)
    seen = [own.now()]
    with unpanic.deadline(3):
        seen.append(own.now())
        with pytest.raises(ZeroDivisionError), unpanic.deadline(1):
            seen.append(own.now())
            with unpanic.deadline(math.inf):
                seen.append(own.now())
            raise ZeroDivisionError
        seen.append(LIMITS.now())
    seen.append(LIMITS.now())
    assert seen == [2, 2, 1, 1, 3, math.inf]


def test_a_module_without_a_timeout_has_no_limit_of_its_own():
    """A deadline holds for it all the same: its file may have been rewritten ahead of time."""
    limits = Limits(None, is_interruptible=False)
    assert (limits.timeout, limits.now()) == (math.inf, math.inf)
    with unpanic.deadline(1):
        assert (limits.now(), current_limit(None), current_limit(0.5)) == (1, 1, 0.5)


def test_a_deadline_belongs_to_its_context():
    """A task has what was open where it was made, and what it opens is its own."""

    async def inside(seconds: float) -> list[float]:
        seen = [LIMITS.now()]
        with unpanic.deadline(seconds):
            await asyncio.sleep(0)
            seen.append(LIMITS.now())
            await asyncio.sleep(0)
        return [*seen, LIMITS.now()]

    async def main() -> list[Any]:
        with unpanic.deadline(9):
            tasks = [asyncio.ensure_future(inside(seconds)) for seconds in (3, 4)]
        return [await asyncio.gather(*tasks), LIMITS.now()]

    assert asyncio.run(main()) == [[[9, 3, 9], [9, 4, 9]], math.inf]


def test_an_end_that_is_over_leaves_nothing_and_can_be_lifted():
    """Time runs out, never below zero; to lift it counts for tasks too that have inherited it."""

    async def main() -> list[float]:
        lift = ends_at(time.monotonic() + 100)
        early = LIMITS.now()
        ends_at(time.monotonic() - 1)
        over = LIMITS.now()
        lift()
        other = ends_at(time.monotonic() - 1)
        release = asyncio.Event()

        async def later() -> float:
            await release.wait()
            return LIMITS.now()

        task = asyncio.ensure_future(later())
        await asyncio.sleep(0)
        other()
        release.set()
        return [early, over, await task]

    early, over, inherited = asyncio.run(main())
    assert 90 < early <= 100
    assert (over, inherited) == (0, math.inf)
    assert LIMITS.now() == math.inf


def test_code_that_the_event_loop_calls_has_the_tightest_limit_of_the_calls_that_it_may_be():
    """Each call brings the limit of the context that began it; an end is a time, and comes nearer."""
    every = range(5)
    in_flight = InFlight("bank", History("bank", FakeBrowser(FakeDriver({}))), lambda: False)
    assert in_flight.limit(every) == math.inf

    async def begin(number: int, seconds: float) -> None:
        with unpanic.deadline(seconds):
            future = in_flight.take_future("slow")
            in_flight.add(number, future, "slow", None, fills=False, limit=LIMITS.capture())

    async def main() -> list[float]:
        for number, seconds in enumerate((3, 2, 4)):
            await begin(number, seconds)
        seen = [in_flight.limit(every), in_flight.limit([0, 2]), in_flight.limit([])]
        in_flight.end(1, "returned", None)
        seen.append(in_flight.limit(every))
        ends_at(time.monotonic() + 0.02)
        await begin(4, math.inf)
        seen.append(in_flight.limit(every))
        await asyncio.sleep(0.03)
        seen.append(in_flight.limit(every))
        for number in (0, 2, 4):
            in_flight.end(number, "returned", None)
        return seen

    first, others, none, second, third, last = asyncio.run(main())
    assert (first, others, none, second, last) == (2, 3, math.inf, 3, 0)
    assert 0 <= third <= 0.02


def test_a_deadline_can_be_entered_again_and_closed_in_another_context():
    """Whoever keeps one may use it twice; a generator that is given up may be closed by another task."""
    again = unpanic.deadline(2)
    seen = []
    with again:
        seen.append(LIMITS.now())
        with unpanic.deadline(1), again:
            seen.append(LIMITS.now())
        seen.append(LIMITS.now())
    with again:
        seen.append(LIMITS.now())
    assert seen == [2, 1, 2, 2]

    @unpanic.deadline(3)
    def decorated() -> float:
        return LIMITS.now()

    assert (decorated(), LIMITS.now()) == (3, math.inf)

    async def steps() -> AsyncIterator[float]:
        with unpanic.deadline(4):
            yield LIMITS.now()
            yield 0

    async def main() -> list[Any]:
        reports: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        generator = steps()
        first = await anext(generator)
        await asyncio.create_task(generator.aclose())
        return [first, reports]

    assert asyncio.run(main()) == [4, []]


def test_what_is_no_limit_is_refused_where_it_is_written():
    """And not only where the deadline is entered."""
    with pytest.raises(ValueError, match="positive"):
        unpanic.deadline(-1)
