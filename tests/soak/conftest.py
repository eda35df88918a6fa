"""How long the soak is: `--crashes 20000` for the long form."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--crashes", type=int, default=400, help="crashes of the soak")


@pytest.fixture
def crashes(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--crashes")
