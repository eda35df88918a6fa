"""Typed use of @ironcalc/wasm."""

from array import array
from typing import assert_type

import ironcalc_wasm as ironcalc


def sheet() -> str:
    model = ironcalc.Model("book", "en", "UTC", "en")
    model.set_user_input(0, 1, 1, "=1+2")
    model.evaluate()
    assert_type(model.get_column_width(0, 1), float)
    assert_type(model.get_cell_type(0, 1, 1), int)
    assert_type(model.get_columns_with_data(0, 1), array[int])
    assert_type(ironcalc.get_all_timezones(), list[str])
    theme = ironcalc.get_theme_list()[0]
    assert_type(theme, ironcalc.IronCalcTheme)
    model.set_user_input(0, 1.5, 1, "x")  # wrong
    model.evaluate_all()  # wrong
    return model.get_cell_content(0, 1, 1)
