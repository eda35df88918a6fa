"""Typed use of parquet-wasm 0.1."""

from typing import assert_type

import parquet_wasm_0_1 as parquet


def round_trip(arrow: bytes) -> bytes:
    written = parquet.write_parquet(arrow)
    assert_type(written, bytes)
    assert_type(parquet.readParquet(parquet_file=written), bytes)
    parquet.write_parquet([1, 2, 3])  # wrong
    return parquet.read_parquet(written)
