"""Typed use of @css-inline/css-inline-wasm."""

from typing import assert_type

import css_inline_css_inline_wasm as css


def inlined(html: str) -> str:
    options: css.InlineOptions = {"minifyCss": True, "baseUrl": "https://example.org/"}
    assert_type(css.inline_fragment(html, "p { color: red }", options), str)
    css.inline(html, {"minify": True})  # wrong
    css.inline(html, minifyCss=True)  # wrong
    return css.inline(html, options)
