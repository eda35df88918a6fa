"""Values go into Rust and come out of it unchanged, as the right Python type."""

import math

import pytest

from tests.browser.builds import caught, load
from tests.places import builds

# Values are converted in the same way, however a build panics.
EACH_BUILD = builds("abort", long=["unwind"])


def echoes():
    """Returns rows of function, argument and result. The repr of a result shows a wrong type."""
    small = [0, 1, -1]
    rows = [(f"echo_{kind}", value, value) for kind in ("i8", "i16", "i32", "i64") for value in small]
    for bits in (8, 16, 32, 64):
        rows += [(f"echo_i{bits}", value, value) for value in (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)]
        rows += [(f"echo_u{bits}", value, value) for value in (0, 2**bits - 1)]
    rows += [("echo_i64", value, value) for value in (2**53, 2**53 + 1, -(2**53) - 1, 2**62 + 1)]
    rows += [("echo_u64", value, value) for value in (2**53 + 1, 2**63)]
    rows += [("echo_i32", True, 1), ("echo_i64", False, 0), ("echo_f64", True, 1.0)]
    floats = [0.0, 2.0, 0.1, -1.5, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan]
    rows += [("echo_f64", value, value) for value in floats]
    rows += [("echo_f64", 2, 2.0), ("echo_f64", -(2**53), -(2.0**53)), ("echo_f64", 2**60, 2.0**60)]
    rows += [("echo_f32", value, value) for value in (2.0, 0.5, math.inf, math.nan)]
    rows += [("echo_f32", 0.1, 0.10000000149011612), ("echo_f32", 1e300, math.inf)]
    rows += [("echo_bool", value, value) for value in (True, False)]
    texts = ["", "ascii", "äöü ß", "日本語", "🦀🐍", "a\0b", "\ufeffbom", "e\u0301", "x" * 100_000 + "é"]
    rows += [("echo_string", text, text) for text in texts]
    rows += [("string_len", "é🦀", 6), ("string_len", "", 0)]
    rows += [("echo_char", character, character) for character in ("a", "é", "🦀", "\0")]
    rows += [("echo_option_i32", value, value) for value in (None, 0, 5, -(2**31), 2**31 - 1)]
    rows += [("echo_option_string", value, value) for value in (None, "", "ü")]
    return rows


async def echo(build):
    import unpanic

    faults = await load(build)
    results = [getattr(faults, name)(given) for name, given, _ in echoes()]
    return [[repr(result) for result in results], unpanic.status(faults).generation]


@EACH_BUILD
def test_numbers_and_texts(py, build):
    """Every number, bool, text and absent value that a Rust type holds arrives and returns as that type."""
    results, generation = py.run(echo, build=build)
    rows = echoes()
    wrong = [
        (name, repr(given)[:40], result[:40], repr(expected)[:40])
        for (name, given, expected), result in zip(rows, results, strict=True)
        if result != repr(expected)
    ]
    assert (wrong, generation) == ([], 0)


async def echo_negative_zero(build):
    faults = await load(build)
    return [repr(value) for value in (faults.echo_f64(-0.0), faults.echo_f32(-0.0), *faults.echo_vec_f64([-0.0]))]


@EACH_BUILD
def test_negative_zero(py, build):
    """A zero keeps its sign."""
    assert py.run(echo_negative_zero, build=build) == ["-0.0"] * 3


def wraps():
    """Functions whose .d.ts and glue say `number` or `bigint`, so that only 32 or 64 bits can be checked."""
    return [
        ("echo_i32", 2**32 - 1, -1),
        ("echo_i32", 2**31, -(2**31)),
        ("echo_u32", -1, 2**32 - 1),
        ("echo_i8", 128, -128),
        ("echo_u8", 256, 0),
        ("echo_u8", -1, 255),
        ("echo_i16", 2**15, -(2**15)),
        ("echo_u16", 2**16, 0),
        ("echo_i64", 2**63, -(2**63)),
        ("echo_u64", -1, 2**64 - 1),
    ]


async def echo_wrapping(build):
    faults = await load(build)
    return [getattr(faults, name)(given) for name, given, _ in wraps()]


@EACH_BUILD
def test_types_that_the_glue_does_not_tell_share_the_range_of_their_width(py, build):
    """A call takes 32 or 64 bits of any sign, and Rust wraps the rest. This is measured, not intended."""
    assert py.run(echo_wrapping, build=build) == [result for *_, result in wraps()]


async def echo_containers(build):
    import array

    faults = await load(build)
    data = b"\0\x01\xff"
    given = [data, bytearray(data), memoryview(data), memoryview(b"\0.\x01.\xff.")[::2], array.array("B", data)]
    found = {"bytes": [faults.echo_bytes(value) for value in [*given, b""]]}
    found["bytes"] = [repr(value) for value in found["bytes"]]
    found["sums"] = [faults.sum_bytes(value) for value in given]
    floats = [[1.5, 2, -0.0], (1.5, 2, -0.0), array.array("d", [1.5, 2, -0.0])]
    found["floats"] = [repr(list(faults.echo_vec_f64(value))) for value in floats]
    found["strings"] = [faults.echo_vec_string(value) for value in (["é", ""], ("é", ""), [])]
    found["color"] = [repr(faults.next_color(value)) for value in (faults.Color.Red, 2)]
    found["integers"] = list(faults.dropped())
    return found


