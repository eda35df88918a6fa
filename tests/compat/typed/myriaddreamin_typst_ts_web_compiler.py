"""Typed use of @myriaddreamin/typst-ts-web-compiler."""

from typing import assert_type

import myriaddreamin_typst_ts_web_compiler as typst


async def answer(source: str, font: bytes) -> str:
    builder = typst.TypstCompilerBuilder()
    builder.set_dummy_access_model()
    await builder.add_raw_font(font)
    compiler = await builder.build()
    assert_type(compiler, typst.TypstCompiler)
    assert_type(compiler.add_source("/main.typ", source), bool)
    builder.build().reset()  # wrong
    compiler.add_source(b"/main.typ", source)  # wrong
    return compiler.query("/main.typ", None, "<answer>", "value")
