"""Typed use of cojson-core-wasm."""

from typing import assert_type

import cojson_core_wasm as cojson


def hashed(data: bytes) -> bytes:
    hasher = cojson.Blake3Hasher()
    hasher.update(data)
    assert_type(cojson.short_hash("hello"), str)
    hasher.update("hello")  # wrong
    return hasher.finalize()
