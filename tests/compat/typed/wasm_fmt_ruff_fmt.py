"""Typed use of @wasm-fmt/ruff_fmt."""

from typing import assert_type

import wasm_fmt_ruff_fmt as ruff


def formatted(source: str) -> str:
    part = ruff.format_range(source, {"start": 0, "end": 3})
    assert_type(part, ruff.PrintedRange)
    assert_type(part["code"], str)
    ruff.format(source, config={"indent_style": "mixed"})  # wrong
    return ruff.format(source, "a.py")
