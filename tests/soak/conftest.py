"""The length of the soak tests: `--crashes 20000 --each-shape` runs the long forms."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--crashes", type=int, default=400, help="the number of crashes in the soak test")
    parser.addoption("--stops", type=int, default=200, help="the number of endless loops that are stopped in a row")
    parser.addoption("--each-shape", action="store_true", help="stop so many loops of each shape, not of all together")


@pytest.fixture
def crashes(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--crashes")


@pytest.fixture
def stops(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--stops")
