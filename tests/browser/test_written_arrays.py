"""Typed arrays of `js_sys` as out parameters: the caller's buffer gets what Rust writes into them."""

import pytest

from tests.browser.builds import BUILDS, caught, load


async def write(build, types):
    import ctypes
    from array import array

    lists = await load(build, "lists", panic_hook=lambda _: None, types=types)
    found = {}

    def after(name, call, buffer, *args):
        error = caught(call, buffer, *args)
        found[name] = [list(buffer), type(error).__name__ if error else None]

    after("exact", lists.fill, array("f", [0, 0]), 1.5)
    after("owned", lists.fill_owned, array("f", [0, 0]), 1.5)
    after("maybe", lists.fill_maybe, array("f", [0, 0]), 1.5)
    after("bytes", lists.fill_bytes, bytearray(2), 7)
    after("ctypes", lists.fill_doubles, (ctypes.c_double * 2)(), 0.5)
    after("one element", lists.put, array("f", [1, 2, 3]), 1, 9)
    after("wider", lists.fill, array("d", [0, 0]), 1.5)
    after("whole numbers", lists.fill, array("i", [0, 0]), 3)
    after("no whole numbers", lists.fill, array("i", [0, 0]), 0.5)
    after("list", lists.fill, [0, 0], 1.5)
    after("part", lists.fill, memoryview(bytearray(16)).cast("f")[1:3], 1.5)
    after("gaps", lists.fill, memoryview(array("f", range(6)))[::2], 9)
    after("read-only", lists.fill, memoryview(bytearray(8)).toreadonly().cast("f"), 1.5)
    after("failed", lists.fill_and_fail, array("f", [0]), 1.5)
    after("without a type", lists.fill_inside, bytearray(2), 7)
    after("method", lists.Pen(b"", 2.5).draw, array("f", [0]))
    after("setter", lambda buffer: setattr(lists.Pen(b"", 2.5), "target", buffer), array("f", [0]))
    after("constructor", lists.Pen, array("f", [0]), 3.5)
    after("closure", lists.filler(4), bytearray(2))
    inner = [array("f", [0]), array("f", [0, 0])]
    lists.fill_each(inner, 2)
    found["list of arrays"] = [list(each) for each in inner]
    deep = {"a": [bytearray(1), {"b": array("d", [0])}], "c": array("h", [0])}
    lists.fill_inside(deep, 5)
    found["deep"] = [list(deep["a"][0]), list(deep["a"][1]["b"]), list(deep["c"])]
    kept = deep["c"], deep["c"]
    lists.fill_inside(kept, 6)
    found["twice"] = list(deep["c"])
    after("crashed", lists.fill_and_panic, array("f", [0]), 1.5)
    return found


