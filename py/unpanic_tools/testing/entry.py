"""The entry point of the plugin. Without pytest-playwright (the extra `test`), it only says what is missing."""

from importlib.util import find_spec

import pytest

__all__: list[str] = []

IS_COMPLETE = find_spec("pytest_playwright") is not None
# Each module comes after those that it imports: pytest rewrites the assertions of plugins when it imports them.
MODULES = ("realms", "allowing", "fixtures", "plugin")
pytest_plugins = [f"unpanic_tools.testing.{name}" for name in MODULES] if IS_COMPLETE else []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Ends the run if a test needs what is not installed, or turned off."""
    if not any(item.get_closest_marker("in_browser") for item in items):
        return
    if not IS_COMPLETE:
        raise pytest.UsageError("tests marked in_browser need the extra: run `pip install 'unpanic-tools[test]'`.")
    if config.getoption("--browser", None) is None:
        raise pytest.UsageError("tests marked in_browser need the plugin pytest-playwright, which is turned off.")
