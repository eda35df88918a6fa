import logging
import sys

import unpanic

__export__ = ["withdraw"]

# PyScript reports all output on stderr as an error of the page, but a caught panic is no error.
logging.basicConfig(stream=sys.stdout)
logging.captureWarnings(True)

bank = await unpanic.load("bank/bank.js")
account = bank.Account("ada", 100)


def withdraw(amount):
    """Takes money out, and returns the outcome."""
    try:
        account.withdraw(amount)
        outcome = "done"
    except unpanic.RustPanic as crash:
        outcome = f"caught a {crash.kind}: {crash.message}, at {crash.location}"
    # A call that panics is rolled back, so the balance is the one before it.
    return f"withdraw({amount}): {outcome}; balance {account.balance}"
