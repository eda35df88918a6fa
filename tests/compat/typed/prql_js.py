"""Typed use of prql-js."""

from typing import assert_type

import prql_js as prql


def sql(query: str) -> str:
    options = prql.CompileOptions()
    options.format = False
    options.target = "sql.sqlite"
    assert_type(options.signature_comment, bool)
    compiled = prql.compile(query, options)
    assert_type(compiled, str | None)
    options.target = None  # wrong
    prql.compile(query, {"format": False})  # wrong
    return compiled or ""
