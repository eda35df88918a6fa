"""Typed use of @contentauth/c2pa-wasm."""

from typing import assert_type

import contentauth_c2pa_wasm as c2pa


async def sign_with(key: bytes) -> bytes:
    async def sign(data: bytes) -> bytes:
        return key + data

    definition: c2pa.SignerDefinition = {"sign": sign, "reserveSize": 1000, "alg": "es256"}
    assert_type(c2pa.WasmSigner.from_definition(definition), c2pa.WasmSigner)
    with c2pa.WasmBuilder.from_json('{"title": "a picture"}') as builder:
        builder.add_assertion("org.example", {"a": 1})
        builder.filter_actions_at([0, 1])
        assert_type(builder.to_archive(), bytes)
        builder.filter_actions_at(["first"])  # wrong
    c2pa.WasmSigner.from_definition({"alg": "es256"})  # wrong
    return key


async def read(picture: bytes) -> str | None:
    reader = await c2pa.WasmReader.from_bytes("image/png", picture)
    assert_type(reader, c2pa.WasmReader)
    c2pa.WasmReader.from_bytes("image/png", picture).json()  # wrong
    return reader.active_label()
