"""Typed use of parquet-wasm."""

from typing import assert_type

import parquet_wasm as parquet


async def convert(data: bytes) -> bytes:
    table = parquet.read_parquet(data, {"batchSize": 1024, "columns": ["name"]})
    assert_type(table, parquet.Table)
    builder = parquet.WriterPropertiesBuilder().set_compression(parquet.Compression.ZSTD)
    properties = builder.build()
    assert_type(properties, parquet.WriterProperties)
    file = await parquet.ParquetFile.from_url("/data.parquet")
    assert_type(file.metadata(), parquet.ParquetMetaData)
    builder.set_compression("zstd")  # wrong
    parquet.write_parquet(table, compression=3)  # wrong
    return parquet.write_parquet(table, properties)


async def count(url: str) -> int:
    batches = 0
    async for _batch in await parquet.read_parquet_stream(url):
        batches += 1
    return batches
