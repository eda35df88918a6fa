# /// script
# requires-python = ">=3.12"
# dependencies = ["unpanic @ ./public/unpanic-0.1.0-py3-none-any.whl"]
# ///
"""A Rust module that panics in one cell; the cells after it go on."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import unpanic

    return mo, unpanic


@app.cell
async def _(mo, unpanic):
    bank = await unpanic.load(str(mo.notebook_location() / "public" / "bank" / "bank.js"))
    bank.open("ada", 100)
    bank.balance_of("ada")
    return (bank,)


@app.cell
def _(bank):
    bank.transfer("ada", "bob", 5_000)
    return


@app.cell
def _(bank):
    bank.open("ada", 250)
    bank.balance_of("ada"), bank.add(2, 3)
    return


@app.cell
def _(bank):
    bank
    return


@app.cell
def _(bank, unpanic):
    unpanic.timeline(bank)
    return


if __name__ == "__main__":
    app.run()
