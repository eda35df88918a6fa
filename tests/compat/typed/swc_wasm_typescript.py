"""Typed use of @swc/wasm-typescript."""

from typing import assert_type

import swc_wasm_typescript as swc


async def stripped(source: str) -> str:
    output = swc.transform_sync(source, {"mode": "strip-only"})
    assert_type(output, swc.TransformOutput)
    later = await swc.transform(source.encode(), {"sourceMap": True})
    swc.transform_sync(source, {"mode": "strip"})  # wrong
    return output["code"] + later["code"]
