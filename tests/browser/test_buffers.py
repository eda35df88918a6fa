"""Buffers of every element type become typed arrays, and typed arrays become buffers."""

import pytest

from tests.browser.builds import caught, load
from tests.places import builds

# Values are converted in the same way, however a build panics.
EACH_BUILD = builds("abort", long=["unwind"])
CODES = {"i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f32": "f",
         "f64": "d"}  # fmt: skip


async def echo_vectors(build):
    import array

    values = await load(build, "values")
    found = {}
    for element, code in CODES.items():
        given = array.array(code, [0, 1, 100])
        vec, reverse = getattr(values, f"vec_{element}"), getattr(values, f"reversed_{element}")
        wide = array.array(code, [7, 0, 7, 1, 7, 100])[1::2]
        forms = [given, memoryview(given), [0, 1, 100], (0, 1, 100), array.array("q", [0, 1, 100]), bytes([0, 1, 100])]
        if element[0] == "f":
            forms.append(array.array("d", given))
        forms += [memoryview(array.array(code, [0, 7, 1, 7, 100, 7]))[::2], wide]
        results = [vec(form) for form in forms] + [reverse(reverse(given))]
        option = getattr(values, f"option_vec_{element}")
        found[element] = [
            {repr(result) for result in results} == {repr(bytes(given) if element == "u8" else given)},
            len(vec(array.array(code))), option(None), len(option(given)), type(vec(given)).__name__,
        ]  # fmt: skip
    return found


@EACH_BUILD
def test_vectors(py, build):
    """A vector takes arrays, views with gaps, other types that fit, and lists. `bytes` or an array comes out."""
    expected = {element: [True, 0, None, 3, "bytes" if element == "u8" else "array"] for element in CODES}
    assert py.run(echo_vectors, build=build) == expected


async def echo_other_buffers():
    import array
    import ctypes

    values = await load("abort", "values")
    matrix = memoryview(bytes(range(6))).cast("B", (2, 3))
    given = {
        "ctypes": (ctypes.c_int32 * 3)(1, -2, 3),
        "big": (ctypes.c_int32.__ctype_be__ * 2)(1, -2),
        "bool": memoryview(b"\1\0\1").cast("?"),
        "other": array.array("f", [0.5, -2]),
    }
    found = [
        list(values.vec_i32(given["ctypes"])),
        list(values.vec_i32(given["big"])),
        list(values.vec_u8(given["bool"])),
    ]
    found += [list(values.vec_u8(matrix)), list(values.vec_i16(matrix)), list(values.vec_f64(given["other"]))]
    found.append(
        [values.describe_buffer(value) for value in (given["ctypes"], given["big"], matrix, b"", bytearray(2))]
    )
    return found


def test_buffers_of_every_kind(py):
    """A vector parameter takes ctypes memory, big-endian elements, truth values, and many dimensions in C order."""
    named = [["Int32Array", "12"], ["Int32Array", "8"], ["Uint8Array", "6"], ["Uint8Array", "0"], ["Uint8Array", "2"]]
    numbers = [[1, -2, 3], [1, -2], [1, 0, 1], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [0.5, -2]]
    assert py.run(echo_other_buffers) == [*numbers, named]


async def refuse_buffers():
    import array

    values = await load("abort", "values")
    calls = [
        (values.vec_u8, array.array("h", [0, 1, 256])), (values.vec_i8, b"\x80"), (values.vec_i32, [2**31]),
        (values.vec_u64, [-1]), (values.vec_i32, array.array("d", [1])), (values.vec_i32, [1.0]),
        (values.vec_f64, ["1"]), (values.vec_f64, "1"), (values.vec_u8, 3), (values.vec_i64, array.array("Q", [2**63])),
        (values.echo, [memoryview(b"ab").cast("e")]),
    ]  # fmt: skip
    return [[type(error).__name__, str(error)] for error in (caught(function, value) for function, value in calls)]


