"""The length of the soak test: `--crashes 20000` runs the long form."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--crashes", type=int, default=400, help="the number of crashes in the soak test")


@pytest.fixture
def crashes(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--crashes")
