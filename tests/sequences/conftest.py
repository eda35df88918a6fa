"""The length of the tests of random sequences: `--sequences 10000` is the long form."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sequences", type=int, default=300, help="the number of random sequences, of all builds together"
    )


@pytest.fixture
def sequences(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--sequences")