WRITTEN = {
    "exact": [[1.5, 1.5], None], "owned": [[1.5, 1.5], None], "maybe": [[1.5, 1.5], None], "bytes": [[7, 7], None],
    "ctypes": [[0.5, 0.5], None], "one element": [[1, 9, 3], None], "wider": [[1.5, 1.5], None],
    "whole numbers": [[3, 3], None], "no whole numbers": [[0, 0], "TypeError"], "list": [[1.5, 1.5], None],
    "part": [[1.5, 1.5], None], "gaps": [[9, 9, 9], None], "read-only": [[0, 0], None], "failed": [[1.5], "RustError"],
    "without a type": [[7, 7], None], "method": [[2.5], None], "setter": [[2.5], None], "constructor": [[3.5], None],
    "closure": [[4, 4], None], "list of arrays": [[2], [2, 2]], "deep": [[5], [5], [5]], "twice": [6],
    "crashed": [[1.5], "RustPanic"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("build", "types"), [*((build, None) for build in BUILDS), ("native", "/fixtures/lists/pkg/reset/lists.d.ts")]
)
def test_what_rust_wrote_comes_back(py, build, types):
    """It comes back into buffers of any layout, lists and containers, also if the call fails or crashes."""
    expected = dict(WRITTEN)
    if build == "native" and types is None:
        # No type asks for an array of floats. A buffer becomes an array of its own elements, and a list becomes none.
        expected |= {"list": [[0, 0], None], "no whole numbers": [[0, 0], None]}
    found = py.run(write, build=build, types=types)
    assert {name: value for name, value in found.items() if value != expected[name]} == {}
    assert set(found) == set(expected)


async def write_later(build):
    import asyncio
    from array import array

    lists = await load(build, "lists", panic_hook=lambda _: None)
    buffer = array("f", [0, 0])
    call = lists.fill_later(buffer, 1.5, 5)
    before = buffer.tolist()
    await call
    found = {"before": before, "after": buffer.tolist()}
    # Python code that changes the buffer meanwhile keeps its changes, and a call that only reads changes nothing.
    used = array("f", [1, 2])
    call = lists.sum_later(used, 5)
    used[0] = 5
    found["read"] = [await call, used.tolist()]
    given_up = array("f", [0])
    call = lists.fill_later(given_up, 1.5, 1)
    call.cancel()
    await asyncio.sleep(0.05)
    found["given up"] = given_up.tolist()
    grown = bytearray(8)
    call = lists.fill_later(memoryview(grown).cast("f"), 1.5, 5)
    await call
    found["view"] = memoryview(grown).cast("f").tolist()
    smaller = [0.0, 0.0]
    call = lists.fill_later(smaller, 1.5, 5)
    smaller.clear()
    try:
        await call
    except BufferError as error:
        found["smaller"] = str(error)
    many = [array("f", [0]) for _ in range(3)]
    await asyncio.gather(*(lists.fill_later(each, 1.5, 5) for each in many))
    found["gathered"] = [each[0] for each in many]
    return found


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_what_rust_writes_later_comes_back_when_the_call_has_settled(py, build):
    """It comes back before the await returns, but not into a buffer whose size has changed."""
    words = "fill_later(): Rust wrote 2 elements into 'list', which has become smaller: it has 0"
    assert py.run(write_later, build=build) == {
        "before": [0, 0], "after": [1.5, 1.5], "read": [3, [5, 2]], "given up": [0], "view": [1.5, 1.5],
        "smaller": words, "gathered": [1.5, 1.5, 1.5],
    }  # fmt: skip


async def write_meanwhile():
    from array import array

    lists = await load("abort", "lists")
    buffer = array("f", [1, 2, 3])

    def meanwhile():
        buffer[0] = 7

    return [lists.sum(buffer, meanwhile), buffer.tolist()]


def test_what_a_callback_wrote_stays(py):
    """If Rust only reads, its copy of the array does not overwrite later changes."""
    assert py.run(write_meanwhile) == [6, [7, 2, 3]]


async def keep(build):
    import warnings
    from array import array

    lists = await load(build, "lists")
    found = []
    buffer = array("f", [0])
    for value in (buffer, [0.0], bytes(4), memoryview(buffer).toreadonly(), (0.0,)):
        with warnings.catch_warnings(record=True) as caught_warnings:
            warnings.simplefilter("always")
            lists.keep(value)
            lists.fill(value, 1.0)
        found.append([f"{warning.category.__name__}: {warning.message}" for warning in caught_warnings])
        found[-1] += [warning.filename.rpartition("/")[2] for warning in caught_warnings]
    lists.fill_kept(5.0)
    return [found, buffer.tolist()]


@pytest.mark.parametrize("build", ["abort", "reset", "unwind"])
def test_an_array_that_rust_keeps_is_warned_of(py, build):
    """Later writes of Rust are lost, so there is a warning, except for values that nobody can write into."""
    found, buffer = py.run(keep, build=build)
    text = (
        "RuntimeWarning: lists.keep keeps the JavaScript array that was made of {}: what Rust writes into it from now "
        "on does not come back. If Rust only reads it, give it a read-only view: memoryview(...).toreadonly()."
    )
    here = "test_written_arrays.py"
    assert found == [[text.format("'array'"), here], [text.format("'list'"), here], [], [], []]
    assert buffer == [1]


async def give_typed_arrays():
    from js import Float32Array

    lists = await load("abort", "lists")
    mine = Float32Array.new(2)
    lists.fill(mine, 1.5)
    lists.fill_inside([mine], 2.5)
    lists.keep(mine)
    lists.fill_kept(3.5)
    return list(mine)


def test_a_typed_array_of_javascripts_is_used_as_it_is(py):
    """It has everything that Rust writes into it, now or later."""
    assert py.run(give_typed_arrays) == [3.5, 3.5]