def test_what_does_not_fit(py):
    """An element out of range raises an OverflowError that names it, and floats are refused as integers."""
    found = py.run(refuse_buffers)
    overflow = "element {}: {} does not fit {} ({} to {})"
    assert [text.split(": ", 1)[-1] for _, text in found[:4]] == [
        overflow.format(2, 256, "a u8", 0, 255), overflow.format(0, 128, "an i8", -128, 127),
        overflow.format(0, 2**31, "an i32", -(2**31), 2**31 - 1), overflow.format(0, -1, "a u64", 0, 2**64 - 1),
    ]  # fmt: skip
    assert [kind for kind, _ in found] == ["OverflowError"] * 4 + ["TypeError"] * 5 + ["OverflowError", "TypeError"]
    assert "must hold integers, not floats" in found[4][1]


async def come_out():
    values = await load("abort", "values")
    names = ["Uint8Array", "Uint8ClampedArray", "ArrayBuffer", "DataView", "part", "Int8Array", "Int16Array",
             "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array", "Float32Array",
             "Float64Array"]  # fmt: skip
    results = [values.buffer_named(name) for name in names]
    inside = values.javascript("({a: [new Uint8Array([1]), new Int16Array([-1])], b: new Float64Array([0.5])})")
    return [
        [getattr(result, "typecode", type(result).__name__) for result in results],
        [len(result) for result in results], [repr(inside["a"]), repr(inside["b"])],
    ]  # fmt: skip


def test_typed_arrays_without_a_type(py):
    """A typed array in a JsValue becomes an array of its elements, and bytes become `bytes`, also nested."""
    codes, lengths, inside = py.run(come_out)
    assert codes == ["bytes"] * 5 + ["b", "h", "H", "i", "I", "q", "Q", "f", "d"]
    assert lengths == [8, 8, 8, 4, 3, 8, 4, 4, 2, 2, 1, 1, 2, 1]
    assert inside == ["[b'\\x01', array('h', [-1])]", "array('d', [0.5])"]


async def write_into(build):
    import array
    import ctypes

    import js

    values = await load(build, "values")
    found = {}
    for element, code in CODES.items():
        given = array.array(code, [1, 2, 50])
        double = getattr(values, f"double_{element}")
        count = double(given, False)
        error = caught(double, given, True)
        found[element] = [count, list(given), type(error).__name__]
    data = bytearray(b"\1\2\3\4")
    values.double_u8(memoryview(data)[::2], False)
    matrix = memoryview(bytearray(b"\1\2\3\4")).cast("B", (2, 2))
    values.double_u8(matrix, False)
    integers = (ctypes.c_int32 * 2)(3, -4)
    values.double_i32(integers, False)
    foreign = js.Uint8Array.of(1, 2)
    values.double_u8(foreign, False)
    one, two = bytearray(b"ab"), bytearray(b"cd")
    values.exchange(one, "label", two)
    others = [data.hex(), matrix.tolist(), list(integers), foreign.to_bytes().hex(), one.decode(), two.decode()]
    wrong = [b"ab", memoryview(b"ab"), [1], array.array("b", [1]), 3, None]
    errors = [caught(values.double_u8, value, False) for value in wrong]
    return [found, others, [str(error) for error in errors if isinstance(error, TypeError)]]


@pytest.mark.parametrize("build", ["abort", "reset", "native"])
def test_mutable_slices(py, build):
    """The caller's buffer has what Rust wrote into a `&mut [T]` when the call has ended, also with an `Err`."""
    found, others, errors = py.run(write_into, build=build)
    twice = {element: [3, [4, 8, 200 if element != "i8" else -56], "RustError"] for element in CODES}
    assert found == twice
    assert others == ["02020604", [[2, 4], [6, 8]], [6, -8], "0204", "cd", "ab"]
    place = "double_u8() argument 'values': "
    if build == "native":  # nothing tells a type there
        return
    assert errors == [
        f"{place}must be writable, because Rust writes into it: a bytes is not",
        f"{place}must be writable, because Rust writes into it: a memoryview is not",
        f"{place}must be a writable buffer of u8, such as bytearray, not list",
        f"{place}must hold exactly u8 (as bytearray does), not 'b'",
        f"{place}must be a writable buffer of u8, such as bytearray, not int",
        f"{place}must be a writable buffer of u8, such as bytearray, not NoneType",
    ]
