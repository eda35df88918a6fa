"""Typed use of @datadog/wasm-js-rewriter."""

from typing import assert_type

import datadog_wasm_js_rewriter as datadog


def rewritten(source: str) -> str:
    rewriter = datadog.Rewriter({"csiMethods": []})
    assert_type(rewriter, datadog.Rewriter)
    result = rewriter.rewrite(source, "a.js", ["iast"], module_name="a")
    rewriter.rewrite(source, "a.js")  # wrong
    return str(result["content"])
