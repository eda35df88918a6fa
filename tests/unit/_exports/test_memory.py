"""Memories and globals of a Wasm file without glue, as Python has them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from tests.unit.fakes import FakeDriver, function, make_module


@pytest.fixture
def driver() -> FakeDriver:
    """A module with a memory of 64 bytes and three globals."""
    names = {"count": ("i32", True), "most": ("i64", False), "ratio": ("f64", True)}
    driver = FakeDriver(
        {
            "adapter": "raw",
            "functions": [function("memory_size", "i32", "float", result="bigint")],
            "memories": ["memory"],
            "globals": [{"name": name, "type": type_, "mutable": mutable} for name, (type_, mutable) in names.items()],
        }
    )
    driver.memory = bytearray(range(64))
    driver.globals = {"count": 3, "most": 2**60, "ratio": 2}
    return driver


KEYS = [
    slice(None), slice(3, 9), slice(-4, None), slice(9, 3), slice(60, 99), slice(0, 9, 4), slice(None, None, -1),
    slice(9, 2, -3), slice(1, 2, 5), slice(5, 5),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_slices_are_those_of_a_memoryview(driver: FakeDriver, key: slice):
    """Reading gives, and writing changes, what it would in a memoryview."""
    memory = make_module(driver)[2].memory
    expected = bytearray(driver.memory)
    assert memory[key] == expected[key]
    new = bytes(255 - at for at in range(len(expected[key])))
    memoryview(expected)[key] = memoryview(new)
    memory[key] = new
    assert driver.memory == expected
    with pytest.raises(ValueError, match=r"a part of \d+ bytes cannot be set to"):
        memory[key] = new + b"x"


def test_single_bytes(driver: FakeDriver):
    """An index is read and written as in a memoryview, and the bounds are those of now."""
    memory = make_module(driver)[2].memory
    memory[-1] = 7
    assert (memory[63], memory[0], len(memory), memory.nbytes, bytes(memory)[-1]) == (7, 0, 64, 64, 7)
    assert list(memory) == list(driver.memory)
    with pytest.raises(IndexError, match=r"bank\.memory has 64 bytes, so there is none at 64"):
        memory[64]
    with pytest.raises(ValueError, match="256 is no byte"):
        memory[0] = 256
    driver.memory = bytearray(65536)
    assert memory.grow(1) == 1
    assert memory[65536] == 0
    with pytest.raises(MemoryError, match=r"bank\.memory cannot grow by 5 pages"):
        memory.grow(5)


@pytest.mark.parametrize("value", [b"ab", bytearray(b"ab"), memoryview(b"ab")], ids=lambda value: type(value).__name__)
def test_whatever_is_bytes_like_can_be_written(driver: FakeDriver, value: Any):
    """All forms of bytes are the same."""
    memory = make_module(driver)[2].memory
    memory[1:3] = value
    assert memory[0:4] == b"\0ab\3"


def test_what_is_not_the_modules_own_cannot_be_written(driver: FakeDriver):
    """Notes for rollback lie in the same memory."""
    driver.table = range(32, 48)
    memory = make_module(driver)[2].memory
    with pytest.raises(IndexError, match=r"bank\.memory cannot be written at 30 to 34: unpanic keeps there"):
        memory[30:34] = b"abcd"
    assert driver.memory[30] == 30


def test_globals(driver: FakeDriver):
    """They have the types of the file, and only those that are mutable can be set."""
    bank = make_module(driver)[2]
    assert [bank.count.value, bank.most.value, bank.ratio.value] == [3, 2**60, 2.0]
    assert type(bank.ratio.value) is float
    bank.count.value = -1
    bank.ratio.value = 3
    assert [driver.globals["count"], driver.globals["ratio"]] == [-1, 3.0]
    with pytest.raises(AttributeError, match=r"bank\.most is a constant of the module"):
        bank.most.value = 1
    with pytest.raises(OverflowError, match="does not fit a 32-bit integer") as caught:
        bank.count.value = 2**40
    assert caught.value.__notes__ == ["for bank.count, a global of type i32"]


def test_they_are_attributes_like_functions(driver: FakeDriver):
    """`dir` shows them, and signatures have the types of the file."""
    bank = make_module(driver)[2]
    assert {"memory", "count", "most", "ratio", "memory_size"} <= {*dir(bank)}
    assert str(inspect.signature(bank.memory_size)).replace("'", "") == "(a: int, b: float) -> int"
    assert [repr(bank.memory), repr(bank.count)] == [
        "<Wasm memory bank.memory>",
        "<Wasm global bank.count of type i32>",
    ]
