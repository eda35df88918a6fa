"""The tutorial's cells show the output that the tutorial has, one after the other as in a notebook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

    from scripts.serve import Server

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs/tutorial.md"
BANK = ROOT / "rust/fixtures/bank/pkg/abort"
STEP = re.compile(r"^### \d+\. ", re.M)
CELL = re.compile(r"```python\n(?P<source>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.S)


async def run_cells(sources):
    """Returns each cell's output and last value, as a notebook shows them, and the names of JavaScript objects."""
    import contextlib
    import io
    import logging

    from pyodide.code import eval_code_async
    from pyodide.ffi import JsProxy

    logging.getLogger("unpanic").addHandler(logging.NullHandler())
    namespace = {"__name__": "__main__"}
    shown = []
    for source in sources:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            value = await eval_code_async(source, namespace, filename="<cell>")
        shown.append(printed.getvalue() + (f"{value!r}\n" if value is not None else ""))
    return [shown, [name for name, value in namespace.items() if isinstance(value, JsProxy)]]


def written(text: str, shown: list[str]) -> str:
    """Returns the tutorial's text with these outputs."""
    outputs = iter(shown)

    def with_output(cell: re.Match[str]) -> str:
        output = next(outputs)
        return f"```python\n{cell['source']}```\n" + (f"\n```text\n{output}```\n" if output else "")

    return CELL.sub(with_output, text)


@pytest.mark.usefixtures("jsdelivr")
@pytest.mark.parametrize("realm", ["page"])
def test_tutorial(fresh_py: InBrowser, server: Server, request: pytest.FixtureRequest):
    """All thirty steps run, show the tutorial's output, and leave no JavaScript object behind."""
    for path in BANK.iterdir():
        server.route(f"/pkg/{path.name}", path.read_bytes())
    text = TUTORIAL.read_text("utf-8")
    cells = list(CELL.finditer(text))
    assert len(STEP.findall(text)) == len(cells) == 30
    shown, javascript = fresh_py.run(run_cells, sources=[cell["source"] for cell in cells])
    if request.config.getoption("--write-tutorial"):
        TUTORIAL.write_text(written(text, shown), "utf-8")
    else:
        assert written(text, shown) == text
    assert javascript == []


@pytest.mark.allow("pending")  # the first calls that the page tells one to cancel are still in flight
@pytest.mark.usefixtures("jsdelivr")
@pytest.mark.parametrize("realm", ["page"])
def test_each_step_can_be_run_twice(fresh_py: InBrowser, server: Server):
    """A reader can run each cell again, as in a notebook: no step fails because it ran before.

    The test leaves out the last step, which ends the modules.
    """
    for path in BANK.iterdir():
        server.route(f"/pkg/{path.name}", path.read_bytes())
    *cells, _ = CELL.finditer(TUTORIAL.read_text("utf-8"))
    fresh_py.run(run_cells, sources=[cell["source"] for cell in cells for _ in range(2)])
