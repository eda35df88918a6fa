"""Typed use of @gorules/zen-engine-wasm."""

from typing import assert_type

import gorules_zen_engine_wasm as zen


def total(prices: list[int]) -> bool:
    variable = zen.Variable({"prices": prices})
    print(variable.evaluate_expression("sum(prices)") * 2)
    assert_type(variable.clone_with("more", 3), zen.Variable)
    kind = zen.VariableType({"prices": [1]})
    assert_type(kind.calculate_type("sum(prices)"), zen.VariableType)
    assert_type(kind.hash(), str)
    kind.merge({"prices": [1]})  # wrong
    zen.evaluate_expression(["sum"], {})  # wrong
    return variable.evaluate_unary_expression("> 3")
