"""Packages from npm are stopped in the middle of long work, and give the right result right after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.test_deadlines import seconds_of
from tests.compat.catalogue import PACKAGES
from tests.compat.rounds import settled, until_ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from unpanic_tools.testing.in_browser import InBrowser

TIMEOUT = 180
LIMIT = 0.5


def compile_long_query(module):
    """Thousands of tables: one long pipeline would rather overflow the stack."""
    options = module.CompileOptions()
    options.format = False
    pipeline = "from a | derive {b = 1, c = b + 1} | filter c > 2 | sort c | take 5"
    tables = "\n".join(f"let t{number} = ({pipeline})" for number in range(10_000))
    module.compile(f"{tables}\nfrom t0", options)


def render_many_blurs(module):
    """A large picture with a wide blur on every shape."""
    blur = '<filter id="f"><feGaussianBlur stdDeviation="90"/></filter>'
    shapes = '<rect width="3000" height="3000" fill="red" filter="url(#f)"/>' * 400
    size = 'width="3000" height="3000"'
    module.Resvg(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{blur}{shapes}</svg>').render()


def join_without_end(module):
    """A query whose answer is the product of the store with itself, five times."""
    store = module.Store()
    lines = "\n".join(f'<http://a/{number}> <http://b> "{number}" .' for number in range(300))
    store.load(lines, {"format": "application/n-triples"})
    patterns = " . ".join(f"?s{number} ?p{number} ?o{number}" for number in range(5))
    store.query(f"SELECT (COUNT(*) AS ?count) WHERE {{ {patterns} }}")


LONG: dict[str, Callable] = {
    "prql-js": compile_long_query,
    "@resvg/resvg-wasm": render_many_blurs,
    "oxigraph": join_without_end,
}
BY_FOLDER = {package.folder: package for package in PACKAGES}


async def stop(glue, work, use, count, limit):
    import inspect
    import math

    import unpanic

    module = await unpanic.load(glue, timeout=math.inf)
    result = {"first": await settled(use(module)), "again": [], "raised": []}
    for _ in range(count):
        try:
            with unpanic.deadline(limit):
                value = work(module)
                if inspect.isawaitable(value):
                    await value
        except unpanic.CallTimeout as error:
            result["raised"].append(str(error))
        await until_ready(module)
        result["again"].append(await settled(use(module)))
    result["crashes"] = dict(unpanic.status(module).crashes)
    unpanic.unload(module)
    return result


@pytest.mark.parametrize("folder", LONG)
def test_long_work_is_stopped(folder: str, py: InBrowser):
    """Three times; the work itself would take many times as long."""
    package = BY_FOLDER[folder]
    measured = py.run(
        stop,
        timeout=TIMEOUT,
        glue=f"/compat/{folder}/{package.glue}",
        work=LONG[folder],
        use=package.use,
        count=3,
        limit=LIMIT,
    )
    assert measured["crashes"] == {"timeout": 3}
    assert all(seconds_of(text) >= LIMIT for text in measured["raised"]), measured["raised"]
    assert measured["first"] == package.gives
    assert measured["again"] == [package.gives] * 3
