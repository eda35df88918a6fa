"""Typed use of @astral-sh/ruff-wasm-web."""

from typing import assert_type

import astral_sh_ruff_wasm_web as ruff


def format_all(sources: list[str]) -> list[str]:
    ruff.init_logging(ruff.LogLevel.Debug)
    with ruff.Workspace({"line-length": 120}, ruff.PositionEncoding.Utf16) as workspace:
        assert_type(workspace.format("x=1"), str)
        diagnostics: list[ruff.Diagnostic] = workspace.check("x=1")
        print(diagnostics[0]["message"])
        print(diagnostics[0]["text"])  # wrong
        ruff.Workspace({}, "utf-16")  # wrong
        return [workspace.format(source) for source in sources]
