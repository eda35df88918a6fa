"""Typed use of mrml."""

from typing import assert_type

import mrml


async def html(source: str) -> str:
    engine = mrml.Engine()
    assert_type(engine.to_html(source), mrml.ToHtmlResult)
    later = await engine.to_html_async(source)
    engine.to_html(source.encode())  # wrong
    engine.set_parser_options({"loader": None})  # wrong
    return str(later["content"])
