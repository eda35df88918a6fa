"""Typed use of @prisma/prisma-schema-wasm."""

from typing import assert_type

import prisma_prisma_schema_wasm as prisma


def formatted(schema: str) -> bytes:
    buffer = prisma.get_dmmf_buffered(schema)
    assert_type(buffer, prisma.DmmfBuffer)
    assert_type(prisma.format(schema, "{}"), str)
    prisma.validate({"schema": schema})  # wrong
    return buffer.read_chunk(0, buffer.len())
