"""Typed use of @oxc-parser/wasm."""

from typing import assert_type

import oxc_parser_wasm as oxc


def parsed(source: str) -> str:
    result = oxc.parse_sync(source, {"sourceFilename": "a.js", "sourceType": "module"})
    assert_type(result, oxc.ParseResult)
    assert_type(result.errors, list[oxc.Diagnostic])
    oxc.parse_sync(source, {"sourceType": "typescript"})  # wrong
    return result.program_json
