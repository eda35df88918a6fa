"""Iterators, async iterators, streams and promises, in both directions."""

from tests.browser.builds import caught, load
from tests.places import builds

# Values are converted in the same way, however a build panics.
EACH_BUILD = builds("abort", long=["unwind"])


async def gather(source):
    return [item async for item in source]


async def take_out(build):
    values = await load(build, "values")
    found = [list(values.count(3)), await gather(values.count_slowly(3, 0.0)), await gather(values.stream(2, 1.0))]
    found[2] = [chunk.hex() for chunk in found[2]]
    iterator, source = values.count(5), values.stream(50, 0.0)
    first = [next(iterator), (await anext(source)).hex()]
    iterator.close()
    await source.aclose()
    await source.aclose()
    async with values.count_slowly(9, 0.0) as counter:
        first.append(await anext(counter))
    found.append([*first, list(iterator), await gather(source), values.closed()])
    try:
        await gather(values.count_slowly(3, 0.0, 1))
    except Exception as error:
        found.append([type(error).__name__, str(error)])
    return found


@EACH_BUILD
def test_iterators_and_streams_come_out(py, build):
    """They are Python iterators with converted items, tell Rust of an early close, and raise its Err as RustError."""
    out = [[0, 1, 2], [0, 1, 2], ["00ff", "01ff"], [0, "00ff", 0, [], [], 3], ["RustError", "the iterator failed"]]
    assert py.run(take_out, build=build) == out


async def put_in(build):
    import asyncio

    values = await load(build, "values")
    ended = []

    async def slowly(count):
        try:
            for number in range(count):
                await asyncio.sleep(0)
                yield number
        finally:
            ended.append(count)

    found = [await values.collect(slowly(3)), await values.drain(slowly(3)), values.collect_now(iter([1, b"x", "a"]))]
    found[2][1] = found[2][1].hex()
    found.append([await values.collect(slowly(30), 2), await values.drain(slowly(40), 2), sorted(ended)])
    items = [values.Item(1), values.Item(2)]
    through = await values.drain(items)
    found.append([[item.value for item in through], through[0] is items[0]])
    found.append([chunk.hex() for chunk in await values.drain(values.stream(2, 0.0))])
    found.append([str(caught(values.drain, value)) for value in (3, "text", None)])
    return found


@EACH_BUILD
def test_iterators_and_streams_go_in(py, build):
    """Async generators become async iterators or streams, as Rust wants, and Rust closes them where it stops."""
    *found, refused = py.run(put_in, build=build)
    assert found == [
        [0, 1, 2], [0, 1, 2], [1, "78", "a"], [[0, 1], [0, 1], [3, 3, 30, 40]], [[1, 2], True], ["00ff", "01ff"],
    ]  # fmt: skip
    place = "drain() argument 'stream': must be an async iterable of chunks, not"
    assert refused == [f"{place} {name}" for name in ("int", "str", "NoneType")]


async def raise_within(build):
    values = await load(build, "values")
    mine = KeyError("mine")

    async def failing():
        yield 1
        raise mine

    async def fails(_):
        raise mine

    found = []
    calls = [lambda: values.collect(failing()), lambda: values.drain(failing()), lambda: values.call_async(fails, 1),
             lambda: values.wait_for(fails(1)), lambda: values.wait_for_any(fails(1))]  # fmt: skip
    for call in calls:
        try:
            await call()
        except KeyError as error:
            found.append(error is mine)
    return [*found, values.add(1, 2)]


@EACH_BUILD
def test_exceptions_fly_through(py, build):
    """An exception of an async generator, a coroutine or an async callback returns as that same exception."""
    assert py.run(raise_within, build=build) == [True] * 5 + [3]


async def pass_promises(build):
    import asyncio

    values = await load(build, "values")

    async def later(value):
        await asyncio.sleep(0.001)
        return [value, values.Item(value)]

    future = asyncio.get_event_loop().create_future()
    waiting = values.wait_for(future)
    future.set_result("set")
    results = [await values.wait_for(later(1)), await values.wait_for_any(later(2)), await values.call_async(later, 3)]
    found = [[number, item.value] for number, item in results]
    inner = values.echo({"a": [values.promise(5)]})
    return [*found, await waiting, await values.promise(b"x") == b"x", await inner["a"][0]]


@EACH_BUILD
def test_promises(py, build):
    """Awaitables become promises, coroutine functions return promises, and promises become awaitables."""
    assert py.run(pass_promises, build=build) == [[1, 1], [2, 2], [3, 3], "set", True, 5]


async def crash_in_the_middle(build):
    import asyncio

    import unpanic

    values = await load(build, "values", panic_hook=lambda _: None)
    cancelled = []

    async def endless():
        try:
            while True:
                await asyncio.sleep(60)
                yield 1
        finally:
            cancelled.append("generator")

    sources = [values.count_slowly(9, 60_000.0), values.stream(9, 60_000.0)]
    waiting = [asyncio.ensure_future(anext(source)) for source in sources]
    waiting.append(asyncio.ensure_future(values.collect(endless())))
    idle = values.count_slowly(9, 0.0)
    await asyncio.sleep(0.02)
    caught(values.trap)
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.sleep(0.01)
    stale = None
    try:
        await anext(idle)
    except Exception as error:
        stale = error
    return [[type(error).__name__ for error in ends], cancelled, type(stale).__name__, unpanic.status(values).in_flight]


@EACH_BUILD
def test_a_crash_ends_what_waits(py, build):
    """A wait for the next item is interrupted at once, an idle iterator is stale, and a generator in Rust ends."""
    expected = [["CallInterrupted"] * 3, ["generator"], "StaleObjectError", 0]
    assert py.run(crash_in_the_middle, build=build) == expected


async def crash_inside_a_block(build):
    values = await load(build, "values", panic_hook=lambda _: None)
    found = []
    try:
        async with values.count_slowly(9, 0.0) as counter:
            found.append(await anext(counter))
            values.trap()
    except Exception as error:
        found.append(type(error).__name__)
    iterator = values.count(3)
    caught(values.trap)
    iterator.close()
    return found


@EACH_BUILD
def test_closing_after_a_crash_is_nothing(py, build):
    """An `async with` block raises the crash that ended it, and does not say that its iterator is stale."""
    assert py.run(crash_inside_a_block, build=build) == [0, "Trap"]


async def hold_twice():
    values = await load("abort", "values")
    other = await load("abort", "values", name="other")
    function = values.javascript_function("", "return 5")
    values.share("unpanicTwice", function)
    twice = values.javascript_function("", "return unpanicTwice")
    first, second = twice(), twice()
    del first
    found = [second(), other.call(function, None), other.is_same(function, second)]
    values.javascript_function("", "delete globalThis.unpanicTwice")()
    return found


def test_two_names_of_one_function(py):
    """Each name works without the other, and in another module too."""
    assert py.run(hold_twice) == [5, 5, True]


async def put_many_in():
    import asyncio

    from unpanic._exports import registry

    import js

    values = await load("abort", "values")
    table = registry.of(values).context.callbacks.functions
    for _ in range(500):
        values.collect_now(iter([1]))
    for _ in range(200):
        await asyncio.sleep(0.01)
        if len(table) < 100:
            break
        js.eval("for (let i = 0; i < 50; i++) new Array(100000).fill({})")  # gives the collector work
    return len(table)


def test_iterators_that_went_in_leave_nothing(py):
    """JavaScript's collector and Python free all parts of an iterator."""
    assert py.run(put_many_in, timeout=60) < 100
