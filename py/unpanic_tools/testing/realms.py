"""Where tests run: on a page, in a worker, in a shared worker, or in Node; in which browsers."""

import pytest

__all__ = ["REALMS"]

REALMS = ["page", "worker", "shared", "node"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("unpanic", "tests in Pyodide").addoption(
        "--realm",
        action="append",
        choices=REALMS,
        default=[],
        help="where Pyodide runs: on the page, in a worker, in a shared worker, or in Node; may be given several times",
    )
    parser.addini("realms", "where tests in Pyodide run; --realm chooses of these", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"realms(*names): the test runs in each of these: {', '.join(REALMS)}")


@pytest.fixture
def realm(pytestconfig: pytest.Config) -> str:
    """Where Pyodide runs in this test: "page", "worker", "shared" or "node"."""
    return _chosen(pytestconfig)[0]


def _usual(config: pytest.Config) -> list[str]:
    """What the setting says; nothing, if there is none."""
    names: list[str] = config.getini("realms")
    if unknown := set(names) - set(REALMS):
        raise pytest.UsageError(f"realms: {unknown.pop()!r} is none of {', '.join(REALMS)}.")
    return names


def _chosen(config: pytest.Config) -> list[str]:
    """Of the realms of the setting those that `--realm` names; if it names none of them, those that it names."""
    named: list[str] = config.getoption("--realm")
    usual = _usual(config)
    return [name for name in usual if name in named] or named or usual or ["page"]


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object):  # type: ignore[no-untyped-def]
    """A test that is sent to Pyodide uses the fixture `pyodide`, so that its start is not part of the test's time."""
    if callable(obj) and isinstance(collector, pytest.Module | pytest.Class) and collector.funcnamefilter(name):
        marks = [*collector.iter_markers("in_browser"), *getattr(obj, "pytestmark", [])]
        if any(mark.name == "in_browser" for mark in marks):
            pytest.mark.usefixtures("pyodide")(obj)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test once in each of its realms, and in each browser that `--browser` names."""
    if "realm" not in metafunc.fixturenames or _is_parametrized(metafunc):
        return
    mark = metafunc.definition.get_closest_marker("realms")
    names = list(mark.args) if mark else _chosen(metafunc.config)
    if mark or len(names) > 1 or len(_usual(metafunc.config)) > 1:
        metafunc.parametrize("realm", names)
    browsers = metafunc.config.getoption("--browser", [])
    # Pytest-playwright does the rest.
    if len(browsers) > 1 and names != ["node"] and "browser_name" not in metafunc.fixturenames:
        metafunc.fixturenames.append("browser_name")


def _is_parametrized(metafunc: pytest.Metafunc) -> bool:
    return any(mark.args[0] == "realm" for mark in metafunc.definition.iter_markers("parametrize"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what a mark has run in realms that `--realm` does not name."""
    chosen = config.getoption("--realm")
    others = [item for item in items if chosen and _realm(item) not in (None, *chosen)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _realm(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("realm") if callspec else None
