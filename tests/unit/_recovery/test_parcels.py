"""States as bytes: what is written is read again, and nothing else is."""

from __future__ import annotations

import pytest
from unpanic._recovery.capsules import _Decoder, _encode
from unpanic._recovery.parcels import CAPSULE, MAGIC, STATE, Parcel

PARCEL = Parcel(CAPSULE, "bank", "0102", '{"globals": []}', bytes(100_000), ["f", [["", 1]]])


class Thing:
    """An object of the module."""


class Points:
    """Those of a module that has a `Thing` at address 1048."""

    module = "bank"

    def __init__(self) -> None:
        self.adopted: list[tuple[str, int]] = []

    def address_of(self, value: object) -> tuple[str, int] | None:
        return ("Thing", 1048) if isinstance(value, Thing) else None

    def adopt(self, class_name: str, address: int) -> Thing:
        self.adopted.append((class_name, address))
        return Thing()


def test_what_is_written_is_read_again():
    data = bytes(PARCEL)
    assert len(data) < 1_000
    assert Parcel.of(data, CAPSULE) == PARCEL


@pytest.mark.parametrize("at", [0, 7, 8, 9, 40, 41, 60, -1])
def test_each_damaged_byte_is_found(at: int):
    data = bytearray(bytes(PARCEL))
    data[at] ^= 1
    with pytest.raises(ValueError, match=r"bytes are|bytes were"):
        Parcel.of(bytes(data), CAPSULE)


@pytest.mark.parametrize("data", [b"", b"unpanic", MAGIC, bytes(PARCEL)[:20], bytes(PARCEL)[:-1]])
def test_what_is_cut_off_is_refused(data: bytes):
    with pytest.raises(ValueError, match=r"bytes are"):
        Parcel.of(data, CAPSULE)


def test_a_capsule_is_no_checkpoint():
    with pytest.raises(ValueError, match="These bytes are a capsule, not a checkpoint"):
        Parcel.of(bytes(PARCEL), STATE)


def test_a_state_of_another_file_does_not_fit():
    PARCEL.ensure_fits("bank", "0102")
    with pytest.raises(ValueError, match="another Wasm file"):
        PARCEL.ensure_fits("bank", "0103")


@pytest.mark.parametrize(
    "value", [None, True, 2**80, -0.5, "ä\ud800", b"\0\xff", [1, [b"x"]], {"a": {1: None}}, float("inf")]
)
def test_plain_values_are_read_again(value: object):
    assert _Decoder(Points()).decode(_encode(value, "f: argument 1", Points())) == value


def test_what_is_not_plain_is_named():
    with pytest.raises(TypeError, match=r"f: argument 1\[0\]\['a'\] is of type object"):
        _encode([{"a": object()}], "f: argument 1", Points())


def test_one_object_is_one_object_again():
    thing, points = Thing(), Points()
    decode = _Decoder(points).decode  # type: ignore[arg-type]
    first, [second] = (decode(_encode(value, "f", points)) for value in (thing, [thing]))  # type: ignore[arg-type]
    assert isinstance(first, Thing)
    assert first is second
    assert points.adopted == [("Thing", 1048)]
