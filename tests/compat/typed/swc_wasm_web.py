"""Typed use of @swc/wasm-web."""

from typing import assert_type

import swc_wasm_web as swc


async def compiled(source: str) -> str:
    options: swc.Options = {"jsc": {"parser": {"syntax": "typescript"}, "target": "es5"}}
    output = swc.transform_sync(source, options)
    assert_type(output, swc.Output)
    assert_type(output["code"], str)
    tree = await swc.parse(source, {"syntax": "typescript"})
    later = await swc.minify(source, {"compress": True})
    swc.transform_sync(source, {"jsc": {"target": "es4"}})  # wrong
    print(tree, later["text"])  # wrong
    return output["code"]