@EACH_BUILD
def test_containers(py, build):
    """Any bytes-like value becomes bytes and returns as bytes, vectors come from sequences, enums are IntEnum."""
    found = py.run(echo_containers, build=build)
    assert found["bytes"] == [repr(b"\0\x01\xff")] * 5 + ["b''"]
    assert found["sums"] == [256] * 5
    assert found["floats"] == ["[1.5, 2.0, -0.0]"] * 3
    assert found["strings"] == [["é", ""], ["é", ""], []]
    assert found["color"] == ["<Color.Green: 1>", "<Color.Red: 0>"]
    assert found["integers"] == []


async def pass_javascript_arrays(build):
    import js

    faults = await load(build)
    data = js.Uint8Array.of(1, 2, 255)
    found = [faults.sum_bytes(value) for value in (data, data.buffer, js.Array.of(1, 2, 255), js.Int32Array.of(3))]
    found.append([list(faults.echo_vec_f64(value)) for value in (js.Float64Array.of(0.5), data, js.Array.of(0.5, 1))])
    found.append([faults.echo_vec_string(js.Array.of("é")), faults.echo_js_value(js.Int8Array.of(-1)).tolist()])
    if build == "abort":  # wasm-bindgen supports no mutable slices in an unwind build
        faults.fill(data)
    return [*found, list(data.to_bytes())]


@pytest.mark.parametrize(("build", "filled"), [("abort", [0, 1, 2]), ("unwind", [1, 2, 255])])
def test_javascript_arrays(py, build, filled):
    """JavaScript arrays pass like Python ones. One of the right type is not copied, so Rust can fill it."""
    expected = [258, 258, 258, 3, [[0.5], [1, 2, 255], [0.5, 1]], [["é"], [-1]], filled]
    assert py.run(pass_javascript_arrays, build=build) == expected


async def pass_object_through(build):
    faults = await load(build)
    thing = faults.Thing(7)
    values = [faults.echo_js_value(thing).value, faults.echo_js_value([thing])[0].value, thing.value]
    thing.free()
    return [values, faults.drops()]


@EACH_BUILD
def test_object_that_passes_through_rust(py, build):
    """An object that returns as a JsValue still has one owner: dropping the returned value does not free it."""
    assert py.run(pass_object_through, build=build) == [[7, 7, 7], 1]


async def pass_anything(build):
    import js

    faults = await load(build)
    plain = [None, True, 5, -7, 0.5, 2**53 - 1, "ü", b"\x01\x02", [1, "a", None], {"a": [1, {"b": 2}]}, []]
    found = {"plain": [repr(faults.echo_js_value(value)) for value in plain]}
    found["tuple"] = faults.echo_js_value((1, (2, 3)))
    url = js.URL.new("https://example.com/")
    found["foreign"] = js.Object.is_(faults.echo_js_value(url), url)
    thing = faults.Thing(7)
    same = faults.echo_js_value(thing)
    found["object"] = [type(same).__name__, same.value]
    found["function"] = faults.echo_js_value(lambda number: number + 1)(4)
    found["expected"] = [repr(value) for value in plain]
    thing.free()
    return found


@EACH_BUILD
def test_any_value(py, build):
    """A JsValue parameter takes Python data, objects of the module, functions and JavaScript objects."""
    found = py.run(pass_anything, build=build)
    assert found["plain"] == found["expected"]
    assert (found["tuple"], found["foreign"], found["object"], found["function"]) == (
        [1, [2, 3]],
        True,
        ["Thing", 7],
        5,
    )


async def call_later(build):
    import asyncio
    import inspect

    import unpanic

    faults = await load(build)
    waiting = faults.wait(1)
    found = [inspect.isawaitable(waiting), await waiting]
    found.append(await asyncio.gather(faults.wait(20), faults.wait_text(1, "é🦀"), faults.wait(0)))
    late = asyncio.create_task(later(faults))
    found.append(unpanic.status(faults).in_flight)
    found.append(await late)
    try:
        await asyncio.wait_for(faults.wait(50), 0.005)
    except TimeoutError:
        found.append("too late")
    await asyncio.sleep(0.1)
    state = unpanic.status(faults)
    return [*found, state.in_flight, state.generation, faults.add(1, 2)]


async def later(faults):
    return await faults.wait(2)


@EACH_BUILD
def test_async(py, build):
    """An async fn is awaitable, alone and with others. A call that is given up leaves nothing behind."""
    expected = [True, 1, [20, "é🦀", 0], 0, 2, "too late", 0, 0, 3]
    assert py.run(call_later, build=build) == expected


async def fail_as_rust_does(build):
    import unpanic

    faults = await load(build)
    errors = [caught(getattr(faults, f"err_{name}")) for name in ("string", "js_error", "value", "object")]
    try:
        await faults.err_later(1)
    except Exception as error:
        errors.append(error)
    found = [[type(error).__name__, str(error), repr(error.value)] for error in errors]
    state = unpanic.status(faults)
    return [found, isinstance(errors[0], unpanic.Crash), state.generation, dict(state.crashes), faults.add(1, 2)]


@EACH_BUILD
def test_err(py, build):
    """An `Err` raises a RustError with its value of any type; it is no crash, and nothing is reset."""
    found, *rest = py.run(fail_as_rust_does, build=build)
    assert [name for name, *_ in found] == ["RustError"] * 5
    assert [value for *_, value in found] == [
        "'an ordinary string'", "'an ordinary error'", "42", "{'code': 7}", "'an ordinary error, later'",
    ]  # fmt: skip
    assert [text for _, text, _ in found[:3]] == ["an ordinary string", "an ordinary error", "42"]
    assert "an ordinary error, later" in found[4][1]
    assert "7" in found[3][1], found[3]
    assert rest == [False, 0, {}, 3]
