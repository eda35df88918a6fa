"""All kinds of control flow, for tests of what counts as covered."""

import asyncio
import contextlib

LIMIT = 3


class Purse:
    kind = "leather"

    def __init__(self, coins):
        self.coins = coins

    def total(self):
        total = 0
        for coin in self.coins:
            if coin > LIMIT:
                continue
            total += coin
        else:
            total += 0
        return total

    @property
    def never(self):
        return 1

    def __iter__(self):
        for coin in self.coins:  # noqa: UP028 - a loop with a yield
            yield coin


def branches(value):
    if value > 1:
        return "large"
    elif value == 1:  # noqa: RET505 - what is tested
        pass
    while value < 5:
        value += 1
        if value == 3:
            break
    return "small"


def matches(value):
    match value:
        case {"a": 1}:
            return 1
        case [first, *_]:
            return first
        case _:
            return None


def errors(fails):
    try:
        if fails:
            raise ValueError("no")
        result = 1
    except ValueError:
        result = 2
    except KeyError:
        result = 3
    finally:
        LIMIT.bit_length()
    return result


def raises():
    with contextlib.suppress(KeyError):
        inner()
    return "after"


def inner():
    raise KeyError(1)


@contextlib.contextmanager
def block():
    yield 1
    LIMIT.bit_length()


def several_lines():
    with block() as one, block():
        value = {
            "a": one,
            "b": [
                number
                for number in range(3)
                if number
            ],
        }  # fmt: skip
    return (
        value
        if one
        else None
    )  # fmt: skip


def lazily():
    if (yield 1):
        yield 2
    yield from [3, 4]


async def waits():
    await asyncio.sleep(0)
    async with lock() as one:
        async for each in numbers():
            one += each
            if one > 100:
                break
    return one


@contextlib.asynccontextmanager
async def lock():
    yield 1


async def numbers():
    for number in range(2):
        await asyncio.sleep(0)
        yield number


def never_called():
    return None


async def exercise():
    purse = Purse([1, 2, 9])
    assert purse.total() == 3
    assert list(purse) == [1, 2, 9]
    assert branches(0) == "small"
    assert branches(2) == "large"
    assert matches([7]) == 7
    assert errors(True) == 2
    assert raises() == "after"
    assert several_lines()["a"] == 1
    lazy = lazily()
    next(lazy)
    assert lazy.send(None) == 3
    lazy.close()
    assert sorted([1, 2], key=lambda number: -number) == [2, 1]
    assert await waits() == 2
    return True
