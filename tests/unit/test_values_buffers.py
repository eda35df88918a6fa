"""Buffers of every format, NumPy's among them, as typed arrays; a host that only copies plays JavaScript."""

from __future__ import annotations

import array
import ctypes
from collections.abc import Sequence
from typing import Any

import numpy
import pytest
from unpanic._buffers import BufferSender
from unpanic._module import Module
from unpanic._values import sender

from tests.unit.fakes import FakeDriver, Foreign, make_module

CODES = {"i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f32": "f",
         "f64": "d"}  # fmt: skip


@pytest.fixture
def module() -> Module:
    return make_module(FakeDriver({"functions": []}))[0]


def sent(module: Module, element: str, value: object) -> Any:
    marker, found = sender("bytes" if element == "u8" else f"array:{element}", module, "f")(value)
    assert marker == "js"
    return found


@pytest.mark.parametrize("element", CODES)
@pytest.mark.parametrize("form", ["flat", "gaps", "backwards", "matrix", "columns", "big", "fixed", "empty", "scalar"])
def test_numpy_arrays(module: Module, element: str, form: str):
    """Whatever its strides, its order and its dimensions: the elements arrive in C order."""
    numbers = numpy.arange(6).astype(element[0].replace("i", "i") + str(int(element[1:]) // 8))
    made = {
        "flat": numbers, "gaps": numbers[::2], "backwards": numbers[::-1], "matrix": numbers.reshape(2, 3),
        "columns": numbers.reshape(2, 3, order="F"), "big": numbers.astype(numbers.dtype.newbyteorder(">")),
        "fixed": numbers.copy(), "empty": numbers[:0].reshape(0, 3), "scalar": numpy.array(numbers[3]),
    }[form]  # fmt: skip
    made.flags.writeable = form != "fixed"
    assert sent(module, element, made) == array.array(CODES[element], made.flatten().tolist())


@pytest.mark.parametrize("element", CODES)
def test_other_types_that_fit(module: Module, element: str):
    """Truth values, and integers of every width, where each element fits; half floats for floats."""
    expected = array.array(CODES[element], [0, 1, 1])
    for kind in ("?", "i1", "u1", "i2", ">u2", "i4", "u4", ">i8", "u8"):
        assert sent(module, element, numpy.array([0, 1, 1], kind)) == expected
    if element[0] == "f":
        for kind in ("e", ">e", "f", ">d"):
            assert sent(module, element, numpy.array([0, 1, 1], kind)) == expected


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
def test_what_does_not_fit(module: Module, element: str, value: object, error: type[Exception], text: str):
    """The error tells the first element that does not, or the format."""
    with pytest.raises(error) as caught:
        sent(module, element, value)
    assert str(caught.value).startswith(text)


class Endless(Sequence[int]):
    """Longer than anything that can be made of it."""

    def __len__(self) -> int:
        return 10**30

    def __getitem__(self, at: object) -> Any:
        raise AssertionError


def test_the_length_of_a_sequence_may_not_fit(module: Module):
    """It is refused in Python's words."""
    with pytest.raises(OverflowError, match=r"^cannot fit 'int' into an index-sized integer$"):
        sent(module, "u8", Endless())


def test_floats_are_rounded_to_f32(module: Module):
    """As Rust's `as f32` does; what is too large is infinite."""
    assert sent(module, "f32", numpy.array([0.1, 1e300])) == array.array("f", [0.1, float("inf")])


@pytest.mark.parametrize(
    "value",
    [
        bytearray(b"\0\1\2\3"), array.array("B", range(4)), numpy.arange(4, dtype="u1"),
        numpy.arange(8, dtype="u1")[::2], numpy.arange(4, dtype="u1").reshape(2, 2), (ctypes.c_uint8 * 4)(0, 1, 2, 3),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_rust_wrote_is_copied_back(module: Module, value: Any):
    """Into the caller's own buffer, wherever its elements lie."""
    send: Any = sender("bytes", module, "f", mutable=True)
    send(value)
    send.after(value, ("js", array.array("B", [9, 8, 7, 6])))
    assert memoryview(value).tobytes() == bytes([9, 8, 7, 6])


def test_what_rust_cannot_write_into_is_refused(module: Module):
    """A read-only array, other elements, columns first, a list."""
    send = sender("array:f64", module, "f", mutable=True)
    fixed = numpy.zeros(2)
    fixed.flags.writeable = False
    refused = [fixed, numpy.zeros(2, "f4"), numpy.zeros(2, ">f8"), numpy.zeros((2, 2), order="F"), [1.0], b"12345678"]
    for value in refused:
        with pytest.raises(TypeError):
            send(value)
    assert send(numpy.zeros(2)) == ("js", array.array("d", [0, 0]))


def test_without_a_type_every_dimension_is_copied_back(module: Module):
    """Also where the format has a prefix, as those of ctypes have."""
    send: Any = sender("any", module, "f", mutable=True)
    grid = ((ctypes.c_int32 * 2) * 2)()
    send(grid)
    send.after(grid, ("js", array.array("i", [9, 8, 7, 6])))
    assert [list(row) for row in grid] == [[9, 8], [7, 6]]


def test_without_a_type_a_buffer_keeps_its_elements(module: Module):
    """An array of NumPy's becomes the typed array of its elements; what JavaScript has no array for is refused."""
    send = sender("any", module, "f")
    for code in CODES.values():
        assert send(numpy.array([0, 1], code)) == ("js", array.array(code, [0, 1]))
    assert send(numpy.array([1, 2], ">i4")) == ("js", array.array("i", [1, 2]))
    with pytest.raises(TypeError, match=r"^cannot pass a buffer of the format 'e' to Rust"):
        send(numpy.array([1], "e"))


def test_without_a_type_a_number_of_numpys_is_a_number(module: Module):
    """It has a buffer, but no dimensions."""
    given = [numpy.int64(-3), numpy.float32(1.5), numpy.float16(0.5), numpy.bool_(True), numpy.array(2**60, ">u8")]
    send = sender("any", module, "f", mutable=True)
    sent_as = [send(value) for value in given]
    assert [(type(number), number) for number in sent_as] == [
        (int, -3), (float, 1.5), (float, 0.5), (bool, True), (int, 2**60),
    ]  # fmt: skip
    send.after(cell := ctypes.c_int(5), send(cell))  # type: ignore[attr-defined]
    assert send([numpy.int8(1)]) == ("js", [1])


def test_a_typed_array_without_memory(module: Module):
    """It stays an object of JavaScript's when it is read, and is refused before anybody looks for its elements."""
    with pytest.raises(
        TypeError, match=r"^must be a buffer or a sequence of numbers, not an object that only JavaScript"
    ):
        BufferSender("i16", module.host, lambda value: value)(Foreign("Uint8Array"))
