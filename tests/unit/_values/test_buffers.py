"""Buffers of every format, also NumPy's, become typed arrays. The fake browser copies where JavaScript would."""

from __future__ import annotations

import array
import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy
import pytest
from unpanic._bridge.context import Context
from unpanic._bridge.parameters import GlueParameter
from unpanic._values.buffers import BufferSender
from unpanic._values.drafts import Arguments, Draft
from unpanic._values.senders import draft_any, make_sender

from tests.unit._values.test_convert import same, sender, undeclared
from tests.unit.fakes import FakeDriver, Foreign, kind, make_module

CODES = {"i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f32": "f",
         "f64": "d"}  # fmt: skip


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver({"functions": []})


@pytest.fixture
def context(driver: FakeDriver) -> Context:
    return make_module(driver)[0]


def write(context: Context, value: Any, written: Sequence[Any], shorthand: str, **more: Any) -> None:
    """Calls a function that writes these elements into its argument; it leaves out those that are None."""

    def lane(made: Any) -> None:
        for at, number in enumerate(written):
            if number is not None:
                made[1][at] = number

    converted = make_sender(
        GlueParameter("a", kind(shorthand), optional=False, rest=False, **more), context, undeclared
    )(value)
    Arguments(context, "f", [converted]).run(lane, same)


def sent(context: Context, element: str, value: object) -> Any:
    marker, typed_array = sender(f"array:{element}", context)(value)
    assert marker == "js"
    return typed_array


