"""Typed use of @typstyle/typstyle-wasm-bundler."""

from typing import assert_type

import typstyle_typstyle_wasm_bundler as typstyle


def formatted(text: str) -> str:
    part = typstyle.format_range(text, 0, 5, {"tab_spaces": 2})
    assert_type(part, typstyle.FormatRangeResult)
    assert_type(part.start, int)
    typstyle.format(text)  # wrong
    typstyle.format(text, {"tabs": 2})  # wrong
    return typstyle.format(text, {"max_width": 80})
