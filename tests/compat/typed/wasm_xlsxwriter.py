"""Typed use of wasm-xlsxwriter."""

from typing import assert_type

import wasm_xlsxwriter as xlsx


def book(text: str) -> bytes:
    workbook = xlsx.Workbook()
    sheet = workbook.add_worksheet()
    assert_type(sheet, xlsx.Worksheet)
    sheet.write(0, 0, text)
    chart = xlsx.Chart(xlsx.ChartType.Line)
    assert_type(chart.combine(xlsx.Chart.new_bar()), xlsx.Chart)
    sheet.write("A1", text)  # wrong
    xlsx.Chart("Line")  # wrong
    return workbook.save_to_buffer_sync()
