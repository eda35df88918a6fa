"""Typed use of brotli-wasm."""

from typing import assert_type

import brotli_wasm as brotli


def packed(data: bytes) -> bytes:
    stream = brotli.CompressStream(5)
    result = stream.compress(data, 100)
    assert_type(result.buf, bytes)
    assert_type(stream.total_out(), int)
    print(result.code == brotli.BrotliStreamResultCode.NeedsMoreInput)
    stream.compress(data)  # wrong
    brotli.compress("text")  # wrong
    return brotli.compress(data, {"quality": 5})