@pytest.mark.parametrize("element", CODES)
@pytest.mark.parametrize("form", ["flat", "gaps", "backwards", "matrix", "columns", "big", "fixed", "empty", "scalar"])
def test_numpy_arrays(context: Context, element: str, form: str):
    """The elements arrive in C order, whatever the strides, the byte order and the dimensions of the array."""
    numbers = numpy.arange(6).astype(element[0].replace("i", "i") + str(int(element[1:]) // 8))
    source = {
        "flat": numbers, "gaps": numbers[::2], "backwards": numbers[::-1], "matrix": numbers.reshape(2, 3),
        "columns": numbers.reshape(2, 3, order="F"), "big": numbers.astype(numbers.dtype.newbyteorder(">")),
        "fixed": numbers.copy(), "empty": numbers[:0].reshape(0, 3), "scalar": numpy.array(numbers[3]),
    }[form]  # fmt: skip
    source.flags.writeable = form != "fixed"
    assert sent(context, element, source) == array.array(CODES[element], source.flatten().tolist())


@pytest.mark.parametrize("element", CODES)
def test_other_types_that_fit(context: Context, element: str):
    """Truth values and integers of every width are taken if each element fits; a float array takes half floats too."""
    expected = array.array(CODES[element], [0, 1, 1])
    for dtype in ("?", "i1", "u1", "i2", ">u2", "i4", "u4", ">i8", "u8"):
        assert sent(context, element, numpy.array([0, 1, 1], dtype)) == expected
    if element[0] == "f":
        for dtype in ("e", ">e", "f", ">d"):
            assert sent(context, element, numpy.array([0, 1, 1], dtype)) == expected


@pytest.mark.parametrize(
    ("element", "value", "error", "text"),
    [
        ("u8", numpy.array([1, 256]), OverflowError, "element 1: 256 does not fit a u8 (0 to 255)"),
        ("i32", numpy.array([2**31], ">u4"), OverflowError, "element 0: 2147483648 does not fit an i32"),
        ("i8", numpy.array([[0, 0], [0, -129]]), OverflowError, "element 3: -129 does not fit an i8 (-128 to 127)"),
        ("u64", numpy.array([-1]), OverflowError, "element 0: -1 does not fit a u64"),
        ("i32", numpy.array([1.0]), TypeError, "must hold integers, not floats (format 'd')"),
        ("i32", numpy.array([1], "e"), TypeError, "must hold integers, not floats (format 'e')"),
        ("f64", numpy.array([1j]), TypeError, "must be a buffer of numbers, not of the format 'Zd'"),
        ("f64", numpy.array(["a"]), TypeError, "must be a buffer of numbers, not of the format '1w'"),
        ("f64", numpy.array([(1, 2)], "i4,i4"), TypeError, "must be a buffer of numbers, not of the format"),
    ],
)
def test_what_does_not_fit(context: Context, element: str, value: object, error: type[Exception], text: str):
    """The error names the first element that does not fit, or the format."""
    with pytest.raises(error) as caught:
        sent(context, element, value)
    assert str(caught.value).startswith(text)


class Endless(Sequence[int]):
    """A sequence that is too long for any array."""

    def __len__(self) -> int:
        return 10**30

    def __getitem__(self, at: object) -> Any:
        raise AssertionError


def test_the_length_of_a_sequence_may_not_fit(context: Context):
    """Such a sequence is refused with Python's own message."""
    with pytest.raises(OverflowError, match=r"^cannot fit 'int' into an index-sized integer$"):
        sent(context, "u8", Endless())


def test_floats_are_rounded_to_f32(context: Context):
    """The numbers are rounded as by Rust's `as f32`; infinity stays, and no other number becomes infinite."""
    assert sent(context, "f32", numpy.array([0.1, math.inf])) == array.array("f", [0.1, math.inf])
    for numbers in ([1, -1e300], array.array("d", [1, -1e300])):
        with pytest.raises(OverflowError, match=r"^element 1: -1e\+300 does not fit an f32 \(up to 3\.4028235e\+38\)$"):
            sent(context, "f32", numbers)


@pytest.mark.parametrize(
    "value",
    [
        bytearray(b"\0\1\2\3"), array.array("B", range(4)), numpy.arange(4, dtype="u1"),
        numpy.arange(8, dtype="u1")[::2], numpy.arange(4, dtype="u1").reshape(2, 2), (ctypes.c_uint8 * 4)(0, 1, 2, 3),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_rust_wrote_is_copied_back(context: Context, value: Any):
    """The caller's own buffer has the new elements, whatever its layout."""
    write(context, value, [9, 8, 7, 6], "array:u8", mutable=True)
    assert memoryview(value).tobytes() == bytes([9, 8, 7, 6])


def test_what_rust_cannot_write_into_is_refused(context: Context):
    """Rust cannot write into a read-only array, other elements, columns that come first, or a list."""
    send = sender("array:f64", context, mutable=True)
    fixed = numpy.zeros(2)
    fixed.flags.writeable = False
    refused = [fixed, numpy.zeros(2, "f4"), numpy.zeros(2, ">f8"), numpy.zeros((2, 2), order="F"), [1.0], b"12345678"]
    for value in refused:
        with pytest.raises(TypeError):
            send(value)
    assert send(numpy.zeros(2)) == ("js", array.array("d", [0, 0]))


def test_without_a_type_every_dimension_is_copied_back(context: Context):
    """The elements go back also where the format has a prefix, as in ctypes."""
    grid = ((ctypes.c_int32 * 2) * 2)()
    write(context, grid, [9, 8, 7, 6], "any")
    assert [list(row) for row in grid] == [[9, 8], [7, 6]]


def test_without_a_type_a_buffer_keeps_its_elements(context: Context):
    """A NumPy array becomes the typed array of its elements, and is refused if JavaScript has no such array."""
    send = sender("any", context)
    for code in CODES.values():
        assert send(numpy.array([0, 1], code)) == ("js", array.array(code, [0, 1]))
    assert send(numpy.array([1, 2], ">i4")) == ("js", array.array("i", [1, 2]))
    with pytest.raises(TypeError, match=r"^cannot pass a buffer of the format 'e' to Rust"):
        send(numpy.array([1], "e"))


def test_without_a_type_a_number_of_numpys_is_a_number(context: Context):
    """NumPy's numbers are buffers without dimensions."""
    numbers = [numpy.int64(-3), numpy.float32(1.5), numpy.float16(0.5), numpy.bool_(True), numpy.array(2**60, ">u8")]
    send = sender("any", context, mutable=True)
    sent_as = [send(value) for value in numbers]
    assert [(type(number), number) for number in sent_as] == [
        (int, -3), (float, 1.5), (float, 0.5), (bool, True), (int, 2**60),
    ]  # fmt: skip
    assert send(ctypes.c_int(5)) == 5
    assert send([numpy.int8(1)]) == ("js", [1])


def test_a_typed_array_without_memory(context: Context):
    """A typed array that Pyodide cannot read is refused before its elements are read."""
    with pytest.raises(
        TypeError, match=r"^must be a buffer or a sequence of numbers, not an object that only JavaScript"
    ):
        BufferSender("i16", context.browser, lambda value: value)(Foreign("Uint8Array"))


def grids(code: str) -> dict[str, Any]:
    """Returns the elements 0 to 3 in buffers of every layout."""
    numbers = numpy.arange(4, dtype=code)
    return {
        "flat": numbers, "gaps": numpy.arange(8, dtype=code)[::2] // 2, "matrix": numbers.reshape(2, 2),
        "columns": numpy.arange(4, dtype=code).reshape(2, 2).copy(order="F"),
        "big": numbers.astype(numpy.dtype(code).newbyteorder(">")), "array": array.array(code, range(4)),
    }  # fmt: skip


@pytest.mark.parametrize("form", grids("f"))
@pytest.mark.parametrize(("code", "kind"), [("f", "array:f32"), ("d", "array:f32"), ("d", "any"), ("i", "array:f64")])
def test_what_rust_wrote_into_a_shared_array_is_copied_back(context: Context, form: str, code: str, kind: str):
    """The elements go back also into layouts, types and byte orders that JavaScript does not have."""
    value = grids(code)[form]
    if form == "gaps":
        value = numpy.arange(8, dtype=code)[::2]
        value[:] = range(4)
    write(context, value, [None, 9.0, 8.0, None], kind, shared=True)
    assert numpy.asarray(value).flatten().tolist() == [0, 9, 8, 3]


def test_what_nobody_wrote_stays_as_it_is_now(context: Context):
    """Only the elements that Rust changed go back, because a callback may have written into the others."""
    value = array.array("f", [0, 1, 2, 3])
    converted = make_sender(
        GlueParameter("a", kind("array:f32"), optional=False, rest=False, shared=True), context, undeclared
    )(value)

    def lane(made: Any) -> None:
        value[0], value[3] = 7, 8
        made[1][1] = 9

    Arguments(context, "f", [converted]).run(lane, same)
    assert value.tolist() == [7, 9, 2, 8]


def test_lists_are_written_into_as_well(context: Context):
    """A list of numbers has what Rust wrote when the call has ended, as a buffer does."""
    value = [0, 1, 2]
    write(context, value, [None, 0.5], "array:f32", shared=True)
    assert value == [0, 0.5, 2]


def test_what_lies_in_a_container_is_written_into(context: Context):
    """Buffers inside of containers get what Rust wrote, at any depth."""
    inner, deep = bytearray(2), array.array("d", [1])

    def lane(made: Any) -> None:
        made[1]["a"][0][1][1] = 5
        made[1]["b"]["c"][1][0] = 0.5

    Arguments(context, "f", [draft_any({"a": [inner, 1], "b": {"c": deep}}, context)]).run(lane, same)
    assert (inner, deep.tolist()) == (bytearray([0, 5]), [0.5])


@pytest.mark.parametrize(
    ("value", "written", "error", "text"),
    [
        (
            array.array("i", [0]),
            [0.5],
            TypeError,
            "f(): 'array' of the format 'i' cannot hold what Rust wrote: 'float'",
        ),
        (
            array.array("b", [0]),
            [300.0],
            TypeError,
            "f(): 'array' of the format 'b' cannot hold what Rust wrote: signed char",
        ),
    ],
)
def test_what_does_not_fit_back_is_no_secret(context: Context, value: Any, written: Any, error: Any, text: str):
    """If the buffer cannot hold what Rust wrote, the call raises although it has run."""
    with pytest.raises(error) as caught:
        write(context, value, written, "array:f64", shared=True)
    assert str(caught.value).startswith(text)


def test_a_buffer_that_has_become_smaller(context: Context):
    """If a callback removed elements during the call, the call raises."""
    value = bytearray(4)
    draft = draft_any(value, context)

    def lane(made: Any) -> None:
        made[1][3] = 1
        value.clear()

    with pytest.raises(
        BufferError, match=r"^f\(\): Rust wrote 4 elements into 'bytearray', which has become smaller: it has 0$"
    ):
        Arguments(context, "f", [draft]).run(lane, same)


def test_a_failed_call_keeps_its_own_exception(context: Context):
    """If the elements cannot be copied back either, the exception of the call has a note about it."""
    value = array.array("i", [0])
    draft = make_sender(
        GlueParameter("a", kind("array:f64"), optional=False, rest=False, shared=True), context, undeclared
    )(value)

    def lane(made: Any) -> None:
        made[1][0] = 0.5
        raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        Arguments(context, "f", [draft]).run(lane, same)
    assert caught.value.__notes__[0].startswith("what Rust had written into an argument is lost: f(): 'array'")


def test_an_array_that_rust_keeps_is_warned_of(context: Context, driver: FakeDriver):
    """Rust's later changes would be lost, so a warning says so; values that cannot be written into need none."""
    value = bytearray(2)
    draft = draft_any(value, context)
    driver.kept = [draft.lower("")]
    text = (
        "^bank.f keeps the JavaScript array that was made of 'bytearray': what Rust writes into it from now on does not"
    )
    with pytest.warns(RuntimeWarning, match=text):
        Arguments(context, "f", [draft]).run(lambda _: None, same)
    for fixed in (b"ab", memoryview(value).toreadonly(), (1, 2)):
        assert not isinstance(draft_any(fixed, context), Draft)
