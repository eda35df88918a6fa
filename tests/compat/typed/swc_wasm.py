"""Typed use of @swc/wasm."""

from typing import assert_type

import swc_wasm as swc


def compiled(source: str) -> str:
    options: swc.Options = {"jsc": {"parser": {"syntax": "typescript"}, "target": "es5"}}
    output = swc.transform_sync(source, options)
    assert_type(output, swc.Output)
    swc.transform_sync(source, {"jsc": {"target": "es4"}})  # wrong
    return output["code"]
