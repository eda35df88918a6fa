"""Typed use of @kreuzberg/html-to-markdown-wasm."""

from typing import assert_type

import kreuzberg_html_to_markdown_wasm as markdown


def convert(html: str) -> str:
    options = markdown.WasmConversionOptions.default()
    options.heading_style = "atx"
    options.list_indent_width = 4
    result = markdown.convert(html, options)
    assert_type(result.content, str | None)
    for table in result.tables:
        assert_type(table, markdown.WasmTableData)
    options.heading_style = markdown.WasmHeadingStyle.Atx  # wrong
    markdown.convert(html.encode())  # wrong
    return result.content or ""
