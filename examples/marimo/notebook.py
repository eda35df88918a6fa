# /// script
# requires-python = ">=3.12"
# dependencies = ["unpanic @ ./public/unpanic-0.1.0-py3-none-any.whl"]
# ///
"""A Rust module crashes in one cell, and the cells after it go on."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import unpanic

    return mo, unpanic


@app.cell
async def _(unpanic):
    prql = await unpanic.load("npm:prql-js@0.12.1")  # compiles queries to SQL
    return (prql,)


@app.cell
def _(mo):
    depth = mo.ui.number(start=0, stop=10_000, value=300, label="depth")
    depth
    return (depth,)


@app.cell
def _(depth, prql):
    # Overflows Rust's stack, if the parentheses are nested too deep.
    prql.compile("from tracks | derive x = " + "(" * depth.value + "1" + ")" * depth.value)
    return


@app.cell
def _(prql):
    options = prql.CompileOptions()  # an object in Rust
    options.target = "sql.sqlite"
    options.target, prql.compile("from tracks | take 3", options)[:6]
    return


@app.cell
def _(depth, prql, unpanic):
    depth  # like the cell that crashes, this cell depends on `depth`, so it runs again too
    unpanic.status(prql)
    return


@app.cell
def _(depth, prql, unpanic):
    depth
    unpanic.timeline(prql)
    return


if __name__ == "__main__":
    app.run()
