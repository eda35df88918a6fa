"""Every refusal on the page docs/values.md really happens."""

from __future__ import annotations

import re
from pathlib import Path

from tests.browser.builds import load

PAGE = Path(__file__).parents[2] / "docs" / "values.md"


def refusals():
    """Returns the call and the exception of each example in the third column of the tables."""
    rows = [line.rsplit("|", 2)[1] for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [list(found) for row in rows for found in re.findall(r"`(\w+\(.*?\))` (\w+Error)", row)]


async def run_examples(calls):
    from array import array
    from datetime import date

    values = await load("abort", "values")
    scope = {**vars(values), "array": array, "date": date}
    found = []
    for call in calls:
        try:
            eval(call, scope)
            found.append("nothing")
        except Exception as error:
            found.append(type(error).__name__)
    return [*found, values.add(1, 2)]


def test_every_refusal_of_the_page_happens(py):
    """Each call in the tables raises the exception beside it, and the module goes on."""
    expected = refusals()
    assert len(expected) > 40
    *found, works = py.run(run_examples, calls=[call for call, _ in expected])
    wrong = [(call, kind, got) for (call, kind), got in zip(expected, found, strict=True) if got != kind]
    assert (wrong, works) == ([], 3)
