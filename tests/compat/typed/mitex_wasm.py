"""Typed use of mitex-wasm."""

from typing import assert_type

import mitex_wasm as mitex


def typst(latex: str) -> str:
    assert_type(mitex.convert_text(latex, b""), str)
    mitex.convert_math(latex)  # wrong
    return mitex.convert_math(latex, b"")
