# /// script
# requires-python = ">=3.12"
# dependencies = ["unpanic @ ./public/unpanic-0.1.0-py3-none-any.whl"]
# ///
"""A Rust module panics in one cell, and the cells after it go on."""

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
    return (bank,)


@app.cell
def _(mo):
    amount = mo.ui.number(start=0, stop=10_000, value=5_000, label="amount")
    amount
    return (amount,)


@app.cell
def _(amount, bank):
    bank.transfer("ada", "bob", amount.value)  # panics: no account has so much money
    return


@app.cell
def _(bank):
    bank.open("ada", 250)
    bank.balance_of("ada"), bank.add(2, 3)
    return


@app.cell
def _(amount, bank, unpanic):
    amount  # like the cell that panics, this cell depends on `amount`, so it runs again too
    unpanic.status(bank)
    return


@app.cell
def _(amount, bank, unpanic):
    amount
    unpanic.timeline(bank)
    return


if __name__ == "__main__":
    app.run()
