"""Typed use of lz4-wasm-nodejs."""

from typing import assert_type

import lz4_wasm_nodejs as lz4


def packed(data: bytes) -> bytes:
    assert_type(lz4.compress(data), bytes)
    lz4.compress("text")  # wrong
    return lz4.decompress(data)
