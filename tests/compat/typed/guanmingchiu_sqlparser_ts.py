"""Typed use of @guanmingchiu/sqlparser-ts."""

from typing import assert_type

import guanmingchiu_sqlparser_ts as sqlparser


def formatted(query: str) -> str:
    assert_type(sqlparser.validate_sql("generic", query), bool)
    tree = sqlparser.parse_sql_with_options("generic", query, {"recursionLimit": 50})
    print(tree[0]["Query"])
    sqlparser.format_sql(query)  # wrong
    return sqlparser.format_sql("generic", sql=query)
