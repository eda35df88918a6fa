"""Random sequences of calls, crashes, transactions, checkpoints, callbacks and async calls, against a model in Python.

Hypothesis makes the sequences here, and a page plays them. What it finds wrong, Hypothesis makes shorter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, note, settings

from tests.browser.rollbacks import UNDOING
from tests.sequences.operations import SEQUENCES
from tests.sequences.player import begin, end, go_on

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

# A short run makes the same sequences each time.
SHORT = 1000


@pytest.mark.parametrize("realm", ["page"])
@pytest.mark.parametrize("build", UNDOING)
def test_random_sequences(py: InBrowser, build: str, sequences: int, capsys: pytest.CaptureFixture[str]):
    """After each sequence the module has what the model has; memory is compared with its shadow at each commit."""
    py.run(begin, build=build)

    @settings(
        max_examples=sequences // len(UNDOING),
        derandomize=sequences < SHORT,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(sequence=SEQUENCES)
    def check(sequence):
        problems = py.run(go_on, sequence=sequence)
        note(f"problems: {problems}")
        assert not problems, "\n".join(problems)

    check()
    seen = py.run(end)
    if sequences >= SHORT:
        with capsys.disabled():
            print(f"\n{build}, {sequences // len(UNDOING)} sequences: {seen}")
