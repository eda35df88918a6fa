"""The README's Python example prints the output that the README shows."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
FIXTURE = Path(__file__).parents[2] / "rust/fixtures/bank/pkg/abort"
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)


async def run_example(source):
    import contextlib
    import io
    import logging
    import warnings

    from pyodide.code import eval_code_async

    logging.getLogger("unpanic").addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        await eval_code_async("import unpanic\n" + source, {})
    return printed.getvalue()


@pytest.mark.usefixtures("jsdelivr")
def test_examples(py, server):
    """Every example of the README runs, and prints the output that follows it."""
    for path in FIXTURE.iterdir():
        server.route(f"/pkg/{path.name}", path.read_bytes())
    text = README.read_text("utf-8")
    examples = EXAMPLE.findall(text)
    assert len(examples) == text.count("```python") > 0
    for source, output in examples:
        assert py.run(run_example, source=source) == output
