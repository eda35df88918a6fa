"""Typed use of @webbuf/blake3."""

from typing import assert_type

import webbuf_blake3 as blake3


def hashed(data: bytes) -> bytes:
    assert_type(blake3.blake3_mac(data, data), bytes)
    blake3.blake3_mac(data)  # wrong
    return blake3.blake3_hash(data)
